#!/usr/bin/env bash
# bench.sh [SCENARIO]: what a query costs behind acra-server, beside a direct connection, the null relay, HAProxy and
# PgBouncer; with the scenario `mysql`, before MariaDB. About five minutes; see benches/src/main.rs for what can be set.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"

say "building with optimisation"
cargo build --release --locked -p acra-server -p acra-tools -p acra-net -p acra-benches --bins
beside=scripts/with-postgres.sh
[ "${1:-}" != mysql ] || beside=scripts/with-mysql.sh
ACRA_TEST_POSTGRES_VERSIONS=15 "$beside" target/release/acra-bench "$@"

#!/usr/bin/env bash
# soak.sh [LENGTH]: harness/tests/soak.rs for so many seconds (half an hour), with optimised binaries.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"

say "building with optimisation"
cargo build --release --locked -p acra-server -p acra-tools --bins
export ACRA_TEST_BIN_DIR=$PWD/target/release ACRA_SOAK_SECONDS=${1:-1800}
say "traffic for $ACRA_SOAK_SECONDS s"
ACRA_TEST_POSTGRES_VERSIONS=15 scripts/with-postgres.sh cargo test --locked -p acra-harness --test soak -- --nocapture

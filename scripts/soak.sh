#!/usr/bin/env bash
# soak.sh: harness/tests/soak.rs for SECONDS (1800) with optimised binaries.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# Bash counts a variable of this name itself: what the caller gave is still in its environment.
length=$(tr '\0' '\n' </proc/$$/environ | sed -n 's/^SECONDS=//p')
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"

say "building with optimisation"
cargo build --release --locked -p acra-server -p acra-tools --bins
export ACRA_TEST_BIN_DIR=$PWD/target/release ACRA_SOAK_SECONDS=${length:-1800}
say "traffic for $ACRA_SOAK_SECONDS s"
ACRA_TEST_POSTGRES_VERSIONS=15 scripts/with-postgres.sh cargo test --locked -p acra-harness --test soak -- --nocapture

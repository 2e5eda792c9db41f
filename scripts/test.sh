#!/usr/bin/env bash
# test.sh: everything that must hold before a change is taken; `make test` sets up what it needs first.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"
# Nothing that should have been built or installed is passed over.
export ACRA_TEST_REQUIRE_ALL=1

step() {
    say "[${SECONDS}s] $1"
}

step "formatting and lints"
make --no-print-directory lint
step "documentation"
make --no-print-directory docs
step "dependencies"
make --no-print-directory deny
step "building binaries and tests"
cargo build --workspace --bins --locked
if command -v cargo-nextest >/dev/null; then
    cargo nextest run --workspace --locked --no-run
    step "tests, beside PostgreSQL 15, 17 and 18, MariaDB and MySQL"
    scripts/with-databases.sh cargo nextest run --workspace --locked --no-fail-fast
else
    cargo test --workspace --locked --no-run
    step "tests, beside PostgreSQL 15, 17 and 18, MariaDB and MySQL"
    scripts/with-databases.sh cargo test --workspace --locked --no-fail-fast
fi
step "faults, with databases in containers"
scripts/test-containers.sh quick
step "fuzz targets, a minute"
scripts/fuzz.sh 60
step "all of it passed"

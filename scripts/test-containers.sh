#!/usr/bin/env bash
# test-containers.sh [quick] [ARGUMENTS OF NEXTEST]: the scenario tests with PostgreSQL in containers, shared ones and those of
# a test's own. Without a Docker engine nothing is run, and that is said. `quick` runs the faults only, and only if the images
# are there: it is the part of `make test`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"

skip() {
    say "SKIPPED, tests with containers: $*"
    exit 0
}

docker info >/dev/null 2>&1 || skip "no Docker engine answers (docker info says why)"
arguments=("$@")
if [ "${1:-}" = quick ]; then
    arguments=(--test faults)
    for version in 15 17; do
        grep -qs "^ACRA_POSTGRES_${version}_IMAGE=" .cache/images/names || skip "there are no images; make images builds them"
    done
else
    scripts/images.sh postgres-15 postgres-17 postgres-18
fi
# shellcheck source=/dev/null
. .cache/images/names
for version in 15 17 18; do
    name=ACRA_POSTGRES_${version}_IMAGE
    docker image inspect "${!name:-none}" >/dev/null 2>&1 || skip "the image of PostgreSQL $version is gone; make images builds it"
    export "ACRA_TEST_POSTGRES_${version}_IMAGE=${!name}"
done

# A test that was killed leaves its container behind.
export ACRA_TEST_RUN=$$
sweep() {
    docker ps -aq --filter "label=acra-rs.test=$ACRA_TEST_RUN" | xargs -r docker rm -f >/dev/null
}
trap sweep EXIT
cargo build --workspace --bins --locked
cargo build -p acra-harness --features containers --bins --locked
target/debug/with-containers cargo nextest run -p acra-harness --features containers --locked --no-fail-fast "${arguments[@]}"

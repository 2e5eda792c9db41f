#!/usr/bin/env bash
# test-containers.sh [quick] [ARGUMENTS OF NEXTEST]: the scenario tests with PostgreSQL and Redis in containers, shared ones and
# those of a test's own, and the faults of a MariaDB in one. Without a Docker engine nothing is run, and that is said. `quick`
# runs the faults of databases and token stores only, and only if the images are there, which take minutes to build: it is the
# part of `make test`.
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
    arguments=(--test faults --test tokens -E 'binary(faults) | test(/^failures/)')
    for image in POSTGRES_15 POSTGRES_17 POSTGRES_18 MARIADB REDIS; do
        grep -qs "^ACRA_${image}_IMAGE=" .cache/images/names || skip "there are no images; make images builds them"
    done
else
    scripts/images.sh postgres-15 postgres-17 postgres-18 mariadb redis
fi
# shellcheck source=/dev/null
. .cache/images/names
for image in POSTGRES_15 POSTGRES_17 POSTGRES_18 MARIADB REDIS; do
    name=ACRA_${image}_IMAGE
    docker image inspect "${!name:-none}" >/dev/null 2>&1 || skip "the image ${!name:-of $image} is gone; make images builds it"
    export "ACRA_TEST_${image}_IMAGE=${!name}"
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

#!/usr/bin/env bash
# images.sh [IMAGE...]: makes sure that the images for compose/ and the tests with containers are there.
#
# IMAGES: postgres-15 postgres-17 postgres-18 mariadb redis acra-server setup (default: all). Where a registry answers, the
# official ones are pulled; else they are built on a base of Debian packages, as localhost/acra-test/…: such a name is
# never looked for elsewhere. ACRA_IMAGES=local or =official decides it. acra-server is built on the host.
# The names go into .cache/images/names, which other scripts source.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"
cache=$PWD/.cache/images
local=localhost/acra-test
suite=bookworm

docker info >/dev/null 2>&1 || die "no Docker engine answers (docker info says why)"
# Ordinary Dockerfiles: neither generation of the builder needs anything from a registry for them.
[ $# -gt 0 ] || set -- postgres-15 postgres-17 postgres-18 mariadb redis acra-server setup
mkdir -p "$cache"

exists() {
    docker image inspect "$1" >/dev/null 2>&1
}

# Once built, images stay local: a pull would mix two kinds.
kind() {
    if [ -n "${ACRA_IMAGES:-}" ]; then
        echo "$ACRA_IMAGES"
    elif exists "$local/base:$suite"; then
        echo local
    elif timeout 60 docker pull -q "debian:$suite-slim" >/dev/null 2>&1; then
        echo official
    else
        echo local
    fi
}

# A base of Debian packages from the mirror that this machine uses. Imported again it would have a new id, and everything
# above it would be built again.
make_base() {
    exists "$base" && return
    [ "$kind" = local ] || { docker pull -q "$base" >/dev/null && return; }
    need_apt mmdebstrap
    say "building $base from Debian packages"
    local sources=/etc/apt/sources.list.d/debian.sources work
    grep -qsx "Suites:.*$suite.*" "$sources" || sources=
    work=$(mktemp -d)
    # Not by a pipe: a half-made archive would get the name.
    mmdebstrap -q --variant=apt --include=ca-certificates,tzdata \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --aptopt='Dir::Cache::pkgcache ""' --aptopt='Dir::Cache::srcpkgcache ""' \
        "$suite" "$work/base.tar" ${sources:+"$sources"} >&2 \
        || { rm -rf "$work"; die "mmdebstrap failed; is a Debian mirror reachable?"; }
    docker import -c 'ENV LANG=C.UTF-8' "$work/base.tar" "$base" >/dev/null
    rm -rf "$work"
}

# build NAME CONTEXT [OPTION...]: what has not changed is taken from the builder's cache.
build() {
    local name=$1 context=$2
    shift 2
    say "building $name"
    docker build -q --build-arg BASE="$base" -t "$name" "$@" "$context" >"$cache/log" 2>&1 \
        || { cat "$cache/log" >&2; die "building $name failed"; }
}

# named VARIABLE NAME: for those who source the names.
named() {
    touch "$cache/names"
    sed -i "/^$1=/d" "$cache/names"
    echo "$1=$2" >>"$cache/names"
}

# official_or VARIABLE OFFICIAL LOCAL: pulls the official image; fails if the local one is to be built.
official_or() {
    if [ "$kind" = official ]; then
        exists "$2" || { say "pulling $2" && docker pull -q "$2" >/dev/null; }
        named "$1" "$2"
        return
    fi
    named "$1" "$3"
    make_base
    return 1
}

image_postgres() {
    local name=$local/postgres:$1 context=$cache/postgres-$1
    official_or "ACRA_POSTGRES_$1_IMAGE" "postgres:$1" "$name" && return
    scripts/get-postgres.sh --into "$cache/postgres" "$1"
    rm -rf "$context"
    cp -a compose/images/postgres "$context"
    cp -al "$cache/postgres/$1" "$context/programs"
    build "$name" "$context"
}

image_mariadb() {
    official_or ACRA_MARIADB_IMAGE mariadb:10.11 "$local/mariadb:10.11" && return
    build "$local/mariadb:10.11" compose/images/mariadb
}

image_redis() {
    official_or ACRA_REDIS_IMAGE redis:7 "$local/redis:7" && return
    build "$local/redis:7" compose/images/redis
}

image_acra_server() {
    local context=$cache/acra-server
    make_base
    cargo build --release --locked -p acra-server -p acra-tools --bins
    rm -rf "$context"
    install -D -t "$context/prebuilt" target/release/acra-{server,keys,keymaker,poisonrecordmaker}
    build "$local/acra-server" "$context" -f compose/Dockerfile --build-arg BUILDER="$base"
    named ACRA_SERVER_IMAGE "$local/acra-server"
}

image_setup() {
    exists "$local/acra-server" || image_acra_server
    base=$local/acra-server build "$local/setup" compose/images/setup
    named ACRA_SETUP_IMAGE "$local/setup"
}

kind=$(kind)
case $kind in
    local) base=$local/base:$suite ;;
    official) base=debian:$suite-slim ;;
    *) die "ACRA_IMAGES=$kind: expected local or official" ;;
esac
for image in "$@"; do
    case $image in
        postgres-15 | postgres-17 | postgres-18) image_postgres "${image#postgres-}" ;;
        mariadb) image_mariadb ;;
        redis) image_redis ;;
        acra-server) image_acra_server ;;
        setup) image_setup ;;
        *) die "images.sh: there is no image $image" ;;
    esac
done

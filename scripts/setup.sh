#!/usr/bin/env bash
# setup.sh PART...: makes sure that what the other scripts need is there, and says what it does.
#
# Parts: build (compiler and linker), postgres-VERSION, bench (HAProxy and PgBouncer).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

setup_build() {
    command -v cc >/dev/null || need_apt gcc libc6-dev
    export PATH="$PATH:$HOME/.cargo/bin"
    if ! command -v cargo >/dev/null; then
        command -v curl >/dev/null || need_apt curl ca-certificates
        say "installing the Rust toolchain by rustup into ~/.cargo"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt -c clippy >&2 \
            || die "cannot install Rust; install version $(rust_version) or newer from https://rustup.rs"
    fi
    local found wanted
    found=$(cargo --version | awk '{print $2}')
    wanted=$(rust_version)
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] \
        || die "cargo is of version $found, $wanted is needed; run: rustup update"
    say "Rust $found is there"
}

rust_version() {
    sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(workspace_root)/Cargo.toml"
}

for part in "$@"; do
    case $part in
        build) setup_build ;;
        postgres-*) "$(dirname "$0")/get-postgres.sh" "${part#postgres-}" ;;
        bench) need_apt haproxy pgbouncer ;;
        *) die "setup.sh: there is no part $part" ;;
    esac
done

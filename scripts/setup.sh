#!/usr/bin/env bash
# setup.sh PART...: makes sure that what the other scripts need is there, and says what it does.
#
# Parts: build (compiler and linker), postgres-VERSION, redis, oracle (PostgreSQL's grammar for Python), mysql (MariaDB, MySQL
# if it can be had, and their drivers), bench (HAProxy and PgBouncer), fuzz (a C++ compiler, for libFuzzer).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# For x86_64.
PGPARSE=1.0.3
PGPARSE_DIGEST=f5d24c7a6192546888b75a879e9b0aad32f6e723fd50c1d5b75811e8f87e75f3

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

# libpg_query as the package pgparse, BSD-3-Clause both: harness/tests/oracle runs it as a program of its own. The other
# package with bindings, pglast, is under the GPL.
setup_oracle() {
    local folder work
    folder=$(workspace_root)/.cache/oracle
    if [ -d "$folder/pgparse-$PGPARSE.dist-info" ] && PYTHONPATH=$folder python3 -c 'import pgparse' 2>/dev/null; then
        say "PostgreSQL's grammar is there: pgparse $PGPARSE"
        return
    fi
    command -v python3 >/dev/null || need_apt python3
    python3 -m pip --version >/dev/null 2>&1 || need_apt python3-pip
    say "fetching pgparse $PGPARSE (3 MB) into .cache/oracle"
    mkdir -p "$(dirname "$folder")"
    work=$(mktemp -d "$folder.XXXXXX")
    chmod 755 "$work"
    echo "pgparse==$PGPARSE --hash=sha256:$PGPARSE_DIGEST" >"$work/requirements.txt"
    python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps \
        --only-binary=:all: --target "$work/packages" -r "$work/requirements.txt" >&2 \
        || { rm -rf "$work"; die "cannot fetch pgparse==$PGPARSE; is a Python package index reachable by pip, and Python 3.11 or newer?"; }
    # The folder appears whole or not at all.
    rm -rf "$folder"
    mv "$work/packages" "$folder"
    rm -rf "$work"
}

# Drivers for Python in a virtual environment; JDBC's is Debian's package.
setup_mysql() {
    local folder packages=(PyMySQL==1.2.4 cryptography==50.0.2 PyNaCl==1.6.2 mysqlclient==2.3.2 mysql-connector-python==9.4.0)
    need_apt mariadb-server mariadb-client openssl libmariadb-java
    # Its launcher compiles a source file.
    command -v javac >/dev/null || need_apt default-jdk-headless
    # 3: it cannot be had here, which has been said.
    "$(dirname "$0")/get-mysql.sh" || [ $? -eq 3 ] || exit 1
    folder=$(workspace_root)/.cache/mysql-clients
    if [ "$(cat "$folder/packages" 2>/dev/null)" = "${packages[*]}" ] && "$folder/bin/python" -c 'import MySQLdb' 2>/dev/null; then
        say "the drivers of MySQL are there"
        return
    fi
    need_apt python3-venv python3-dev gcc libmariadb-dev pkg-config
    say "fetching the drivers of MySQL for Python into .cache/mysql-clients"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check "${packages[@]}" >&2 \
        || die "cannot fetch ${packages[*]}; is a Python package index reachable by pip?"
    echo "${packages[*]}" >"$folder/packages"
}

for part in "$@"; do
    case $part in
        build) setup_build ;;
        postgres-*) "$(dirname "$0")/get-postgres.sh" "${part#postgres-}" ;;
        redis) need_apt redis-server redis-tools ;;
        oracle) setup_oracle ;;
        mysql) setup_mysql ;;
        bench) need_apt haproxy pgbouncer ;;
        fuzz) command -v c++ >/dev/null || need_apt g++ ;;
        *) die "setup.sh: there is no part $part" ;;
    esac
done

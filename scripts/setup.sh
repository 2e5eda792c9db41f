#!/usr/bin/env bash
# setup.sh PART...: makes sure that what the other scripts need is there, and says what it does.
#
# Parts: build (compiler and linker), postgres-VERSION, redis, oracle (PostgreSQL's grammar for Python), django (an
# application), applications (drivers and an object mapper), mariadb, mysql (MariaDB, MySQL if it can be had, and their
# drivers), bench (HAProxy, PgBouncer, sysbench), fuzz (a C++ compiler, for libFuzzer).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# libpg_query as the package pgparse, BSD-3-Clause both, for x86_64: harness/tests/oracle runs it as a program of its own. The
# other package with bindings, pglast, is under the GPL.
ORACLE='pgparse==1.0.3 --hash=sha256:f5d24c7a6192546888b75a879e9b0aad32f6e723fd50c1d5b75811e8f87e75f3'

# An application for harness/tests/django, with the driver for Python 3.11 to 3.13. BSD-3-Clause but for the driver (LGPL), which
# no program of ours links.
DJANGO='django==5.2.19 --hash=sha256:5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00
asgiref==3.13.0 --hash=sha256:f9596a2434512686473d50f96ff6207fbba49ae1a785dfac614df4aeb085674d
sqlparse==0.6.1 --hash=sha256:3be5a72d04c873d690d7c6dedd33d6fae2ef82759881ceec02fc2efd0cba564f
typing_extensions==4.16.0 --hash=sha256:481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8
psycopg==3.3.9 --hash=sha256:d2d7d04a1ce6dab4f5b27316bea3b52585cafa2f2d631e5b09dd69823f5c26f6
psycopg-binary==3.3.9 --hash=sha256:0953c1b94c73f97efce5b8fb1dad85cf5e4085b94902e439e27e6805ebc8be99 --hash=sha256:a99f0b9a19ed7a56bf5d6776456b8f15f5364db8853b0f5d184db394a45c391d --hash=sha256:180e4a99904d7a77f826fbb6dd16834bb3313675d8a6f055e39742fda00c33dc'

# Drivers and an object mapper for harness/tests/applications, for Python 3.11 to 3.13: MIT, Apache-2.0, PSF-2.0, and psycopg.
APPLICATIONS="sqlalchemy==2.0.44 --hash=sha256:3cf6872a23601672d61a68f390e44703442639a12ee9dd5a88bbce52a695e46e --hash=sha256:119dc41e7a7defcefc57189cfa0e61b1bf9c228211aba432b53fb71ef367fda1 --hash=sha256:b87e7b91a5d5973dda5f00cd61ef72ad75a1db73a386b62877d4875a8840959c
asyncpg==0.30.0 --hash=sha256:3326e6d7381799e9735ca2ec9fd7be4d5fef5dcbc3cb555d8a463d8460607956 --hash=sha256:1292b84ee06ac8a2ad8e51c7475aa309245874b61333d97411aab835c4a2f737 --hash=sha256:46973045b567972128a27d40001124fbc821c87a6cade040cfcd4fa8a30bcdc4
greenlet==3.5.6 --hash=sha256:1c20ea32a73d17b9b60e3371240e17b0068120c98a5ec01a224a7dd8c89733ba --hash=sha256:975736b002ed080d124cf81a79cb7e05cb26d6b3f5c7a7b651c0fcce70353aa1 --hash=sha256:f98e8215e172f567ce80eeaed9107fb4d32b6c44f26983d9b8334658136a205a
$(echo "$DJANGO" | grep -E '^(typing_extensions|psycopg|psycopg-binary)==')"

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

# Packages for Python in a folder of .cache that appears whole or not at all. Of each a digest of the file is given.
fetch_packages() {
    local name=$1 requirements=$2 folder work
    folder=$(workspace_root)/.cache/$name
    if [ "$(cat "$folder/requirements.txt" 2>/dev/null)" = "$requirements" ]; then
        say "packages for Python are there: .cache/$name"
        return
    fi
    command -v python3 >/dev/null || need_apt python3
    python3 -m pip --version >/dev/null 2>&1 || need_apt python3-pip
    say "fetching packages for Python into .cache/$name"
    mkdir -p "$(dirname "$folder")"
    work=$(mktemp -d "$folder.XXXXXX")
    chmod 755 "$work"
    echo "$requirements" >"$work/requirements.txt"
    python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps \
        --only-binary=:all: --target "$work/packages" -r "$work/requirements.txt" >&2 \
        || { rm -rf "$work"; die "cannot fetch packages for Python; is an index reachable by pip, and Python 3.11 or newer there?"; }
    mv "$work/requirements.txt" "$work/packages"
    rm -rf "$folder"
    mv "$work/packages" "$folder"
    rm -rf "$work"
}

# Java's launcher compiles a source file.
need_javac() {
    command -v javac >/dev/null || need_apt default-jdk-headless
}

setup_mariadb() {
    need_apt mariadb-server mariadb-client
}

# Drivers for Python in a virtual environment; JDBC's is Debian's package.
setup_mysql() {
    local folder packages=(PyMySQL==1.2.4 cryptography==50.0.2 PyNaCl==1.6.2 mysqlclient==2.3.2 mysql-connector-python==9.4.0)
    setup_mariadb
    need_apt openssl libmariadb-java
    need_javac
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
        oracle) fetch_packages oracle "$ORACLE" ;;
        django) fetch_packages django "$DJANGO" ;;
        applications)
            fetch_packages applications "$APPLICATIONS"
            # pgjdbc (BSD-2-Clause), which no program of ours links.
            need_apt libpostgresql-jdbc-java
            need_javac
            ;;
        mariadb) setup_mariadb ;;
        mysql) setup_mysql ;;
        bench) need_apt haproxy pgbouncer sysbench ;;
        fuzz) command -v c++ >/dev/null || need_apt g++ ;;
        *) die "setup.sh: there is no part $part" ;;
    esac
done

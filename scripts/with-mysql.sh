#!/usr/bin/env bash
# with-mysql.sh COMMAND...: runs a command beside MariaDB 10.11 and MySQL 9.7, which are stopped when it ends.
#
# The command finds them in ACRA_TEST_MARIADB and ACRA_TEST_MYSQL (host:port; user test, no password), and the CA of
# their certificates in ACRA_TEST_MYSQL_CA. MySQL is left out if scripts/get-mysql.sh could not get it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/servers.sh
. "$(dirname "$0")/servers.sh"

[ $# -gt 0 ] || die "usage: with-mysql.sh COMMAND..."
begin_servers KILL
settings=$(workspace_root)/harness/mysql
mysql_root=$(workspace_root)/.cache/mysql/usr

# A CA, and a certificate of it for this machine's loopback address.
make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
        -days 2 -subj "/CN=CA of the test databases" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -keyout "$work/server.key" -out "$work/server.csr" -subj "/CN=localhost" 2>/dev/null
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$work/extensions"
    openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile "$work/extensions" -out "$work/server.pem" 2>/dev/null
}

# start NAME PROGRAM...: starts a server on a free port and leaves that in `port`. No statement is slow for it, as the
# answer to one that is says so (SERVER_QUERY_WAS_SLOW), and no client, as the machine may be.
start() {
    local name=$1
    shift
    for _ in 1 2 3; do
        port=$(free_port)
        # In a subshell of its own, so that `exec` leaves the server under the pid that is kept.
        (as_postgres_exec "$@" --port="$port" --bind-address=127.0.0.1 --socket="$work/$name.sock" \
            --pid-file="$work/$name/pid" --ssl-ca="$work/ca.pem" --ssl-cert="$work/server.pem" --ssl-key="$work/server.key" \
            --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 --skip-name-resolve --local-infile=1 \
            --max-allowed-packet=128M --long-query-time=100000 \
            --connect-timeout=300 --net-read-timeout=600 --net-write-timeout=600) >"$work/$name.log" 2>&1 &
        local pid=$!
        for _ in $(seq 1200); do
            if run "$name" -e 'SELECT 1' >/dev/null 2>&1; then
                pids+=("$pid")
                run "$name" <"$settings/setup-$name.sql" || die "$settings/setup-$name.sql failed"
                say "$name listens at 127.0.0.1:$port"
                return
            fi
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    cat "$work/$name.log" >&2
    die "$name did not start"
}

# Runs statements as the superuser, who is let in by the socket.
run() {
    local name=$1
    shift
    mariadb --no-defaults --socket="$work/$name.sock" --user=root "$@"
}

command -v mariadbd >/dev/null || die "MariaDB is not installed; run scripts/setup.sh mariadb"
make_certificates
mkdir "$work/mariadb"
chown -R "$(postgres_user)" "$work"
as_postgres mariadb-install-db --no-defaults --datadir="$work/mariadb" --auth-root-authentication-method=normal --skip-test-db \
    >"$work/mariadb.install" 2>&1 || { cat "$work/mariadb.install" >&2; die "mariadb-install-db failed"; }
start mariadb mariadbd --no-defaults --datadir="$work/mariadb" --server-id=1 --log-bin=binlog
export ACRA_TEST_MARIADB=127.0.0.1:$port ACRA_TEST_MYSQL_CA=$work/ca.pem

if mysql_server --version >/dev/null 2>&1; then
    mkdir "$work/mysql"
    chown "$(postgres_user)" "$work/mysql"
    options=(--no-defaults --datadir="$work/mysql" --lc-messages-dir="$mysql_root/share/mysql"
        --character-sets-dir="$mysql_root/share/mysql/charsets" --plugin-dir="$mysql_root/lib/mysql/plugin" --secure-file-priv=
        --innodb-redo-log-capacity=8M)
    as_postgres "$mysql_root/sbin/mysqld" "${options[@]}" --initialize-insecure >"$work/mysql.install" 2>&1 \
        || { cat "$work/mysql.install" >&2; die "mysqld --initialize-insecure failed"; }
    start mysql "$mysql_root/sbin/mysqld" "${options[@]}" --mysqlx=OFF --performance-schema=OFF
    export ACRA_TEST_MYSQL=127.0.0.1:$port
else
    say "MySQL is not there: the tests beside it are left out"
fi
"$@"

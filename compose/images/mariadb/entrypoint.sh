#!/bin/bash
# Makes a database if there is none, and becomes the server. What is taken from the environment:
#   MARIADB_ROOT_PASSWORD (or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD), MARIADB_DATABASE, MARIADB_USER, MARIADB_PASSWORD; passwords also
#   from files by …_PASSWORD_FILE; and *.sh and *.sql in /docker-entrypoint-initdb.d, run once.
set -euo pipefail
data=/var/lib/mysql

# A string literal of SQL.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

accounts() {
    local root database=${MARIADB_DATABASE:-} user=${MARIADB_USER:-}
    root=$(quoted "${MARIADB_ROOT_PASSWORD:-}")
    echo "ALTER USER root@localhost IDENTIFIED BY $root;"
    echo "CREATE USER root@'%' IDENTIFIED BY $root;"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    [ -z "$database" ] || echo "CREATE DATABASE \`${database//\`/\`\`}\`;"
    if [ -n "$user" ]; then
        echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "${MARIADB_PASSWORD:-}");"
        [ -z "$database" ] || echo "GRANT ALL ON \`${database//\`/\`\`}\`.* TO $(quoted "$user")@'%';"
    fi
}

# The password of a variable, or of the file that the variable of this name and _FILE names.
password() {
    local file=${1}_FILE
    if [ -n "${!file:-}" ]; then cat "${!file}"; else echo "${!1:-}"; fi
}

initialise() {
    MARIADB_ROOT_PASSWORD=$(password MARIADB_ROOT_PASSWORD)
    MARIADB_PASSWORD=$(password MARIADB_PASSWORD)
    if [ -z "${MARIADB_ROOT_PASSWORD:-}${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}" ]; then
        echo "error: set MARIADB_ROOT_PASSWORD (or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1)" >&2
        exit 1
    fi
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
    local socket=/tmp/init.sock file
    mariadbd --datadir="$data" --skip-networking --socket="$socket" &
    local server=$! client=(mariadb --protocol=socket --socket="$socket" -u root)
    until "${client[@]}" -e 'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server" || exit 1
        sleep 0.1
    done
    accounts | "${client[@]}"
    client+=("--password=${MARIADB_ROOT_PASSWORD:-}")
    [ -z "${MARIADB_DATABASE:-}" ] || client+=("--database=$MARIADB_DATABASE")
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) bash "$file" ;;
            *.sql) "${client[@]}" <"$file" ;;
        esac
    done
    kill "$server"
    wait "$server"
}

[ $# -gt 0 ] && [ "${1#-}" = "$1" ] || set -- mariadbd "$@"
[ "$1" = mariadbd ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    chown -R mysql:mysql "$data"
    exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi
[ -d "$data/mysql" ] || initialise
shift
exec mariadbd --datadir="$data" --bind-address=0.0.0.0 "$@"

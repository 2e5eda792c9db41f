#!/bin/bash
# Makes a database cluster if there is none, and becomes the server. What is taken from the environment:
#   POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, each also as …_FILE; POSTGRES_HOST_AUTH_METHOD,
#   POSTGRES_INITDB_ARGS, PGDATA; and *.sh and *.sql in /docker-entrypoint-initdb.d, run once.
set -euo pipefail

from_file() {
    local file=${1}_FILE
    [ -z "${!file:-}" ] || printf -v "$1" '%s' "$(cat "${!file}")"
}

initialise() {
    local password
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "error: set POSTGRES_PASSWORD (or POSTGRES_HOST_AUTH_METHOD=trust, where nobody else can connect)" >&2
        exit 1
    fi
    password=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:-}" >"$password"
    local access=(--auth-local=trust "--auth-host=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}")
    [ -z "${POSTGRES_PASSWORD:-}" ] || access+=("--pwfile=$password")
    # The arguments are several words.
    # shellcheck disable=SC2086
    initdb -D "$PGDATA" -U "$POSTGRES_USER" -E UTF8 "${access[@]}" ${POSTGRES_INITDB_ARGS:-}
    rm "$password"
    printf 'host all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

    # On the socket alone, so that nobody finds a half-made database.
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -k /tmp" start >/dev/null
    local psql=(psql -X -q -v ON_ERROR_STOP=1 -h /tmp -U "$POSTGRES_USER")
    [ "$POSTGRES_DB" = postgres ] || "${psql[@]}" -d postgres -v "name=$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
    export POSTGRES_USER POSTGRES_DB PGHOST=/tmp
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) bash "$file" ;;
            *.sql) "${psql[@]}" -d "$POSTGRES_DB" -f "$file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
}

[ $# -gt 0 ] && [ "${1#-}" = "$1" ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi
for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB; do
    from_file "$name"
done
POSTGRES_USER=${POSTGRES_USER:-postgres}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
export PGDATA
[ -s "$PGDATA/PG_VERSION" ] || initialise
unset POSTGRES_PASSWORD PGHOST
shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"

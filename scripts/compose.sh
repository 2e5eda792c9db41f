#!/usr/bin/env bash
# compose.sh up|down|check|COMMAND...: compose/docker-compose.yaml by whichever Compose there is, with the images that
# scripts/images.sh made. `up` waits until everything is healthy, `down` removes containers, keys and data, `check` starts it
# as a project of its own, writes and reads through acra-server, and removes it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
project=${ACRA_COMPOSE_PROJECT:-acra}

# Those of images.sh, else the official ones and builds of this repository.
if [ -f .cache/images/names ]; then
    set -a
    # shellcheck source=/dev/null
    . .cache/images/names
    set +a
fi

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose -p "$project" -f compose/docker-compose.yaml "$@"
    elif command -v docker-compose >/dev/null; then
        docker-compose -p "$project" -f compose/docker-compose.yaml "$@"
    else
        die "there is no Compose: neither \`docker compose\` nor docker-compose"
    fi
}

# Waits for the services that run; not every generation has `up --wait`.
await() {
    local service state
    for service in "$@"; do
        for _ in $(seq 120); do
            state=$(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q "$service")" 2>/dev/null) || state=gone
            case $state in
                healthy) continue 2 ;;
                unhealthy) break ;;
            esac
            sleep 0.5
        done
        compose logs --tail=50 "$service" >&2
        die "$service is $state"
    done
}

up() {
    local services=(postgres redis acra-server)
    case ,${COMPOSE_PROFILES:-}, in
        *,mariadb,*) services+=(mariadb acra-server-mariadb) ;;
    esac
    compose up -d || { compose logs --tail=50 setup >&2; die "it does not start"; }
    await "${services[@]}"
}

down() {
    compose down --volumes --remove-orphans
}

psql_client() {
    compose run --rm -T client -At "$@"
}

mariadb_client() {
    compose run --rm -T client-mariadb -BN -e "$1"
}

check() {
    project=acra-check
    export ACRA_PORT=0 ACRA_MARIADB_PORT=0 COMPOSE_PROFILES=mariadb
    trap down EXIT
    up
    local read stored
    psql_client -q -c "INSERT INTO customers VALUES (1, 'Ann', '078-05-1120', NULL, 'ann@example.com')"
    read=$(psql_client -c "SELECT encode(ssn, 'escape') FROM customers" 2>&1 || true)
    case $read in
        *ERROR*) ;;
        *) die "a computation with a protected column was not refused: $read" ;;
    esac
    read=$(psql_client -c 'SELECT ssn FROM customers')
    [ "$read" = '\x3037382d30352d31313230' ] || die "the application read $read"
    stored=$(compose exec -T postgres psql -XAt -U postgres shop -c "SELECT encode(substr(ssn, 1, 3), 'escape') FROM customers")
    [ "$stored" = '%%%' ] || die "the database stores $stored"
    [ "$(psql_client -c "SELECT mail FROM customers WHERE mail = 'ann@example.com'")" = ann@example.com ] || die "a token is not found"
    stored=$(compose exec -T postgres psql -XAt -U postgres shop -c 'SELECT mail FROM customers')
    [ "$stored" != ann@example.com ] || die "the database stores an address in clear"
    mariadb_client "INSERT INTO customers VALUES (1, 'Ann', '078-05-1120', NULL, 'ann@example.com')"
    read=$(mariadb_client "SELECT ssn, mail FROM customers WHERE mail = 'ann@example.com'")
    [ "$read" = $'078-05-1120\tann@example.com' ] || die "the application of MariaDB read $read"
    stored=$(compose exec -T mariadb bash -c 'MYSQL_PWD=$(cat /etc/acra-setup/application.password) \
        mariadb -h 127.0.0.1 --ssl -u application -BN -e "SELECT LEFT(ssn, 3), mail FROM customers" shop')
    case $stored in
        *ann@example.com*) die "MariaDB stores $stored" ;;
        %%%*) ;;
        *) die "MariaDB stores $stored" ;;
    esac
    read=$(psql_client -c 'SELECT ssn FROM customers')
    say "written and read through acra-server, and stored encrypted, on PostgreSQL and MariaDB"
    # A reload, and a start with everything that is there.
    compose kill -s HUP acra-server
    compose restart acra-server
    await acra-server
    [ "$(psql_client -c 'SELECT ssn FROM customers')" = "$read" ] || die "it is not read after a restart"
    say "read again after a reload and a restart"
}

[ $# -gt 0 ] || die "usage: compose.sh up|down|check|COMMAND..."
case $1 in
    up)
        up
        say "acra-server listens at 127.0.0.1:${ACRA_PORT:-9393}; psql through it: scripts/compose.sh run --rm client"
        case ,${COMPOSE_PROFILES:-}, in
            *,mariadb,*) say "before MariaDB: 127.0.0.1:${ACRA_MARIADB_PORT:-9394}; scripts/compose.sh run --rm client-mariadb" ;;
        esac
        ;;
    down) down ;;
    check) check ;;
    *) compose "$@" ;;
esac

#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs a command beside PostgreSQL 15, 17 and 18, which are stopped when it ends.
#
# The command finds them in ACRA_TEST_POSTGRES_{15,17,18} (host:port; user postgres, no password) and their data
# directories in ACRA_TEST_POSTGRES_{15,17,18}_DATA. ACRA_TEST_POSTGRES_VERSIONS="15 17" starts only some.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/servers.sh
. "$(dirname "$0")/servers.sh"

[ $# -gt 0 ] || die "usage: with-postgres.sh COMMAND..."
read -ra versions <<<"${ACRA_TEST_POSTGRES_VERSIONS:-15 17 18}"
begin_servers QUIT
chown "$(postgres_user)" "$work"
settings=$(workspace_root)/harness/postgres

# Starts one version and exports where it is. Whoever takes the free port first is asked again for another.
start() {
    local version=$1 bin data port
    bin=$(postgres_bin "$version") || die "PostgreSQL $version is not installed; run scripts/get-postgres.sh $version"
    data=$work/$version
    as_postgres "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$work/$version.initdb" 2>&1 \
        || { cat "$work/$version.initdb" >&2; die "initdb of PostgreSQL $version failed"; }
    cat "$settings/postgresql.conf" >>"$data/postgresql.conf"
    cat "$settings/pg_hba.conf" >"$data/pg_hba.conf"
    for _ in 1 2 3; do
        port=$(free_port)
        # In a subshell of its own, so that `exec` leaves the server under the pid that is kept.
        (as_postgres_exec "$bin/postgres" -D "$data" -p "$port" -k "$work") >"$work/$version.log" 2>&1 &
        local pid=$!
        for _ in $(seq 1200); do
            if "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -qAtc 'select 1' >/dev/null 2>&1; then
                pids+=("$pid")
                "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -qX -v ON_ERROR_STOP=1 -f "$settings/setup.sql" 2>/dev/null \
                    || die "$settings/setup.sql failed on PostgreSQL $version"
                export "ACRA_TEST_POSTGRES_$version=127.0.0.1:$port" "ACRA_TEST_POSTGRES_${version}_DATA=$data"
                say "PostgreSQL $version listens at 127.0.0.1:$port"
                return
            fi
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -QUIT "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    cat "$work/$version.log" >&2
    die "PostgreSQL $version did not start"
}

for version in "${versions[@]}"; do
    start "$version"
done
"$@"

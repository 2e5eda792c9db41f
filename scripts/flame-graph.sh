#!/usr/bin/env bash
# flame-graph.sh [FILE.svg]: where the time of acra-server goes while four clients insert and select by prepared statements, one
# encrypted column: a picture, docs/flame-graph.svg if no other is named. Needs perf and pgbench; ACRA_BIN names a folder with
# acra-server and acra-keymaker if they are not to be built.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"
picture=$(realpath -m "${1:-docs/flame-graph.svg}")
seconds=${ACRA_FLAME_SECONDS:-15}

if [ -z "${ACRA_TEST_POSTGRES_15:-}" ]; then
    need_apt linux-perf python3
    command -v pgbench >/dev/null || need_apt postgresql
    if [ -z "${ACRA_BIN:-}" ]; then
        say "building with optimisation"
        cargo build --release --locked -p acra-server -p acra-tools --bins
    fi
    ACRA_TEST_POSTGRES_VERSIONS=15 exec scripts/with-postgres.sh "$0" "$picture"
fi

bin=${ACRA_BIN:-target/release}
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

"$bin/acra-keymaker" --keystore=v1 --generate_master_key="$work/master.key"
ACRA_MASTER_KEY=$(base64 -w0 "$work/master.key")
export ACRA_MASTER_KEY
"$bin/acra-keymaker" --keystore=v1 --client_id=flame-client --generate_symmetric_storage_key --keys_output_dir="$work/keys" \
    --keys_public_output_dir="$work/keys"
cat >"$work/encryptor_config.yaml" <<'YAML'
schemas:
  - table: vault
    columns: [id, secret]
    encrypted:
      - column: secret
YAML
cat >"$work/traffic.sql" <<'SQL'
\set id random(1, 1000)
\set secret random(100000000, 999999999)
INSERT INTO vault (id, secret) VALUES (:id, :secret);
SELECT id, secret FROM vault WHERE id = :id LIMIT 1;
SQL

port=$(free_port)
database=${ACRA_TEST_POSTGRES_15}
"$bin/acra-server" --db_host="${database%:*}" --db_port="${database##*:}" --client_id=flame-client --keys_dir="$work/keys" \
    --incoming_connection_string="tcp://127.0.0.1:$port/" --encryptor_config_file="$work/encryptor_config.yaml" \
    </dev/null >"$work/log" 2>&1 &
server=$!
as_application() {
    psql -X -q -h 127.0.0.1 -p "$port" -U postgres "$@"
}
for _ in $(seq 100); do
    as_application -c 'SELECT 1' >/dev/null 2>&1 && break
    kill -0 "$server" || { cat "$work/log" >&2; die "acra-server did not start"; }
    sleep 0.1
done
as_application -c 'CREATE TABLE vault (id int, secret bytea)' -c 'CREATE INDEX ON vault (id)'

say "traffic of $seconds seconds"
pgbench -n -h 127.0.0.1 -p "$port" -U postgres -M prepared -c 4 -j 1 -T "$((seconds + 2))" -f "$work/traffic.sql" postgres \
    >"$work/pgbench" 2>&1 &
traffic=$!
sleep 1
# By the clock: a virtual machine may have no counters. Without frame pointers stacks are unwound from copies of them.
perf record -q -e cpu-clock -F 499 --call-graph dwarf,16384 -p "$server" -o "$work/perf.data" -- sleep "$seconds" >&2
wait "$traffic" || { cat "$work/pgbench" >&2; die "pgbench failed"; }
grep 'failed transactions: 0' "$work/pgbench" >/dev/null || { cat "$work/pgbench" >&2; die "statements failed"; }
perf script --no-inline -F comm,ip,sym -i "$work/perf.data" 2>"$work/perf.log" | scripts/flame_graph.py >"$picture" \
    || { cat "$work/perf.log" >&2; die "no picture"; }
say "wrote $picture"

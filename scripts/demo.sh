#!/usr/bin/env bash
# demo.sh [stop]: starts a PostgreSQL and acra-server of its own, writes and reads rows through the server, and shows
# them as the application and as the database sees them. KEEP=1 leaves both running until `demo.sh stop`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"
demo=$PWD/.cache/demo

stop() {
    local name
    for name in acra-server postgres; do
        [ -f "$demo/$name.pid" ] || continue
        kill "$(head -n 1 "$demo/$name.pid")" 2>/dev/null || true
    done
    # The database writes its files when it ends.
    for _ in $(seq 100); do
        [ -f "$demo/data/postmaster.pid" ] || break
        sleep 0.1
    done
    rm -rf "$demo"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until a command succeeds.
await() {
    local what=$1 log=$2
    shift 2
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    cat "$log" >&2
    die "$what did not start"
}

if [ "${1:-}" = stop ]; then
    [ -d "$demo" ] || die "no demo is running"
    stop
    say "stopped, and removed its data and keys"
    exit
fi

say "building acra-server and the key tools (two to three minutes the first time)"
cargo build --release --locked -p acra-server -p acra-tools --bins
bin=$(postgres_bin 15)
command -v python3 >/dev/null || need_apt python3

if [ -d "$demo" ]; then
    say "stopping the demo that is still running"
    stop
fi
mkdir -p "$demo"
[ "${KEEP:-}" = 1 ] || trap stop EXIT

database_port=$(free_port)
server_port=$(free_port)
say "starting PostgreSQL on port $database_port"
mkdir "$demo/data" && chown "$(postgres_user)" "$demo/data"
as_postgres "$bin/initdb" -D "$demo/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$demo/postgres.log" 2>&1
(as_postgres_exec "$bin/postgres" -D "$demo/data" -p "$database_port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= </dev/null >>"$demo/postgres.log" 2>&1) &
echo $! >"$demo/postgres.pid"
disown
as_database() {
    "$bin/psql" -X -q -h 127.0.0.1 -p "$database_port" -U postgres "$@"
}
await PostgreSQL "$demo/postgres.log" as_database -c 'SELECT 1'

say "making a master key and the keys of client 'demo-shop'"
target/release/acra-keymaker --keystore=v1 --generate_master_key="$demo/master.key"
ACRA_MASTER_KEY=$(base64 -w0 "$demo/master.key")
export ACRA_MASTER_KEY
target/release/acra-keymaker --keystore=v1 --client_id=demo-shop --generate_symmetric_storage_key \
    --generate_poisonrecord_keys --keys_output_dir="$demo/keys" --keys_public_output_dir="$demo/keys"

cat >"$demo/encryptor_config.yaml" <<'YAML'
schemas:
  - table: customers
    columns: [id, name, ssn, note]
    encrypted:
      - column: ssn
      - column: note
YAML
say "starting acra-server on port $server_port with this configuration:"
cat "$demo/encryptor_config.yaml"
target/release/acra-server --db_host=127.0.0.1 --db_port="$database_port" \
    --incoming_connection_string="tcp://127.0.0.1:$server_port/" --client_id=demo-shop --keys_dir="$demo/keys" \
    --encryptor_config_file="$demo/encryptor_config.yaml" --poison_detect_enable </dev/null >"$demo/acra-server.log" 2>&1 &
echo $! >"$demo/acra-server.pid"
disown
as_application() {
    "$bin/psql" -X -h 127.0.0.1 -p "$server_port" -U postgres "$@"
}
await acra-server "$demo/acra-server.log" as_application -c 'SELECT 1'

as_database -c 'CREATE TABLE customers (id int PRIMARY KEY, name text, ssn bytea, note bytea)'
say "the application writes through acra-server:"
as_application -e <<'SQL'
INSERT INTO customers (id, name, ssn, note) VALUES (1, 'Ann', '078-05-1120', 'likes tea'), (2, 'Bob', '219-09-9999', NULL);
UPDATE customers SET note = $$it's Bob's turn$$ WHERE id = 2;
SQL
say "and reads:"
as_application -e -c 'SELECT * FROM customers ORDER BY id'
say "the same, with the bytes of the bytea columns as text:"
as_application -A -F ' | ' -c 'SELECT * FROM customers ORDER BY id' | perl -pe 's/\\x([0-9a-f]+)/pack("H*", $1)/ge'
say "what PostgreSQL stores:"
as_database -e -c "SELECT id, name, left(ssn::text, 40) || '…' AS ssn, left(note::text, 40) || '…' AS note FROM customers ORDER BY id"
say "a statement that would send a secret to the database in clear is refused:"
as_application -e -c "SELECT name FROM customers WHERE ssn = '078-05-1120'" || true

say "a poison record lies among the rows, which no application reads by itself:"
record=$(target/release/acra-poisonrecordmaker --type=acrablock --keys_dir="$demo/keys")
as_database -c "INSERT INTO customers VALUES (666, 'Eve', decode('$record', 'base64'), NULL)"
say "whoever copies the table gets no further than to it:"
as_application -e -c "SELECT id, ssn FROM customers WHERE name <> 'Ann' ORDER BY id" || true
say "and the operator hears of it:"
grep 'poison record"' "$demo/acra-server.log"

if [ "${KEEP:-}" = 1 ]; then
    say "both are left running; \`make demo-stop\` stops them and removes their data"
    echo "  through acra-server:  psql 'host=127.0.0.1 port=$server_port user=postgres dbname=postgres'"
    echo "  the database itself:  psql 'host=127.0.0.1 port=$database_port user=postgres dbname=postgres'"
fi

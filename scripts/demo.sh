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
target/release/acra-keymaker --keystore=v1 --client_id=demo-shop --generate_symmetric_storage_key --generate_hmac_key \
    --generate_poisonrecord_keys --keys_output_dir="$demo/keys" --keys_public_output_dir="$demo/keys"

cat >"$demo/encryptor_config.yaml" <<'YAML'
schemas:
  - table: customers
    columns: [id, name, ssn, email, card, phone, points]
    encrypted:
      - column: ssn               # encrypted
      - column: email             # encrypted, and found by its value
        searchable: true
        data_type: str
      - column: card              # all but the last four characters encrypted
        masking: "xxxx-xxxx-xxxx-"
        plaintext_length: 4
        plaintext_side: right
        data_type: str
      - column: phone             # replaced by a token
        token_type: str
        consistent_tokenization: true
      - column: points            # encrypted, and a number to the application
        data_type: int32
        default_data_value: "0"
YAML
say "starting acra-server on port $server_port with this configuration:"
cat "$demo/encryptor_config.yaml"
target/release/acra-server --db_host=127.0.0.1 --db_port="$database_port" \
    --incoming_connection_string="tcp://127.0.0.1:$server_port/" --client_id=demo-shop --keys_dir="$demo/keys" \
    --encryptor_config_file="$demo/encryptor_config.yaml" --token_db="$demo/tokens.db" \
    --client_id_sql_varname=demo.client_id --poison_detect_enable </dev/null >"$demo/acra-server.log" 2>&1 &
echo $! >"$demo/acra-server.pid"
disown
as_application() {
    "$bin/psql" -X -h 127.0.0.1 -p "$server_port" -U postgres "$@"
}
await acra-server "$demo/acra-server.log" as_application -c 'SELECT 1'

as_database -c 'CREATE TABLE customers (id int PRIMARY KEY, name text, ssn bytea, email bytea, card bytea, phone text, points bytea)'
say "the application writes through acra-server:"
as_application -e <<'SQL'
INSERT INTO customers (id, name, ssn, email, card, phone, points)
VALUES (1, 'Ann', '078-05-1120', 'ann@example.com', '4012-8888-8888-1881', '5550142', 7),
       (2, 'Bob', '219-09-9999', $$bob.o'neil@example.com$$, '5555-5555-5555-4444', '5550199', NULL);
UPDATE customers SET points = 40 WHERE email = 'ann@example.com';
SQL
say "and reads (ssn is bytea to it as well, here shown as text):"
as_text() {
    perl -pe 's/\\x([0-9a-f]+)/pack("H*", $1)/ge'
}
as_application -A -F ' | ' -c 'SELECT * FROM customers ORDER BY id' | as_text
say "it finds rows by encrypted values and by tokens:"
as_application -e -A -F ' | ' -c "SELECT id, name FROM customers WHERE email = 'ann@example.com' AND phone = '5550142'"
say "a client without keys gets what its columns allow: containers, a mask, a token, a default:"
as_application -A -F ' | ' -q -c "SET demo.client_id = 'somebody-else'" \
    -c 'SELECT id, name, card, phone, points FROM customers ORDER BY id'
say "what PostgreSQL stores:"
as_database -x -c "SELECT id, name, left(ssn::text, 50) || '…' AS ssn, left(email::text, 50) || '…' AS email,
  left(card::text, 50) || '…' AS card, phone, left(points::text, 50) || '…' AS points FROM customers WHERE id = 1"
say "a statement that would send a secret to the database in clear is refused:"
as_application -e -c "SELECT name FROM customers WHERE ssn = '078-05-1120'" || true

say "a poison record lies among the rows, which no application reads by itself:"
record=$(target/release/acra-poisonrecordmaker --type=acrablock --keys_dir="$demo/keys")
as_database -c "INSERT INTO customers (id, name, ssn) VALUES (666, 'Eve', decode('$record', 'base64'))"
say "whoever copies the table gets no further than to it:"
as_application -e -c "SELECT id, ssn FROM customers WHERE name <> 'Ann' ORDER BY id" || true
say "and the operator hears of it:"
grep 'poison record"' "$demo/acra-server.log"

if [ "${KEEP:-}" = 1 ]; then
    say "both are left running; \`make demo-stop\` stops them and removes their data"
    echo "  through acra-server:  psql 'host=127.0.0.1 port=$server_port user=postgres dbname=postgres'"
    echo "  the database itself:  psql 'host=127.0.0.1 port=$database_port user=postgres dbname=postgres'"
fi

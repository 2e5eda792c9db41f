#!/usr/bin/env bash
# demo.sh [stop]: starts a database and acra-server of its own, writes and reads rows through the server, and shows them
# as the application and as the database sees them. DB=mysql takes MariaDB, otherwise it is PostgreSQL. KEEP=1 leaves both
# running until `demo.sh stop`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)"
export PATH="$PATH:$HOME/.cargo/bin"
demo=$PWD/.cache/demo

stop() {
    local file pid
    for file in "$demo"/*.pid; do
        [ -f "$file" ] || continue
        pid=$(head -n 1 "$file")
        kill "$pid" 2>/dev/null || continue
        # The database writes its files when it ends.
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
    done
    rm -rf "$demo"
}

# Runs a program in the background, with its log and the file of its process id.
run() {
    local name=$1
    shift
    ("$@") </dev/null >>"$demo/$name.log" 2>&1 &
    echo $! >"$demo/$name.pid"
    disown
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

# What differs: starting the database, talking to it (`as_database`, `as_application`, `as_stranger`), and its SQL.
case ${DB:-postgres} in
    # shellcheck source=scripts/demo/postgres.sh
    postgres | postgresql) . scripts/demo/postgres.sh ;;
    # shellcheck source=scripts/demo/mysql.sh
    mysql | mariadb) . scripts/demo/mysql.sh ;;
    *) die "DB=$DB: expected postgres or mysql" ;;
esac

say "building acra-server and the key tools (two to three minutes the first time)"
cargo build --release --locked -p acra-server -p acra-tools --bins
command -v python3 >/dev/null || need_apt python3

if [ -d "$demo" ]; then
    say "stopping the demo that is still running"
    stop
fi
mkdir -p "$demo"
[ "${KEEP:-}" = 1 ] || trap stop EXIT

database_port=$(free_port)
say "starting $database on port $database_port"
start_database

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

# start_acra NAME CLIENT_ID FLAG...: starts acra-server and leaves its port in `server_port`.
start_acra() {
    local name=$1 client_id=$2
    shift 2
    server_port=$(free_port)
    run "$name" target/release/acra-server --db_host=127.0.0.1 --db_port="$database_port" \
        --incoming_connection_string="tcp://127.0.0.1:$server_port/" --client_id="$client_id" --keys_dir="$demo/keys" \
        --encryptor_config_file="$demo/encryptor_config.yaml" "$@"
}
say "starting acra-server with this configuration:"
cat "$demo/encryptor_config.yaml"
start_acra acra-server demo-shop --token_db="$demo/tokens.db" --poison_detect_enable "${flags[@]}"
application_port=$server_port
await acra-server "$demo/acra-server.log" as_application "SELECT 1"

as_database "$table"
say "the application writes through acra-server:"
as_application "INSERT INTO customers (id, name, ssn, email, card, phone, points)
VALUES (1, 'Ann', '078-05-1120', 'ann@example.com', '4012-8888-8888-1881', '5550142', 7),
       (2, 'Bob', '219-09-9999', 'bob.o''neil@example.com', '5555-5555-5555-4444', '5550199', NULL)"
as_application "UPDATE customers SET points = 40 WHERE email = 'ann@example.com'"
say "and reads:"
as_application "SELECT * FROM customers ORDER BY id"
say "it finds rows by encrypted values and by tokens:"
as_application "SELECT id, name FROM customers WHERE email = 'ann@example.com' AND phone = '5550142'"
say "a client without keys gets what its columns allow: a mask, a token, a default:"
as_stranger "SELECT id, name, card, phone, points FROM customers ORDER BY id"
say "what $database stores:"
show_stored
say "a statement that would send a secret to the database in clear is refused:"
as_application "SELECT name FROM customers WHERE ssn = '078-05-1120'" || true

say "a poison record lies among the rows, which no application reads by itself:"
record=$(target/release/acra-poisonrecordmaker --type=acrablock --keys_dir="$demo/keys")
as_database "INSERT INTO customers (id, name, ssn) VALUES (666, 'Eve', $(from_base64 "$record"))"
say "whoever copies the table gets no further than to it:"
as_application "SELECT id, ssn FROM customers WHERE name <> 'Ann' ORDER BY id" || true
say "and the operator hears of it:"
grep 'poison record"' "$demo/acra-server.log"

if [ "${KEEP:-}" = 1 ]; then
    say "both are left running; \`make demo-stop\` stops them and removes their data"
    echo "  through acra-server:  $(client_command "$application_port")"
    echo "  the database itself:  $(client_command "$database_port")"
fi

# The demo's database is PostgreSQL; sourced by demo.sh.

database=PostgreSQL
bin=$(postgres_bin 15)
flags=(--client_id_sql_varname=demo.client_id)
table='CREATE TABLE customers (id int PRIMARY KEY, name text, ssn bytea, email bytea, card bytea, phone text, points bytea)'

start_database() {
    mkdir "$demo/data" && chown "$(postgres_user)" "$demo/data"
    as_postgres "$bin/initdb" -D "$demo/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$demo/postgres.log" 2>&1
    run postgres as_postgres_exec "$bin/postgres" -D "$demo/data" -p "$database_port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories=
    await PostgreSQL "$demo/postgres.log" as_database "SELECT 1"
}

client() {
    "$bin/psql" -X -h 127.0.0.1 -U postgres "$@"
}

as_database() {
    client -p "$database_port" -q -c "$1"
}

# A bytea is one to the application too, and is shown as text here.
as_application() {
    client -p "$application_port" -e -A -F ' | ' -c "$1" | perl -pe 's/\\x([0-9a-f]+)/pack("H*", $1)/ge'
}

as_stranger() {
    client -p "$application_port" -q -A -F ' | ' -c "SET demo.client_id = 'somebody-else'" -c "$1"
}

show_stored() {
    client -p "$database_port" -q -x -c "SELECT id, name, left(ssn::text, 50) || '…' AS ssn, left(email::text, 50) || '…' AS email,
      left(card::text, 50) || '…' AS card, phone, left(points::text, 50) || '…' AS points FROM customers WHERE id = 1"
}

from_base64() {
    echo "decode('$1', 'base64')"
}

client_command() {
    echo "psql 'host=127.0.0.1 port=$1 user=postgres dbname=postgres'"
}

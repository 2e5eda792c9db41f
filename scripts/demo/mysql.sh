# The demo's database is MariaDB; sourced by demo.sh.

database=MariaDB
flags=(--mysql_enable)
table='CREATE TABLE customers (id int PRIMARY KEY, name text, ssn varbinary(400), email varbinary(400), card varbinary(400),
  phone text, points varbinary(400))'

start_database() {
    mkdir "$demo/data" && chown -R "$(postgres_user)" "$demo"
    as_postgres mariadb-install-db --no-defaults --datadir="$demo/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$demo/mariadb.log" 2>&1
    run mariadb as_postgres_exec mariadbd --no-defaults --datadir="$demo/data" --port="$database_port" \
        --bind-address=127.0.0.1 --socket="$demo/data/socket" --skip-name-resolve --innodb-buffer-pool-size=32M
    await MariaDB "$demo/mariadb.log" mariadb --no-defaults --socket="$demo/data/socket" -u root -e "SELECT 1"
    mariadb --no-defaults --socket="$demo/data/socket" -u root -e "CREATE DATABASE shop; CREATE USER shop@'%'; GRANT ALL ON shop.* TO shop@'%'"
}

client() {
    mariadb --no-defaults --protocol=tcp -h 127.0.0.1 -u shop shop "$@"
}

as_database() {
    client -P "$database_port" -e "$1"
}

as_application() {
    client -P "$application_port" -vvt -e "$1" | grep -vE '^(-+|Bye)?$'
}

# A client id comes with a certificate or with the server; here with a second one.
as_stranger() {
    start_acra stranger somebody-else --token_db="$demo/stranger-tokens.db" "${flags[@]}"
    await acra-server "$demo/stranger.log" client -P "$server_port" -e "SELECT 1"
    client -P "$server_port" -t -e "$1"
}

show_stored() {
    client -P "$database_port" -E -e "SELECT id, name, LEFT(HEX(ssn), 50) AS ssn, LEFT(HEX(email), 50) AS email,
      LEFT(HEX(card), 50) AS card, phone, LEFT(HEX(points), 50) AS points FROM customers WHERE id = 1"
}

from_base64() {
    echo "FROM_BASE64('$1')"
}

client_command() {
    echo "mariadb --no-defaults -h 127.0.0.1 -P $1 -u shop shop"
}

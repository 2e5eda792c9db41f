#!/bin/bash
# Run once in a new database: the application's user and its table. Encrypted columns are of type bytea, tokenized ones keep theirs.
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v "password=$(cat /etc/acra-setup/application.password)" <<'SQL'
CREATE ROLE application LOGIN PASSWORD :'password';
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn bytea, note bytea, mail text);
GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO application;
SQL

#!/usr/bin/env bash
# with-databases.sh COMMAND...: runs a command beside PostgreSQL, MariaDB and MySQL; see with-postgres.sh, with-mysql.sh.
set -euo pipefail
scripts=$(dirname "$0")
exec "$scripts/with-postgres.sh" "$scripts/with-mysql.sh" "$@"

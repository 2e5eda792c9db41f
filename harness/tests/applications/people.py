"""The members that the programs here write and read. Every secret has the mark that the second argument is.

The environment names the database: DB_KIND (postgresql or mysql), DB_HOST, DB_PORT, DB_USER, DB_NAME.
"""

import datetime
import decimal
import os
import sys
import uuid

STEP, MARK = sys.argv[1:3]
KIND = os.environ["DB_KIND"]

TABLE = {
    "postgresql": """CREATE TABLE members (id serial PRIMARY KEY, email varchar(80), nick varchar(80), card varchar(80), age integer,
        visits bigint, born date, seen timestamptz, active boolean, photo bytea, code integer, key uuid, paid numeric, plain varchar(40))""",
    "mysql": """CREATE TABLE members (id int PRIMARY KEY AUTO_INCREMENT, email varchar(80), nick varchar(80), card varchar(80),
        age integer, visits bigint, born date, seen datetime, active boolean, photo blob, code integer, paid decimal(20, 2),
        plain varchar(40))""",
}[KIND]

COLUMNS = ["email", "nick", "card", "age", "visits", "born", "seen", "active", "photo", "code", "key", "paid", "plain"]
# The types of the columns, of which arrays are made.
KINDS = ["text", "varchar", "text", "integer", "bigint", "date", "timestamptz", "boolean", "bytea", "int", "uuid", "numeric", "text"]
ZONE = datetime.timezone.utc
if KIND == "mysql":
    # It has no type for these.
    COLUMNS.remove("key")
    ZONE = None


def member(number):
    values = {
        "email": f"{MARK}-{number}-ж\\'@example.org",
        "nick": f"{MARK} nick {number}",
        "card": f"{MARK} 4111 {number:04}",
        "age": number - 5,
        "visits": (number << 40) - 1,
        "born": datetime.date(1960, 1, 1) + datetime.timedelta(days=number),
        "seen": datetime.datetime(2024, 2, 29, 12, number % 60, tzinfo=ZONE),
        "active": number % 2 == 0,
        "photo": MARK.encode() + bytes([0, 255, 92, 39, number % 256]),
        "code": number * 1000,
        "key": uuid.UUID(int=number << 70),
        "paid": decimal.Decimal(number) / 4,
        "plain": f"plain {number}",
    }
    return {column: values[column] for column in COLUMNS}


def address():
    return {
        "host": os.environ["DB_HOST"],
        "port": int(os.environ["DB_PORT"]),
        "user": os.environ["DB_USER"],
        "database": os.environ["DB_NAME"],
    }

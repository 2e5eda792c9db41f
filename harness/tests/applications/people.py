"""The members that the programs here write and read. Every secret has the mark that the second argument is."""

import datetime
import decimal
import os
import sys
import uuid

STEP, MARK = sys.argv[1:3]

TABLE = """CREATE TABLE members (id serial PRIMARY KEY, email varchar(80), nick varchar(80), card varchar(80), age integer,
    visits bigint, born date, seen timestamptz, active boolean, photo bytea, code integer, key uuid, paid numeric, plain varchar(40))"""

COLUMNS = ["email", "nick", "card", "age", "visits", "born", "seen", "active", "photo", "code", "key", "paid", "plain"]


def member(number):
    return {
        "email": f"{MARK}-{number}-ж\\'@example.org",
        "nick": f"{MARK} nick {number}",
        "card": f"{MARK} 4111 {number:04}",
        "age": number - 5,
        "visits": (number << 40) - 1,
        "born": datetime.date(1960, 1, 1) + datetime.timedelta(days=number),
        "seen": datetime.datetime(2024, 2, 29, 12, number % 60, tzinfo=datetime.timezone.utc),
        "active": number % 2 == 0,
        "photo": MARK.encode() + bytes([0, 255, 92, 39, number % 256]),
        "code": number * 1000,
        "key": uuid.UUID(int=number << 70),
        "paid": decimal.Decimal(number) / 4,
        "plain": f"plain {number}",
    }


def address():
    return {
        "host": os.environ["PGHOST"],
        "port": int(os.environ["PGPORT"]),
        "user": os.environ["PGUSER"],
        "database": os.environ["PGDATABASE"],
    }

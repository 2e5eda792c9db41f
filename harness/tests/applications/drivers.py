"""psycopg 3; the third argument says who puts values into statements, `client` or `server`."""

import sys

import psycopg
from people import COLUMNS, KINDS, STEP, TABLE, address, member
from psycopg.rows import dict_row

FACTORY = psycopg.ClientCursor if sys.argv[3] == "client" else psycopg.Cursor
LIST = ", ".join(COLUMNS)
NAMED = ", ".join(f"%({column})s" for column in COLUMNS)
CAST = "%s::varchar, %s::text, %s::varchar(80), %s::integer, %s::bigint, %s::date, %s::timestamptz, %s::boolean, %s::bytea, %s::int, %s::uuid, %s::numeric, %s::text"


def connect():
    place = address()
    place["dbname"] = place.pop("database")
    return psycopg.connect(**place, autocommit=True, cursor_factory=FACTORY, row_factory=dict_row)


def values(number):
    return [member(number)[column] for column in COLUMNS]


def same(row, number):
    expected = member(number)
    for column in COLUMNS:
        found = row[column]
        found = bytes(found) if column == "photo" else found
        assert found == expected[column], (column, found, expected[column])


def one(connection, where, *arguments, binary=False):
    cursor = connection.cursor(binary=binary)
    return cursor.execute(f"SELECT {LIST} FROM members WHERE {where}", arguments).fetchone()


def write(connection):
    connection.execute(f"INSERT INTO members ({LIST}) VALUES ({NAMED})", member(1))
    connection.execute(f"INSERT INTO members ({LIST}) VALUES ({CAST})", values(2))
    cursor = connection.cursor()
    places = ", ".join(["%s"] * len(COLUMNS))
    cursor.executemany(f"INSERT INTO members ({LIST}) VALUES ({places})", [values(n) for n in range(3, 15)])
    cursor.executemany(
        f"INSERT INTO members ({LIST}) VALUES ({CAST}) RETURNING {LIST}", [values(n) for n in range(15, 25)], returning=True
    )
    number = 15
    while True:
        same(cursor.fetchone(), number)
        number += 1
        if not cursor.nextset():
            break
    assert number == 25
    if sys.argv[3] == "server":
        with connection.pipeline():
            for n in range(25, 30):
                connection.execute(f"INSERT INTO members ({LIST}) VALUES ({CAST})", values(n))
            found = one(connection, "email = %s::varchar", member(26)["email"])
        same(found, 26)


def read(connection):
    # A client that writes values into statements reads text.
    for binary in (False, True) if sys.argv[3] == "server" else (False,):
        for n in (1, 2, 3, 20):
            one_member = member(n)
            same(one(connection, "email = %s", one_member["email"], binary=binary), n)
            same(one(connection, "email = %s::varchar AND code = %s::integer", one_member["email"], one_member["code"]), n)
            same(one(connection, "nick = %s", one_member["nick"], binary=binary), n)
            same(one(connection, "code = %s", one_member["code"], binary=binary), n)
            same(one(connection, "email IN (%s, %s)", one_member["email"], "none"), n)
        assert one(connection, "email = %s", "none") is None
    assert one(connection, "email = %s", "") is None and one(connection, "email = ''") is None
    with connection.transaction(), connection.cursor("kept") as cursor:
        cursor.execute(f"SELECT {LIST} FROM members WHERE id < 20 ORDER BY id")
        for n, row in enumerate(cursor, 1):
            same(row, n)
    for _ in range(7):
        # It is prepared after some runs.
        same(one(connection, "id = %s AND nick = %s::text", 4, member(4)["nick"]), 4)


def change(connection):
    changed = member(41)
    with connection.transaction():
        for column in COLUMNS:
            connection.execute(f"UPDATE members SET {column} = %s WHERE id = %s", [changed[column], 1])
        same(one(connection, "id = 1"), 41)
        connection.execute("UPDATE members SET age = %s::integer, born = %s::date WHERE email = %s", [7, member(1)["born"], changed["email"]])
        assert one(connection, "id = 1")["age"] == 7
        connection.execute("UPDATE members SET active = TRUE WHERE id = 1")
        assert one(connection, "id = 1")["active"] is True
        connection.execute("UPDATE members SET active = false WHERE id = 1")
        assert one(connection, "id = 1")["active"] is False
        raise psycopg.Rollback
    same(one(connection, "id = 1"), 1)
    connection.execute("DELETE FROM members WHERE email = %s", [member(14)["email"]])
    assert one(connection, "id = 14") is None


def list_values(connection):
    """Lists are bound as arrays."""
    ids = list(range(2, 9))
    by_column = {column: [member(n)[column] for n in ids] for column in ("email", "nick", "code")}
    places = ("%s",) if sys.argv[3] == "client" else ("%s", "%t", "%b")
    casts = {"email": ("", "::text[]", "::varchar[]"), "nick": ("", "::text[]", "::varchar[]"), "code": ("", "::int[]", "::bigint[]")}
    for column, values in by_column.items():
        for place in places:
            for cast in casts[column]:
                for binary in (False, True) if sys.argv[3] == "server" else (False,):
                    cursor = connection.cursor(binary=binary)
                    found = cursor.execute(f"SELECT {LIST} FROM members WHERE {column} = ANY({place}{cast}) ORDER BY id", [values]).fetchall()
                    assert len(found) == len(ids), (column, place, cast, len(found))
                    for n, row in zip(ids, found):
                        same(row, n)
        sql = f"SELECT count(*) AS n FROM members WHERE id < 20 AND {column} <> ALL(%s)"
        left = connection.execute("SELECT count(*) AS n FROM members WHERE id < 20").fetchone()["n"]
        assert connection.execute(sql, [values]).fetchone()["n"] == left - len(ids), column
        assert connection.execute(f"SELECT count(*) AS n FROM members WHERE {column} = ANY(%s)", [[]]).fetchone()["n"] == 0
    with connection.transaction():
        new = [member(n) for n in range(70, 90)]
        lists = [[one[column] for one in new] for column in ("email", "nick", "code")]
        connection.execute("INSERT INTO members (email, nick, code) SELECT * FROM unnest(%s::text[], %s::text[], %s::int[])", lists)
        for one in new[::7]:
            for column in ("email", "nick", "code"):
                found = connection.execute(f"SELECT email, nick, code FROM members WHERE {column} = %s", [one[column]]).fetchone()
                assert all(found[column] == one[column] for column in found), found
        spread = ", ".join(f"%s::{kind}[]" for kind in KINDS)
        lists = [[member(n)[column] for n in range(90, 110)] for column in COLUMNS]
        sql = f"INSERT INTO members ({LIST}) SELECT * FROM unnest({spread}) RETURNING {LIST}"
        for binary in (False, True) if sys.argv[3] == "server" else (False,):
            rows = connection.cursor(binary=binary).execute(sql, lists).fetchall()
            assert len(rows) == 20
            for n, row in enumerate(rows, 90):
                same(row, n)
        for ages, cast in (([1, 40000], "smallint[]"), ([1, 3000000000], "bigint[]"), (["1", "x"], "int[]")):
            try:
                with connection.transaction():
                    connection.execute(f"INSERT INTO members (age) SELECT * FROM unnest(%s::{cast})", ["{%s,%s}" % tuple(ages)])
                raise AssertionError(ages)
            except psycopg.errors.DataError:
                pass
        raise psycopg.Rollback


with connect() as connection:
    if STEP == "create":
        connection.execute(TABLE)
    else:
        write(connection)
        read(connection)
        list_values(connection)
        change(connection)

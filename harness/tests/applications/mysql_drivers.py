"""Drivers of MySQL; the third argument is pymysql, mysqlclient, connector-python or connector-c (the same over libmysqlclient).

Values are put into statements by the client, and bound to prepared ones where the driver has them.
"""

import importlib
import sys

from people import COLUMNS, STEP, TABLE, address, member

DRIVER = sys.argv[3]
LIST = ", ".join(COLUMNS)
PLACES = ", ".join(["%s"] * len(COLUMNS))
NAMED = ", ".join(f"%({column})s" for column in COLUMNS)
INSERT = f"INSERT INTO members ({LIST}) VALUES ({PLACES})"
PREPARES = DRIVER.startswith("connector")


def connect():
    # Ten seconds, as they are for some drivers, pass on a slow machine.
    place = {**address(), "connect_timeout": 120}
    if DRIVER == "pymysql":
        import pymysql

        return pymysql.connect(**place, ssl_disabled=True, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
    if DRIVER == "mysqlclient":
        import MySQLdb

        return MySQLdb.connect(**place, ssl_mode="DISABLED", charset="utf8mb4")
    import mysql.connector

    return mysql.connector.connect(**place, ssl_disabled=True, use_pure=DRIVER == "connector-python")


def values(number):
    return [member(number)[column] for column in COLUMNS]


def same(row, number, prepared=False):
    assert row is not None, number
    for column, found, expected in zip(COLUMNS, row, values(number), strict=True):
        assert found == expected, (column, found, expected)
        # What is only equal to it is no text or number; a boolean is a number in this database.
        kind = int if column == "active" else type(expected)
        found_kind = bytes if isinstance(found, bytearray) and column == "photo" else type(found)
        assert found_kind is kind, (column, type(found))


def cursors(connection):
    yield {}
    if PREPARES:
        yield {"prepared": True}


def one(connection, where, *arguments, **how):
    cursor = connection.cursor(**how)
    cursor.execute(f"SELECT {LIST} FROM members WHERE {where}", arguments)
    rows = cursor.fetchall()
    cursor.close()
    assert len(rows) <= 1, rows
    return rows[0] if rows else None


def write(connection):
    cursor = connection.cursor()
    cursor.execute(f"INSERT INTO members ({LIST}) VALUES ({NAMED})", member(1))
    assert cursor.lastrowid == 1 and cursor.rowcount == 1
    cursor.execute(f"INSERT INTO members SET {', '.join(f'{column} = %s' for column in COLUMNS)}", values(2))
    # One statement with many rows.
    cursor.executemany(INSERT, [values(n) for n in range(3, 15)])
    assert cursor.rowcount == 12
    cursor.execute(f"INSERT INTO members VALUES (DEFAULT, {PLACES}), (NULL, {PLACES}), (0, {PLACES})", values(15) + values(16) + values(17))
    if PREPARES:
        prepared = connection.cursor(prepared=True)
        for n in range(18, 21):
            prepared.execute(INSERT, values(n))
        prepared.executemany(INSERT, [values(n) for n in range(21, 25)])
        prepared.close()
    else:
        cursor.executemany(INSERT, [values(n) for n in range(18, 25)])
    connection.commit()


def read(connection):
    for how in cursors(connection):
        for n in (1, 2, 3, 15, 17, 20):
            expected = member(n)
            same(one(connection, "email = %s", expected["email"], **how), n)
            same(one(connection, "email = %s AND code = %s", expected["email"], expected["code"], **how), n)
            same(one(connection, "nick = %s", expected["nick"], **how), n)
            same(one(connection, "code = %s", expected["code"], **how), n)
            same(one(connection, "email IN (%s, %s)", expected["email"], "none", **how), n)
            same(one(connection, "`members`.`email` = %s LIMIT 21", expected["email"], **how), n)
        assert one(connection, "email = %s", "none", **how) is None
        assert one(connection, "email <=> %s", None, **how) is None
        cursor = connection.cursor(**how)
        cursor.execute(f"SELECT {LIST} FROM members WHERE id < %s ORDER BY id", (20,))
        for n, row in enumerate(cursor.fetchall(), 1):
            same(row, n)
        # The columns' own names, and what they are said to be.
        assert [column[0] for column in cursor.description] == COLUMNS
        cursor.close()
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM members WHERE id = 3")
    same(cursor.fetchone()[1:], 3)
    cursor.execute("SELECT COUNT(*), COUNT(email), MAX(plain) FROM members WHERE email <> '' AND nick != 'none'")
    assert cursor.fetchone()[:2] == (24, 24)
    cursor.execute("SELECT m.email, n.age FROM members m JOIN members n ON m.email = n.email AND n.id = m.id WHERE m.id = 4")
    assert cursor.fetchone() == (member(4)["email"], member(4)["age"])
    if DRIVER in ("pymysql", "mysqlclient"):
        kinds = importlib.import_module("pymysql.cursors" if DRIVER == "pymysql" else "MySQLdb.cursors")
        kept = connection.cursor(kinds.SSCursor)
        kept.execute(f"SELECT {LIST} FROM members ORDER BY id")
        for n, row in enumerate(kept, 1):
            same(row, n)
        kept.close()
        named = connection.cursor(kinds.DictCursor)
        named.execute(f"SELECT {LIST} FROM members WHERE id = 5")
        assert list(named.fetchone()) == COLUMNS


def change(connection):
    changed = member(41)
    for how in cursors(connection):
        cursor = connection.cursor(**how)
        for column in COLUMNS:
            cursor.execute(f"UPDATE members SET {column} = %s WHERE id = %s", (changed[column], 1))
        same(one(connection, "id = 1"), 41)
        cursor.execute("UPDATE members SET age = %s, born = %s WHERE email = %s", (7, member(1)["born"], changed["email"]))
        assert one(connection, "id = 1")[3] == 7
        cursor.execute("UPDATE members SET active = TRUE WHERE id = 1", ())
        assert one(connection, "id = 1")[7] == 1
        cursor.execute("UPDATE members SET card = NULL, photo = NULL WHERE id = 1", ())
        assert one(connection, "id = 1")[2] is None
        cursor.close()
        connection.rollback()
        same(one(connection, "id = 1"), 1)
    cursor = connection.cursor()
    upsert = f"INSERT INTO members (id, {LIST}) VALUES (%s, {PLACES}) ON DUPLICATE KEY UPDATE email = VALUES(email), card = VALUES(card)"
    cursor.executemany(upsert, [[2, *values(42)], [100, *values(43)]])
    assert one(connection, "id = 2")[0] == changed["email"].replace("41", "42")
    same(one(connection, "id = 100"), 43)
    cursor.execute(f"REPLACE INTO members (id, {LIST}) VALUES (%s, {PLACES})", [2, *values(2)])
    cursor.execute("SAVEPOINT here")
    cursor.execute("DELETE FROM members WHERE email = %s", [member(14)["email"]])
    assert one(connection, "id = 14") is None
    cursor.execute("ROLLBACK TO SAVEPOINT here")
    cursor.execute("DELETE FROM members WHERE email = %s", [member(43)["email"]])
    cursor.execute("INSERT INTO members (email, plain) SELECT email, 'copied' FROM members WHERE id = 3")
    cursor.execute("SELECT email FROM members WHERE plain = 'copied'")
    assert cursor.fetchall() in [((member(3)["email"],),), [(member(3)["email"],)]]
    cursor.execute("DELETE FROM members WHERE plain = 'copied'")
    connection.commit()
    for n in (1, 2, 14):
        same(one(connection, "id = %s", n), n)


connection = connect()
if STEP == "create":
    connection.cursor().execute(TABLE)
else:
    write(connection)
    read(connection)
    change(connection)
connection.close()

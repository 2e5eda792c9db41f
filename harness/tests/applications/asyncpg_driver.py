"""asyncpg: values are bound in binary, by the types that statements are described with."""

import asyncio

import asyncpg
from people import COLUMNS, KINDS, STEP, TABLE, address, member

LIST = ", ".join(COLUMNS)
PLACES = ", ".join(f"${n}" for n in range(1, len(COLUMNS) + 1))
TYPES = ["varchar", "varchar", "varchar(80)", "integer", "bigint", "date", "timestamptz", "boolean", "bytea", "integer", "uuid", "numeric", "text"]
CAST = ", ".join(f"${n}::{kind}" for n, kind in enumerate(TYPES, 1))


def values(number):
    return [member(number)[column] for column in COLUMNS]


def same(row, number):
    assert dict(row) == member(number), (dict(row), member(number))


async def run(connection):
    for n, places in ((1, PLACES), (2, CAST)):
        row = await connection.fetchrow(f"INSERT INTO members ({LIST}) VALUES ({places}) RETURNING {LIST}", *values(n))
        same(row, n)
    statement = await connection.prepare(f"INSERT INTO members ({LIST}) VALUES ({CAST})")
    kinds = [kind.name for kind in statement.get_parameters()]
    assert kinds == ["varchar", "varchar", "varchar", "int4", "int8", "date", "timestamptz", "bool", "bytea", "int4", "uuid", "numeric", "text"], kinds
    await connection.executemany(f"INSERT INTO members ({LIST}) VALUES ({CAST})", [values(n) for n in range(3, 20)])
    await connection.executemany(f"INSERT INTO members ({LIST}) VALUES ({PLACES})", [values(n) for n in range(20, 30)])
    for where in ("email = $1", "email = $1::varchar", "email = $1::text"):
        same(await connection.fetchrow(f"SELECT {LIST} FROM members WHERE {where}", member(7)["email"]), 7)
    for where in ("code = $1", "code = $1::integer", "code = $1::bigint"):
        same(await connection.fetchrow(f"SELECT {LIST} FROM members WHERE {where}", member(8)["code"]), 8)
    async with connection.transaction():
        n = 1
        async for row in connection.cursor(f"SELECT {LIST} FROM members ORDER BY id", prefetch=7):
            same(row, n)
            n += 1
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("UPDATE members SET age = $1::integer, active = TRUE, born = $2::date WHERE email = $3", 1, member(9)["born"], member(3)["email"])
    row = await connection.fetchrow("SELECT age, active, born FROM members WHERE id = 3")
    assert tuple(row) == (1, True, member(9)["born"])
    await transaction.rollback()
    same(await connection.fetchrow(f"SELECT {LIST} FROM members WHERE id = 3"), 3)


async def list_values(connection):
    """Lists are bound as arrays."""
    ids = list(range(2, 9))
    casts = {"email": ("", "::text[]", "::varchar[]"), "nick": ("", "::text[]", "::varchar[]"), "code": ("", "::int[]", "::bigint[]")}
    for column, kinds in casts.items():
        values = [member(n)[column] for n in ids]
        for cast in kinds:
            found = await connection.fetch(f"SELECT {LIST} FROM members WHERE {column} = ANY($1{cast}) ORDER BY id", values)
            assert len(found) == len(ids), (column, cast, len(found))
            for n, row in zip(ids, found):
                same(row, n)
            left = await connection.fetchval(f"SELECT count(*) FROM members WHERE id < 20 AND {column} <> ALL($1{cast})", values)
            assert left == 19 - len(ids), (column, cast, left)
            assert await connection.fetchval(f"SELECT count(*) FROM members WHERE {column} = ANY($1{cast})", []) == 0
            assert await connection.fetchval(f"SELECT count(*) FROM members WHERE {column} = ANY($1{cast})", [None, *values]) == len(ids)
    transaction = connection.transaction()
    await transaction.start()
    new = [member(n) for n in range(70, 90)]
    lists = [[one[column] for one in new] for column in casts]
    for text in ("text", "varchar"):
        rows = await connection.fetch(
            f"INSERT INTO members (email, nick, code) SELECT * FROM unnest($1::{text}[], $2::{text}[], $3::int[]) RETURNING email, nick, code", *lists
        )
        assert [tuple(row) for row in rows] == list(zip(*lists)), rows
    for one in new[::7]:
        for column in casts:
            found = await connection.fetch(f"SELECT email, nick, code FROM members WHERE {column} = $1", one[column])
            assert [tuple(row) for row in found] == [(one["email"], one["nick"], one["code"])] * 2, found
    await transaction.rollback()
    await transaction_of_all(connection)


async def transaction_of_all(connection):
    """Whole rows, an array for each column."""
    spread = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(KINDS, 1))
    ids = range(90, 110)
    lists = [[member(n)[column] for n in ids] for column in COLUMNS]
    lists[4][3] = lists[5][3] = lists[9][3] = None
    transaction = connection.transaction()
    await transaction.start()
    statement = await connection.prepare(f"INSERT INTO members ({LIST}) SELECT * FROM unnest({spread}) RETURNING {LIST}")
    kinds = [kind.name for kind in statement.get_parameters()]
    assert kinds[3:6] == ["int4[]", "int8[]", "date[]"], kinds
    rows = await statement.fetch(*lists)
    assert [tuple(row) for row in rows] == list(zip(*lists)), rows
    sql = "UPDATE members SET age = u.age, born = u.born FROM unnest($1::text[], $2::int[], $3::date[]) AS u (email, age, born) WHERE members.email = u.email"
    changed = await connection.execute(sql, lists[0], [n * 2 for n in ids], lists[5])
    assert changed == "UPDATE 20", changed
    assert await connection.fetchval("SELECT age FROM members WHERE email = $1", lists[0][7]) == 97 * 2
    await transaction.rollback()


async def main():
    connection = await asyncpg.connect(**address())
    if STEP == "create":
        await connection.execute(TABLE)
    else:
        await run(connection)
        await list_values(connection)
    await connection.close()


asyncio.run(main())

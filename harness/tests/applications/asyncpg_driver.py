"""asyncpg: values are bound in binary, by the types that statements are described with."""

import asyncio

import asyncpg
from people import COLUMNS, STEP, TABLE, address, member

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


async def main():
    connection = await asyncpg.connect(**address())
    if STEP == "create":
        await connection.execute(TABLE)
    else:
        await run(connection)
    await connection.close()


asyncio.run(main())

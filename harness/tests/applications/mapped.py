"""SQLAlchemy 2; the third argument is the dialect and driver, such as `postgresql+psycopg` or `mysql+pymysql`. The models know
nothing of what protects the columns.
"""

import asyncio
import datetime
import decimal
import sys
import uuid

from people import KIND, STEP, address, member
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    String,
    all_,
    any_,
    create_engine,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(80), nullable=True)
    nick: Mapped[str] = mapped_column(String(80), nullable=True)
    card: Mapped[str] = mapped_column(String(80), nullable=True)
    age: Mapped[int] = mapped_column(nullable=True)
    visits: Mapped[int] = mapped_column(BigInteger, nullable=True)
    born: Mapped[datetime.date] = mapped_column(nullable=True)
    seen: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), nullable=True)
    active: Mapped[bool] = mapped_column(nullable=True)
    photo: Mapped[bytes] = mapped_column(LargeBinary, nullable=True)
    code: Mapped[int] = mapped_column(nullable=True)
    if KIND == "postgresql":
        key: Mapped[uuid.UUID] = mapped_column(nullable=True)
    paid: Mapped[decimal.Decimal] = mapped_column(Numeric(20, 2) if KIND == "mysql" else Numeric, nullable=True)
    plain: Mapped[str] = mapped_column(String(40), nullable=True)


def same(found, number):
    for column, value in member(number).items():
        assert getattr(found, column) == value, (column, getattr(found, column), value)


def write(session):
    session.add(Member(**member(1)))
    session.flush()
    # Inserted by one statement whose rows come back in order.
    session.add_all([Member(**member(n)) for n in range(2, 12)])
    session.commit()
    if session.bind.dialect.insert_returning:
        made = session.scalars(insert(Member).returning(Member, sort_by_parameter_order=True), [member(n) for n in range(12, 20)]).all()
        for n, found in enumerate(made, 12):
            same(found, n)
    else:
        session.add_all([Member(**member(n)) for n in range(12, 20)])
    session.execute(insert(Member), [member(n) for n in range(20, 28)])
    session.execute(insert(Member).values([member(n) for n in range(28, 32)]))
    session.commit()
    session.expire_all()


def read(session):
    for n in (1, 2, 13, 21, 30):
        one = member(n)
        same(session.query(Member).filter_by(email=one["email"]).one(), n)
        same(session.scalars(select(Member).where(Member.email == one["email"], Member.code == one["code"])).one(), n)
        same(session.scalars(select(Member).where(Member.nick == one["nick"])).one(), n)
        same(session.scalars(select(Member).where(Member.email.in_([one["email"], "none"]))).one(), n)
    assert session.scalars(select(Member).where(Member.email == "none")).first() is None
    for n, found in enumerate(session.scalars(select(Member).order_by(Member.id).limit(20)), 1):
        same(found, n)


def list_values(session):
    """Lists are bound as arrays; MySQL has none."""
    members = [member(n) for n in range(2, 9)]
    for column, kind in ((Member.email, String), (Member.nick, String), (Member.code, Integer)):
        values = [one[column.key] for one in members]
        for where in (column.in_(values), column == any_(literal(values, ARRAY(kind))), column == func.any(literal(values, ARRAY(kind)))):
            found = session.scalars(select(Member).where(where).order_by(Member.id)).all()
            assert len(found) == len(members), (column, len(found))
            for n, one in enumerate(found, 2):
                same(one, n)
        for where in (column.not_in(values), column != all_(literal(values, ARRAY(kind)))):
            left = session.scalar(select(func.count()).where(where, Member.id < 20))
            assert left == 19 - len(members), (column, left)
        assert session.scalars(select(Member).where(column.in_([]))).all() == []
    new = [member(n) for n in range(70, 90)]
    names = ["email", "nick", "code", "card", "age", "visits", "born", "seen", "active", "key", "paid"]
    kinds = [Member.__table__.c[name].type for name in names]
    # Arrays of types with lengths are refused.
    kinds = [String if isinstance(kind, String) else kind for kind in kinds]
    lists = [literal([one[name] for one in new], ARRAY(kind)) for name, kind in zip(names, kinds)]
    rows = func.unnest(*lists).table_valued(*names).render_derived()
    made = session.execute(insert(Member).from_select(names, select(*rows.c)).returning(*[getattr(Member, name) for name in names])).all()
    assert [tuple(row) for row in made] == [tuple(one[name] for name in names) for one in new]
    session.rollback()


def change(session):
    found = session.get(Member, 3)
    for column, value in member(60).items():
        setattr(found, column, value)
    session.flush()
    session.expire(found)
    same(found, 60)
    session.rollback()
    same(session.get(Member, 3), 3)
    changed = session.execute(update(Member).where(Member.email == member(4)["email"]).values(age=77, active=True, photo=b"x"))
    assert changed.rowcount == 1
    found = session.get(Member, 4)
    assert (found.age, found.active, found.photo) == (77, True, b"x")
    # Changed by their keys, many at once.
    session.execute(update(Member), [{"id": n, **member(n + 50)} for n in range(5, 9)])
    session.expire_all()
    for n in range(5, 9):
        same(session.get(Member, n), n + 50)
    with session.begin_nested() as inner:
        session.execute(update(Member).where(Member.id == 5).values(born=datetime.date(1, 1, 1), card=None))
        inner.rollback()
    same(session.get(Member, 5), 55)
    session.execute(delete(Member).where(Member.email == member(9)["email"]))
    session.commit()
    assert session.get(Member, 9) is None


def work(session):
    write(session)
    read(session)
    if KIND == "postgresql":
        list_values(session)
    change(session)


def url():
    place = address()
    return URL.create(sys.argv[3], username=place["user"], host=place["host"], port=place["port"], database=place["database"])


async def main():
    engine = create_async_engine(url())
    if STEP == "create":
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
    else:
        async with AsyncSession(engine) as session:
            await session.run_sync(work)
    await engine.dispose()


def main_of_mysql():
    arguments = {"ssl_disabled": True} if "mysqldb" not in sys.argv[3] else {"ssl_mode": "DISABLED"}
    # Ten seconds, as they are for some drivers, pass on a slow machine.
    engine = create_engine(url(), connect_args={**arguments, "connect_timeout": 120})
    if STEP == "create":
        Base.metadata.create_all(engine)
    else:
        with Session(engine) as session:
            work(session)
    engine.dispose()


main_of_mysql() if KIND == "mysql" else asyncio.run(main())

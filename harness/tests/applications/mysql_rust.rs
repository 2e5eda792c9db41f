//! mysql_async: texts, prepared statements and batches, a pool whose connections begin anew, files, with and without compression.

use crate::MARK;
use crate::mysql::{TABLE, work};
use acra_harness::mysql::Scene;
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};
use futures_util::{StreamExt as _, stream};
use mysql_async::prelude::{Query as _, Queryable, WithParams as _};
use mysql_async::{
    Compression, Conn, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, TxOpts, params,
};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_postgres::types::private::BytesMut;

const COLUMNS: &str = "email, nick, card, age, visits, active, photo, code, plain";
const INSERT: &str = "INSERT INTO members (email, nick, card, age, visits, active, photo, code, plain) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What [`COLUMNS`] hold.
type Member = (String, String, String, i32, i64, i32, Vec<u8>, i32, String);

fn email(number: i32) -> String {
    format!("{MARK}-{number}-ж\\'@example.org")
}

fn member(number: i32) -> Member {
    let digit = u8::try_from(number % 256).unwrap_or_default();
    (
        email(number),
        format!("{MARK} nick {number}"),
        format!("{MARK} 4111 {number:04}"),
        number - 5,
        (i64::from(number) << 40) - 1,
        number % 2,
        [MARK.as_bytes(), &[0, 255, b'\\', b'\t', digit]].concat(),
        number * 1000,
        format!("plain {number}"),
    )
}

fn select(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM members WHERE {condition}")
}

async fn one(conn: &mut Conn, condition: &str, params: impl Into<Params> + Send) -> Result<Member> {
    let found = conn.exec_first(select(condition), params).await?;
    found.ok_or_else(|| Error::new(format!("nobody with {condition}")))
}

/// As a string in a text.
fn quoted(value: &[u8]) -> String {
    format!("X'{}'", const_hex::encode(value))
}

async fn writes(conn: &mut Conn) -> Result<()> {
    let (email, nick, card, age, visits, active, photo, code, plain) = member(1);
    let named = "INSERT INTO members (email, nick, card, age, visits, active, photo, code, plain) \
        VALUES (:email, :nick, :card, :age, :visits, :active, :photo, :code, :plain)";
    conn.exec_drop(
        named,
        params! { email, nick, card, age, visits, active, photo, code, plain },
    )
    .await?;
    assert_eq!((conn.last_insert_id(), conn.affected_rows()), (Some(1), 1));
    INSERT.with(member(2)).ignore(&mut *conn).await?;
    conn.exec_batch(INSERT, (3..=20).map(member)).await?;
    let (email, nick, card, age, visits, active, photo, code, plain) = member(21);
    let text = format!(
        "INSERT INTO members ({COLUMNS}) VALUES ({}, {}, {}, {age}, {visits}, {active}, {}, {code}, '{plain}')",
        quoted(email.as_bytes()),
        quoted(nick.as_bytes()),
        quoted(card.as_bytes()),
        quoted(&photo)
    );
    text.ignore(&mut *conn).await?;
    Ok(())
}

async fn reads(conn: &mut Conn) -> Result<()> {
    for number in [1, 2, 3, 20, 21] {
        let (email, nick, .., code, _) = member(number);
        assert_eq!(one(conn, "email = ?", (&email,)).await?, member(number));
        let both = one(conn, "nick = ? AND code = ?", (&nick, code)).await?;
        assert_eq!(both, member(number));
        let named = one(conn, "email = :email", params! { email }).await?;
        assert_eq!(named, member(number));
    }
    let all: Vec<Member> = conn
        .query(select("plain LIKE 'plain%' ORDER BY id"))
        .await?;
    assert_eq!(all, (1..=21).map(member).collect::<Vec<_>>());
    several_results(conn).await?;
    let nobody: Option<Member> = conn.exec_first(select("email = ?"), (email(999),)).await?;
    assert_eq!(nobody, None);
    Ok(())
}

/// Several results of one text, one row after the other.
async fn several_results(conn: &mut Conn) -> Result<()> {
    let two = format!(
        "{}; {}",
        select("plain = 'plain 4'"),
        select("plain IN ('plain 5', 'plain 6') ORDER BY id")
    );
    let mut results = conn.query_iter(two).await?;
    for numbers in [vec![4], vec![5, 6]] {
        let mut rows = results
            .stream::<Member>()
            .await?
            .ok_or_else(|| Error::new("no result"))?;
        for number in numbers {
            let row = rows.next().await.ok_or_else(|| Error::new("no row"))??;
            assert_eq!(row, member(number));
        }
        let more = rows.next().await.transpose()?;
        assert_eq!(more, None);
    }
    results.drop_result().await?;
    Ok(())
}

async fn transactions(conn: &mut Conn) -> Result<()> {
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop(INSERT, member(98)).await?;
    // Refused, and the transaction goes on.
    let refused = transaction
        .query_drop("SELECT id FROM members ORDER BY email")
        .await;
    let code = match refused {
        Err(mysql_async::Error::Server(error)) => error.code,
        other => return Err(Error::new(format!("{other:?}"))),
    };
    assert_eq!(code, 1235);
    transaction.rollback().await?;
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop(INSERT, member(22)).await?;
    transaction.commit().await?;
    let change = "UPDATE members SET card = ?, age = age WHERE email = ?";
    conn.exec_drop(change, (format!("{MARK} changed"), email(22)))
        .await?;
    let changed = one(conn, "code = ?", (22_000,)).await?;
    assert_eq!(changed.2, format!("{MARK} changed"));
    let gone: Option<Member> = conn.exec_first(select("email = ?"), (email(98),)).await?;
    assert_eq!(gone, None);
    Ok(())
}

/// A file whose values are escaped as LOAD DATA reads them.
async fn files(conn: &mut Conn) -> Result<()> {
    let mut rows = Vec::new();
    for (email, nick, card, age, visits, active, photo, code, plain) in (30..=60).map(member) {
        let numbers =
            [age.to_string(), visits.to_string(), active.to_string()].map(String::into_bytes);
        let texts = [email, nick, card].map(String::into_bytes);
        let cells = texts.into_iter().chain(numbers);
        let cells = cells.chain([photo, code.to_string().into_bytes(), plain.into_bytes()]);
        for cell in cells {
            for byte in cell {
                if matches!(byte, b'\\' | b'\t' | b'\n') {
                    rows.push(b'\\');
                }
                rows.push(byte);
            }
            rows.push(b'\t');
        }
        rows.pop();
        rows.push(b'\n');
    }
    let pieces: Vec<_> = rows
        .chunks(100)
        .map(|piece| Ok(BytesMut::from(piece).freeze()))
        .collect();
    conn.set_infile_handler(async move { Ok(stream::iter(pieces).boxed()) });
    let load = format!(
        "LOAD DATA LOCAL INFILE 'members' INTO TABLE members CHARACTER SET binary ({COLUMNS})"
    );
    conn.query_drop(load).await?;
    assert_eq!(conn.affected_rows(), 31);
    for number in [30, 60] {
        assert_eq!(
            one(conn, "email = ?", (email(number),)).await?,
            member(number)
        );
    }
    Ok(())
}

/// A connection that is given back begins anew, and nothing of before is known of it.
async fn given_back(pool: &Pool) -> Result<()> {
    let mut conn = pool.get_conn().await?;
    let before = conn.id();
    conn.query_drop("SET @mark = 1, sql_mode = 'ANSI_QUOTES'")
        .await?;
    let statement = conn.prep(INSERT).await?;
    conn.exec_drop(&statement, member(61)).await?;
    drop(conn);
    let mut conn = pool.get_conn().await?;
    assert_eq!(conn.id(), before);
    let mark: Option<Option<i64>> = conn.query_first("SELECT @mark").await?;
    assert_eq!(mark, Some(None));
    conn.exec_drop(INSERT, member(62)).await?;
    conn.query_drop("UPDATE members SET plain = \"new\" WHERE code = 61000")
        .await?;
    Ok(())
}

/// More at once than there are connections.
async fn shared(pool: &Pool) -> Result<()> {
    let mut running: JoinSet<Result<()>> = JoinSet::new();
    for number in 63..=80 {
        let pool = pool.clone();
        running.spawn(async move {
            let mut conn = pool.get_conn().await?;
            conn.exec_drop(INSERT, member(number)).await?;
            assert_eq!(
                one(&mut conn, "email = ?", (email(number),)).await?,
                member(number)
            );
            Ok(())
        });
    }
    while let Some(outcome) = running.join_next().await {
        outcome??;
    }
    Ok(())
}

/// A pool of so many connections.
fn pool(scene: &Scene, compression: Option<Compression>, most: usize) -> Result<Pool> {
    let address = scene.acra.address();
    let few = PoolConstraints::new(1, most).ok_or_else(|| Error::new("constraints"))?;
    let options = OptsBuilder::default()
        .ip_or_hostname(address.ip().to_string())
        .tcp_port(address.port())
        .user(Some("test"))
        .db_name(Some(&scene.schema))
        // By default it asks for the database's socket, and goes there itself.
        .prefer_socket(false)
        .compression(compression)
        .pool_opts(PoolOpts::default().with_constraints(few));
    Ok(Pool::new(options))
}

async fn application(scene: &Scene, compression: Option<Compression>) -> Result<()> {
    let one = pool(scene, compression, 1)?;
    let mut conn = one.get_conn().await?;
    writes(&mut conn).await?;
    reads(&mut conn).await?;
    transactions(&mut conn).await?;
    files(&mut conn).await?;
    drop(conn);
    given_back(&one).await?;
    one.disconnect().await?;
    let few = pool(scene, compression, 3)?;
    shared(&few).await?;
    few.disconnect().await?;
    Ok(())
}

fn run(flavour: Flavour, compression: Option<Compression>) -> Result<()> {
    work(
        flavour,
        |scene| scene.run_directly(TABLE),
        |scene| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(application(scene, compression))
        },
    )
}

#[test]
fn on_mariadb() -> Result<()> {
    run(Flavour::MariaDb, None)
}

#[test]
fn on_mysql() -> Result<()> {
    run(Flavour::MySql, None)
}

#[test]
fn compressed_on_mariadb() -> Result<()> {
    run(Flavour::MariaDb, Some(Compression::fast()))
}

#[test]
fn compressed_on_mysql() -> Result<()> {
    run(Flavour::MySql, Some(Compression::fast()))
}

//! tokio-postgres: everything in binary, by the types that statements are described with.

use crate::{MARK, TABLE, is_sealed, scene};
use acra_harness::Result;
use acra_harness::scene::Scene;
use futures_util::{TryStreamExt as _, future, pin_mut};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Row};

const COLUMNS: &str =
    "email, nick, card, age, visits, born, seen, active, photo, code, key, paid, plain";
const PLACES: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13";

/// A value of a type that the driver does not have, in binary.
#[derive(Clone, Debug, PartialEq)]
struct Binary(Vec<u8>);

impl ToSql for Binary {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl FromSql<'_> for Binary {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    email: String,
    nick: String,
    card: String,
    age: i32,
    visits: i64,
    born: Binary,
    seen: SystemTime,
    active: bool,
    photo: Vec<u8>,
    code: i32,
    key: Binary,
    paid: Binary,
    plain: String,
}

impl Member {
    fn new(number: i32) -> Self {
        let digit = u8::try_from(number % 256).unwrap_or_default();
        Self {
            email: email(number),
            nick: nick(number),
            card: format!("{MARK} 4111 {number}"),
            age: number - 5,
            visits: (i64::from(number) << 40) - 1,
            born: Binary((-number * 100).to_be_bytes().into()),
            seen: UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001 + u64::from(digit)),
            active: number % 2 == 0,
            photo: [MARK.as_bytes(), &[0, 255, b'\\', digit]].concat(),
            code: number * 1000,
            key: Binary([[digit; 8], [7; 8]].concat()),
            // One digit to the base of 10 000, and two places behind the point: 0.50.
            paid: Binary([0_u16, 1, 0xffff, 0, 2, 5000].map(u16::to_be_bytes)[1..].concat()),
            plain: format!("plain {number}"),
        }
    }

    fn values(&self) -> [&(dyn ToSql + Sync); 13] {
        [
            &self.email,
            &self.nick,
            &self.card,
            &self.age,
            &self.visits,
            &self.born,
            &self.seen,
            &self.active,
            &self.photo,
            &self.code,
            &self.key,
            &self.paid,
            &self.plain,
        ]
    }
}

impl From<&Row> for Member {
    fn from(row: &Row) -> Self {
        Self {
            email: row.get("email"),
            nick: row.get("nick"),
            card: row.get("card"),
            age: row.get("age"),
            visits: row.get("visits"),
            born: row.get("born"),
            seen: row.get("seen"),
            active: row.get("active"),
            photo: row.get("photo"),
            code: row.get("code"),
            key: row.get("key"),
            paid: row.get("paid"),
            plain: row.get("plain"),
        }
    }
}

/// The types of [`COLUMNS`], as the client sees them.
fn types() -> [Type; 13] {
    [
        Type::TEXT,
        Type::VARCHAR,
        Type::TEXT,
        Type::INT4,
        Type::INT8,
        Type::DATE,
        Type::TIMESTAMPTZ,
        Type::BOOL,
        Type::BYTEA,
        Type::INT4,
        Type::UUID,
        Type::NUMERIC,
        Type::VARCHAR,
    ]
}

fn email(number: i32) -> String {
    format!("{MARK}-{number}-ж\\'@example.org")
}

fn nick(number: i32) -> String {
    format!("{MARK} nick {number}")
}

/// A scene with members 1 to `count`, and a client.
async fn members(version: u32, count: i32) -> Result<(Scene<'static>, Client)> {
    let scene = scene(version)?;
    scene.run_directly(TABLE)?;
    let client = scene.acra.connect(&scene.database).await?;
    let insert = format!("INSERT INTO members ({COLUMNS}) VALUES ({PLACES}) RETURNING {COLUMNS}");
    let insert = client.prepare(&insert).await?;
    assert_eq!(insert.params(), types());
    for number in 1..=count {
        let member = Member::new(number);
        let row = client.query_one(&insert, &member.values()).await?;
        assert_eq!(Member::from(&row), member);
    }
    Ok((scene, client))
}

#[tokio::test]
async fn prepared_and_typed_statements() -> Result<()> {
    let (scene, client) = members(17, 30).await?;
    let select =
        format!("SELECT {COLUMNS} FROM members WHERE email = $1 AND nick = $2 AND code = $3");
    let select = client.prepare(&select).await?;
    let kinds: Vec<_> = select
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect();
    assert_eq!(kinds, types());
    for number in 1..=30 {
        let (email, nick, code) = (email(number), nick(number), number * 1000);
        let row = client.query_one(&select, &[&email, &nick, &code]).await?;
        assert_eq!(Member::from(&row), Member::new(number));
        // The types are told with the statement, which is not described first.
        let sql =
            format!("SELECT {COLUMNS} FROM members WHERE email = $1 AND nick = $2 AND code = $3");
        let typed = [
            (&email as &(dyn ToSql + Sync), Type::TEXT),
            (&nick, Type::VARCHAR),
            (&code, Type::INT4),
        ];
        let rows = client.query_typed(&sql, &typed).await?;
        assert_eq!(Member::from(&rows[0]), Member::new(number));
    }
    let changed = Member::new(77);
    let typed: Vec<_> = changed.values().into_iter().zip(types()).collect();
    let sql = format!("UPDATE members SET ({COLUMNS}) = ({PLACES}) WHERE id = 3");
    client.query_typed(&sql, &typed).await?;
    let row = client
        .query_one("SELECT * FROM members WHERE email = $1", &[&email(77)])
        .await?;
    assert_eq!(Member::from(&row), changed);
    let nothing = client
        .query("SELECT id FROM members WHERE email = $1", &[&email(3)])
        .await?;
    assert!(nothing.is_empty());
    let grouped = "SELECT nick, count(*), max(id) FROM members GROUP BY nick ORDER BY 3";
    let grouped = client.query(grouped, &[]).await?;
    assert_eq!(
        (grouped.len(), grouped[0].get::<_, String>(0)),
        (30, nick(1))
    );
    is_sealed(&scene)
}

#[tokio::test]
async fn arrays() -> Result<()> {
    let (scene, client) = members(18, 30).await?;
    let emails: Vec<_> = [3, 1, 999].map(email).into();
    let nicks = vec![Some(nick(4)), None, Some(nick(5))];
    let by_any = "SELECT id FROM members WHERE email = ANY ($1) OR nick = ANY ($2) OR code = ANY ($3) ORDER BY id";
    let by_any = client.prepare(by_any).await?;
    assert_eq!(
        by_any.params(),
        [Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::INT4_ARRAY]
    );
    let ids = |rows: Vec<Row>| rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>();
    let codes = vec![6000, 7000, 1];
    let rows = client.query(&by_any, &[&emails, &nicks, &codes]).await?;
    assert_eq!(ids(rows), [1, 3, 4, 5, 6, 7]);
    let but = "SELECT id FROM members WHERE email <> ALL ($1) AND id < 6 ORDER BY id";
    assert_eq!(ids(client.query(but, &[&emails]).await?), [2, 4, 5]);
    let in_order = "SELECT m.id FROM unnest($1::text[]) WITH ORDINALITY AS w (mail, at) JOIN members m ON m.email = w.mail ORDER BY at";
    assert_eq!(ids(client.query(in_order, &[&emails]).await?), [3, 1]);
    let insert = "INSERT INTO members (id, email, nick, code, card, photo) \
        SELECT * FROM unnest($1::int4[], $2::text[], $3::varchar[], $4::int4[], $5::bytea[], $6::bytea[])";
    let insert = client.prepare(insert).await?;
    let numbers: Vec<i32> = (501..=540).collect();
    let each = |of: fn(i32) -> String| numbers.iter().copied().map(of).collect::<Vec<_>>();
    // In bytes for the database, and text for the client, whose type the column has.
    let cards = each(|number| format!("{MARK} 4111 {number}"));
    let photos: Vec<_> = cards.iter().map(|card| card.as_bytes()).collect();
    let codes: Vec<_> = numbers.iter().map(|n| n * 1000).collect();
    let made = client
        .execute(
            &insert,
            &[&numbers, &each(email), &each(nick), &codes, &cards, &photos],
        )
        .await?;
    assert_eq!(made, 40);
    for number in [501, 540] {
        let sql =
            "SELECT id, card, photo FROM members WHERE email = $1 AND nick = $2 AND code = $3";
        let row = client
            .query_one(sql, &[&email(number), &nick(number), &(number * 1000)])
            .await?;
        let card = format!("{MARK} 4111 {number}");
        assert_eq!(row.get::<_, i32>(0), number);
        assert_eq!(
            (row.get::<_, &str>(1), row.get::<_, &[u8]>(2)),
            (&*card, card.as_bytes())
        );
    }
    let deleted = client
        .execute("DELETE FROM members WHERE code = ANY ($1)", &[&codes])
        .await?;
    assert_eq!(deleted, 40);
    is_sealed(&scene)
}

#[tokio::test]
async fn pipelines_and_cancelling() -> Result<()> {
    let (scene, client) = members(15, 30).await?;
    let select = format!("SELECT {COLUMNS} FROM members WHERE email = $1");
    let select = client.prepare(&select).await?;
    let update = client
        .prepare("UPDATE members SET nick = $1, paid = $2 WHERE code = $3")
        .await?;
    // All of it is sent before the first answer is read, and one in three fails.
    let client = Arc::new(client);
    let mut running: JoinSet<Result<()>> = JoinSet::new();
    for number in 1..=30 {
        let (client, select, update) = (Arc::clone(&client), select.clone(), update.clone());
        running.spawn(async move {
            let member = Member::new(number);
            match number % 3 {
                0 => {
                    let row = client.query_one(&select, &[&member.email]).await?;
                    assert_eq!(Member::from(&row), member);
                }
                1 => {
                    let values: [&(dyn ToSql + Sync); 3] =
                        [&member.nick, &member.paid, &member.code];
                    assert_eq!(client.execute(&update, &values).await?, 1);
                }
                _ => {
                    let refused = client
                        .query("SELECT id FROM members ORDER BY email", &[])
                        .await;
                    let code = refused.err().and_then(|error| error.code().cloned());
                    assert_eq!(code, Some(SqlState::FEATURE_NOT_SUPPORTED));
                }
            }
            Ok(())
        });
    }
    while let Some(outcome) = running.join_next().await {
        outcome??;
    }
    let cancel = client.cancel_token();
    let sleepy = email(1);
    let sleep = "SELECT email, pg_sleep(600) FROM members WHERE email = $1";
    let sleep = client.prepare(sleep).await?;
    let values: [&(dyn ToSql + Sync); 1] = [&sleepy];
    let (slept, cancelled) = future::join(client.query(&sleep, &values), async {
        scene.sleeps_beside_tasks().await?;
        Ok::<_, acra_harness::Error>(cancel.cancel_query(NoTls).await?)
    })
    .await;
    cancelled?;
    assert!(slept.is_err_and(|error| error.code() == Some(&SqlState::QUERY_CANCELED)));
    let row = client.query_one(&select, &[&sleepy]).await?;
    assert_eq!(Member::from(&row), Member::new(1));
    is_sealed(&scene)
}

#[tokio::test]
async fn copies() -> Result<()> {
    let (scene, client) = members(17, 1).await?;
    let sql = format!("COPY members ({COLUMNS}) FROM STDIN BINARY");
    let writer = BinaryCopyInWriter::new(client.copy_in(&sql).await?, &types());
    pin_mut!(writer);
    for number in 2..=300 {
        writer.as_mut().write(&Member::new(number).values()).await?;
    }
    assert_eq!(writer.finish().await?, 299);
    let sql = format!("COPY (SELECT {COLUMNS} FROM members ORDER BY id) TO STDOUT BINARY");
    let rows = BinaryCopyOutStream::new(client.copy_out(&sql).await?, &types());
    let rows: Vec<_> = rows.try_collect().await?;
    assert_eq!(rows.len(), 300);
    for (row, number) in rows.iter().zip(1..) {
        let member = Member::new(number);
        assert_eq!(row.get::<String>(0), member.email);
        assert_eq!(row.get::<String>(1), member.nick);
        assert_eq!(row.get::<String>(2), member.card);
        assert_eq!(
            (row.get::<i32>(3), row.get::<i64>(4)),
            (member.age, member.visits)
        );
        assert_eq!(
            (row.get::<Binary>(5), row.get::<SystemTime>(6)),
            (member.born, member.seen)
        );
        assert_eq!(
            (row.get::<bool>(7), row.get::<Vec<u8>>(8)),
            (member.active, member.photo)
        );
        assert_eq!(
            (row.get::<i32>(9), row.get::<Binary>(10)),
            (member.code, member.key)
        );
        assert_eq!(
            (row.get::<Binary>(11), row.get::<String>(12)),
            (member.paid, member.plain)
        );
    }
    for number in [2, 300] {
        let member = Member::new(number);
        let sql = format!("SELECT {COLUMNS} FROM members WHERE email = $1 AND code = $2");
        let row = client
            .query_one(&sql, &[&member.email, &member.code])
            .await?;
        assert_eq!(Member::from(&row), member);
    }
    is_sealed(&scene)
}

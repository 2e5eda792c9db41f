//! Statements, prepared and not, one by one and many at once.

use crate::{all, client, is_sealed, secret};
use acra_harness::scene::Scene;
use acra_harness::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

#[tokio::test]
async fn prepared_statements_are_used_again_and_again() -> Result<()> {
    let scene = Scene::start()?;
    let client = client(&scene).await?;
    let insert = client
        .prepare("INSERT INTO vault (id, note, secret, other) VALUES ($1, $2, $3, $4) RETURNING secret, other")
        .await?;
    let select = client
        .prepare("SELECT id, secret, other FROM vault WHERE id = $1")
        .await?;
    let update = client
        .prepare("UPDATE vault SET secret = $2 WHERE id = $1")
        .await?;
    assert_eq!(
        insert.params(),
        [Type::INT4, Type::TEXT, Type::BYTEA, Type::BYTEA]
    );
    assert_eq!(select.columns()[1].type_(), &Type::BYTEA);
    for number in 0..50 {
        let other = (number % 2 == 0).then(|| secret(-number));
        let row = client
            .query_one(&insert, &[&number, &"n", &secret(number), &other])
            .await?;
        assert_eq!(row.get::<_, Vec<u8>>("secret"), secret(number));
        let row = client.query_one(&select, &[&number]).await?;
        assert_eq!(row.get::<_, Vec<u8>>("secret"), secret(number));
        assert_eq!(row.get::<_, Option<Vec<u8>>>("other"), other);
        assert_eq!(
            client
                .execute(&update, &[&number, &secret(number + 1000)])
                .await?,
            1
        );
        let row = client.query_one(&select, &[&number]).await?;
        assert_eq!(row.get::<_, &[u8]>(1), secret(number + 1000));
    }
    drop((insert, update));
    // What is not supported is refused when it is prepared, and the session goes on.
    let refused = client
        .prepare("SELECT id FROM vault WHERE secret = $1")
        .await;
    let error = refused.err().ok_or_else(|| Error::new("it was prepared"))?;
    let told = error
        .as_db_error()
        .ok_or_else(|| Error::new("no error of a database"))?;
    assert_eq!(told.code(), &SqlState::FEATURE_NOT_SUPPORTED);
    assert!(
        told.message().contains("\"secret\"") && told.hint().is_some(),
        "{told:?}"
    );
    let row = client.query_one(&select, &[&7]).await?;
    assert_eq!(row.get::<_, &[u8]>(1), secret(1007));
    is_sealed(&scene, 50)
}

#[tokio::test]
async fn values_of_every_type_beside_a_secret() -> Result<()> {
    let scene = Scene::start()?;
    scene.run_directly(
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE vault ADD b bool, ADD i2 int2, ADD i8 int8, ADD f float8, \
         ADD t timestamptz, ADD ia int4[], ADD ta text[], ADD m mood, ADD c \"char\", ADD h text",
    )?;
    let client = client(&scene).await?;
    let now = std::time::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
    let (numbers, words) = (
        vec![1, -2, 3],
        vec![Some("%%%".to_owned()), None, Some("\\x252525".to_owned())],
    );
    let values: [&(dyn ToSql + Sync); 11] = [
        &true,
        &-7_i16,
        &i64::MIN,
        &0.1_f64,
        &now,
        &numbers,
        &words,
        &secret(1),
        &5_i8,
        &"\\x252525 is no container",
        &b"%%%%%%%%%%%%%".as_slice(),
    ];
    let sql = "INSERT INTO vault (id, m, b, i2, i8, f, t, ia, ta, secret, c, h, open) \
        VALUES (1, 'glad', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *";
    let inserted = client.query_one(sql, &values).await?;
    let selected = client.query_one("SELECT * FROM vault", &[]).await?;
    for row in [inserted, selected] {
        assert!(row.get::<_, bool>("b"));
        assert_eq!(row.get::<_, i16>("i2"), -7);
        assert_eq!(row.get::<_, i64>("i8"), i64::MIN);
        assert_eq!(row.get::<_, f64>("f").to_bits(), 0.1_f64.to_bits());
        assert_eq!(row.get::<_, std::time::SystemTime>("t"), now);
        assert_eq!(row.get::<_, Vec<i32>>("ia"), numbers);
        assert_eq!(row.get::<_, Vec<Option<String>>>("ta"), words);
        assert_eq!(row.get::<_, Vec<u8>>("secret"), secret(1));
        assert_eq!(row.get::<_, Option<Vec<u8>>>("other"), None);
        assert_eq!(row.get::<_, i8>("c"), 5);
        assert_eq!(row.get::<_, &str>("h"), "\\x252525 is no container");
        assert_eq!(row.get::<_, &[u8]>("open"), b"%%%%%%%%%%%%%");
    }
    is_sealed(&scene, 1)
}

#[tokio::test]
async fn transactions_savepoints_and_portals() -> Result<()> {
    let scene = Scene::start()?;
    let mut client = client(&scene).await?;
    let insert = client
        .prepare("INSERT INTO vault (id, secret) VALUES ($1, $2)")
        .await?;
    let mut transaction = client.transaction().await?;
    for number in 0..25 {
        transaction
            .execute(&insert, &[&number, &secret(number)])
            .await?;
    }
    let nested = transaction.transaction().await?;
    nested.execute(&insert, &[&100, &secret(100)]).await?;
    let refused = nested
        .execute("SELECT length(secret) FROM vault", &[])
        .await;
    assert!(refused.is_err_and(|error| error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)));
    let failed = nested.query("SELECT 1", &[]).await;
    assert!(failed.is_err_and(|error| error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)));
    nested.rollback().await?;
    let portal = transaction
        .bind("SELECT id, secret FROM vault ORDER BY id", &[])
        .await?;
    let mut read = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 10).await?;
        read.extend(rows.iter().map(|row| row.get::<_, Vec<u8>>("secret")));
        if rows.len() < 10 {
            break;
        }
    }
    assert_eq!(read, (0..25).map(secret).collect::<Vec<_>>());
    transaction.commit().await?;
    let transaction = client.transaction().await?;
    transaction.execute("DELETE FROM vault", &[]).await?;
    transaction.rollback().await?;
    is_sealed(&scene, 25)
}

#[tokio::test]
async fn many_statements_at_once() -> Result<()> {
    let scene = Scene::start()?;
    let client = Arc::new(client(&scene).await?);
    let insert = client
        .prepare("INSERT INTO vault (id, secret) VALUES ($1, $2) RETURNING secret")
        .await?;
    let insert_one = |number: i32| {
        let (client, insert) = (Arc::clone(&client), insert.clone());
        async move { client.query_one(&insert, &[&number, &secret(number)]).await }
    };
    let rows = all((0..300).map(insert_one)).await?;
    for (number, row) in (0..300).zip(rows) {
        assert_eq!(row?.get::<_, Vec<u8>>(0), secret(number));
    }
    // Prepared, run and closed all at once; some of them refused.
    let run = |number: i32| {
        let client = Arc::clone(&client);
        async move {
            match number % 3 {
                0 => {
                    client
                        .query("SELECT secret FROM vault WHERE id = $1", &[&number])
                        .await
                }
                1 => client.query("SELECT $1::int4 + 0", &[&number]).await,
                _ => {
                    client
                        .query(
                            "SELECT upper(secret::text), $1::int4 FROM vault",
                            &[&number],
                        )
                        .await
                }
            }
        }
    };
    let outcomes = all((0..300).map(run)).await?;
    for (number, outcome) in (0..300).zip(outcomes) {
        match (number % 3, outcome) {
            (0, Ok(rows)) => assert_eq!(rows[0].get::<_, Vec<u8>>(0), secret(number)),
            (1, Ok(rows)) => assert_eq!(rows[0].get::<_, i32>(0), number),
            (2, Err(error)) => assert_eq!(error.code(), Some(&SqlState::FEATURE_NOT_SUPPORTED)),
            (_, outcome) => return Err(Error::new(format!("{number}: {outcome:?}"))),
        }
    }
    is_sealed(&scene, 300)
}

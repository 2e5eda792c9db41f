//! A driver in use by many works with a protected table as with any other.

use acra_harness::scene::{Scene, eventually};
use acra_harness::{Error, Result, at_rest};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future, stream};
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

/// In every secret.
const MARK: &str = "Driven-Secret-31";

async fn client(scene: &Scene<'_>) -> Result<Client> {
    scene.acra.connect(&scene.database).await
}

fn secret(number: i32) -> Vec<u8> {
    format!("{MARK} number {number} \0 \u{1f511}").into_bytes()
}

/// That nothing of the secrets is in the database, which has so many rows.
fn is_sealed(scene: &Scene<'_>, rows: u32) -> Result<()> {
    let sealed = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, rows.to_string());
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

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

/// Runs futures at the same time, and gives their results in order.
async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Result<Vec<T>> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await?);
    }
    Ok(results)
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

#[tokio::test]
async fn statements_are_cancelled() -> Result<()> {
    let scene = Scene::start()?;
    let client = client(&scene).await?;
    let cancel = client.cancel_token();
    let begin = Instant::now();
    let (slept, cancelled) = future::join(client.query("SELECT pg_sleep(60)", &[]), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cancel.cancel_query(NoTls).await
    })
    .await;
    cancelled?;
    assert!(slept.is_err_and(|error| error.code() == Some(&SqlState::QUERY_CANCELED)));
    assert!(begin.elapsed() < Duration::from_secs(20));
    client
        .execute(
            "INSERT INTO vault (id, secret) VALUES (1, $1)",
            &[&secret(1)],
        )
        .await?;
    is_sealed(&scene, 1)
}

#[tokio::test]
async fn notifications_arrive_while_nothing_is_asked() -> Result<()> {
    let scene = Scene::start()?;
    let mut config = Config::new();
    let address = scene.acra.address();
    config
        .host(address.ip().to_string())
        .port(address.port())
        .user("postgres")
        .dbname(&scene.database);
    let (listener, mut connection) = config.connect(NoTls).await?;
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let driving = tokio::spawn(async move {
        let mut messages = pin!(stream::poll_fn(
            move |context| connection.poll_message(context)
        ));
        while let Some(message) = messages.next().await {
            if let Ok(AsyncMessage::Notification(notification)) = message {
                let _ = sender.send(notification.payload().to_owned());
            }
        }
    });
    listener.batch_execute("LISTEN news").await?;
    let other = client(&scene).await?;
    other.batch_execute("NOTIFY news, 'first'").await?;
    let wait = Duration::from_secs(10);
    assert_eq!(
        tokio::time::timeout(wait, received.recv())
            .await?
            .as_deref(),
        Some("first")
    );
    // Within a result with secrets.
    listener
        .execute(
            "INSERT INTO vault (id, secret) VALUES (1, $1)",
            &[&secret(1)],
        )
        .await?;
    listener
        .batch_execute("SELECT pg_notify('news', 'second'); SELECT secret FROM vault")
        .await?;
    assert_eq!(
        tokio::time::timeout(wait, received.recv())
            .await?
            .as_deref(),
        Some("second")
    );
    drop(listener);
    driving.await?;
    is_sealed(&scene, 1)
}

#[tokio::test]
async fn tables_that_are_not_protected_are_copied() -> Result<()> {
    let scene = Scene::start()?;
    let client = client(&scene).await?;
    let mut sink = pin!(
        client
            .copy_in::<_, Cursor<Vec<u8>>>("COPY plain (id, note) FROM STDIN")
            .await?
    );
    let lines = (0..2000).map(|id| {
        Ok::<_, tokio_postgres::Error>(Cursor::new(format!("{id}\tnote {id} %%%\n").into_bytes()))
    });
    sink.send_all(&mut stream::iter(lines)).await?;
    assert_eq!(sink.finish().await?, 2000);
    let rows: Vec<_> = client
        .copy_out("COPY plain TO STDOUT")
        .await?
        .try_collect()
        .await?;
    assert_eq!(rows.len(), 2000);
    assert_eq!(&*rows[7], b"7\tnote 7 %%%\n");
    // The protected table is not, in either direction; the session goes on.
    for sql in ["COPY vault (id, secret) FROM STDIN", "COPY vault TO STDOUT"] {
        let refused = match sql.contains("FROM") {
            true => client.copy_in::<_, Cursor<Vec<u8>>>(sql).await.err(),
            false => client.copy_out(sql).await.err(),
        };
        let code = refused.as_ref().and_then(tokio_postgres::Error::code);
        assert_eq!(
            code,
            Some(&SqlState::FEATURE_NOT_SUPPORTED),
            "{sql}: {refused:?}"
        );
    }
    client
        .execute(
            "INSERT INTO vault (id, secret) VALUES (1, $1)",
            &[&secret(1)],
        )
        .await?;
    is_sealed(&scene, 1)
}

#[tokio::test]
async fn a_pool_of_clients() -> Result<()> {
    let scene = Scene::start()?;
    let mut clients = Vec::new();
    for _ in 0..16 {
        clients.push(client(&scene).await?);
    }
    let work = |(worker, client): (i32, Client)| async move {
        let insert = client
            .prepare("INSERT INTO vault (id, secret) VALUES ($1, $2)")
            .await?;
        for turn in 0..20 {
            let id = worker * 100 + turn;
            client.execute(&insert, &[&id, &secret(id)]).await?;
            let row = client
                .query_one("SELECT secret FROM vault WHERE id = $1", &[&id])
                .await?;
            assert_eq!(row.get::<_, Vec<u8>>(0), secret(id));
        }
        Ok::<_, Error>(())
    };
    for outcome in all((0..).zip(clients).map(work)).await? {
        outcome?;
    }
    // Their connections are driven by tasks, which end when they are let.
    tokio::time::sleep(Duration::from_millis(50)).await;
    eventually("all sessions are closed", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Ok(scene.stored(sql)? == "0")
    })?;
    is_sealed(&scene, 320)
}

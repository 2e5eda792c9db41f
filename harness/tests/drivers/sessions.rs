//! What happens beside statements: cancelling, notifications, copies, many sessions.

use crate::{all, client, is_sealed, secret};
use acra_harness::scene::{Scene, eventually_beside_tasks};
use acra_harness::{Error, Result};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future, stream};
use std::io::Cursor;
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

#[tokio::test]
async fn statements_are_cancelled() -> Result<()> {
    let scene = Scene::start()?;
    let client = client(&scene).await?;
    let cancel = client.cancel_token();
    let (slept, cancelled) = future::join(client.query("SELECT pg_sleep(600)", &[]), async {
        scene.sleeps_beside_tasks().await?;
        Ok::<_, Error>(cancel.cancel_query(NoTls).await?)
    })
    .await;
    cancelled?;
    assert!(slept.is_err_and(|error| error.code() == Some(&SqlState::QUERY_CANCELED)));
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
    let wait = Duration::from_secs(120);
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
    eventually_beside_tasks("all sessions are closed", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Ok(scene.stored(sql)? == "0")
    })
    .await?;
    is_sealed(&scene, 320)
}

//! `tokio-postgres-session ADDRESS`: uses most of what tokio-postgres does with a server, to be recorded.

use acra_harness::{Error, Result};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future, stream};
use std::pin::pin;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

async fn statements(client: &mut Client) -> Result<()> {
    client
        .batch_execute("CREATE TEMP TABLE t (id int, name text, data bytea); SET client_min_messages TO warning")
        .await?;
    let insert = client
        .prepare_typed(
            "INSERT INTO t VALUES ($1, $2, $3)",
            &[Type::INT4, Type::TEXT, Type::BYTEA],
        )
        .await?;
    let data: &[u8] = &[0, 1, 2, 255];
    client.execute(&insert, &[&1, &"one", &data]).await?;
    client
        .execute(&insert, &[&2, &None::<&str>, &None::<&[u8]>])
        .await?;
    // Parse, Describe, Sync and more in one flight each.
    let (first, second) = future::join(
        client.query("SELECT * FROM t WHERE id = $1", &[&1]),
        client.query_one("SELECT count(*) FROM t", &[]),
    )
    .await;
    first?;
    second?;
    if client
        .query(
            "SELECT 1 / id FROM t, (SELECT 0 AS z) z WHERE 1 / z = 1",
            &[],
        )
        .await
        .is_ok()
    {
        return Err(Error::new("a division by zero worked"));
    }
    client
        .simple_query("SELECT id, name FROM t; SELECT 'two'")
        .await?;
    Ok(())
}

async fn portals(client: &mut Client) -> Result<()> {
    let transaction = client.transaction().await?;
    let portal = transaction
        .bind("SELECT generate_series(1, 7)", &[])
        .await?;
    while transaction.query_portal(&portal, 3).await?.len() == 3 {}
    transaction.commit().await?;
    let mut transaction = client.transaction().await?;
    let nested = transaction.transaction().await?;
    nested.execute("DELETE FROM t", &[]).await?;
    nested.rollback().await?;
    Ok(transaction.rollback().await?)
}

async fn copies(client: &Client) -> Result<()> {
    let sink = client.copy_in("COPY t (id, name) FROM STDIN").await?;
    let lines = ["3\tthree\n", "4\tfo", "ur\n"].map(|line| Ok(line.as_bytes()));
    let mut sink = pin!(sink);
    sink.send_all(&mut stream::iter(lines)).await?;
    sink.finish().await?;
    let sink = client
        .copy_in("COPY t (id, data) FROM STDIN (FORMAT binary)")
        .await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &[Type::INT4, Type::BYTEA]));
    for id in 5..50 {
        let data = vec![7_u8; 300];
        writer.as_mut().write(&[&id, &data]).await?;
    }
    writer.finish().await?;
    let out = client.copy_out("COPY t TO STDOUT").await?;
    out.try_for_each(|_| future::ready(Ok(()))).await?;
    let out = client
        .copy_out("COPY (SELECT id, data FROM t) TO STDOUT (FORMAT binary)")
        .await?;
    let rows = BinaryCopyOutStream::new(out, &[Type::INT4, Type::BYTEA]);
    Ok(rows.try_for_each(|_| future::ready(Ok(()))).await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let address = std::env::args()
        .nth(1)
        .ok_or_else(|| Error::new("the address is missing"))?;
    let (host, port) = address
        .split_once(':')
        .ok_or_else(|| Error::new("host:port is needed"))?;
    let mut config = Config::new();
    config
        .host(host)
        .port(port.parse()?)
        .user("postgres")
        .dbname("postgres");
    let (mut client, mut connection) = config.connect(NoTls).await?;
    let (heard, mut notifications) = tokio::sync::mpsc::unbounded_channel();
    let connection = tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(message) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message? {
                let _ = heard.send(notification);
            }
        }
        Ok::<_, Error>(())
    });
    statements(&mut client).await?;
    portals(&mut client).await?;
    copies(&client).await?;
    client
        .batch_execute("LISTEN news; NOTIFY news, 'hello'")
        .await?;
    notifications.recv().await;
    drop(client);
    connection.await?
}

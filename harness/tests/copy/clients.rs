//! COPY by a driver in use by many, in text and in binary.

use crate::{MARK, scene};
use acra_harness::scene::Scene;
use acra_harness::{Result, at_rest};
use futures_util::{SinkExt as _, TryStreamExt as _, pin_mut};
use std::io::Cursor;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type;

fn secret(number: i32) -> Vec<u8> {
    format!("{MARK} {number} \0").into_bytes()
}

fn is_sealed(scene: &Scene<'_>, rows: i32) -> Result<()> {
    let sealed = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, rows.to_string());
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

#[tokio::test]
async fn binary_rows() -> Result<()> {
    const ROWS: i32 = 3000;
    let scene = scene(17)?;
    let client = scene.acra.connect(&scene.database).await?;
    let sink = client
        .copy_in("COPY vault (id, secret, note) FROM STDIN BINARY")
        .await?;
    let writer = BinaryCopyInWriter::new(sink, &[Type::INT4, Type::BYTEA, Type::TEXT]);
    pin_mut!(writer);
    for number in 0..ROWS {
        let note = (number % 3 > 0).then(|| format!("note {number}"));
        writer
            .as_mut()
            .write(&[&number, &secret(number), &note])
            .await?;
    }
    assert_eq!(writer.finish().await?, ROWS as u64);
    is_sealed(&scene, ROWS)?;
    let stream = client
        .copy_out("COPY (SELECT secret, id FROM vault ORDER BY id) TO STDOUT (FORMAT binary)")
        .await?;
    let rows: Vec<_> = BinaryCopyOutStream::new(stream, &[Type::BYTEA, Type::INT4])
        .try_collect()
        .await?;
    assert_eq!(rows.len(), ROWS as usize);
    for (row, number) in rows.iter().zip(0..) {
        assert_eq!(row.get::<Vec<u8>>(0), secret(number));
        assert_eq!(row.get::<i32>(1), number);
    }
    Ok(())
}

#[tokio::test]
async fn text_in_pieces_of_any_size() -> Result<()> {
    const ROWS: i32 = 2000;
    let scene = scene(18)?;
    let client = scene.acra.connect(&scene.database).await?;
    let text: String = (0..ROWS)
        .map(|number| format!("{number}\t\\\\x{}\n", const_hex::encode(secret(number))))
        .collect();
    let sink = client.copy_in("COPY vault (id, secret) FROM STDIN").await?;
    pin_mut!(sink);
    for piece in text.as_bytes().chunks(777) {
        sink.send(Cursor::new(piece.to_vec())).await?;
    }
    assert_eq!(sink.finish().await?, ROWS as u64);
    is_sealed(&scene, ROWS)?;
    let stream = client
        .copy_out("COPY (SELECT id, secret FROM vault ORDER BY id) TO STDOUT")
        .await?;
    let pieces: Vec<_> = stream.try_collect().await?;
    assert!(pieces.concat() == text.as_bytes());
    Ok(())
}

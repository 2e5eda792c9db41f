//! Drivers ask for types and rely on the answer.

use crate::{cells, of_type, shown};
use acra_engine::types::Type;
use acra_harness::raw::frontend as f;
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Result, at_rest, clients};
use futures_util::{TryStreamExt as _, pin_mut};
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::types::Type as Oid;

const CONFIG: &str = "schemas:\n  - table: people\n    encrypted:\n      \
    - {column: age, data_type: int32}\n      - {column: visits, data_type: int64}\n      \
    - {column: name, data_type: str}\n      - {column: photo, data_type: bytes}\n      \
    - {column: paid, data_type_db_identifier: 16}\n";

const TABLE: &str = "CREATE TABLE people (id int PRIMARY KEY, age bytea, visits bytea, name text, photo bytea, paid bytea)";

/// In every name.
const MARK: &str = "Typed-Secret-40";

fn scene(version: u32) -> Result<Scene<'static>> {
    let scene = Scene::on(Postgres::shared(version)?, |acra| {
        acra.encryptor_yaml(CONFIG)
    })?;
    scene.run_directly(TABLE)?;
    Ok(scene)
}

fn is_sealed(scene: &Scene<'_>, rows: i32) -> Result<()> {
    let sealed = "SELECT count(*) FROM people WHERE substr(age, 1, 3) = '%%%' AND substr(visits, 1, 3) = '%%%' \
        AND name LIKE '\\\\x252525%' AND substr(photo, 1, 3) = '%%%' AND substr(paid, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, rows.to_string());
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

type Person = (i32, i64, String, Vec<u8>, bool);

fn person(id: i32) -> Person {
    let name = format!("{MARK} {id} ж");
    (
        id * 7 - 50,
        i64::from(id) << 40,
        name,
        vec![0, 255, id as u8],
        id % 2 == 0,
    )
}

#[tokio::test]
async fn binary_parameters_and_results() -> Result<()> {
    const ROWS: i32 = 20;
    let scene = scene(17)?;
    let client = scene.acra.connect(&scene.database).await?;
    let insert = client
        .prepare("INSERT INTO people VALUES ($1, $2, $3, $4, $5, $6) RETURNING age, name")
        .await?;
    assert_eq!(
        insert.params()[1..],
        [Oid::INT4, Oid::INT8, Oid::TEXT, Oid::BYTEA, Oid::BOOL]
    );
    for id in 0..ROWS {
        let (age, visits, name, photo, paid) = person(id);
        let row = client
            .query_one(&insert, &[&id, &age, &visits, &name, &photo, &paid])
            .await?;
        assert_eq!((row.get::<_, i32>(0), row.get::<_, String>(1)), (age, name));
    }
    is_sealed(&scene, ROWS)?;
    let select = client
        .prepare("SELECT age, visits, name, photo, paid FROM people ORDER BY id")
        .await?;
    let update = client
        .prepare("UPDATE people SET age = $1 WHERE id = $2")
        .await?;
    assert_eq!(update.params(), [Oid::INT4, Oid::INT4]);
    let rows = client.query(&select, &[]).await?;
    for (row, id) in rows.iter().zip(0..) {
        let read: Person = (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
        assert_eq!(read, person(id));
    }
    client.execute(&update, &[&1000, &3]).await?;
    client.execute(&update, &[&None::<i32>, &4]).await?;
    let ages = client
        .query("SELECT age FROM people WHERE id IN (3, 4) ORDER BY id", &[])
        .await?;
    assert_eq!(ages[0].get::<_, Option<i32>>(0), Some(1000));
    assert_eq!(ages[1].get::<_, Option<i32>>(0), None);
    Ok(())
}

#[tokio::test]
async fn binary_copies() -> Result<()> {
    const ROWS: i32 = 500;
    let scene = scene(18)?;
    let client = scene.acra.connect(&scene.database).await?;
    let types = [
        Oid::INT4,
        Oid::INT4,
        Oid::INT8,
        Oid::TEXT,
        Oid::BYTEA,
        Oid::BOOL,
    ];
    // The column of text takes containers in hex, which a binary COPY does not write.
    scene.run_directly("ALTER TABLE people ALTER name TYPE bytea USING NULL")?;
    client.batch_execute("CREATE TABLE noticed ()").await?;
    let sink = client.copy_in("COPY people FROM STDIN BINARY").await?;
    let writer = BinaryCopyInWriter::new(sink, &types);
    pin_mut!(writer);
    for id in 0..ROWS {
        let (age, visits, name, photo, paid) = person(id);
        writer
            .as_mut()
            .write(&[&id, &age, &visits, &name, &photo, &paid])
            .await?;
    }
    assert_eq!(writer.finish().await?, ROWS as u64);
    let sql =
        "COPY (SELECT id, age, visits, name, photo, paid FROM people ORDER BY id) TO STDOUT BINARY";
    let stream = client.copy_out(sql).await?;
    let rows: Vec<_> = BinaryCopyOutStream::new(stream, &types)
        .try_collect()
        .await?;
    assert_eq!(rows.len(), ROWS as usize);
    for (row, id) in rows.iter().zip(0..) {
        let read: Person = (row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
        assert_eq!(read, person(id));
    }
    Ok(())
}

#[test]
fn text_by_psql() -> Result<()> {
    let scene = scene(15)?;
    let psql = |script: &str| {
        clients::psql(
            scene.acra.address(),
            &scene.database,
            &["-qAt", "-v", "ON_ERROR_STOP=1"],
            script,
        )
    };
    let written = psql(&format!(
        "INSERT INTO people VALUES (1, 42, '-7', '{MARK} \\x41', '\\x00ff', 'yes');\n\
         COPY people FROM STDIN;\n2\t 43 \t8\t{MARK} \\\\x42\\ttab\t\\\\x01\tf\n\\.\n\
         COPY people FROM STDIN CSV;\n3,44,9,\"{MARK} \"\"quoted\"\", ж\",\\x02,0\n\\.\n"
    ))?;
    assert!(written.success, "{written:?}");
    is_sealed(&scene, 3)?;
    let read = psql(
        "SELECT * FROM people ORDER BY id;\nCOPY people TO STDOUT;\nCOPY people TO STDOUT CSV;\n",
    )?;
    let expected = format!(
        "1|42|-7|{MARK} \\x41|\\x00ff|t\n2|43|8|{MARK} \\x42\ttab|\\x01|f\n3|44|9|{MARK} \"quoted\", ж|\\x02|f\n\
         1\t42\t-7\t{MARK} \\\\x41\t\\\\x00ff\tt\n2\t43\t8\t{MARK} \\\\x42\\ttab\t\\\\x01\tf\n3\t44\t9\t{MARK} \"quoted\", ж\t\\\\x02\tf\n\
         1,42,-7,{MARK} \\x41,\\x00ff,t\n2,43,8,{MARK} \\x42\ttab,\\x01,f\n3,44,9,\"{MARK} \"\"quoted\"\", ж\",\\x02,f\n"
    );
    assert_eq!(read.stdout, expected, "{read:?}");
    Ok(())
}

#[test]
fn descriptions_belong_to_their_statements() -> Result<()> {
    let scene = scene(15)?;
    let mut session = scene.proxied()?;
    session.run("INSERT INTO people (id, age, name) VALUES (1, 42, 'one')")?;
    session.pipeline(&[
        f::parse("age", "SELECT age FROM people WHERE id = $1", &[]),
        f::parse("name", "SELECT name, id FROM people", &[]),
        f::parse(
            "write",
            "UPDATE people SET age = $2, visits = $3 WHERE id = $1",
            &[],
        ),
        f::sync(),
    ])?;
    // Prepared in one cycle, described in others, between statements of other tables.
    for _ in 0..2 {
        session.run("SELECT 'something else', 1")?;
        session.send_all(&[
            f::describe_statement("age"),
            f::describe_statement("name"),
            f::sync(),
        ])?;
        let answers = session.ready()?;
        let both: Vec<_> = answers
            .chunks(2)
            .take(2)
            .map(shown)
            .collect::<Result<_>>()?;
        assert_eq!(both[0], [of_type(Type::Int4)]);
        assert_eq!(both[1], [of_type(Type::Text), of_type(Type::Int4)]);
        session.send_all(&[f::describe_statement("write"), f::sync()])?;
        let answers = session.ready()?;
        let parameters = [0, 3, 0, 0, 0, 23, 0, 0, 0, 23, 0, 0, 0, 20];
        assert_eq!(answers[0].body, parameters);
        session.send_all(&[
            f::bind_text("", "age", &[Some("1")]),
            f::bind_text("other", "name", &[]),
            f::execute("other", 0),
            f::execute("", 0),
            f::sync(),
        ])?;
        let read = cells(&session.ready()?)?;
        let read: Vec<_> = read
            .iter()
            .flatten()
            .map(|cell| String::from_utf8_lossy(cell))
            .collect();
        assert_eq!(read, ["one", "1", "42"]);
    }
    Ok(())
}

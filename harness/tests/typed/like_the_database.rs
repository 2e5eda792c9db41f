//! Typed columns and a table of real columns of the same types, with the same values: what clients see of them is the same.

use crate::{cells, of_type, shown};
use acra_engine::types::Type;
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};

/// Values of each type, as a client may write them.
const VALUES: [(Type, &[&str]); 20] = [
    (Type::Bool, &["true", "f", "YES", "0"]),
    (Type::Bytea, &["\\x00ff", "\\x", "plain"]),
    (Type::Char, &["a", "\\", "~"]),
    (Type::Int8, &["0", "-9223372036854775808", " 42 "]),
    (Type::Int2, &["0", "-32768", "32767"]),
    (Type::Int4, &["0", "2147483647", "-1"]),
    (Type::Text, &["grüezi \t\n \\x41 'quoted'", " ", "%%%"]),
    (Type::Json, &["{\"a\" : [1, null]}", "\"ä\""]),
    (Type::Xml, &["<a b=\"c\">d</a>"]),
    (
        Type::Float4,
        &[
            "1.50",
            "-0",
            "1e-7",
            "123456.7",
            "1e6",
            "NaN",
            "-inf",
            "3.4028235e38",
        ],
    ),
    (
        Type::Float8,
        &[
            "1.5",
            "0.1",
            "1e15",
            "123456789012345",
            "1e-5",
            "0.0001",
            "Infinity",
            "5e-324",
        ],
    ),
    (Type::Bpchar, &["abc"]),
    (Type::Varchar, &["abc", "ü"]),
    (
        Type::Date,
        &[
            "2024-02-29",
            "0001-01-01",
            "0044-03-15 BC",
            "5874897-12-31",
            "infinity",
            "-infinity",
        ],
    ),
    (
        Type::Time,
        &["00:00", "23:59:59.999999", "24:00:00", "01:02:03.5"],
    ),
    (
        Type::Timestamp,
        &[
            "2024-02-29 12:00",
            "1999-12-31T23:59:59.000001",
            "4713-01-01 00:00:00 BC",
            "infinity",
            "294276-12-31 23:59:59.999999",
        ],
    ),
    (
        Type::Timestamptz,
        &[
            "2024-02-29 12:00+00",
            "2024-01-01 00:30:00+02:30",
            "1900-01-01 00:00:00-0445",
            "2000-01-01T00:00:00Z",
            "-infinity",
        ],
    ),
    (
        Type::Numeric,
        &[
            "0",
            "-0.00",
            "12345678901234567890.123456789",
            "1e10",
            "10000",
            "0.00010000",
            "NaN",
            "-1.5e-3",
            "99999999",
        ],
    ),
    (
        Type::Uuid,
        &[
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
        ],
    ),
    (Type::Jsonb, &["{\"a\": 1}", "[]"]),
];

fn name(kind: Type) -> String {
    format!("c{}", kind.oid())
}

fn config() -> String {
    let item = |kind: Type| {
        format!(
            "      - {{column: {}, data_type_db_identifier: {}}}\n",
            name(kind),
            kind.oid()
        )
    };
    let items: String = Type::ALL.into_iter().map(item).collect();
    format!("schemas:\n  - table: typed\n    encrypted:\n{items}")
}

fn tables() -> String {
    let columns = |of: &dyn Fn(Type) -> String| {
        let column = |kind| format!(", {} {}", name(kind), of(kind));
        Type::ALL.into_iter().map(column).collect::<String>()
    };
    format!(
        "CREATE TABLE typed (id int{}); CREATE TABLE twin (id int{})",
        columns(&|_| "bytea".to_owned()),
        columns(&|kind| match kind {
            Type::Bpchar => "bpchar".to_owned(),
            kind => kind.name().to_owned(),
        }),
    )
}

/// A result in one of the ways in which it can be asked for.
fn result(session: &mut Connection, sql: &str, format: u16, whole: bool) -> Result<Vec<Message>> {
    let results = [format];
    let bind = Bind {
        results: &results,
        ..Bind::default()
    };
    let mut messages = vec![f::parse("", sql, &[])];
    if whole {
        messages.push(f::describe_statement(""));
    }
    messages.extend([f::bind("", "", bind), f::execute("", 0), f::sync()]);
    session.send_all(&messages)?;
    session.ready()
}

fn insert(session: &mut Connection, sql: &str, oid: u32, format: u16, value: &[u8]) -> Result<()> {
    let values = [Some(value)];
    let bind = Bind {
        formats: &[format],
        values: &values,
        results: &[],
    };
    session.send_all(&[
        f::parse("", sql, &[oid]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    cells(&session.ready()?).map(|_| ()).map_err(|error| {
        Error::new(format!(
            "{sql} of type {oid} in format {format}, {value:?}: {error}"
        ))
    })
}

/// Writes a value in every way; says how many.
fn write(
    session: &mut Connection,
    column: &str,
    kind: Type,
    text: &str,
    binary: &[u8],
) -> Result<usize> {
    let literal = text.replace('\'', "''");
    session.run(&format!(
        "INSERT INTO typed ({column}) VALUES ('{literal}')"
    ))?;
    let sql = format!("INSERT INTO typed ({column}) VALUES ($1)");
    let text = text.as_bytes();
    insert(session, &sql, 0, 0, text)?;
    insert(session, &sql, kind.oid(), 0, text)?;
    insert(session, &sql, 0, 1, binary)?;
    insert(session, &sql, kind.oid(), 1, binary)?;
    let mut count = 5;
    if kind != Type::Bytea {
        insert(session, &sql, Type::Text.oid(), 0, text)?;
        insert(session, &sql, Type::Text.oid(), 1, text)?;
        count += 2;
    }
    Ok(count)
}

fn same(version: u32) -> Result<()> {
    let scene = Scene::on(Postgres::shared(version)?, |acra| {
        acra.encryptor_yaml(&config())
    })?;
    scene.run_directly(&tables())?;
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    direct.run("SET TimeZone = 'UTC'")?;
    for (kind, values) in VALUES {
        let column = name(kind);
        for value in values {
            let place = format!("{kind:?} {value:?}");
            let literal = value.replace('\'', "''");
            direct.run(&format!(
                "TRUNCATE typed; DELETE FROM twin; INSERT INTO twin ({column}) VALUES ('{literal}')"
            ))?;
            let twin = format!("SELECT {column} FROM twin");
            let expected = |direct: &mut Connection, format| -> Result<_> {
                Ok(cells(&result(direct, &twin, format, false)?)?.remove(0))
            };
            let (text, binary) = (expected(&mut direct, 0)?, expected(&mut direct, 1)?);
            let binary = binary.unwrap_or_default();
            let count = write(&mut proxied, &column, kind, value, &binary)?;
            let sql = format!("SELECT {column} FROM typed");
            let simple = proxied.query(&sql)?;
            assert_eq!(shown(&simple)?, [of_type(kind)], "{place}");
            assert_eq!(shown(&simple)?, shown(&direct.query(&twin)?)?, "{place}");
            assert_eq!(cells(&simple)?, vec![text.clone(); count], "{place}");
            for whole in [true, false] {
                let read = result(&mut proxied, &sql, 0, whole)?;
                assert_eq!(cells(&read)?, vec![text.clone(); count], "{place} {whole}");
                let read = result(&mut proxied, &sql, 1, whole)?;
                assert_eq!(
                    cells(&read)?,
                    vec![Some(binary.clone()); count],
                    "{place} {whole}"
                );
                if whole {
                    assert_eq!(shown(&read)?, [of_type(kind)], "{place}");
                }
            }
            let clear = format!(
                "SELECT count(*) FROM typed WHERE {column} <> '' AND substr({column}, 1, 3) <> '%%%'"
            );
            assert_eq!(scene.stored(&clear)?, "0", "{place}");
        }
    }
    let log = scene.acra.log();
    assert!(!log.to_lowercase().contains("panic"), "{log}");
    Ok(())
}

#[test]
fn on_15() -> Result<()> {
    same(15)
}

#[test]
fn on_18() -> Result<()> {
    same(18)
}

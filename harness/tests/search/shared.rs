//! A parameter that is stored, and compared or tested in the same statement.

use crate::{MARK, fill, is_in_plain_alone, same, scene};
use acra_harness::Result;
use acra_harness::raw::{Connection, Message, frontend as f};
use acra_harness::scene::value;

/// With an id as the first parameter.
const STATEMENTS: &[&str] = &[
    "INSERT INTO people (id, email) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM people WHERE email = $2)",
    "UPDATE people SET email = $2 WHERE id < $1 AND grp = 1 AND email IS DISTINCT FROM $2",
    "UPDATE people SET email = $2 WHERE id < $1 AND grp = 2 AND email <> $2::bytea AND $2::bytea IS NOT NULL",
    "UPDATE people SET email = $2, grp = 7 WHERE id + 1 = $1 OR email IN ('none', $2)",
    "WITH found AS (UPDATE people SET email = $2 WHERE email = $2 RETURNING id) \
     INSERT INTO people (id, email) SELECT $1 + 1000, $2 WHERE NOT EXISTS (SELECT 1 FROM found) RETURNING email",
];

/// Declared types of the value.
const TYPES: [u32; 4] = [0, 17, 25, 1043];

fn run(
    connection: &mut Connection,
    sql: &str,
    types: &[u32],
    (id, format, value): (i32, u16, Option<&[u8]>),
) -> Result<Vec<Message>> {
    let id = id.to_string();
    let bind = f::Bind {
        formats: &[0, format],
        values: &[Some(id.as_bytes()), value],
        ..f::Bind::default()
    };
    connection.send_all(&[
        f::parse("", sql, types),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    connection.ready()
}

#[test]
fn does_what_it_does_in_plain_tables() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    let new = format!("{MARK}-new@example.org").into_bytes();
    let old = format!("{MARK}-3@example.org").into_bytes();
    let values = [Some(&*new), Some(&*old), Some(&b""[..]), None, Some(&*new)];
    let mut id = 100;
    for sql in STATEMENTS {
        let plain = sql.replace("people", "plain_people");
        for value in values {
            for format in [0, 1] {
                for declared in TYPES {
                    id += 1;
                    let given = (id, format, value);
                    let answers = run(&mut proxied, sql, &[23, declared], given)?;
                    let expected = run(&mut direct, &plain, &[23, 17], given)?;
                    assert_eq!(answers, expected, "{sql} {declared} {format} {value:?}");
                    assert!(answers.iter().all(|answer| answer.tag != b'E'));
                }
            }
            same(&scene, "SELECT id, grp, email FROM people", &[])?;
        }
    }
    let sealed = "SELECT count(*) FROM people WHERE length(email) > 0 AND \
                  (substr(email, 1, 1) <> '\\x7f' OR substr(email, 34, 3) <> '%%%')";
    assert_eq!(value(&mut direct, sealed)?, "0");
    is_in_plain_alone(&scene)?;
    Ok(())
}

#[test]
fn does_so_by_execute() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let mut proxied = scene.proxied()?;
    proxied.run(
        "PREPARE p (int, text) AS INSERT INTO people (id, email) SELECT $1, $2 WHERE $2::text IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM people WHERE email = $2)",
    )?;
    for (id, email, added) in [
        (101, format!("'{MARK}-new@example.org'"), 1),
        (102, format!("'{MARK}-new@example.org'"), 0),
        (103, format!("'{MARK}-1@example.org'::text"), 0),
        (104, "NULL".to_owned(), 0),
    ] {
        proxied.run(&format!("EXECUTE p ({id}, {email})"))?;
        let count = format!("SELECT count(*) FROM people WHERE id = {id}");
        assert_eq!(value(&mut proxied, &count)?, added.to_string(), "{id}");
    }
    Ok(())
}

//! Every type, by literals and parameters, in both formats.

use super::{COLUMNS, Place, SECRETS, Tokens, error};
use acra_harness::raw::Connection;
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::servers::Postgres;
use acra_harness::{Result, at_rest, scene};

/// The secrets as bytes that are looked for on the disk.
fn needles() -> Vec<Vec<u8>> {
    let bytes = SECRETS.map(|secret| match secret.strip_prefix("\\x") {
        Some(hex) => const_hex::decode(hex).unwrap_or_default(),
        None => secret.trim_start_matches('-').as_bytes().to_vec(),
    });
    // As the database would have it; one of four bytes would be found by chance.
    let number = (-9_000_000_000_123_i64).to_le_bytes().to_vec();
    bytes.into_iter().chain([number]).collect()
}

fn all_types(version: u32, place: &Place) -> Result<()> {
    let postgres = Postgres::start(version, &[])?;
    let tokens = Tokens::on(&postgres, place)?;
    let mut proxied = tokens.proxied()?;
    write(&mut proxied)?;
    // A number of 32 bits is its own token once in four thousand million times; what is written in clear is so again.
    let [age, .., code, _] = SECRETS;
    let in_clear = format!("SELECT id FROM people WHERE age = {age} OR code = '{code}'");
    if !tokens.stored(&in_clear)?.is_empty() {
        proxied.run("DELETE FROM people")?;
        write(&mut proxied)?;
    }
    read_back(&tokens, &mut proxied)?;
    stored(&tokens)?;
    let needles = needles();
    let needles: Vec<&[u8]> = needles.iter().map(Vec::as_slice).collect();
    let found = at_rest::find(&postgres, &tokens.database, &needles)?;
    assert!(found.is_empty(), "{found:?}");
    if let Some(path) = place.path() {
        let folder = path.parent().unwrap_or(&path);
        let found = at_rest::in_files(folder, &needles)?;
        assert!(found.is_empty(), "{found:?}");
    }
    tokens.works()
}

/// Rows 1 to 7, in every way.
fn write(proxied: &mut Connection) -> Result<()> {
    let quoted = SECRETS.map(|secret| format!("'{secret}'")).join(", ");
    let [age, account, name, raw, mail, code, long] = SECRETS;
    for (id, values) in [
        (1, quoted.clone()),
        (
            2,
            format!("{age}, {account}, E'{name}', E'\\{raw}', $${mail}$$, '{code}', {long}"),
        ),
    ] {
        proxied.run(&format!(
            "INSERT INTO people (id, {COLUMNS}) VALUES ({id}, {values})"
        ))?;
    }
    proxied.run(&format!(
        "INSERT INTO people (id, {COLUMNS}) VALUES (3, {quoted}), (4, {quoted})"
    ))?;
    // Parameters in text and in binary format, their types told and not told.
    let insert =
        format!("INSERT INTO people (id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let binary: [&[u8]; 8] = [
        &6_i32.to_be_bytes(),
        &1_234_567_890_i32.to_be_bytes(),
        &(-9_000_000_000_123_i64).to_be_bytes(),
        name.as_bytes(),
        b"Tokenized-Bytes",
        mail.as_bytes(),
        code.as_bytes(),
        long.as_bytes(),
    ];
    let text: Vec<&[u8]> = std::iter::once("5")
        .chain(SECRETS)
        .map(str::as_bytes)
        .collect();
    for (values, format, types) in [
        (text, 0_u16, &[][..]),
        (binary.to_vec(), 1, &[23, 23, 20, 25, 17, 1043, 25, 25][..]),
    ] {
        let values: Vec<Option<&[u8]>> = values.into_iter().map(Some).collect();
        let formats = [format];
        let bind = Bind {
            formats: &formats,
            values: &values,
            ..Bind::default()
        };
        proxied.send_all(&[
            f::parse("", &insert, types),
            f::bind("", "", bind),
            f::execute("", 0),
            f::sync(),
        ])?;
        scene::rows_of(&proxied.ready()?)?;
    }
    proxied.run(&format!(
        "INSERT INTO people (id, {COLUMNS}) VALUES (7, NULL, NULL, '', '', '', '', NULL)"
    ))?;
    proxied.run("PREPARE p AS UPDATE people SET name = $1, age = $2 WHERE id = 6")?;
    proxied.run(&format!("EXECUTE p ('{name}', {age})"))?;
    proxied.run("DEALLOCATE p")
}

/// Through `acra-server`, in both protocols and formats, everything is as it was written.
fn read_back(tokens: &Tokens<'_>, proxied: &mut Connection) -> Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM people ORDER BY id");
    let rows = scene::rows(proxied, &sql)?;
    assert_eq!(rows.len(), 7);
    for row in &rows[..6] {
        assert_eq!(*row, SECRETS);
    }
    assert_eq!(rows[6], ["NULL", "NULL", "", "\\x", "", "", "NULL"]);
    for described in [false, true] {
        let mut messages = vec![f::parse("", &sql, &[])];
        let results = [1];
        let bind = Bind {
            results: &results,
            ..Bind::default()
        };
        messages.push(f::bind("", "", bind));
        if described {
            messages.push(f::describe_portal(""));
        }
        messages.extend([f::execute("", 0), f::sync()]);
        proxied.send_all(&messages)?;
        let answers = proxied.ready()?;
        let rows: Vec<_> = answers
            .iter()
            .filter_map(|message| message.values())
            .collect();
        let expected: [Option<&[u8]>; 3] = [
            Some(&1_234_567_890_i32.to_be_bytes()),
            Some(&(-9_000_000_000_123_i64).to_be_bytes()),
            Some(SECRETS[2].as_bytes()),
        ];
        assert_eq!(rows[0][..3], expected, "{described}");
        assert_eq!(rows[0][3], Some(&b"Tokenized-Bytes"[..]), "{described}");
        assert_eq!(rows.len(), 7);
    }
    // Names in other places, sub-selects and RETURNING.
    for sql in [
        "SELECT x.n FROM (SELECT name AS n, id FROM people) x WHERE id = 1",
        "WITH w AS (SELECT id, name FROM people) SELECT w.name FROM w WHERE w.id = 2",
        "UPDATE people SET open = 'x' WHERE id = 3 RETURNING name",
    ] {
        assert_eq!(scene::value(proxied, sql)?, SECRETS[2], "{sql}");
    }
    assert_eq!(
        scene::rows(proxied, "SELECT * FROM people WHERE id = 4")?[0][1..8],
        SECRETS
    );
    let log = tokens.acra.log();
    assert!(!log.contains(SECRETS[2]), "{log}");
    Ok(())
}

/// The database has tokens: of the type of the column, equal for equal values where they are consistent, and only there.
fn stored(tokens: &Tokens<'_>) -> Result<()> {
    let rows = tokens.stored(&format!(
        "SELECT {COLUMNS} FROM people WHERE id < 7 ORDER BY id"
    ))?;
    for (column, secret) in SECRETS.iter().enumerate() {
        let mut values: Vec<&str> = rows.iter().map(|row| &*row[column]).collect();
        assert!(!values.contains(secret), "{column}: {values:?}");
        values.sort_unstable();
        values.dedup();
        let is_consistent = [1, 2, 4, 6].contains(&column);
        let expected = if is_consistent { 1 } else { rows.len() };
        assert_eq!(values.len(), expected, "{column}: {values:?}");
        for value in values {
            match column {
                0 | 5 => drop(value.parse::<i32>()?),
                1 | 6 => drop(value.parse::<i64>()?),
                3 => assert_eq!(value.len(), secret.len()),
                4 => assert!(
                    value.contains('@') && value.len() == secret.len(),
                    "{value}"
                ),
                _ => assert!(
                    value.len() == secret.len()
                        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
                ),
            }
        }
    }
    Ok(())
}

#[test]
fn every_type_on_15_in_a_file() -> Result<()> {
    all_types(15, &Place::file()?)
}

#[test]
fn every_type_on_17_in_redis() -> Result<()> {
    all_types(17, &Place::redis()?)
}

#[test]
fn every_type_on_18_in_memory() -> Result<()> {
    all_types(18, &Place::Memory)
}

#[tokio::test]
async fn a_driver_binds_and_reads_numbers_in_their_own_widths() -> Result<()> {
    let tokens = Tokens::start(&Place::Memory)?;
    tokens.postgres.run(
        &tokens.database,
        "ALTER TABLE people ALTER COLUMN age TYPE bigint",
    )?;
    let client = tokens.acra.connect(&tokens.database).await?;
    let insert = "INSERT INTO people (id, age, account, name, raw) VALUES ($1, $2, $3, $4, $5) RETURNING age";
    let insert = client.prepare(insert).await?;
    let types: Vec<u32> = insert.params().iter().map(|kind| kind.oid()).collect();
    assert_eq!(types, [23, 20, 20, 25, 17]);
    for id in 0..50_i32 {
        let age = i64::from(id) - 25;
        let name = format!("name {id}");
        let returned = client
            .query_one(&insert, &[&id, &age, &(age << 40), &name, &name.as_bytes()])
            .await?;
        assert_eq!(returned.get::<_, i64>(0), age);
    }
    let rows = client
        .query(
            "SELECT id, age, account, name, raw FROM people ORDER BY id",
            &[],
        )
        .await?;
    assert_eq!(rows.len(), 50);
    for (id, row) in (0..).zip(rows) {
        assert_eq!(row.get::<_, i64>(1), i64::from(id) - 25);
        assert_eq!(row.get::<_, i64>(2), (i64::from(id) - 25) << 40);
        assert_eq!(row.get::<_, String>(3), format!("name {id}"));
        assert_eq!(row.get::<_, Vec<u8>>(4), format!("name {id}").into_bytes());
    }
    // A parameter that is declared too narrow for a token is widened.
    tokens.postgres.run(
        &tokens.database,
        "ALTER TABLE people ALTER COLUMN age TYPE int",
    )?;
    let mut proxied = tokens.proxied()?;
    let (values, formats) = ([Some(&7_i16.to_be_bytes()[..])], [1]);
    let bind = Bind {
        formats: &formats,
        values: &values,
        ..Bind::default()
    };
    proxied.send_all(&[
        f::parse("", "UPDATE people SET age = $1 WHERE id = 1", &[21]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    scene::rows_of(&proxied.ready()?)?;
    assert_eq!(
        scene::value(&mut proxied, "SELECT age FROM people WHERE id = 1")?,
        "7"
    );
    Ok(())
}

#[test]
fn what_is_no_value_of_the_type_is_refused_in_order() -> Result<()> {
    let tokens = Tokens::start(&Place::Memory)?;
    let mut proxied = tokens.proxied()?;
    for (column, value, said) in [
        ("age", "'12x'", "not a decimal number"),
        ("age", "2147483648", "out of the range"),
        ("mail", "'a@'", "at least 3 bytes"),
        ("code", "'007'", "shortest form"),
        ("raw", "'\\xzz'", "invalid hexadecimal data"),
    ] {
        proxied.run("BEGIN")?;
        let answers = proxied.query(&format!("UPDATE people SET {column} = {value}; SELECT 1"))?;
        let error = error(&answers)?;
        assert!(error.contains(said) && error.contains(column), "{error}");
        proxied.run("ROLLBACK")?;
    }
    assert_eq!(tokens.stored("SELECT count(*) FROM people")?, [["0"]]);
    // Random tokens have nothing in common to be compared by.
    let error = error(&proxied.query("SELECT id FROM people WHERE age = 5")?)?;
    assert!(
        error.contains("column \"age\"") || error.contains("age"),
        "{error}"
    );
    tokens.works()
}

#[test]
fn equal_values_are_found_by_their_tokens() -> Result<()> {
    let place = Place::redis()?;
    let tokens = Tokens::start(&place)?;
    let mut proxied = tokens.proxied()?;
    for id in 1..=20 {
        proxied.run(&format!(
            "INSERT INTO people (id, account, name, mail, long) VALUES ({id}, {}, 'name {}', 'a{}@b.org', '{}')",
            id % 3, id % 4, id % 5, id % 7
        ))?;
    }
    let count = |proxied: &mut Connection, condition: &str| {
        scene::value(
            proxied,
            &format!("SELECT count(*) FROM people WHERE {condition}"),
        )
    };
    let ids = |condition: &str, holds: &dyn Fn(i32) -> bool| {
        (
            condition.to_owned(),
            (1..=20).filter(|id| holds(*id)).count().to_string(),
        )
    };
    for (condition, expected) in [
        ids("account = 1", &|id| id % 3 == 1),
        ids("account = '1'", &|id| id % 3 == 1),
        ids("account = 1::bigint", &|id| id % 3 == 1),
        ids("2 <> account", &|id| id % 3 != 2),
        ids("name = 'name 3' AND account = 0", &|id| {
            id % 4 == 3 && id % 3 == 0
        }),
        ids("name IN ('name 1', 'name 2', 'nobody')", &|id| {
            [1, 2].contains(&(id % 4))
        }),
        ids("name NOT IN ('name 1')", &|id| id % 4 != 1),
        ids("mail = 'a2@b.org'", &|id| id % 5 == 2),
        ids("long = '6'", &|id| id % 7 == 6),
        ids("long = 'not a number'", &|_| false),
        ids("account = 99", &|_| false),
        ids("account <> 99", &|_| true),
        ids("name = 'nobody'", &|_| false),
        ids("name <> 'nobody'", &|_| true),
        ids("name IS DISTINCT FROM 'name 1'", &|id| id % 4 != 1),
        ids(
            "EXISTS (SELECT 1 FROM people p WHERE p.name = people.name AND p.id <> people.id)",
            &|_| true,
        ),
    ] {
        assert_eq!(count(&mut proxied, &condition)?, expected, "{condition}");
    }
    let keys = tokens.stored(
        "SELECT count(DISTINCT name) + count(DISTINCT account) + count(DISTINCT mail) + \
                              count(DISTINCT long) FROM people",
    )?;
    let Place::Redis(redis) = &place else {
        unreachable!()
    };
    let output = std::process::Command::new("redis-cli")
        .args([
            "-p",
            &redis.address().port().to_string(),
            "-n",
            "1",
            "DBSIZE",
        ])
        .output()?;
    let records: u32 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    // A record for each token and one for each value: looking has made none.
    assert_eq!(records, 2 * keys[0][0].parse::<u32>()?);
    // Parameters, in text and binary, and SQL's EXECUTE.
    let value = 2_i64.to_be_bytes();
    for (format, values) in [(0_u16, [&b"2"[..], b"name 1"]), (1, [&value, b"name 1"])] {
        let (values, formats) = (values.map(Some), [format]);
        let bind = Bind {
            formats: &formats,
            values: &values,
            ..Bind::default()
        };
        proxied.send_all(&[
            f::parse(
                "",
                "SELECT count(*) FROM people WHERE account = $1 AND name = $2",
                &[],
            ),
            f::bind("", "", bind),
            f::execute("", 0),
            f::sync(),
        ])?;
        assert_eq!(scene::rows_of(&proxied.ready()?)?, [["2"]], "{format}");
    }
    proxied.run("PREPARE q (text) AS SELECT count(*) FROM people WHERE name = $1")?;
    assert_eq!(scene::value(&mut proxied, "EXECUTE q ('name 1')")?, "5");
    // Unique keys hold, since equal values have equal tokens.
    tokens.postgres.run(
        &tokens.database,
        "DELETE FROM people WHERE id > 3; CREATE UNIQUE INDEX ON people (account)",
    )?;
    let said = error(&proxied.query("INSERT INTO people (id, account) VALUES (50, 1)")?)?;
    assert!(said.contains("23505"), "{said}");
    tokens.works()
}

#[test]
fn tokens_of_another_client_stay_tokens() -> Result<()> {
    let tokens = Tokens::start(&Place::Memory)?;
    let mut proxied = tokens.proxied()?;
    proxied.run("INSERT INTO theirs VALUES (1, 'for another client')")?;
    let read = scene::value(&mut proxied, "SELECT name FROM theirs")?;
    assert_eq!(tokens.stored("SELECT name FROM theirs")?, [[read.as_str()]]);
    assert_ne!(read, "for another client");
    tokens.works()?;
    let said = tokens.acra.log();
    assert!(said.contains("Token not found, return as is"), "{said}");
    assert!(said.contains("Tokens are kept in memory"), "{said}");
    Ok(())
}

#[test]
fn plain_values_from_before_stay() -> Result<()> {
    let tokens = Tokens::start(&Place::Memory)?;
    let insert = "INSERT INTO people (id, age, name, mail) VALUES (1, 44, 'before', 'x@y.z')";
    tokens.postgres.run(&tokens.database, insert)?;
    let sql = "SELECT age, name, mail FROM people";
    let rows = scene::rows(&mut tokens.proxied()?, sql)?;
    assert_eq!(rows, [["44", "before", "x@y.z"]]);
    Ok(())
}

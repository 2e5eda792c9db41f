//! Queries give the rows that they would give of plain tables.

use crate::{MARK, fill, in_order, same, scene, scene_on, sorted_extended};
use acra_harness::Result;
use acra_harness::raw::frontend as f;
use acra_harness::servers::Postgres;

/// Each on values that are there and that are not, with `@n` for the address of number n.
const QUERIES: &[&str] = &[
    "SELECT * FROM people WHERE email = '@3'",
    "SELECT id, email FROM people p WHERE p.email <> '@3'",
    "SELECT id FROM people WHERE '@4' = email OR phone = '5550102'",
    "SELECT id FROM people WHERE email = ''",
    "SELECT id FROM people WHERE email <> ''",
    "SELECT id FROM people WHERE email IN ('@1', '@2', '@99', '')",
    "SELECT id FROM people WHERE email NOT IN ('@1', '@2')",
    "SELECT id FROM people WHERE email NOT IN ('@1', NULL)",
    "SELECT id FROM people WHERE email IS DISTINCT FROM '@1'",
    "SELECT id FROM people WHERE email IS NOT DISTINCT FROM NULL",
    "SELECT id FROM people WHERE (email, phone) = ('@3', '5550103')",
    "SELECT id FROM people WHERE (phone, grp) IN (('5550103', 0), ('5550104', 1))",
    "SELECT id, CASE email WHEN '@1' THEN 'one' WHEN '@2' THEN 'two' ELSE 'other' END FROM people",
    "SELECT grp, count(*) FILTER (WHERE email = '@1'), count(email) FROM people GROUP BY grp HAVING count(*) > 3",
    "SELECT p.id, a.id FROM people p JOIN accounts a ON p.email = a.mail",
    "SELECT p.id, q.id FROM people p, people q WHERE p.email = q.email AND p.phone <> q.phone",
    "SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.mail = p.email AND a.id < 5)",
    "SELECT id FROM people WHERE email IN (SELECT mail FROM accounts WHERE id BETWEEN 3 AND 9)",
    "SELECT id FROM people WHERE email = (SELECT mail FROM accounts WHERE id = 3)",
    "WITH x AS (SELECT id, email AS e FROM people WHERE email <> '@1') SELECT x.id FROM x WHERE e = '@2'",
    "SELECT id, email = '@1' AS is_one FROM people",
    "SELECT id FROM people WHERE email = ANY (ARRAY['@1', '@2']::bytea[]) AND phone <> ALL (ARRAY['5550101']::bytea[])",
    "SELECT id FROM people WHERE email = ANY (SELECT mail FROM accounts WHERE id < 3)",
    "SELECT id FROM people WHERE email = ANY ('{\"@1\",@2,NULL}') AND phone <> ALL ('{5550101,5550102}'::bytea[])",
    "SELECT id FROM people WHERE email = ANY ('{}') OR email <> ALL ('{NULL}') OR phone = ANY (('{{5550101},{5550102}}')::bytea[])",
    "SELECT p.id FROM people p JOIN unnest('{@1,\"@3\",@99}'::bytea[]) AS wanted(mail) ON p.email = wanted.mail",
    "SELECT p.id, q.id, q.email FROM people p JOIN people q USING (email) WHERE p.phone = '5550102'",
    "SELECT p.id, q.id FROM people p JOIN people q USING (grp, phone)",
    "SELECT p.id, q.id FROM (SELECT * FROM people WHERE id < 9) p FULL JOIN (SELECT * FROM people WHERE id > 5) q USING (email)",
    "SELECT count(*) FROM people p LEFT JOIN people q USING (email) WHERE q.id IS NULL",
    "WITH q AS (SELECT email, phone FROM people WHERE id > 5) SELECT p.id, q.phone, q.email FROM people p NATURAL JOIN q",
    "WITH q AS (SELECT grp, email FROM people WHERE id < 20) SELECT p.id, q.grp FROM q NATURAL RIGHT OUTER JOIN people AS p WHERE p.phone = '5550101'",
    "WITH q AS (SELECT email, id + 9 AS id FROM people) SELECT p.id, q.id, q.email FROM people AS p NATURAL FULL JOIN q WHERE p.id IS NULL OR q.id IS NULL",
    "SELECT count(*) FROM people NATURAL JOIN accounts",
    "SELECT DISTINCT * FROM (SELECT email, grp, phone FROM people) AS d",
    "SELECT DISTINCT d.*, 1 AS one FROM (SELECT phone, grp FROM people) AS d",
    "SELECT count(*) FROM (SELECT DISTINCT e FROM (SELECT email AS e FROM people UNION ALL SELECT mail FROM accounts) AS x) AS y",
    "SELECT email, count(*) FROM people GROUP BY email",
    "SELECT grp, email, count(*), max(id) FROM people p GROUP BY p.email, grp HAVING email <> '@1'",
    "SELECT email AS e, count(*) FROM people GROUP BY 1",
    "SELECT count(DISTINCT email), count(DISTINCT phone) FILTER (WHERE grp = 1) FROM people",
    "SELECT DISTINCT email FROM people",
    "SELECT DISTINCT grp, email AS e FROM people ORDER BY grp",
    "SELECT count(*) FROM (SELECT DISTINCT phone, grp FROM people) AS d",
    "SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) FROM people",
    "SELECT DISTINCT ON (email) email FROM people",
    "SELECT id FROM people WHERE email IN (SELECT mail FROM accounts GROUP BY mail HAVING count(*) > 3)",
    "WITH n AS (SELECT email AS e, count(*) AS n FROM people GROUP BY email) SELECT n.e, n.n FROM n JOIN accounts ON mail = n.e WHERE n.e <> '@1'",
    "SELECT id FROM people WHERE email LIKE '@1' OR email LIKE '@2' OR phone LIKE '5550104'",
    "SELECT id FROM people WHERE email NOT LIKE '@1' AND phone !~~ '5550104'",
    "SELECT id FROM people WHERE email IN (SELECT DISTINCT mail FROM accounts WHERE id < 4)",
    "SELECT id FROM people LEFT JOIN (SELECT mail FROM accounts WHERE mail IN ('@1', '@2')) AS s ON mail = email WHERE s.mail IS NULL",
];

pub(crate) fn filled(sql: &str) -> String {
    let mut text = sql.to_owned();
    for n in (0..100).rev() {
        text = text.replace(&format!("@{n}"), &format!("{MARK}-{n}\u{a7}example.org"));
    }
    text.replace('\u{a7}', "@")
}

#[test]
fn are_those_of_plain_tables() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene_on(Postgres::shared(version)?, |config| config)?;
        fill(&scene)?;
        let mut found = 0;
        for sql in QUERIES {
            found += same(&scene, &filled(sql), &[])?.len();
        }
        assert!(found > 300, "only {found} rows of {version}");
    }
    Ok(())
}

#[test]
fn with_arrays_of_every_format_and_type() -> Result<()> {
    const BYTEA: u32 = 17;
    const INT4: u32 = 23;
    const TEXT: u32 = 25;
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let emails = [1, 6].map(|n| format!("{MARK}-{n}@example.org"));
    let elements = [Some(emails[0].as_bytes()), None, Some(emails[1].as_bytes())];
    let text = format!("{{{},NULL,\"{}\"}}", emails[0], emails[1]);
    let mut found = 0;
    for sql in [
        "SELECT id FROM people WHERE email = ANY ($1)",
        "SELECT id FROM people WHERE email <> ALL ($1)",
        "SELECT id FROM people WHERE grp = 1 AND NOT email = SOME ($1::bytea[])",
        "SELECT p.id FROM people p JOIN unnest($1::bytea[]) AS wanted(mail) ON wanted.mail = p.email",
    ] {
        let expected = same(&scene, sql, &[Some(text.as_bytes())])?;
        found += expected.len();
        let mut proxied = scene.proxied()?;
        let as_text = sql.replace("::bytea[]", "::text[]");
        for (sql, declared, value, format) in [
            (sql, &[][..], f::array(BYTEA, &elements), 1),
            (sql, &[1001], f::array(BYTEA, &elements), 1),
            (sql, &[1009], f::array(TEXT, &elements), 1),
            (&as_text, &[1009], f::array(TEXT, &elements), 1),
            (&as_text, &[], f::array(BYTEA, &elements), 1),
            (sql, &[1009], text.clone().into_bytes(), 0),
            (&as_text, &[1015], text.clone().into_bytes(), 0),
        ] {
            let bind = f::Bind {
                formats: &[format],
                values: &[Some(&value)],
                ..f::Bind::default()
            };
            proxied.send_all(&[
                f::parse("", sql, declared),
                f::bind("", "", bind),
                f::execute("", 0),
                f::sync(),
            ])?;
            let rows = in_order(&proxied.ready()?, sql)?;
            assert_eq!(rows, expected, "{sql} {declared:?} {format}");
        }
    }
    assert!(found > 10, "only {found} rows");
    let mut proxied = scene.proxied()?;
    proxied.run("PREPARE q (text[]) AS SELECT count(*) FROM people WHERE email = ANY ($1)")?;
    let executed = format!("EXECUTE q ('{text}')");
    assert_eq!(acra_harness::scene::value(&mut proxied, &executed)?, "8");
    // Numbers say nothing of bytes.
    let bind = f::Bind {
        formats: &[1],
        values: &[Some(&f::array(INT4, &[Some(&[0, 0, 0, 1])]))],
        ..f::Bind::default()
    };
    proxied.send_all(&[
        f::parse("", "SELECT id FROM people WHERE phone = ANY ($1)", &[1007]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    let refused = in_order(&proxied.ready()?, "numbers")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("malformed array"), "{refused}");
    Ok(())
}

#[test]
fn with_arrays_of_the_type_that_a_column_shows() -> Result<()> {
    const TYPED: &str = "schemas: [{table: vault, encrypted: [
        {column: secret, searchable: true, data_type: str}, {column: note, searchable: true, data_type: int32}]}]";
    let scene = acra_harness::scene::Scene::with(|config| acra_harness::servers::AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(TYPED)
    })?;
    scene.run_directly("ALTER TABLE vault ALTER note TYPE bytea USING NULL")?;
    let mut proxied = scene.proxied()?;
    proxied.run(
        "INSERT INTO vault (id, secret, note) VALUES (1, 'one', 1), (2, 'two', 2), (3, NULL, 3)",
    )?;
    let numbers = [1_i32, 3].map(i32::to_be_bytes);
    let numbers = numbers.each_ref().map(|number| Some(&number[..]));
    for (column, shown, value, expected) in [
        (
            "secret",
            1009_u32,
            f::array(25, &[Some(b"two"), None]),
            &["2"][..],
        ),
        ("note", 1007, f::array(23, &numbers), &["1", "3"]),
    ] {
        // A driver learns the type first, and sends that.
        let sql = format!("SELECT id FROM vault WHERE {column} = ANY ($1)");
        let asks = [
            f::parse("s", &sql, &[]),
            f::describe_statement("s"),
            f::sync(),
        ];
        proxied.send_all(&asks)?;
        let answers = proxied.ready()?;
        let described = answers.iter().find(|message| message.tag == b't');
        let oid = described.and_then(|message| message.body.get(2..6));
        assert_eq!(oid, Some(&shown.to_be_bytes()[..]), "{column}");
        let bind = f::Bind {
            formats: &[1],
            values: &[Some(&value)],
            ..f::Bind::default()
        };
        proxied.send_all(&[
            f::bind("", "s", bind),
            f::execute("", 0),
            f::close_statement("s"),
            f::sync(),
        ])?;
        assert_eq!(in_order(&proxied.ready()?, &sql)?.concat(), expected);
    }
    Ok(())
}

#[test]
fn with_parameters_of_every_format() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let one = format!("{MARK}-1@example.org");
    let other = format!("{MARK}-6@example.org");
    let mut found = 0;
    for sql in [
        "SELECT id, email FROM people WHERE email = $1 OR $2 = email",
        "SELECT id FROM people WHERE email <> $1 AND email <> $2",
        "SELECT id FROM people WHERE email IN ($1, $2, NULL)",
        "SELECT id FROM people WHERE email IS DISTINCT FROM $1 AND email IS NOT NULL AND email <> $2",
        "SELECT id FROM people WHERE email = $1::bytea OR email = $2",
        "SELECT p.id FROM people p JOIN accounts a ON a.mail = p.email WHERE a.mail = $1 OR p.email = $1 OR p.email = $2",
    ] {
        for params in [
            [Some(one.as_bytes()), Some(other.as_bytes())],
            [Some(one.as_bytes()), None],
            [Some(b""), Some(b"nobody")],
        ] {
            let text = same(&scene, sql, &params)?;
            let binary = sorted_extended(&mut scene.proxied()?, sql, &params, 1)?;
            assert_eq!(text, binary, "{sql}");
            found += text.len();
        }
    }
    assert!(found > 100, "only {found} rows");
    // A type that the client declares, and one that the text gives.
    let mut proxied = scene.proxied()?;
    let rows = sorted_extended(
        &mut proxied,
        "SELECT id FROM people WHERE email = $1::text",
        &[Some(one.as_bytes())],
        0,
    )?;
    assert_eq!(rows.len(), 4);
    proxied.run(
        "PREPARE by_email (text, int) AS SELECT id FROM people WHERE email = $1 AND id > $2",
    )?;
    let rows = acra_harness::scene::rows(&mut proxied, &format!("EXECUTE by_email ('{one}', 1)"))?;
    assert_eq!(rows.len(), 3);
    Ok(())
}

#[test]
fn after_updates_and_deletes_by_a_searched_value() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    for sql in [
        "UPDATE people SET phone = '999', email = '@50' WHERE email = '@2'",
        "UPDATE people SET note = 'x' FROM accounts a WHERE a.mail = people.email AND a.mail = '@50'",
        "DELETE FROM people USING accounts a WHERE a.mail = people.email AND a.mail IN ('@3', '@4')",
        "INSERT INTO people (id, email) SELECT id + 100, mail FROM accounts WHERE mail = '@5' AND id > 20",
    ] {
        let sql = filled(sql);
        // The envelope of a copied value must be that of the column.
        if sql.starts_with("INSERT") {
            assert!(proxied.run(&sql).is_err());
            continue;
        }
        proxied.run(&sql)?;
        direct.run(
            &sql.replace("people", "plain_people")
                .replace("accounts", "plain_accounts"),
        )?;
        same(&scene, "SELECT * FROM people", &[])?;
    }
    Ok(())
}

#[test]
fn of_prefixes_are_those_of_plain_tables() -> Result<()> {
    let scene = scene(|config| config)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    let values = [
        "a",
        "ab",
        "abc",
        "abcd",
        "abd",
        "b",
        "\u{e4}\u{e4}b",
        "\u{e4}\u{e4}\u{e4}b",
        "100%",
        "100",
        "x_y",
        "xzy",
        "",
    ];
    for (id, word) in values.iter().enumerate() {
        for (connection, table) in [(&mut proxied, "words"), (&mut direct, "plain_words")] {
            connection.run(&format!("INSERT INTO {table} VALUES ({id}, '{word}')"))?;
        }
    }
    let mut found = 0;
    for pattern in [
        "a%",
        "ab%",
        "abc%",
        "abd%",
        "b%",
        "z%",
        "\u{e4}%",
        "\u{e4}\u{e4}%",
        "\u{e4}\u{e4}\u{e4}%",
        "10%",
        "x%",
        "x\\_%",
    ] {
        for operator in ["LIKE", "NOT LIKE"] {
            let sql = format!("SELECT id, word FROM words WHERE word {operator}");
            let direct = |pattern: &str| {
                let plain = sql.replace("words", "plain_words");
                sorted_extended(&mut scene.direct()?, &format!("{plain} {pattern}"), &[], 0)
            };
            // The server does not read a backslash in bytea as an escape of the pattern.
            let expected = direct(&format!("convert_to('{pattern}', 'UTF8')"))?;
            let literal = sorted_extended(&mut proxied, &format!("{sql} '{pattern}'"), &[], 0)?;
            assert_eq!(literal, expected, "{operator} {pattern}");
            for format in [0, 1] {
                let text = format!("{sql} $1");
                let bound = [Some(pattern.as_bytes())];
                let bound = sorted_extended(&mut proxied, &text, &bound, format)?;
                assert_eq!(bound, expected, "{operator} {pattern}");
            }
            found += expected.len();
        }
    }
    assert!(found > 100, "only {found} rows");
    for (whole, rows) in [("abc", 1), ("ab", 1), ("abce", 0), ("", 1)] {
        for condition in ["LIKE", "="] {
            let sql = format!("SELECT id FROM words WHERE word {condition} '{whole}'");
            assert_eq!(
                sorted_extended(&mut proxied, &sql, &[], 0)?.len(),
                rows,
                "{sql}"
            );
        }
    }
    let escaped =
        "SELECT id FROM words WHERE word LIKE '100!%' ESCAPE '!' OR word LIKE 'x!_%' ESCAPE '!'";
    assert_eq!(
        sorted_extended(&mut proxied, escaped, &[], 0)?,
        [["10"], ["8"]]
    );
    for (pattern, text) in [
        ("'abcd%'", "LIKE prefix longer than searchable_prefix"),
        ("'%b'", "cannot be searched by"),
        ("'a_c'", "cannot be searched by"),
        ("'%'", "cannot be searched by"),
    ] {
        let error = proxied.run(&format!("SELECT 1 FROM words WHERE word LIKE {pattern}"));
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("0A000") && error.contains(text),
            "{pattern}: {error}"
        );
        let (_, told) = error.split_once(" M=").unwrap_or_default();
        assert!(!told.contains("abcd"), "{error}");
    }
    let bound = sorted_extended(
        &mut proxied,
        "SELECT 1 FROM words WHERE word LIKE $1",
        &[Some(b"abc")],
        0,
    );
    assert!(bound.unwrap_err().to_string().contains("must end with %"));
    Ok(())
}

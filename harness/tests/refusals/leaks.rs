//! Odd ways to write a value to a protected column. Each may be refused by either side, or work: but the value is
//! never stored as it is.

use crate::SECRET;
use acra_harness::Result;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, TABLE, rows};

/// Statements over a table with rows 1 to 5 and the value that they try to store.
const STATEMENTS: &[&str] = &[
    "INSERT/**/INTO/*x*/vault(id,secret)VALUES(10,'SECRET')",
    "INSERT INTO vault -- vault\n (id, secret) VALUES /* /* nested */ ' */ (10, 'SECRET')",
    "iNsErT iNtO VaUlT (iD, SeCrEt) vAlUeS (10, 'SECRET')",
    "INSERT INTO \"vault\" (\"id\", \"secret\") VALUES (10, 'SECRET')",
    "INSERT INTO U&\"v\\0061ult\" (id, U&\"\\0073ecret\") VALUES (10, 'SECRET')",
    "INSERT INTO U&\"v!0061ult\" UESCAPE '!' (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO public.vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO DATABASE.public.vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO \"public\" . \"vault\" (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault AS plain (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault AS \"secret\" (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault AS vault (secret, id) VALUES ('SECRET', 10)",
    "INSERT INTO vault (secret, id, secret) VALUES ('x', 10, 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES ((10), ((('SECRET'))))",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET'::bytea::bytea)",
    "INSERT INTO vault (id, secret) VALUES (10, CAST(CAST('SECRET' AS bytea) AS bytea))",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET'::pg_catalog.bytea)",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET'::\"bytea\")",
    "INSERT INTO vault (id, secret) VALUES (10, bytea('SECRET'))",
    "INSERT INTO vault (id, secret) VALUES (10, bytea'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, pg_catalog.convert_to('SECRET', 'UTF8'))",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET' COLLATE \"C\")",
    "INSERT INTO vault (id, secret) VALUES (10, (VALUES ('SECRET'::bytea)))",
    "INSERT INTO vault (id, secret) VALUES (10, (SELECT 'SECRET'::bytea))",
    "INSERT INTO vault (id, secret) VALUES (10, ('SECRET')) RETURNING secret, 'SECRET'",
    "INSERT INTO vault (id, secret) VALUES (10, DEFAULT), (11, 'SECRET'), (12, NULL)",
    "INSERT INTO vault (id, secret[0]) VALUES (10, 'SECRET')",
    "INSERT INTO vault (id, secret.x) VALUES (10, 'SECRET')",
    "INSERT INTO vault (id, secret) (VALUES (10, 'SECRET'::bytea))",
    "INSERT INTO vault (id, secret) ((VALUES (10, 'SECRET'::bytea)))",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET'::bytea) LIMIT 1",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET'::bytea) UNION ALL VALUES (11, 'SECRET')",
    "INSERT INTO vault (id, secret) SELECT 10, 'SECRET'::bytea",
    "INSERT INTO vault (id, secret) SELECT * FROM (VALUES (10, 'SECRET'::bytea)) v",
    "INSERT INTO vault OVERRIDING USER VALUE VALUES (10, 'n', 'SECRET')",
    "INSERT INTO vault VALUES (10, 'n', 'SECRET')",
    "INSERT INTO vault SELECT 10, 'n', 'SECRET'::bytea",
    "WITH vault AS (SELECT 10 AS id, 'SECRET'::bytea AS s) INSERT INTO vault (id, secret) SELECT id, s FROM vault",
    "WITH x AS (INSERT INTO vault (id, secret) VALUES (10, 'SECRET')) SELECT 1",
    "WITH x AS (UPDATE vault SET secret = 'SECRET' RETURNING 1) SELECT * FROM x",
    "WITH x AS (SELECT 1) UPDATE vault SET secret = 'SECRET'",
    "WITH x AS (SELECT 1) INSERT INTO vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET secret = 'SECRET'",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') ON CONFLICT (id) DO UPDATE SET secret = EXCLUDED.secret",
    "UPDATE vault SET secret='SECRET'",
    "UPDATE vault AS plain SET secret = 'SECRET' WHERE plain.id = 1",
    "UPDATE vault plain SET secret = 'SECRET'",
    "UPDATE vault AS secret SET secret = 'SECRET'",
    "UPDATE vault set SET secret = 'SECRET'",
    "UPDATE plain AS vault SET note = 'x' WHERE id = 1",
    "UPDATE ONLY vault SET secret = 'SECRET'",
    "UPDATE ONLY vault v SET secret = 'SECRET'",
    "UPDATE ONLY vault AS v SET secret = 'SECRET'",
    "UPDATE ONLY public.vault SET secret = 'SECRET'",
    "UPDATE ONLY (vault) SET secret = 'SECRET'",
    "UPDATE ONLY (vault) v SET secret = 'SECRET'",
    "UPDATE vault * SET secret = 'SECRET'",
    "UPDATE vault * v SET secret = 'SECRET'",
    "UPDATE \"only\" vault SET secret = 'SECRET'",
    "UPDATE vault SET note = 'n', secret = 'SECRET', other = 'SECRET'",
    "UPDATE vault SET (secret) = ROW('SECRET'::bytea)",
    "UPDATE vault SET (id, secret) = (id, 'SECRET')",
    "UPDATE vault SET (secret, other) = (SELECT 'SECRET'::bytea, NULL)",
    "UPDATE vault SET secret[1] = 'SECRET'",
    "UPDATE vault SET secret = CASE WHEN id = 1 THEN 'SECRET' END",
    "UPDATE vault SET secret = 'SECRET' FROM plain",
    "UPDATE vault SET secret = v.s FROM (VALUES ('SECRET'::bytea)) v (s)",
    "UPDATE vault SET secret = ('SECRET')::bytea WHERE id = ALL (ARRAY[1])",
    "UPDATE vault SET secret = plain.note::bytea FROM (SELECT 'SECRET' AS note) plain",
    "MERGE INTO vault USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN UPDATE SET secret = 'SECRET'",
    "MERGE INTO ONLY vault USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN UPDATE SET secret = 'SECRET'",
    "EXPLAIN ANALYZE UPDATE vault SET secret = 'SECRET'",
    "PREPARE p AS UPDATE vault SET secret = 'SECRET'; EXECUTE p",
    "PREPARE p (bytea) AS UPDATE vault SET secret = $1; EXECUTE p ('SECRET')",
    "CREATE TABLE copied AS WITH x AS (UPDATE vault SET secret = 'SECRET' RETURNING 1) SELECT * FROM x",
    "DO $$ BEGIN UPDATE vault SET secret = 'SECRET'; END $$",
    "DO 'BEGIN UPDATE va' 'ult SET secret = ''SECRET''; END'",
    "DO E'BEGIN UPDATE \\x76ault SET secret = ''SECRET''; END'",
    "DO U&'BEGIN UPDATE \\0076ault SET secret = ''SECRET''; END'",
    "DO 'BEGIN UPDATE va'\n'ult SET secret = ''SECRET''; END'",
    "SELECT query_to_xml('UPDATE vault SET secret = ''SECRET'' RETURNING 1', true, true, '')",
    "SELECT pg_catalog.query_to_xml($$UPDATE vault SET secret = 'SECRET' RETURNING 1$$, true, true, '')",
    "SELECT \"query_to_xml\"('UPDATE vault SET secret = ''SECRET'' RETURNING 1', true, true, '')",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE vault SET secret = 'SECRET'; END",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $f$ UPDATE vault SET secret = 'SECRET' $f$; SELECT f()",
    "ALTER TABLE vault ALTER secret SET DEFAULT 'SECRET'; INSERT INTO vault (id) VALUES (10)",
    "CREATE RULE r AS ON INSERT TO plain DO ALSO UPDATE vault SET secret = 'SECRET'; INSERT INTO plain VALUES (1)",
    "CREATE VIEW seen AS SELECT id, secret FROM vault; UPDATE seen SET secret = 'SECRET'",
    "CREATE VIEW seen AS SELECT id, secret AS s FROM vault; INSERT INTO seen VALUES (10, 'SECRET')",
    "CREATE VIEW seen AS SELECT * FROM vault; CREATE VIEW again AS SELECT * FROM seen; UPDATE again SET secret = 'SECRET'",
    "ALTER TABLE vault RENAME TO w; INSERT INTO w (id, secret) VALUES (10, 'SECRET')",
    "ALTER TABLE vault RENAME secret TO s; UPDATE vault SET s = 'SECRET'",
    "SELECT 1; ; UPDATE vault SET secret = 'SECRET'; ;",
    "BEGIN; UPDATE vault SET secret = 'SECRET'; COMMIT",
    "BEGIN; SAVEPOINT vault; UPDATE vault SET secret = 'SECRET'; RELEASE vault; COMMIT",
    "SET search_path = public; UPDATE vault SET secret = 'SECRET'",
    "SELECT 'it\\'; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT $x$ $y$ $x$; UPDATE vault SET secret = 'SECRET' --$y$",
    "SELECT $1x$; UPDATE vault SET secret = 'SECRET' --$1x$",
    "SELECT a$b$; UPDATE vault SET secret = 'SECRET'; --$b$",
    "SELECT 1 /* '; */; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT \"a\"\"'\" FROM (SELECT 1) x(\"a\"\"'\"); UPDATE vault SET secret = 'SECRET' --'",
    "SELECT E'\\\\'; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT U&'\\0027'; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT B'1', X'a', N'n'; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT '' -- x\n; UPDATE vault SET secret = 'SECRET' --'",
    "SELECT 1 --x\r; UPDATE vault SET secret = 'SECRET'",
    "SELECT 1 --x\n; UPDATE\x0bvault\x0cSET\tsecret\r=\n'SECRET'",
    "\u{feff}UPDATE vault SET secret = 'SECRET'",
    "UPDATE\u{a0}vault SET secret = 'SECRET'",
];

fn fill(scene: &Scene<'_>, sql: &str) -> String {
    sql.replace("SECRET", SECRET)
        .replace("DATABASE", &scene.database)
}

/// Rows to write to; what a statement before may have made of the tables is undone.
fn reset(scene: &Scene<'_>, before: &str) -> Result<()> {
    const ROWS: &str = "TRUNCATE vault, plain; INSERT INTO plain VALUES (1, 'n'); \
        INSERT INTO vault (id, note) SELECT n, 'n' FROM generate_series(1, 5) n";
    if before.contains("ALTER") || before.contains("CREATE") {
        scene.run_directly(&format!(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; {TABLE}"
        ))?;
    }
    scene.run_directly(ROWS)
}

fn leaks(scene: &Scene<'_>) -> Result<Option<String>> {
    let tables = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
        WHERE nspname = 'public' AND relkind = 'r'";
    let mut direct = scene.direct()?;
    for table in rows(&mut direct, tables)?.concat() {
        let content = format!("SELECT t::text FROM {table} t");
        let content = format!("{:?}", rows(&mut direct, &content)?);
        if content.contains(SECRET) || content.contains(&const_hex::encode(SECRET)) {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

#[test]
fn no_form_of_a_statement_stores_a_value_as_it_is() -> Result<()> {
    let scene = Scene::start()?;
    let mut found = Vec::new();
    let mut sealed = 0;
    let mut before = "";
    for sql in STATEMENTS {
        let text = fill(&scene, sql);
        for extended in [false, true] {
            reset(&scene, before)?;
            before = sql;
            let mut connection = scene.proxied()?;
            if extended {
                connection.pipeline(&[
                    f::parse("", &text, &[]),
                    f::bind_text("", "", &[]),
                    f::execute("", 0),
                    f::sync(),
                ])?;
            } else {
                connection.query(&text)?;
            }
            connection.query("COMMIT")?;
            if let Some(content) = leaks(&scene)? {
                found.push(format!("\n{sql} (extended: {extended}): {content}"));
            }
            let count = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
            sealed += i32::from(scene.stored(count).is_ok_and(|count| count != "0"));
        }
    }
    assert!(found.is_empty(), "{}", found.concat());
    assert!(sealed > 40, "only {sealed} worked");
    // What is found where it is there.
    reset(&scene, "ALTER")?;
    scene.run_directly(&fill(&scene, "UPDATE vault SET secret = 'SECRET'"))?;
    assert!(leaks(&scene)?.is_some());
    scene.run_directly("UPDATE vault SET secret = NULL")?;
    scene.works()
}

/// Sends these texts at once, each a Query.
fn in_one_flight(connection: &mut Connection, texts: &[&[u8]]) -> Result<()> {
    let messages: Vec<_> = texts
        .iter()
        .map(|text| f::message(b'Q', &[text, &b"\0"[..]].concat()))
        .collect();
    connection.send_all(&messages)?;
    for _ in texts {
        connection.ready()?;
    }
    Ok(())
}

/// The encoding decides where a string ends; a statement must not be read by one that is about to change.
#[test]
fn a_change_of_the_encoding_that_is_on_its_way() -> Result<()> {
    let scene = Scene::start()?;
    // The second byte of the character is a backslash, in SJIS and only there.
    let text =
        format!("SELECT E'\u{1}\\'; INSERT INTO vault (id, secret) VALUES (10, '{SECRET}') --'");
    let text: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == 1 { 0x83 } else { byte })
        .collect();
    let mut found = Vec::new();
    for change in [
        "SET client_encoding = 'SJIS'",
        "SELECT set_config('client_encoding', 'SJIS', false)",
        "DO $$ BEGIN PERFORM set_config('client_encoding', 'SJIS', false); END $$",
        "BEGIN; SET client_encoding = 'SJIS'",
        "SET NAMES 'SJIS'",
    ] {
        reset(&scene, "")?;
        let mut connection = scene.proxied()?;
        in_one_flight(&mut connection, &[change.as_bytes(), &text])?;
        connection.query("COMMIT")?;
        found.extend(leaks(&scene)?.map(|content| format!("\n{change}: {content}")));
    }
    assert!(found.is_empty(), "{}", found.concat());
    scene.works()?;
    // The text does what it is meant to.
    in_one_flight(
        &mut scene.direct()?,
        &[b"SET client_encoding = 'SJIS'", &text],
    )?;
    assert!(leaks(&scene)?.is_some());
    Ok(())
}

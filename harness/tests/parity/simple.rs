//! The simple protocol, and what comes unasked.

use acra_harness::Result;
use acra_harness::parity::Side;
use acra_harness::raw::{Connection, frontend as f};

type Ran = Result<Vec<Connection>>;

/// A session of queries, one after the other.
fn queries(side: &Side, queries: &[&str]) -> Ran {
    let mut connection = side.login()?;
    for sql in queries {
        connection.query(sql)?;
    }
    Ok(vec![connection])
}

pub(crate) fn one_statement(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.send(&f::query("SELECT 1 AS one, 'two' AS two"))?;
    connection.expect(&[
        "RowDescription one:23:0 two:25:0",
        "DataRow 1|two",
        "CommandComplete SELECT 1",
        "ReadyForQuery I",
    ])?;
    let rest = queries(
        side,
        &[
            "CREATE TABLE t (id serial, name text)",
            "INSERT INTO t (name) VALUES ('a'), ('b'), ('c')",
            "UPDATE t SET name = name || '!' WHERE id > 1 RETURNING *",
            "SELECT * FROM t ORDER BY id",
            "DELETE FROM t",
            "SELECT * FROM t",
            "SELECT",
            "VALUES (1, 'x'), (2, 'y')",
            "TABLE t",
            "EXPLAIN (COSTS off) SELECT * FROM t WHERE id = 1",
            "SELECT 'Grüße, 世界' AS \"naïve ☃\"",
        ],
    )?;
    Ok([vec![connection], rest].into_iter().flatten().collect())
}

pub(crate) fn many_statements(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query(
        "SELECT 1; SELECT 2, 3; ; CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); TABLE t;",
    )?;
    connection.query("SELECT 1; SELECT 1/0; SELECT 3")?;
    connection.query("SELECT 1; SELEC 2; SELECT 3")?;
    connection.query("BEGIN; SELECT 1; COMMIT; SELECT 2")?;
    // Sent without waiting for answers.
    let sent: Vec<_> = (0..50)
        .map(|number| f::query(&format!("SELECT {number}")))
        .collect();
    connection.send_all(&sent)?;
    for _ in &sent {
        connection.ready()?;
    }
    Ok(vec![connection])
}

pub(crate) fn empty(side: &Side) -> Ran {
    queries(
        side,
        &[
            "",
            " ",
            ";",
            ";;",
            "-- nothing",
            "/* nothing */",
            "SELECT 1;;",
            "\n\t;",
        ],
    )
}

pub(crate) fn errors(side: &Side) -> Ran {
    queries(
        side,
        &[
            "SELEC 1",
            "SELECT * FROM no_such_table",
            "SELECT 1/0",
            "SELECT 'unterminated",
            "SELECT 'a'::int",
            "CREATE TABLE u (id int PRIMARY KEY, n int CHECK (n > 0))",
            "INSERT INTO u VALUES (1, 1), (1, 1)",
            "INSERT INTO u VALUES (1, -1)",
            "DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'ZZ999', DETAIL = 'd', HINT = 'h', TABLE = 't'; END $$",
            "SELECT count(*) FROM u",
        ],
    )
}

pub(crate) fn transactions(side: &Side) -> Ran {
    queries(
        side,
        &[
            "BEGIN",
            "SELECT 1",
            "SAVEPOINT s",
            "SELECT 1/0",
            "SELECT 'not now'",
            "ROLLBACK TO s",
            "SELECT 2",
            "COMMIT",
            "BEGIN",
            "SELECT 1/0",
            "COMMIT",
            "COMMIT",
            "START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY",
            "CREATE TABLE x ()",
            "ROLLBACK AND CHAIN",
            "ROLLBACK",
        ],
    )
}

pub(crate) fn nulls_and_types(side: &Side) -> Ran {
    queries(
        side,
        &[
            "SELECT NULL, NULL::int, '', NULL::bytea, ''::bytea",
            "SELECT true, 1::int2, 2::int8, 1.5::float4, 'NaN'::float8, 12.340::numeric, '\\x00ff25'::bytea",
            "SELECT '{1,NULL,3}'::int[], ROW(1, NULL, 'x'), '{\"a\": [1, null]}'::jsonb, '<a/>'::text, '1 day'::interval",
            "SET bytea_output = 'escape'; SELECT '\\x0041255c'::bytea; RESET bytea_output; SELECT '\\x0041'::bytea",
            "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN d AS text; CREATE TYPE pair AS (a int, b text)",
            "SELECT 'ok'::mood, 'x'::d, ROW(1, 'y')::pair, ARRAY['sad']::mood[]",
            "CREATE TABLE many (m mood, p pair, d d); INSERT INTO many VALUES (NULL, NULL, NULL); TABLE many",
        ],
    )
}

pub(crate) fn large_values(side: &Side) -> Ran {
    queries(
        side,
        &[
            "SELECT repeat('x', 1048576)",
            "SELECT repeat('%', 1048576)",
            "SELECT repeat('\"', 1048576), repeat('%%%', 400000)::bytea",
            "SELECT decode(repeat('25', 1048576), 'hex')",
            "SELECT n, repeat(chr(65 + n % 26), n) FROM generate_series(1, 2000) n",
            &format!("SELECT length('{}')", "y".repeat(1 << 20)),
            &format!("SELECT '{}'", "z".repeat(3_000_000)),
            &format!(
                "SELECT {}",
                (0..1600)
                    .map(|n| n.to_string())
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ],
    )
}

pub(crate) fn notices(side: &Side) -> Ran {
    queries(
        side,
        &[
            "DROP TABLE IF EXISTS nothing",
            "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; RAISE INFO 'three'; END $$",
            "SET client_min_messages = debug1; DO $$ BEGIN RAISE DEBUG 'four'; END $$; RESET client_min_messages",
            "ROLLBACK",
            "SELECT 1",
        ],
    )
}

pub(crate) fn parameter_changes(side: &Side) -> Ran {
    queries(
        side,
        &[
            "SET application_name = 'other'",
            "SET DateStyle = 'German'; SET TimeZone = 'Europe/Kyiv'; SET IntervalStyle = 'iso_8601'",
            "SELECT date '2001-02-03', timestamptz '2001-02-03 04:05:06Z', interval '1 day'",
            "SET standard_conforming_strings = off",
            "SELECT 'a\\n\\\\b'",
            "BEGIN; SET LOCAL application_name = 'local'; COMMIT",
            "BEGIN; SET application_name = 'undone'; ROLLBACK",
            "SET ROLE scram_user; SELECT current_user; RESET ROLE",
            "RESET ALL",
            "DISCARD ALL",
        ],
    )
}

pub(crate) fn encodings(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query("SET client_encoding = 'LATIN1'")?;
    connection.query("SELECT chr(228), convert_to(chr(228), 'UTF8')")?;
    connection.send(&f::message(b'Q', b"SELECT 'caf\xe9', '\xe4'::text\0"))?;
    connection.ready()?;
    connection.query("SELECT chr(8364)")?;
    for encoding in ["SJIS", "GBK", "EUC_JP", "WIN1251"] {
        connection.query(&format!("SET client_encoding = '{encoding}'"))?;
        connection.query("SELECT chr(1041), 'abc'")?;
    }
    connection.query("SET client_encoding = 'UTF8'")?;
    connection.send(&f::message(b'Q', b"SELECT '\xff\xfe'\0"))?;
    connection.ready()?;
    Ok(vec![connection])
}

pub(crate) fn notifications(side: &Side) -> Ran {
    let (mut one, mut two) = (side.login()?, side.login()?);
    one.query("LISTEN news; LISTEN other")?;
    one.query("NOTIFY news, 'from myself'")?;
    two.query("NOTIFY news; NOTIFY other, 'payload'")?;
    // Comes while nothing is asked.
    one.expect(&[
        "NotificationResponse news  from *",
        "NotificationResponse other payload from *",
    ])?;
    two.query("BEGIN; NOTIFY news, 'late'; NOTIFY news, 'late'; COMMIT")?;
    one.until(b'A')?;
    one.query("UNLISTEN *")?;
    two.query("NOTIFY news, 'to nobody'")?;
    one.query("SELECT 1")?;
    Ok(vec![one, two])
}

pub(crate) fn function_calls(side: &Side) -> Ran {
    const INT4PL: u32 = 177;
    const LOWER: u32 = 870;
    let mut connection = side.login()?;
    let (one, two) = (1_i32.to_be_bytes(), 2_i32.to_be_bytes());
    let calls = [
        f::function_call(INT4PL, 1, &[Some(&one), Some(&two)]),
        f::function_call(INT4PL, 0, &[Some(b"40"), Some(b"2")]),
        f::function_call(LOWER, 0, &[Some(b"UPPER")]),
        f::function_call(LOWER, 0, &[None]),
        f::function_call(INT4PL, 0, &[Some(b"2147483647"), Some(b"1")]),
        f::function_call(1, 0, &[]),
    ];
    for call in calls {
        connection.send(&call)?;
        connection.ready()?;
    }
    connection.query("SELECT 1")?;
    Ok(vec![connection])
}

pub(crate) fn prepared_in_sql(side: &Side) -> Ran {
    queries(
        side,
        &[
            "PREPARE p (int, text) AS SELECT $1 + 1, $2 || '!'",
            "EXECUTE p (1, 'a')",
            "EXECUTE p (1)",
            "PREPARE p AS SELECT 1",
            "SELECT name, statement, from_sql FROM pg_prepared_statements",
            "DEALLOCATE p; EXECUTE p (1, 'a')",
            "DEALLOCATE ALL",
        ],
    )
}

pub(crate) fn cursors(side: &Side) -> Ran {
    queries(
        side,
        &[
            "BEGIN; DECLARE c SCROLL CURSOR FOR SELECT n, repeat('x', n) FROM generate_series(1, 10) n",
            "FETCH 3 FROM c",
            "FETCH BACKWARD 2 FROM c; MOVE 4 IN c; FETCH ALL FROM c",
            "DECLARE b BINARY CURSOR FOR SELECT 1::int4, 'x'::text",
            "FETCH b",
            "CLOSE c; FETCH c",
            "COMMIT",
        ],
    )
}

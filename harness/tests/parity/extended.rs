//! The extended protocol: statements, portals, and the formats of values.

use acra_harness::Result;
use acra_harness::parity::Side;
use acra_harness::raw::Connection;
use acra_harness::raw::frontend::{self as f, Bind, bind, bind_text};

type Ran = Result<Vec<Connection>>;

pub(crate) fn unnamed_again(side: &Side) -> Ran {
    let mut connection = side.login()?;
    let rest = [f::execute("", 0), f::sync()];
    for sql in [
        "SELECT 1",
        "SELECT 'a', 'b'",
        "",
        "CREATE TEMP TABLE t (a int)",
        "INSERT INTO t VALUES (1) RETURNING a",
    ] {
        connection
            .pipeline(&[&[f::parse("", sql, &[]), bind_text("", "", &[])][..], &rest].concat())?;
    }
    // A Query forgets the unnamed statement.
    connection.query("SELECT 1")?;
    connection.pipeline(&[&[bind_text("", "", &[])][..], &rest].concat())?;
    Ok(vec![connection])
}

pub(crate) fn named_statements(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.pipeline(&[
        f::parse("first", "SELECT $1::int", &[]),
        f::parse("second", "SELECT $1::text || $2", &[]),
        f::sync(),
    ])?;
    for round in ["1", "2", "x"] {
        connection.pipeline(&[
            bind_text("", "second", &[Some(round), Some("!")]),
            f::execute("", 0),
            bind_text("", "first", &[Some(round)]),
            f::execute("", 0),
            f::sync(),
        ])?;
    }
    connection.pipeline(&[f::parse("first", "SELECT 'again'", &[]), f::sync()])?;
    connection
        .query("SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY name")?;
    connection.query("EXECUTE first (7); DEALLOCATE first")?;
    connection.pipeline(&[bind_text("", "first", &[Some("1")]), f::sync()])?;
    connection.query("PREPARE third AS SELECT 3")?;
    connection.pipeline(&[
        bind_text("", "third", &[]),
        f::execute("", 0),
        f::close_statement("third"),
        f::sync(),
    ])?;
    connection.query("DISCARD ALL")?;
    connection.pipeline(&[f::describe_statement("second"), f::sync()])?;
    Ok(vec![connection])
}

pub(crate) fn binary_formats(side: &Side) -> Ran {
    let mut connection = side.login()?;
    let sql = "SELECT $1::int4, $2::text, $3::bytea, $4::float8, NULL::int";
    let values = [
        Some(&[0, 0, 0, 7][..]),
        Some(b"text"),
        Some(&[0, 255, b'%', 34, 34]),
        Some(&[64, 9, 33, 251, 84, 68, 45, 24]),
    ];
    let text = [
        Some(&b"7"[..]),
        Some(b"text"),
        Some(b"\\x00ff2522"),
        Some(b"3.14"),
    ];
    for results in [&[][..], &[0], &[1], &[1, 0, 1, 0, 1]] {
        for (formats, values) in [
            (&[1][..], values),
            (&[][..], text),
            (&[0][..], text),
            (&[1, 1, 1, 1], values),
            (&[1, 0, 0, 1], [values[0], text[1], text[2], values[3]]),
        ] {
            connection.pipeline(&[
                f::parse("", sql, &[]),
                bind(
                    "",
                    "",
                    Bind {
                        formats,
                        values: &values,
                        results,
                    },
                ),
                f::describe_portal(""),
                f::execute("", 0),
                f::sync(),
            ])?;
        }
    }
    let wrong = [
        Bind {
            formats: &[1],
            values: &[Some(b"123")],
            results: &[],
        },
        Bind {
            formats: &[2],
            values: &[Some(b"1")],
            results: &[],
        },
        Bind {
            formats: &[0, 0],
            values: &[Some(b"1")],
            results: &[],
        },
        Bind {
            formats: &[],
            values: &[Some(b"1")],
            results: &[1, 1, 1],
        },
        Bind {
            formats: &[],
            values: &[],
            results: &[],
        },
    ];
    for wrong in wrong {
        connection.pipeline(&[
            f::parse("", "SELECT $1::int4", &[]),
            bind("", "", wrong),
            f::execute("", 0),
            f::sync(),
        ])?;
    }
    Ok(vec![connection])
}

pub(crate) fn row_limits(side: &Side) -> Ran {
    let mut connection = side.login()?;
    let rows = "SELECT n, repeat('x', n) FROM generate_series(1, 10) n";
    connection.send_all(&[
        f::parse("", rows, &[]),
        bind_text("p", "", &[]),
        f::execute("p", 2),
        f::flush(),
    ])?;
    connection.until(b's')?;
    connection.send_all(&[f::execute("p", 5), f::execute("p", 3), f::flush()])?;
    connection.until(b's')?;
    connection.until(b's')?;
    connection.send_all(&[f::execute("p", 1), f::execute("p", 0), f::sync()])?;
    connection.ready()?;
    // Its portal ended with the transaction.
    connection.pipeline(&[f::execute("p", 1), f::sync()])?;
    connection.query("BEGIN")?;
    connection.pipeline(&[
        f::parse("s", rows, &[]),
        bind_text("a", "s", &[]),
        bind_text("b", "s", &[]),
        f::sync(),
    ])?;
    for portal in ["a", "b", "a", "b", "a", "b"] {
        connection.pipeline(&[f::execute(portal, 4), f::sync()])?;
    }
    connection.pipeline(&[bind_text("a", "s", &[]), f::sync()])?;
    connection.query("ROLLBACK")?;
    Ok(vec![connection])
}

pub(crate) fn describe_everything(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (id int, name varchar(20), amount numeric(10, 2))")?;
    for sql in [
        "SELECT * FROM t WHERE id = $1 AND name = $2",
        "INSERT INTO t VALUES ($1, $2, $3)",
        "INSERT INTO t VALUES ($1, $2, $3) RETURNING *",
        "UPDATE t SET name = $1",
        "CREATE TABLE u (a int)",
        "BEGIN",
        "SHOW TimeZone",
        "EXPLAIN SELECT 1",
        "",
        "COPY t TO STDOUT",
    ] {
        connection.pipeline(&[f::parse("", sql, &[]), f::describe_statement(""), f::sync()])?;
    }
    Ok(vec![connection])
}

pub(crate) fn close(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.pipeline(&[
        f::close_statement("missing"),
        f::close_portal("missing"),
        f::close_statement(""),
        f::parse("s", "SELECT 1", &[]),
        bind_text("p", "s", &[]),
        f::close_statement("s"),
        f::execute("p", 0),
        f::sync(),
    ])?;
    connection.pipeline(&[
        f::parse("s", "SELECT 1", &[]),
        bind_text("p", "s", &[]),
        f::close_portal("p"),
        f::execute("p", 0),
        f::sync(),
    ])?;
    connection.pipeline(&[
        f::close_statement("s"),
        f::parse("s", "SELECT 2", &[]),
        bind_text("", "s", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    Ok(vec![connection])
}

pub(crate) fn many_values(side: &Side) -> Ran {
    let mut connection = side.login()?;
    let list: Vec<_> = (1..=3000).map(|number| format!("${number}::int")).collect();
    let sql = format!("SELECT count(*) FROM (VALUES ({})) v", list.join("),("));
    let numbers: Vec<_> = (1..=3000).map(|number: u32| number.to_string()).collect();
    let values: Vec<_> = numbers.iter().map(|number| Some(&**number)).collect();
    connection.pipeline(&[
        f::parse("", &sql, &[]),
        bind_text("", "", &values),
        f::execute("", 0),
        f::sync(),
    ])?;
    let large = "%".repeat(1 << 20);
    let values = [Some(&*large), Some("\"\"\"\"")];
    connection.pipeline(&[
        f::parse("", "SELECT $1::text, $2::text", &[]),
        bind_text("", "", &values),
        f::execute("", 0),
        f::sync(),
    ])?;
    Ok(vec![connection])
}

pub(crate) fn plan_changes(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")?;
    connection.pipeline(&[f::parse("s", "SELECT * FROM t", &[]), f::sync()])?;
    let run = [bind_text("", "s", &[]), f::execute("", 0), f::sync()];
    connection.pipeline(&run)?;
    connection.query("ALTER TABLE t ADD COLUMN b text")?;
    connection.pipeline(&run)?;
    connection.query("DROP TABLE t")?;
    connection.pipeline(&run)?;
    Ok(vec![connection])
}

//! The extended protocol.

use acra_harness::Result;
use acra_harness::parity::Side;
use acra_harness::raw::frontend::{self as f, Bind, bind, bind_text};
use acra_harness::raw::{Connection, Reply};

type Ran = Result<Vec<Connection>>;

const INT4: u32 = 23;
const TEXT: u32 = 25;

/// Sends messages at once, and reads up to one ReadyForQuery per Sync among them.
fn pipeline(connection: &mut Connection, messages: &[Vec<u8>]) -> Result<()> {
    connection.send_all(messages)?;
    for _ in messages.iter().filter(|message| message[0] == b'S') {
        connection.ready()?;
    }
    Ok(())
}

pub(crate) fn one_pipeline(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.send_all(&[
        f::parse("", "SELECT $1::int + 1 AS sum, $2 AS text", &[INT4, TEXT]),
        f::describe_statement(""),
        bind_text("", "", &[Some("41"), None]),
        f::describe_portal(""),
        f::execute("", 0),
        f::sync(),
    ])?;
    connection.expect(&[
        "ParseComplete",
        "ParameterDescription 23 25",
        "RowDescription sum:23:0 text:25:0",
        "BindComplete",
        "RowDescription sum:23:0 text:25:0",
        "DataRow 42|NULL",
        "CommandComplete SELECT 1",
        "ReadyForQuery I",
    ])?;
    let mut many = vec![f::parse("s", "SELECT $1::text", &[])];
    for number in 0..100 {
        many.push(bind_text("", "s", &[Some(&number.to_string())]));
        many.push(f::execute("", 0));
        if number % 7 == 0 {
            many.push(f::sync());
        }
    }
    many.push(f::sync());
    pipeline(&mut connection, &many)?;
    Ok(vec![connection])
}

pub(crate) fn errors_until_sync(side: &Side) -> Ran {
    let mut connection = side.login()?;
    for broken in [
        f::parse("", "SELEC 1", &[]),
        f::parse("", "SELECT $1", &[9_999_999]),
        bind_text("", "missing", &[]),
        f::execute("missing", 0),
        f::describe_statement("missing"),
        f::describe_portal("missing"),
    ] {
        pipeline(
            &mut connection,
            &[
                f::parse("", "SELECT 1", &[]),
                bind_text("", "", &[]),
                f::execute("", 0),
                broken,
                f::parse("skipped", "SELECT 2", &[]),
                bind_text("", "skipped", &[]),
                f::execute("", 0),
                f::close_statement("skipped"),
                f::flush(),
                f::sync(),
                f::parse("", "SELECT 3", &[]),
                bind_text("", "", &[]),
                f::execute("", 0),
                f::sync(),
            ],
        )?;
    }
    let division = [
        f::parse("", "SELECT 1 / (n - 3) FROM generate_series(1, 5) n", &[]),
        bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ];
    pipeline(&mut connection, &division)?;
    let division = [
        bind_text("", "", &[Some("1")]),
        f::execute("", 0),
        f::sync(),
    ];
    pipeline(&mut connection, &division)?;
    // An error, a flush, and nothing more until Sync.
    connection.send_all(&[f::parse("", "SELEC", &[]), f::flush()])?;
    connection.until(b'E')?;
    connection.send_all(&[
        f::parse("", "SELECT 1", &[]),
        f::flush(),
        f::query("SELECT 'skipped too'"),
    ])?;
    pipeline(&mut connection, &[f::sync()])?;
    connection.query("SELECT 'back'")?;
    Ok(vec![connection])
}

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
        pipeline(
            &mut connection,
            &[&[f::parse("", sql, &[]), bind_text("", "", &[])][..], &rest].concat(),
        )?;
    }
    // A Query forgets the unnamed statement.
    connection.query("SELECT 1")?;
    pipeline(
        &mut connection,
        &[&[bind_text("", "", &[])][..], &rest].concat(),
    )?;
    Ok(vec![connection])
}

pub(crate) fn named_statements(side: &Side) -> Ran {
    let mut connection = side.login()?;
    pipeline(
        &mut connection,
        &[
            f::parse("first", "SELECT $1::int", &[]),
            f::parse("second", "SELECT $1::text || $2", &[]),
            f::sync(),
        ],
    )?;
    for round in ["1", "2", "x"] {
        pipeline(
            &mut connection,
            &[
                bind_text("", "second", &[Some(round), Some("!")]),
                f::execute("", 0),
                bind_text("", "first", &[Some(round)]),
                f::execute("", 0),
                f::sync(),
            ],
        )?;
    }
    pipeline(
        &mut connection,
        &[f::parse("first", "SELECT 'again'", &[]), f::sync()],
    )?;
    connection
        .query("SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY name")?;
    connection.query("EXECUTE first (7); DEALLOCATE first")?;
    pipeline(
        &mut connection,
        &[bind_text("", "first", &[Some("1")]), f::sync()],
    )?;
    connection.query("PREPARE third AS SELECT 3")?;
    pipeline(
        &mut connection,
        &[
            bind_text("", "third", &[]),
            f::execute("", 0),
            f::close_statement("third"),
            f::sync(),
        ],
    )?;
    connection.query("DISCARD ALL")?;
    pipeline(
        &mut connection,
        &[f::describe_statement("second"), f::sync()],
    )?;
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
            pipeline(
                &mut connection,
                &[
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
                ],
            )?;
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
        pipeline(
            &mut connection,
            &[
                f::parse("", "SELECT $1::int4", &[]),
                bind("", "", wrong),
                f::execute("", 0),
                f::sync(),
            ],
        )?;
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
    pipeline(&mut connection, &[f::execute("p", 1), f::sync()])?;
    connection.query("BEGIN")?;
    pipeline(
        &mut connection,
        &[
            f::parse("s", rows, &[]),
            bind_text("a", "s", &[]),
            bind_text("b", "s", &[]),
            f::sync(),
        ],
    )?;
    for portal in ["a", "b", "a", "b", "a", "b"] {
        pipeline(&mut connection, &[f::execute(portal, 4), f::sync()])?;
    }
    pipeline(&mut connection, &[bind_text("a", "s", &[]), f::sync()])?;
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
        pipeline(
            &mut connection,
            &[f::parse("", sql, &[]), f::describe_statement(""), f::sync()],
        )?;
    }
    Ok(vec![connection])
}

pub(crate) fn close(side: &Side) -> Ran {
    let mut connection = side.login()?;
    pipeline(
        &mut connection,
        &[
            f::close_statement("missing"),
            f::close_portal("missing"),
            f::close_statement(""),
            f::parse("s", "SELECT 1", &[]),
            bind_text("p", "s", &[]),
            f::close_statement("s"),
            f::execute("p", 0),
            f::sync(),
        ],
    )?;
    pipeline(
        &mut connection,
        &[
            f::parse("s", "SELECT 1", &[]),
            bind_text("p", "s", &[]),
            f::close_portal("p"),
            f::execute("p", 0),
            f::sync(),
        ],
    )?;
    pipeline(
        &mut connection,
        &[
            f::close_statement("s"),
            f::parse("s", "SELECT 2", &[]),
            bind_text("", "s", &[]),
            f::execute("", 0),
            f::sync(),
        ],
    )?;
    Ok(vec![connection])
}

pub(crate) fn flush(side: &Side) -> Ran {
    let mut connection = side.login()?;
    for (message, answer) in [
        (f::parse("", "SELECT 1", &[]), "ParseComplete"),
        (bind_text("", "", &[]), "BindComplete"),
        (f::describe_portal(""), "RowDescription *"),
        (f::execute("", 0), "DataRow 1"),
        (vec![], "CommandComplete SELECT 1"),
        (f::close_portal(""), "CloseComplete"),
        (f::sync(), "ReadyForQuery I"),
    ] {
        connection.send_all(&[message, f::flush()])?;
        connection.expect(&[answer])?;
    }
    Ok(vec![connection])
}

pub(crate) fn nothing_to_execute(side: &Side) -> Ran {
    let mut connection = side.login()?;
    pipeline(
        &mut connection,
        &[f::sync(), f::sync(), f::flush(), f::sync()],
    )?;
    pipeline(
        &mut connection,
        &[
            f::parse("", "", &[]),
            bind_text("", "", &[]),
            f::describe_portal(""),
            f::execute("", 0),
            f::sync(),
        ],
    )?;
    pipeline(
        &mut connection,
        &[f::parse("", "SELECT 1; SELECT 2", &[]), f::sync()],
    )?;
    Ok(vec![connection])
}

/// Messages whose body ends early, each in a session of its own.
pub(crate) fn wrong_messages(side: &Side) -> Ran {
    let mut connections = vec![];
    for (tag, body) in [
        (b'D', &b"Xname\0"[..]),
        (b'C', b"Xname\0"),
        (b'E', b"\0\xff\xff\xff\xff"),
    ] {
        let mut connection = side.login()?;
        connection.send_all(&[
            f::parse("", "SELECT 1", &[]),
            bind_text("", "", &[]),
            f::message(tag, body),
            f::sync(),
        ])?;
        while let Reply::Message(message) = connection.reply()? {
            if message.tag == b'Z' {
                break;
            }
        }
        connections.push(connection);
    }
    Ok(connections)
}

pub(crate) fn transaction_pipelines(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (id int PRIMARY KEY)")?;
    let step = |sql: &str| {
        vec![
            f::parse("", sql, &[]),
            bind_text("", "", &[]),
            f::execute("", 0),
        ]
    };
    // Without BEGIN, what precedes a Sync is one transaction.
    let messages = [
        step("INSERT INTO t VALUES (1)"),
        step("INSERT INTO t VALUES (1)"),
        vec![f::sync()],
    ]
    .concat();
    pipeline(&mut connection, &messages)?;
    connection.query("SELECT count(*) FROM t")?;
    let messages = [
        step("BEGIN"),
        step("INSERT INTO t VALUES (2)"),
        vec![f::sync()],
        step("SELECT 1/0"),
        vec![f::sync()],
        step("SELECT 1"),
        vec![f::sync()],
        step("ROLLBACK"),
        vec![f::sync()],
    ]
    .concat();
    pipeline(&mut connection, &messages)?;
    // Extended and simple messages one after the other.
    connection.send_all(&[step("SELECT 1"), vec![f::query("SELECT 2"), f::sync()]].concat())?;
    connection.ready()?;
    connection.ready()?;
    Ok(vec![connection])
}

pub(crate) fn many_values(side: &Side) -> Ran {
    let mut connection = side.login()?;
    let list: Vec<_> = (1..=3000).map(|number| format!("${number}::int")).collect();
    let sql = format!("SELECT count(*) FROM (VALUES ({})) v", list.join("),("));
    let numbers: Vec<_> = (1..=3000).map(|number: u32| number.to_string()).collect();
    let values: Vec<_> = numbers.iter().map(|number| Some(&**number)).collect();
    pipeline(
        &mut connection,
        &[
            f::parse("", &sql, &[]),
            bind_text("", "", &values),
            f::execute("", 0),
            f::sync(),
        ],
    )?;
    let large = "%".repeat(1 << 20);
    let values = [Some(&*large), Some("\"\"\"\"")];
    pipeline(
        &mut connection,
        &[
            f::parse("", "SELECT $1::text, $2::text", &[]),
            bind_text("", "", &values),
            f::execute("", 0),
            f::sync(),
        ],
    )?;
    Ok(vec![connection])
}

pub(crate) fn plan_changes(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")?;
    pipeline(
        &mut connection,
        &[f::parse("s", "SELECT * FROM t", &[]), f::sync()],
    )?;
    let run = [bind_text("", "s", &[]), f::execute("", 0), f::sync()];
    pipeline(&mut connection, &run)?;
    connection.query("ALTER TABLE t ADD COLUMN b text")?;
    pipeline(&mut connection, &run)?;
    connection.query("DROP TABLE t")?;
    pipeline(&mut connection, &run)?;
    Ok(vec![connection])
}

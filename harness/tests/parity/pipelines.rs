//! The extended protocol: messages sent without waiting, errors among them.

use acra_harness::Result;
use acra_harness::parity::Side;
use acra_harness::raw::frontend::{self as f, bind_text};
use acra_harness::raw::{Connection, Reply};

type Ran = Result<Vec<Connection>>;

const INT4: u32 = 23;
const TEXT: u32 = 25;

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
    connection.pipeline(&many)?;
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
        connection.pipeline(&[
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
        ])?;
    }
    let division = [
        f::parse("", "SELECT 1 / (n - 3) FROM generate_series(1, 5) n", &[]),
        bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ];
    connection.pipeline(&division)?;
    let division = [
        bind_text("", "", &[Some("1")]),
        f::execute("", 0),
        f::sync(),
    ];
    connection.pipeline(&division)?;
    // An error, a flush, and nothing more until Sync.
    connection.send_all(&[f::parse("", "SELEC", &[]), f::flush()])?;
    connection.until(b'E')?;
    connection.send_all(&[
        f::parse("", "SELECT 1", &[]),
        f::flush(),
        f::query("SELECT 'skipped too'"),
    ])?;
    connection.pipeline(&[f::sync()])?;
    connection.query("SELECT 'back'")?;
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
    connection.pipeline(&[f::sync(), f::sync(), f::flush(), f::sync()])?;
    connection.pipeline(&[
        f::parse("", "", &[]),
        bind_text("", "", &[]),
        f::describe_portal(""),
        f::execute("", 0),
        f::sync(),
    ])?;
    connection.pipeline(&[f::parse("", "SELECT 1; SELECT 2", &[]), f::sync()])?;
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
    connection.pipeline(&messages)?;
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
    connection.pipeline(&messages)?;
    // Extended and simple messages one after the other.
    connection.send_all(&[step("SELECT 1"), vec![f::query("SELECT 2"), f::sync()]].concat())?;
    connection.ready()?;
    connection.ready()?;
    Ok(vec![connection])
}

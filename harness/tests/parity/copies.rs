//! COPY.

use acra_harness::Result;
use acra_harness::parity::Side;
use acra_harness::raw::{Connection, frontend as f};

type Ran = Result<Vec<Connection>>;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// A session with a table to copy into.
fn with_table(side: &Side) -> Result<Connection> {
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (id int, name text, data bytea)")?;
    Ok(connection)
}

/// Starts a COPY ... FROM STDIN.
fn begin(connection: &mut Connection, sql: &str) -> Result<()> {
    connection.send(&f::query(sql))?;
    connection.until(b'G')?;
    Ok(())
}

/// Sends the rest of a copy, and looks at the table.
fn finish(mut connection: Connection, messages: &[Vec<u8>]) -> Ran {
    connection.send_all(messages)?;
    connection.ready()?;
    connection.query("SELECT * FROM t ORDER BY id")?;
    Ok(vec![connection])
}

pub(crate) fn text_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t FROM STDIN")?;
    // Pieces need not be lines.
    finish(
        connection,
        &[
            f::copy_data(b"1\tone\t\\\\x00ff\n2\t\\N"),
            f::copy_data(b""),
            f::copy_data(b"\t\\N\n3\tth"),
            f::copy_data(b"ree\\ttab\t\\\\x\n"),
            // Allowed, and without effect here.
            f::flush(),
            f::sync(),
            f::copy_done(),
        ],
    )
}

pub(crate) fn binary_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t FROM STDIN (FORMAT binary)")?;
    let row = b"\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x05%%%%%\xff\xff\xff\xff";
    finish(
        connection,
        &[
            f::copy_data(HEADER),
            f::copy_data(row),
            f::copy_data(row),
            f::copy_data(&(-1_i16).to_be_bytes()),
            f::copy_done(),
        ],
    )
}

const FILL: &str = "INSERT INTO t SELECT n, repeat('x', n), decode(repeat('25', n), 'hex') FROM generate_series(1, 300) n; \
     INSERT INTO t VALUES (0, NULL, NULL), (-1, E'\\t\\n\\\\', '')";

pub(crate) fn text_out(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    connection.query(FILL)?;
    for sql in [
        "COPY t TO STDOUT",
        "COPY t TO STDOUT (FORMAT csv, HEADER)",
        "COPY (SELECT id, data FROM t WHERE id < 5) TO STDOUT",
        "COPY (SELECT 1 WHERE false) TO STDOUT",
        "COPY (SELECT 1 / (n - 5) FROM generate_series(1, 10) n) TO STDOUT",
        "COPY (SELECT repeat('x', 1048576)) TO STDOUT",
    ] {
        connection.query(sql)?;
    }
    Ok(vec![connection])
}

pub(crate) fn binary_out(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    connection.query(FILL)?;
    connection.query("COPY t TO STDOUT (FORMAT binary)")?;
    connection.send_all(&[
        f::parse(
            "",
            "COPY (SELECT * FROM t WHERE id < 9) TO STDOUT (FORMAT binary)",
            &[],
        ),
        f::bind_text("", "", &[]),
        f::describe_portal(""),
        f::execute("", 0),
        f::sync(),
    ])?;
    connection.ready()?;
    Ok(vec![connection])
}

pub(crate) fn fails_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t FROM STDIN")?;
    finish(
        connection,
        &[f::copy_data(b"1\ta\t\\N\n"), f::copy_fail("no more of it")],
    )
}

pub(crate) fn errors_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t FROM STDIN")?;
    connection.send(&f::copy_data(b"not a number\ta\t\\N\n"))?;
    connection.ready()?;
    // What a client had on its way is ignored.
    connection.send_all(&[
        f::copy_data(b"2\tb\t\\N\n"),
        f::copy_done(),
        f::query("SELECT 'after'"),
    ])?;
    connection.ready()?;
    connection.query("COPY missing FROM STDIN")?;
    finish(connection, &[f::query("SELECT 'fine'")])
}

/// Anything else within a copy ends the session.
pub(crate) fn interrupted_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t FROM STDIN")?;
    connection.send(&f::query("SELECT 'not now'"))?;
    connection.end()?;
    Ok(vec![connection])
}

pub(crate) fn extended_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    let start = [
        f::parse("", "COPY t FROM STDIN", &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
    ];
    // As libpq does: Sync at once, which the copy swallows.
    connection.send_all(&[&start[..], &[f::sync()]].concat())?;
    connection.until(b'G')?;
    connection.send_all(&[f::copy_data(b"1\ta\t\\N\n"), f::copy_done(), f::sync()])?;
    connection.ready()?;
    // As others do: Flush.
    connection.send_all(&[&start[..], &[f::flush()]].concat())?;
    connection.until(b'G')?;
    connection.send_all(&[f::copy_data(b"2\tb\t\\N\n"), f::copy_done(), f::sync()])?;
    connection.ready()?;
    // An error within it waits for Sync.
    connection.send_all(&[&start[..], &[f::flush()]].concat())?;
    connection.until(b'G')?;
    connection.send_all(&[
        f::copy_data(b"x\n"),
        f::copy_done(),
        f::execute("", 0),
        f::sync(),
    ])?;
    connection.ready()?;
    finish(connection, &[f::query("SELECT 'fine'")])
}

pub(crate) fn large_in(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    begin(&mut connection, "COPY t (id, name) FROM STDIN")?;
    let line = |id: usize| format!("{id}\t{}\n", "y".repeat(id * 50)).into_bytes();
    let text: Vec<u8> = (0..300).flat_map(line).collect();
    let messages: Vec<_> = text.chunks(7777).map(f::copy_data).collect();
    connection.send_all(&messages)?;
    finish(
        connection,
        &[
            f::copy_data(format!("999\t{}\n", "z".repeat(1 << 20)).as_bytes()),
            f::copy_done(),
        ],
    )
}

pub(crate) fn many_copies(side: &Side) -> Ran {
    let mut connection = with_table(side)?;
    connection.send(&f::query(
        "SELECT 1; COPY t FROM STDIN; COPY t TO STDOUT; SELECT 2",
    ))?;
    connection.until(b'G')?;
    connection.send_all(&[f::copy_data(b"1\ta\t\\N\n"), f::copy_done()])?;
    connection.ready()?;
    // The data right behind the statement, without waiting.
    finish(
        connection,
        &[
            f::query("COPY t FROM STDIN"),
            f::copy_data(b"2\tb\t\\N\n"),
            f::copy_done(),
        ],
    )
}

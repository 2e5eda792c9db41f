//! Scripts of prepared statements.

use crate::scripts::TYPES;
use acra_engine::wire::mysql::{Capabilities, lenenc};
use acra_harness::mysql::{Connection, Side};
use acra_harness::{Error, Result};

/// The number by which MariaDB's clients mean the statement that was prepared last.
const LAST: u32 = u32::MAX;

/// Prepares a text; gives the statement's number.
pub(crate) fn prepare(connection: &mut Connection, text: &str) -> Result<u32> {
    connection.command(&[b"\x16", text.as_bytes()].concat())?;
    let answers = connection.prepared()?;
    let number = answers.first().and_then(|packet| packet.payload.get(1..5));
    let number = number.ok_or_else(|| Error::new(format!("{text}: {answers:?}")))?;
    Ok(u32::from_le_bytes(number.try_into()?))
}

/// A parameter: its type and its bytes, with their length if they have one; nothing for NULL.
pub(crate) type Parameter<'a> = (u8, Option<&'a [u8]>);

pub(crate) fn execution(
    connection: &Connection,
    statement: u32,
    flags: u8,
    parameters: &[Parameter<'_>],
    sends_types: bool,
) -> Vec<u8> {
    let named = connection
        .capabilities()
        .has(Capabilities::QUERY_ATTRIBUTES);
    let mut out = vec![0x17];
    out.extend_from_slice(&statement.to_le_bytes());
    out.push(if named { flags | 8 } else { flags });
    out.extend_from_slice(&[1, 0, 0, 0]);
    if named {
        lenenc::write_integer(&mut out, parameters.len() as u64);
    }
    if parameters.is_empty() {
        return out;
    }
    let mut nulls = vec![0; parameters.len().div_ceil(8)];
    for (index, (_, value)) in parameters.iter().enumerate() {
        nulls[index / 8] |= u8::from(value.is_none()) << (index % 8);
    }
    out.extend(nulls);
    out.push(u8::from(sends_types));
    if sends_types {
        for (kind, _) in parameters {
            out.extend_from_slice(&[*kind, 0]);
            if named {
                out.push(0);
            }
        }
    }
    for (_, value) in parameters {
        out.extend_from_slice(value.unwrap_or_default());
    }
    out
}

fn execute(
    connection: &mut Connection,
    statement: u32,
    parameters: &[Parameter<'_>],
) -> Result<()> {
    let execution = execution(connection, statement, 0, parameters, true);
    connection.command(&execution)?;
    connection.answers().map(drop)
}

pub(crate) fn prepared(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    let select = prepare(&mut connection, "SELECT ?, 'text', ? + 1")?;
    let insert = prepare(&mut connection, "DO ?")?;
    let nothing = prepare(&mut connection, "SELECT 1")?;
    for _ in 0..2 {
        execute(
            &mut connection,
            select,
            &[(253, Some(b"\x03abc")), (3, Some(&[7, 0, 0, 0]))],
        )?;
        execute(
            &mut connection,
            select,
            &[(6, None), (5, Some(&1.5_f64.to_le_bytes()))],
        )?;
        execute(&mut connection, insert, &[(253, Some(b"\0"))])?;
        execute(&mut connection, nothing, &[])?;
    }
    // Types as before.
    let again = execution(&connection, insert, 0, &[(253, Some(b"\x01z"))], false);
    connection.command(&again)?;
    connection.answers()?;
    connection.command(&[&b"\x19"[..], &insert.to_le_bytes()].concat())?;
    execute(&mut connection, insert, &[(253, Some(b"\0"))])?;
    connection.command(b"\x16no statement")?;
    connection.answers()?;
    if side
        .capabilities
        .has(Capabilities::MARIADB_STMT_BULK_OPERATIONS)
    {
        // Without waiting for its number.
        for text in [&b"\x16SELECT 'last', ?"[..], b"\x16SELECT 'another', ?, ?"] {
            connection.command(text)?;
            let parameters =
                vec![(253, Some(&b"\x01p"[..])); text.iter().filter(|byte| **byte == b'?').count()];
            let last = execution(&connection, LAST, 0, &parameters, true);
            connection.command(&last)?;
        }
        connection.prepared()?;
    }
    connection.command(b"\x1f")?;
    execute(&mut connection, nothing, &[])?;
    Ok(vec![connection])
}

/// Values of every type, in and out.
pub(crate) fn types_of_parameters(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run(TYPES)?;
    let all = prepare(&mut connection, "SELECT * FROM every_type")?;
    execute(&mut connection, all, &[])?;
    execute(&mut connection, all, &[])?;
    let given = prepare(&mut connection, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?")?;
    let parameters: [Parameter<'_>; 9] = [
        (1, Some(&[0xff])),
        (2, Some(&[0xff, 0xff])),
        (8, Some(&[0xff; 8])),
        (4, Some(&[0, 0, 0xc0, 0x3f])),
        (12, Some(&[7, 0xe4, 7, 1, 2, 3, 4, 5])),
        (11, Some(&[8, 1, 0, 0, 0, 0, 12, 34, 56])),
        (246, Some(b"\x041.25")),
        (252, Some(&[2, 0, 0xff])),
        (6, None),
    ];
    execute(&mut connection, given, &parameters)?;
    Ok(vec![connection])
}

pub(crate) fn cursors(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run(
        "CREATE TEMPORARY TABLE c (i INT, t VARCHAR(20), b BLOB); \
         INSERT INTO c VALUES (1, 'one', 'b'), (2, '', NULL), (3, NULL, ''), (4, 'four', x'00')",
    )?;
    let statement = prepare(&mut connection, "SELECT * FROM c ORDER BY i")?;
    let fetch =
        |count: u32| [&b"\x1c"[..], &statement.to_le_bytes(), &count.to_le_bytes()].concat();
    let open = execution(&connection, statement, 1, &[], true);
    for _ in 0..2 {
        connection.command(&open)?;
        connection.answers()?;
        for count in [1, 2, 5, 1] {
            connection.command(&fetch(count))?;
            connection.answers()?;
        }
    }
    connection.command(&open)?;
    connection.answers()?;
    connection.command(&fetch(1))?;
    connection.answers()?;
    // COM_STMT_RESET closes the cursor.
    connection.command(&[&b"\x1a"[..], &statement.to_le_bytes()].concat())?;
    connection.command(&fetch(1))?;
    connection.answers()?;
    let without = prepare(&mut connection, "DO 1")?;
    let open = execution(&connection, without, 1, &[], true);
    connection.command(&open)?;
    connection.answers()?;
    Ok(vec![connection])
}

pub(crate) fn long_data(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    let statement = prepare(&mut connection, "SELECT LENGTH(?), MD5(?)")?;
    let long = vec![b'x'; 0x100_0000];
    for part in [&b"part"[..], &long, b"\x03"] {
        let head = [&b"\x18"[..], &statement.to_le_bytes(), &[0, 0]].concat();
        connection.command(&[&head, part].concat())?;
    }
    let parameters: [Parameter<'_>; 2] = [(252, Some(b"")), (253, Some(b"\x01y"))];
    execute(&mut connection, statement, &parameters)?;
    connection.command(&[&b"\x1a"[..], &statement.to_le_bytes()].concat())?;
    connection.answers()?;
    execute(
        &mut connection,
        statement,
        &[(253, Some(b"\x01x")), (253, Some(b"\x01y"))],
    )?;
    Ok(vec![connection])
}

/// MariaDB: many rows of parameters in one command.
pub(crate) fn bulk(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run("CREATE TEMPORARY TABLE bulk (i INT, t VARCHAR(20) DEFAULT 'default')")?;
    let insert = prepare(&mut connection, "INSERT INTO bulk VALUES (?, ?)")?;
    let rows = [
        &b"\0\x01\0\0\0\0\x03one"[..],
        b"\0\x02\0\0\0\x01",
        b"\x01\x02",
    ]
    .concat();
    let execute = |text: u32| {
        let head = [&b"\xfa"[..], &text.to_le_bytes(), &[128, 0, 3, 0, 253, 0]].concat();
        [head, rows.clone()].concat()
    };
    connection.command(&execute(insert))?;
    connection.answers()?;
    let returning = prepare(
        &mut connection,
        "INSERT INTO bulk VALUES (?, ?) RETURNING i, t",
    )?;
    connection.command(&execute(returning))?;
    connection.answers()?;
    connection.query("SELECT * FROM bulk")?;
    connection.answers()?;
    Ok(vec![connection])
}

pub(crate) fn procedures(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    // The same name for both runs, and another for each set of capabilities, which may run at the same time.
    let name = format!("several_{:x}", side.capabilities.0);
    connection.run(&format!("DROP PROCEDURE IF EXISTS {name}"))?;
    connection.run(&format!(
        "CREATE PROCEDURE {name}(IN a INT, OUT b INT) BEGIN SELECT a, ''; SELECT 'two' UNION SELECT ''; SET b = a + 1; END"
    ))?;
    connection.query(&format!("CALL {name}(1, @b); SELECT @b"))?;
    connection.answers()?;
    let call = prepare(&mut connection, &format!("CALL {name}(?, ?)"))?;
    for number in [1, 2] {
        execute(
            &mut connection,
            call,
            &[(3, Some(&[number, 0, 0, 0])), (6, None)],
        )?;
    }
    connection.query(&format!("DROP PROCEDURE {name}"))?;
    connection.answers()?;
    Ok(vec![connection])
}

pub(crate) fn unknown_statements(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    execute(&mut connection, 99, &[])?;
    for command in [&b"\x1a"[..], b"\x1c"] {
        connection.command(&[command, &[99, 0, 0, 0, 1, 0, 0, 0]].concat())?;
        connection.answers()?;
    }
    // They have no answer, and say nothing.
    connection.command(b"\x19\x63\0\0\0")?;
    connection.command(b"\x18\x63\0\0\0\0\0part")?;
    connection.answers()?;
    Ok(vec![connection])
}

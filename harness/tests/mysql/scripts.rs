//! Scripts of texts and of commands without a statement.

use acra_harness::mysql::{Connection, Login, Side};
use acra_harness::{Error, Result};
use std::sync::atomic::{AtomicU32, Ordering};

/// Longest payload of a packet, and of the commands below what is in front of their text.
const PACKET: usize = 0xff_ff_ff;

fn texts_of(side: &Side, texts: &[&str]) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    for text in texts {
        connection.query(text)?;
        connection.answers()?;
    }
    Ok(vec![connection])
}

pub(crate) fn texts(side: &Side) -> Result<Vec<Connection>> {
    let columns: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let wide = format!("SELECT {}", columns.join(","));
    texts_of(
        side,
        &[
            "SELECT 1",
            "SELECT '', 1 UNION ALL SELECT '', 2 UNION ALL SELECT NULL, 3",
            "SELECT 'x' WHERE 1 = 0",
            &wide,
            "",
            "SET @a = 1, SESSION sql_mode = 'ANSI_QUOTES'",
            "USE mysql",
            "START TRANSACTION",
            "SELECT @a",
            "COMMIT",
            "SELECT REPEAT('y', 70000), 'z'",
            "SELECT 1 INTO @b",
            "SHOW WARNINGS",
        ],
    )
}

pub(crate) fn many_results(side: &Side) -> Result<Vec<Connection>> {
    texts_of(
        side,
        &[
            "SELECT 1; SELECT 'a', 'b' UNION SELECT '', ''; DO 1; SELECT 2",
            "CREATE TEMPORARY TABLE m (i INT); INSERT INTO m VALUES (1), (2); SELECT i FROM m",
            "SELECT 1; SELECT nothing_of_this_name; SELECT 2",
            "SELECT 3",
        ],
    )
}

pub(crate) fn types(side: &Side) -> Result<Vec<Connection>> {
    texts_of(
        side,
        &[
            TYPES,
            "SELECT * FROM every_type",
            "SELECT ST_GeomFromText('POINT(1 2)'), CAST('2' AS BINARY), 1.5, 1e100, 18446744073709551615, b'101', 0x4142",
        ],
    )
}

/// A table with a column of every type, in which a row has values and another has none.
pub(crate) const TYPES: &str = "CREATE TEMPORARY TABLE every_type (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT, e BIGINT UNSIGNED, \
    f FLOAT, g DOUBLE, h DECIMAL(30, 10), i BIT(20), j DATE, k TIME(3), l DATETIME(6), m TIMESTAMP NULL, n YEAR, o CHAR(10), \
    p VARCHAR(100), q BINARY(5), r VARBINARY(100), s TINYBLOB, t BLOB, u MEDIUMBLOB, v LONGBLOB, w TINYTEXT, x LONGTEXT, \
    y ENUM('one', 'two'), z SET('three', 'four'), ab GEOMETRY, ac JSON); \
    INSERT INTO every_type VALUES (-1, 65535, -8388608, 2147483647, 18446744073709551615, 1.5, 0.1234567890123, \
    '12345678901234567890.123', b'1010', '2020-01-02', '-12:34:56.789', '2020-01-02 03:04:05.678901', '2020-01-02 03:04:05', \
    2020, 'o', 'päö', 'q', x'00ff25', 's', x'222222', 'u', '%%%v', 'w', '', 'two', 'three,four', \
    ST_GeomFromText('POINT(1 2)'), '{\"a\": [1, null]}'); INSERT INTO every_type (a) VALUES (NULL)";

pub(crate) fn errors(side: &Side) -> Result<Vec<Connection>> {
    texts_of(
        side,
        &[
            "SELECT nothing_of_this_name",
            "no statement",
            "SELECT * FROM nowhere.nothing",
            "SELECT (SELECT 1 UNION SELECT 2)",
            "KILL 4000000000",
            "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'äöü'",
        ],
    )
}

pub(crate) fn commands(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run("CREATE TEMPORARY TABLE fields (a INT DEFAULT 7, b VARCHAR(9) DEFAULT 'x')")?;
    for command in [
        // COM_PING, COM_INIT_DB twice, COM_FIELD_LIST twice, COM_SET_OPTION twice
        &b"\x0e"[..],
        b"\x02mysql",
        b"\x02nowhere",
        b"\x02test",
        b"\x04fields\0",
        b"\x04nothing\0",
        b"\x1b\x01\0",
        b"\x1b\0\0",
        // COM_RESET_CONNECTION, COM_PROCESS_KILL of nobody
        b"\x1f",
        b"\x0c\xff\xff\xff\x7f",
        // COM_TIME, COM_SLEEP, COM_CONNECT, a command that there is not
        b"\x0f",
        b"\x00",
        b"\x0b",
        b"\x7f",
    ] {
        connection.command(command)?;
        connection.answers()?;
    }
    // A line of figures, which are other ones each time.
    connection.command(b"\x09")?;
    let line = connection.packet()?;
    if !line.payload.starts_with(b"Uptime: ") {
        return Err(Error::new(format!("COM_STATISTICS: {line}")));
    }
    connection.forget_last();
    connection.command(b"\x0e")?;
    connection.answers()?;
    // COM_QUIT
    connection.command(b"\x01")?;
    connection.end()?;
    Ok(vec![connection])
}

pub(crate) fn local_file(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run("CREATE TEMPORARY TABLE loaded (line LONGTEXT)")?;
    let long = vec![b'x'; PACKET];
    let pieces: [&[&[u8]]; 4] = [
        &[],
        &[b"one\ntwo\n", b"three\n"],
        &[b"\x03DROP TABLE loaded\n"],
        &[&long, b"\n"],
    ];
    for pieces in pieces {
        connection.query("LOAD DATA LOCAL INFILE 'a name' INTO TABLE loaded")?;
        let wanted = connection.packet()?;
        if !wanted.payload.starts_with(b"\xfba name") {
            return Err(Error::new(format!("asks for no file: {wanted}")));
        }
        let mut sequence = wanted.sequence;
        for piece in pieces.iter().chain([&&b""[..]]) {
            sequence = sequence.wrapping_add(1);
            connection.send(sequence, piece)?;
            sequence = sequence.wrapping_add(u8::try_from(piece.len() / PACKET)?);
        }
        connection.settled()?;
    }
    connection.query("SELECT COUNT(*), SUM(LENGTH(line)) FROM loaded")?;
    connection.answers()?;
    Ok(vec![connection])
}

pub(crate) fn long_texts(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    for payload in [PACKET - 1, PACKET, PACKET + 1, 2 * PACKET] {
        let text = "SELECT LENGTH('')";
        let around = text.len()
            + 1
            + if connection.capabilities().has(ATTRIBUTES) {
                2
            } else {
                0
            };
        let filler = "x".repeat(payload - around);
        connection.query(&format!("SELECT LENGTH('{filler}')"))?;
        // Long messages are not pipelined: the server may not read while it writes.
        connection.answers()?;
    }
    Ok(vec![connection])
}

const ATTRIBUTES: acra_engine::wire::mysql::Capabilities =
    acra_engine::wire::mysql::Capabilities::QUERY_ATTRIBUTES;

pub(crate) fn long_rows(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    // A length of 16 MiB or so takes four bytes.
    for payload in [PACKET - 1, PACKET, PACKET + 1] {
        let text = format!("SELECT CAST(REPEAT('y', {}) AS BINARY), 1", payload - 4 - 2);
        connection.query(&text)?;
        connection.answers()?;
    }
    Ok(vec![connection])
}

/// Authentication again, in the middle of a session.
pub(crate) fn users(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run("SET @a = 1")?;
    for (user, schema) in [("test", "mysql"), ("nobody of this name", "test")] {
        let mut change = vec![0x11];
        for part in [
            user.as_bytes(),
            b"\0\0",
            schema.as_bytes(),
            b"\0\x2d\0",
            b"mysql_native_password\0",
        ] {
            change.extend_from_slice(part);
        }
        connection.command(&change)?;
        loop {
            let packet = connection.packet()?;
            if packet.payload.first() != Some(&0xfe) {
                break;
            }
            let sequence = packet.sequence.wrapping_add(1);
            // The scramble is drawn by lot.
            connection.forget_last();
            connection.send(sequence, b"")?;
        }
        if user == "test" {
            connection.query("SELECT @a, DATABASE()")?;
            connection.answers()?;
        }
    }
    Ok(vec![connection])
}

pub(crate) fn wrong_logins(side: &Side) -> Result<Vec<Connection>> {
    let mut connections = Vec::new();
    for (user, auth, schema) in [
        ("nobody of this name", &b""[..], "test"),
        ("nobody of this name", &[7; 20], ""),
        ("test", b"", "nowhere"),
    ] {
        let mut connection = Connection::open(side.address)?;
        let capabilities = side.capabilities;
        connection.login(Login {
            user,
            auth,
            schema,
            capabilities,
        })?;
        connection.end()?;
        connections.push(connection);
    }
    Ok(connections)
}

/// Packets that are not numbered as they should be.
pub(crate) fn wrong_packets(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.send(3, b"\x03SELECT 1")?;
    connection.end()?;
    Ok(vec![connection])
}

/// Commands that do not wait for answers.
pub(crate) fn pipelines(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    connection.run("CREATE TEMPORARY TABLE p (i INT)")?;
    for number in 0..60 {
        connection.query(&format!("INSERT INTO p VALUES ({number})"))?;
        connection.query("SELECT COUNT(*), 'text' FROM p")?;
        connection.command(b"\x0e")?;
        if number % 20 == 0 {
            connection.query("SELECT nothing_of_this_name")?;
        }
    }
    connection.answers()?;
    Ok(vec![connection])
}

/// Of a replica. The server ends the connection of one whose number another one has, which may be another test's.
fn server_id() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // Process ids have 22 bits at most.
    std::process::id() << 8 | NUMBER.fetch_add(1, Ordering::Relaxed) & 0xff
}

/// A replica that asks for changes and has seen them all: told not to wait, the server says so and closes.
pub(crate) fn binlog(side: &Side) -> Result<Vec<Connection>> {
    let mut connections = Vec::new();
    // The second position is none.
    for position in [4_u32, 1 << 30] {
        let mut connection = side.login()?;
        connection.run("SET @master_binlog_checksum = 'NONE', @mariadb_slave_capability = 4")?;
        // COM_BINLOG_DUMP: position, not to wait, a server id, the first file.
        let mut dump = vec![0x12];
        dump.extend_from_slice(&position.to_le_bytes());
        dump.extend_from_slice(&[1, 0]);
        dump.extend_from_slice(&server_id().to_le_bytes());
        dump.extend_from_slice(b"binlog.000001");
        connection.command(&dump)?;
        let mut events = 0;
        while connection.packet()?.payload.first() == Some(&0) {
            events += 1;
            // There are more of them each time.
            connection.forget_last();
        }
        if position == 4 && events < 3 {
            return Err(Error::new(format!("only {events} events")));
        }
        // The number of the last packet counts the events.
        connection.forget_last();
        connection.end()?;
        connections.push(connection);
    }
    Ok(connections)
}

/// Attributes in front of a text.
pub(crate) fn attributes(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    if !connection.capabilities().has(ATTRIBUTES) {
        return Ok(vec![connection]);
    }
    let text = b"SELECT 'a text with attributes'";
    let payload = [
        &[3, 2, 1, 0b10, 1, 0xfe, 0, 1][..],
        b"a",
        &[3, 0, 1],
        b"b",
        &[3],
        b"one",
        text,
    ]
    .concat();
    connection.command(&payload)?;
    connection.answers()?;
    Ok(vec![connection])
}

/// `SET resultset_metadata = NONE`: rows come without definitions.
pub(crate) fn without_definitions(side: &Side) -> Result<Vec<Connection>> {
    let mut connection = side.login()?;
    for text in [
        "SET resultset_metadata = NONE",
        "SELECT 1, 'two'; SELECT 3",
        "SELECT nothing_of_this_name",
    ] {
        connection.query(text)?;
        connection.answers()?;
    }
    connection.command(b"\x16SELECT 'x', ?")?;
    connection.prepared()?;
    connection.command(b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\x03\0\x07\0\0\0")?;
    connection.answers()?;
    connection.query("SET resultset_metadata = FULL")?;
    connection.query("SELECT 1")?;
    connection.answers()?;
    Ok(vec![connection])
}

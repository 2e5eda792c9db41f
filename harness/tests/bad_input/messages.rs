//! Messages that are none, in every state of a session.

use acra_harness::raw::{Connection, Reply, frontend as f};
use acra_harness::scene::Scene;
use acra_harness::{Error, Result};

/// Brings a session into a state.
type State = (&'static str, fn(&mut Connection) -> Result<()>);

const STATES: [State; 7] = [
    ("idle", |_| Ok(())),
    ("in a transaction", |connection| {
        connection.run("BEGIN; SELECT 1")
    }),
    ("in a failed transaction", |connection| {
        connection.run("BEGIN")?;
        connection.query("TABLE vault").map(drop)
    }),
    ("in a pipeline", |connection| {
        connection.send_all(&[
            f::parse("", "SELECT 1", &[]),
            f::bind_text("", "", &[]),
            f::execute("", 0),
        ])
    }),
    ("after an error in a pipeline", |connection| {
        connection.send_all(&[
            f::parse("", "SELECT secret FROM vault WHERE secret = ''", &[]),
            f::flush(),
        ])?;
        connection.until(b'E').map(drop)
    }),
    ("in a copy", |connection| {
        connection.send(&f::query("COPY plain FROM STDIN"))?;
        connection.until(b'G').map(drop)
    }),
    ("in a result", |connection| {
        connection.send(&f::query("SELECT n FROM generate_series(1, 100000) n"))?;
        connection.until(b'D').map(drop)
    }),
];

/// Messages that no client may send, whatever the state.
fn wrong() -> Vec<(&'static str, Vec<u8>)> {
    let mut wrong = vec![
        ("length 0", b"Q\0\0\0\0".to_vec()),
        ("length 3", b"Q\0\0\0\x03".to_vec()),
        ("length 0 of data", b"d\0\0\0\0".to_vec()),
        ("negative length", b"Q\xff\xff\xff\xff".to_vec()),
        ("least length", b"P\x80\0\0\0".to_vec()),
    ];
    // In a copy or after an error the server skips these without reading them.
    for (name, tag, body) in [
        ("Query without an end", b'Q', &b"SELECT 1"[..]),
        ("Query with more", b'Q', b"SELECT 1\0SELECT 2\0"),
        ("Parse without types", b'P', b"\0SELECT 1\0"),
        (
            "Parse with fewer types",
            b'P',
            b"\0SELECT 1\0\0\x02\0\0\0\x17",
        ),
        ("Parse with a negative count", b'P', b"\0SELECT 1\0\xff\xff"),
        ("Bind without values", b'B', b"\0\0\0\0\0\x01"),
        (
            "Bind with a long value",
            b'B',
            b"\0\0\0\0\0\x01\x7f\xff\xff\xffx\0\0",
        ),
        (
            "Bind with a negative length",
            b'B',
            b"\0\0\0\0\0\x01\xff\xff\xff\xfex\0\0",
        ),
        (
            "Bind with a format of its own",
            b'B',
            b"\0\0\0\x01\0\x07\0\x01\0\0\0\x01x\0\0",
        ),
        ("Bind with many formats", b'B', b"\0\0\xff\xff\0\x01"),
        ("Describe of nothing", b'D', b""),
        ("Describe without a name", b'D', b"S"),
        ("Close without a name", b'C', b"S"),
        ("Execute without a limit", b'E', b"\0"),
        ("Execute without a name", b'E', b"abc"),
        ("empty Query", b'Q', b""),
        ("empty Bind", b'B', b""),
        ("unknown message", b'\x7f', b"what is this"),
        ("a message of a server", b'T', b"\0\0"),
    ] {
        wrong.push((name, f::message(tag, body)));
    }
    wrong
}

/// Reads whatever comes; gives the code of the last error, if there was one.
fn outcome(connection: &mut Connection) -> Result<(Option<String>, bool)> {
    let ended = loop {
        match connection.reply() {
            Ok(Reply::End) => break true,
            Ok(Reply::Message(message)) if message.tag == b'Z' => break false,
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    };
    let code = connection
        .transcript()
        .iter()
        .rev()
        .find_map(|reply| match reply {
            Reply::Message(message) if message.tag == b'E' => message.field(b'C'),
            _ => None,
        });
    Ok((code, ended))
}

#[test]
fn malformed_messages_in_every_state() -> Result<()> {
    let scene = Scene::start()?;
    let mut surprises = Vec::new();
    for (state, enter) in STATES {
        for (name, bytes) in wrong() {
            let mut connection = scene.proxied()?;
            enter(&mut connection)?;
            connection.take_transcript();
            connection.send(&bytes)?;
            // A Sync gets an answer from a session that goes on; what ends a copy goes before it.
            if state == "in a copy" {
                let _ = connection.send(&f::copy_fail("over"));
            }
            let _ = connection.send(&f::sync());
            // Either the session ends with a reason, or it goes on after an error or as if nothing had been sent.
            match outcome(&mut connection) {
                Ok((Some(_), true)) | Ok((_, false)) => {}
                // Within a row that is half sent nothing can be said, and what was said can be lost with the connection of a
                // client that sends on without reading.
                Ok((None, true)) | Err(_) if state == "in a result" => {}
                Ok((None, true)) => {
                    surprises.push(format!("\n{name}, {state}: ends without a reason"))
                }
                Err(error) => surprises.push(format!("\n{name}, {state}: {error}")),
            }
        }
        scene.works()?;
    }
    assert!(surprises.is_empty(), "{}", surprises.concat());
    Ok(())
}

#[test]
fn malformed_messages_end_a_session_with_a_reason() -> Result<()> {
    let scene = Scene::start()?;
    for (name, bytes) in wrong() {
        let mut connection = scene.proxied()?;
        connection.take_transcript();
        connection.send(&bytes)?;
        let _ = connection.send(&f::sync());
        let (code, ended) =
            outcome(&mut connection).map_err(|error| Error::new(format!("{name}: {error}")))?;
        let code = code.unwrap_or_default();
        let malformed = ended && code == "08P01";
        // What acra-server does not look into is judged by the database.
        let judged = name.starts_with("Bind with a format of") || name.starts_with("Execute");
        assert!(
            malformed || judged && !code.is_empty(),
            "{name}: {code:?}, ended: {ended}"
        );
    }
    scene.works()
}

#[test]
fn oversized_messages_end_a_session_with_a_reason() -> Result<()> {
    let scene = Scene::start()?;
    for (bytes, code) in [
        (&b"Q\x40\0\0\x01SELECT"[..], "54000"),
        (b"Q\x7f\xff\xff\xffSELECT", "54000"),
        (b"P\x7f\xff\xff\xffs\0SELECT", "54000"),
        (b"B\x7f\xff\xff\xff\0\0", "54000"),
    ] {
        let mut connection = scene.proxied()?;
        connection.send(bytes)?;
        let (got, ended) = outcome(&mut connection)?;
        assert_eq!(
            (got.as_deref(), ended),
            (Some(code), true),
            "{}",
            bytes.escape_ascii()
        );
        scene.works()?;
    }
    Ok(())
}

#[test]
fn garbage_instead_of_a_startup_message() -> Result<()> {
    let scene = Scene::start()?;
    let parameters = [("user", "postgres"), ("database", &*scene.database)];
    let hello = f::startup(f::VERSION_3_0, &parameters);
    for (bytes, code) in [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), "08P01"),
        (vec![0; 8], "08P01"),
        (vec![0xff; 64], "08P01"),
        (b"\x7f\xff\xff\xff\0\x03\0\0user".to_vec(), "08P01"),
        (b"\0\0\0\x04".to_vec(), "08P01"),
        (f::query("SELECT 1"), "08P01"),
        (f::startup(2 << 16, &parameters), "0A000"),
        (f::startup(9 << 16, &parameters), "0A000"),
        (
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 a TLS hello".to_vec(),
            "0A000",
        ),
        (
            [
                &f::tls_request()[..],
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            ]
            .concat(),
            "0A000",
        ),
    ] {
        let mut connection = Connection::open(scene.acra.address())?;
        connection.send(&bytes)?;
        let answer = connection.raw_end()?;
        let answer = String::from_utf8_lossy(&answer);
        let words = format!("SFATAL\0VFATAL\0C{code}\0");
        assert!(
            answer.contains(&words),
            "{}: {answer:?}",
            bytes.escape_ascii()
        );
        scene.works()?;
    }
    // The database's own judgement: no user, an unknown parameter, no end of the parameters.
    for bytes in [
        f::startup(f::VERSION_3_0, &[]),
        f::startup(
            f::VERSION_3_0,
            &[("user", "postgres"), ("no_such_parameter", "1")],
        ),
        f::untagged(&hello[4..hello.len() - 1]),
    ] {
        let mut connection = Connection::open(scene.acra.address())?;
        connection.send(&bytes)?;
        let answer = connection.raw_end()?;
        assert!(
            String::from_utf8_lossy(&answer).contains("FATAL"),
            "{}",
            bytes.escape_ascii()
        );
    }
    // Slowly, byte by byte, it is no garbage.
    let mut connection = Connection::open(scene.acra.address())?;
    for byte in hello {
        connection.send(&[byte])?;
    }
    connection.ready()?;
    scene.works()
}

#[test]
fn garbage_instead_of_a_password() -> Result<()> {
    let scene = Scene::start()?;
    for user in ["password_user", "md5_user", "scram_user"] {
        for bytes in [
            f::query("SELECT 1"),
            f::password(b""),
            f::password(&[0xff; 100]),
            b"p\x7f\xff\xff\xffand so on for two gibibytes".to_vec(),
            b"p\0\0\0\0".to_vec(),
            f::sync(),
            f::terminate(),
        ] {
            let mut connection = Connection::open(scene.acra.address())?;
            let parameters = [("user", user), ("database", &*scene.database)];
            connection.send(&f::startup(f::VERSION_3_0, &parameters))?;
            connection.until(b'R')?;
            connection.send(&bytes)?;
            connection.end()?;
        }
    }
    scene.works()
}

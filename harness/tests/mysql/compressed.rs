//! Compression on either side, on both, on neither, with and without TLS. What the raw client does with it is in the parity scripts
//! and in `protected`, of which one set of capabilities is compressed each.

use crate::drivers::{TEST, User, java, python};
use crate::targets::{MARIADB_ZLIB, MYSQL_ZLIB, MYSQL_ZSTD, PLAIN, config, plain};
use crate::tls::{with_client_tls, with_database_tls};
use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Side};
use acra_harness::programs::{is_there, run};
use acra_harness::servers::{AcraServer, Flavour, MySql};
use acra_harness::{Error, Result, paths};
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

/// What compresses, and who logs in by it.
fn drivers(flavour: Flavour) -> Vec<(&'static str, User)> {
    let mysqlclient = match flavour {
        Flavour::MariaDb => ("native", "secret native"),
        Flavour::MySql => ("caching", "secret caching"),
    };
    vec![
        ("mysqlclient+zlib", mysqlclient),
        ("connector-python+zlib", TEST),
        ("connector-c+zlib", TEST),
        ("pymysql", TEST),
    ]
}

/// Which connections are encrypted.
#[derive(Clone, Copy)]
struct Tls {
    client: bool,
    database: bool,
}

const NONE: Tls = Tls {
    client: false,
    database: false,
};

/// All drivers read through `acra-server` what they read directly without compression.
fn check(flavour: Flavour, mode: &str, tls: Tls) -> Result<()> {
    let Some(server) = MySql::shared(flavour)? else {
        return Ok(());
    };
    let mut settings = match tls.client || tls.database {
        false => plain(server),
        true => config(server),
    };
    if tls.client {
        settings = with_client_tls(settings, server)?;
    }
    settings = match tls.database {
        true => with_database_tls(settings, server)?,
        // It would be encrypted because the client's is.
        false => settings.flag("--tls_database_mode=disable"),
    };
    settings = settings.flag(&format!("--mysql_compression={mode}"));
    let acra = AcraServer::start(&settings)?;
    let ca = server.ca()?;
    let ca = tls.client.then_some(&*ca);
    let told = |error: Error| Error::new(format!("{error}\nlog of acra-server:\n{}", acra.log()));
    let offered = matches!(mode, "client" | "both");
    for (asking, user) in drivers(flavour) {
        let name = asking.split('+').next().unwrap_or_default();
        let driver = if offered { asking } else { name };
        let directly = python(name, server.address(), user, ca)?;
        let through = python(driver, acra.address(), user, ca).map_err(told)?;
        assert_eq!(through, directly, "{driver}");
        if offered || !asking.contains('+') {
            continue;
        }
        // One that looks at the greeting does not ask; the others are told.
        match python(asking, acra.address(), user, ca) {
            Ok(through) => assert_eq!(through, directly, "{asking}"),
            Err(error) => assert!(
                error.to_string().contains("does not offer compression"),
                "{asking}: {error}"
            ),
        }
    }
    if !tls.client && !tls.database {
        let directly = java(server.address(), "")?;
        let through = java(
            acra.address(),
            if offered { "&useCompression=true" } else { "" },
        )
        .map_err(told)?;
        assert_eq!(through, directly, "Connector/J");
    }
    Ok(())
}

macro_rules! modes {
    ($($flavour:ident $name:ident),+) => {
        $(mod $name {
            use super::*;

            #[test]
            fn of_clients() -> Result<()> {
                check(Flavour::$flavour, "client", NONE)
            }

            #[test]
            fn of_the_database() -> Result<()> {
                check(Flavour::$flavour, "database", NONE)
            }

            #[test]
            fn of_both_inside_tls() -> Result<()> {
                check(Flavour::$flavour, "both", Tls { client: true, database: true })
            }

            #[test]
            fn of_clients_beside_tls_of_the_database() -> Result<()> {
                check(Flavour::$flavour, "client", Tls { client: false, database: true })
            }

            #[test]
            fn of_the_database_beside_tls_of_clients() -> Result<()> {
                check(Flavour::$flavour, "database", Tls { client: true, database: false })
            }

            #[test]
            fn of_none() -> Result<()> {
                check(Flavour::$flavour, "off", NONE)
            }
        })+
    };
}

modes!(MariaDb mariadb, MySql mysql);

/// What the database says of its connection, and whether the client's was compressed, which the raw client finds out.
fn is_compressed(
    address: SocketAddr,
    flavour: Flavour,
    capabilities: Capabilities,
) -> Result<String> {
    let side = Side {
        address,
        flavour,
        capabilities,
    };
    let mut connection = side.login()?;
    let table = connection.table(
        "SHOW SESSION STATUS WHERE Variable_name IN ('Compression', 'Compression_algorithm')",
    )?;
    let values = table.rows.iter().map(|row| match &row[1] {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => String::new(),
    });
    Ok(values.collect::<Vec<_>>().join(" "))
}

/// Each side is agreed on for itself.
#[test]
fn sides_are_independent() -> Result<()> {
    for (flavour, of_clients, on) in [
        (Flavour::MariaDb, vec![PLAIN, MARIADB_ZLIB], "ON"),
        (
            Flavour::MySql,
            vec![PLAIN, MYSQL_ZLIB, MYSQL_ZSTD],
            "ON zstd",
        ),
    ] {
        let Some(server) = MySql::shared(flavour)? else {
            continue;
        };
        for (mode, is_on) in [
            ("client", false),
            ("database", true),
            ("both", true),
            ("off", false),
        ] {
            let settings = plain(server).flag(&format!("--mysql_compression={mode}"));
            let acra = AcraServer::start(&settings)?;
            for &capabilities in &of_clients {
                let asks = capabilities.and(Capabilities::COMPRESSION) != Capabilities::default();
                if asks && matches!(mode, "database" | "off") {
                    // It is not offered; a client that asks all the same is told.
                    let asked = Capabilities::COMPRESSION;
                    assert_eq!(offered(acra.address())?.and(asked), Capabilities::default());
                    let told = is_compressed(acra.address(), flavour, capabilities);
                    let told = told
                        .err()
                        .map(|error| error.to_string())
                        .unwrap_or_default();
                    assert!(
                        told.contains("does not offer compression"),
                        "{flavour} {mode}: {told}"
                    );
                    continue;
                }
                let said = is_compressed(acra.address(), flavour, capabilities)?;
                let expected = if is_on { on } else { "OFF" };
                assert_eq!(said.trim(), expected, "{flavour} {mode} {capabilities:?}");
            }
        }
    }
    Ok(())
}

fn offered(address: SocketAddr) -> Result<Capabilities> {
    use acra_engine::wire::mysql::greeting::Greeting;
    let mut stream = TcpStream::connect(address)?;
    let mut header = [0; 4];
    stream.read_exact(&mut header)?;
    let mut greeting = vec![0; usize::from(header[0])];
    stream.read_exact(&mut greeting)?;
    let greeting = Greeting::read(&greeting).map_err(|fault| Error::new(fault.0))?;
    Ok(greeting.capabilities)
}

/// The servers' own clients, with every algorithm that they have.
#[test]
fn command_line_clients() -> Result<()> {
    let mysql = paths::workspace().join(".cache/mysql/usr/bin/mysql");
    let mariadb = Path::new("/usr/bin/mariadb");
    let zlib = "--compression-algorithms=zlib";
    let zstd = "--compression-algorithms=zstd";
    let none = "--compression-algorithms=uncompressed";
    for (flavour, program, options) in [
        (Flavour::MariaDb, mariadb, vec![vec!["--compress"], vec![]]),
        (
            Flavour::MySql,
            &mysql,
            vec![
                vec![none],
                vec![zlib],
                vec![zstd],
                vec![zstd, "--zstd-compression-level=22"],
            ],
        ),
    ] {
        let (Some(server), true) = (MySql::shared(flavour)?, is_there("mysql", &[program])?) else {
            continue;
        };
        let acra = AcraServer::start(&plain(server).flag("--mysql_compression=both"))?;
        for options in options {
            let mut command = Command::new(program);
            command.args([
                "--no-defaults",
                "--protocol=tcp",
                "-h127.0.0.1",
                "-utest",
                "-N",
            ]);
            command.arg(format!("-P{}", acra.address().port()));
            command.args(&options);
            command.args([
                "test",
                "-e",
                "SELECT REPEAT('acra ', 300000); SELECT 'done'",
            ]);
            let out = run(&mut command)
                .map_err(|error| Error::new(format!("{error}\n{}", acra.log())))?;
            assert!(
                out == format!("{}\ndone\n", "acra ".repeat(300_000)),
                "{options:?}"
            );
        }
    }
    Ok(())
}

/// What is no compressed packet ends the connection that it came on, with an error that says so, and no other.
#[test]
fn malformed_packets_end_their_connection_alone() -> Result<()> {
    let Some(server) = MySql::shared(Flavour::MariaDb)? else {
        return Ok(());
    };
    let acra = AcraServer::start(&plain(server))?;
    let side = Side {
        address: acra.address(),
        flavour: Flavour::MariaDb,
        capabilities: MARIADB_ZLIB,
    };
    let mut bystander = side.login()?;
    // 500 bytes, which say that they are 16 MiB.
    let stream = b"\x78\x9c\x4b\x4c\x2e\x4a\x54\x48\x1c\x25\x46\x12\x01\x00\x0c\x32\xab\x7d";
    let too_short = [&[18, 0, 0, 0, 255, 255, 255][..], stream].concat();
    let cases: [(&[u8], &str); 4] = [
        (&[1, 0, 0, 7, 0, 0, 0, 3], "compressed packets in order"),
        (&[0; 7], "content of a compressed packet"),
        (&[3, 0, 0, 0, 100, 0, 0, 1, 2, 3], "compressed data"),
        (&too_short, "the length of a compressed packet's content"),
    ];
    for (bytes, expected) in cases {
        let mut connection: Connection = side.login()?;
        connection.send_raw(bytes)?;
        let told = connection.packet()?;
        let text = told.payload.escape_ascii().to_string();
        assert!(text.replace('\\', "").contains(expected), "{text}");
        connection.end()?;
    }
    bystander.run("DO 1")?;
    assert!(
        acra.log().contains("compressed packets in order"),
        "{}",
        acra.log()
    );
    Ok(())
}

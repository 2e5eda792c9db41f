//! Containers in results are opened with the client's keys, in texts and prepared statements; poison records are noticed.

use crate::statements::{execution, prepare};
use crate::targets::{MARIADB, PLAIN, plain};
use acra_engine::crypto::{BlockKey, container};
use acra_engine::keys::{ClientId, KeyKind, MasterKey, v1};
use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Side};
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql};
use acra_harness::{Error, Result};
use std::fs;

const SECRET: &[u8] = b"078-05-1120";

/// A container of a key of the server's key store.
fn sealed(acra: &AcraServer, kind: &KeyKind, value: &[u8]) -> Result<Vec<u8>> {
    let keys = acra.keys();
    let master = MasterKey::from_base64(keys.master_key())?;
    let name = v1::file(kind);
    let file = fs::read(keys.folder().join(&name))?;
    let key = BlockKey::new(v1::open(&master, &name, &file)?)?;
    let (mut out, mut rng) = (Vec::new(), rand::rng());
    container::seal_block(&key, &mut rng, value, &mut out)?;
    Ok(out)
}

struct Scene {
    acra: AcraServer,
    side: Side,
}

/// `acra-server` before a database; `None` if that is not there.
fn scene(
    flavour: Flavour,
    capabilities: Capabilities,
    change: impl Fn(AcraConfig) -> AcraConfig,
) -> Result<Option<Scene>> {
    let Some(server) = MySql::shared(flavour)? else {
        return Ok(None);
    };
    let acra = AcraServer::start(&change(plain(server)))?;
    let side = Side {
        address: acra.address(),
        flavour,
        capabilities,
    };
    Ok(Some(Scene { acra, side }))
}

/// Whether any of the messages that a connection has got holds these bytes.
fn holds(connection: &Connection, bytes: &[u8]) -> bool {
    let mut packets = connection.transcript().iter();
    packets.any(|packet| memchr::memmem::find(&packet.payload, bytes).is_some())
}

fn opened(flavour: Flavour, capabilities: Capabilities) -> Result<()> {
    let Some(scene) = scene(flavour, capabilities, |config| config)? else {
        return Ok(());
    };
    let own = KeyKind::StorageSymmetric(ClientId::new("test-client")?);
    let container = sealed(&scene.acra, &own, SECRET)?;
    let digits = const_hex::encode(&container);
    let table = "CREATE TEMPORARY TABLE vault (id INT, v VARBINARY(500), b BLOB, t TEXT CHARACTER SET latin1, e ENUM('x', 'y'), d DOUBLE)";
    let insert = format!(
        "INSERT INTO vault VALUES (1, x'{digits}', CONCAT('before', x'{digits}', 'after'), x'{digits}', 'y', 0.1), (2, NULL, '', '', NULL, NULL)"
    );
    let mut session = scene.side.login()?;
    session.run(table)?;
    // Text that the server converts for the client is no container any more.
    session.run("SET NAMES latin1")?;
    session.run(&insert)?;
    session.query("SELECT * FROM vault ORDER BY id")?;
    let text = session.answers()?.to_vec();
    session.command(b"\x16SELECT * FROM vault ORDER BY id")?;
    let statement = session
        .answers()?
        .first()
        .map(|packet| packet.payload[1..5].to_vec());
    let statement = statement.unwrap_or_default();
    session.command(&[&b"\x17"[..], &statement, &[0, 1, 0, 0, 0]].concat())?;
    let binary = session.answers()?.to_vec();
    // A cursor.
    session.command(&[&b"\x17"[..], &statement, &[1, 1, 0, 0, 0]].concat())?;
    session.answers()?;
    session.command(&[&b"\x1c"[..], &statement, &[9, 0, 0, 0]].concat())?;
    let fetched = session.answers()?.to_vec();
    for packets in [&text, &binary, &fetched] {
        let row = packets
            .iter()
            .find(|packet| memchr::memmem::find(&packet.payload, SECRET).is_some());
        let row = row.ok_or_else(|| Error::new(format!("nothing is opened: {packets:?}")))?;
        let count = memchr::memmem::find_iter(&row.payload, SECRET).count();
        assert_eq!(count, 3, "{row}");
        let around = [&b"\x16before"[..], SECRET, b"after"].concat();
        assert!(
            memchr::memmem::find(&row.payload, &around).is_some(),
            "{row}"
        );
    }
    assert!(!holds(&session, &container));
    // Longer than a packet.
    session.query("SELECT v, REPEAT('x', 16777215) FROM vault WHERE id = 1")?;
    let long = session.answers()?;
    assert!(
        long.iter()
            .any(|packet| packet.payload.starts_with(b"\x0b078-05-1120\xfd"))
    );
    Ok(())
}

#[test]
fn containers_of_mariadb() -> Result<()> {
    opened(Flavour::MariaDb, PLAIN)?;
    opened(Flavour::MariaDb, MARIADB)
}

#[test]
fn containers_of_mysql() -> Result<()> {
    opened(Flavour::MySql, PLAIN)?;
    opened(Flavour::MySql, PLAIN.with(Capabilities::DEPRECATE_EOF))
}

/// The rows from the record on are withheld, and the session goes on. The statement is told without its data.
fn poison_records(flavour: Flavour) -> Result<()> {
    let detecting = |config: AcraConfig| {
        let config = AcraConfig {
            poison_keys: true,
            ..config
        };
        config.flag("--poison_detect_enable").flag("-v")
    };
    let Some(scene) = scene(flavour, PLAIN, detecting)? else {
        return Ok(());
    };
    let record = sealed(&scene.acra, &KeyKind::PoisonSymmetric, b"nothing")?;
    let digits = const_hex::encode(&record);
    let mut session = scene.side.login()?;
    let rows = format!(
        "SELECT CAST('first' AS BINARY) AS v UNION ALL SELECT x'{digits}' UNION ALL SELECT 'last'; SELECT 'another result'"
    );
    session.query(&rows)?;
    let answers = session.answers()?;
    let text = format!("{answers:?}");
    assert!(
        text.contains("#HY000Row withheld: see the server\\'s log"),
        "{text}"
    );
    assert!(
        text.contains("first") && !text.contains("last") && !text.contains("another"),
        "{text}"
    );
    assert!(!holds(&session, &record));
    session.run("SELECT 1")?;
    let log = scene.acra.log();
    assert!(log.contains("Recognized poison record"), "{log}");
    let outline = "SELECT CAST(? AS BINARY) AS v UNION ALL SELECT ? UNION ALL SELECT ?";
    assert!(log.contains(&format!("{outline}; SELECT ?")), "{log}");
    let statement = prepare(&mut session, &format!("SELECT x'{digits}' AS prepared"))?;
    let command = execution(&session, statement, 0, &[], true);
    session.command(&command)?;
    let answers = format!("{:?}", session.answers()?);
    assert!(answers.contains("Row withheld"), "{answers}");
    let log = scene.acra.log();
    assert!(log.contains("SELECT ? AS prepared"), "{log}");
    assert!(!log.contains(&digits), "{log}");
    Ok(())
}

#[test]
fn poison_records_of_mariadb() -> Result<()> {
    poison_records(Flavour::MariaDb)
}

#[test]
fn poison_records_of_mysql() -> Result<()> {
    poison_records(Flavour::MySql)
}

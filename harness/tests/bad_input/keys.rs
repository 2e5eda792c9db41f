//! Keys that are missing, and containers that do not open.

use acra_harness::Result;
use acra_harness::raw::frontend as f;
use acra_harness::scene::{CONFIG, Scene, eventually, hex, rows, value};
use acra_harness::servers::{AcraConfig, AcraServer};
use std::fs;

#[test]
fn a_client_without_keys_reads_and_does_not_write() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--client_id=without-keys"))?;
    assert!(scene.acra.log().contains("No storage key for this client"));
    let mut connection = scene.proxied()?;
    let answers =
        connection.query("INSERT INTO vault (id, secret) VALUES (1, 'not to be stored')")?;
    let error = answers[0].to_string();
    for words in [
        "C=58000",
        "\"secret\"",
        "\"vault\"",
        "\"without-keys\"",
        "no storage key",
        "acra-keymaker",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains("not to be stored"));
    // What needs no key goes on: other tables, other columns, values that stay as they are.
    connection.run("INSERT INTO plain VALUES (1, 'open'); INSERT INTO vault (id, note, secret) VALUES (2, 'n', NULL)")?;
    assert_eq!(
        value(&mut connection, "SELECT note FROM vault WHERE id = 2")?,
        "n"
    );
    // A parameter is refused as a literal is, and its statement stays.
    connection.pipeline(&[
        f::parse("s", "UPDATE vault SET secret = $1", &[]),
        f::sync(),
    ])?;
    let bind = f::bind_text("", "s", &[Some("not to be stored")]);
    connection.send_all(&[bind, f::execute("", 0), f::sync()])?;
    assert_eq!(connection.ready()?[0].field(b'C').as_deref(), Some("58000"));
    connection.pipeline(&[f::bind_text("", "s", &[None]), f::execute("", 0), f::sync()])?;
    let done = connection
        .transcript()
        .iter()
        .any(|reply| reply.to_string() == "CommandComplete UPDATE 1");
    assert!(done);
    // With keys it can, without a new connection.
    scene.acra.keys().add_client("without-keys")?;
    connection.run("UPDATE vault SET secret = 'stored now'")?;
    assert_eq!(
        value(&mut connection, "SELECT secret FROM vault")?,
        hex(b"stored now")
    );
    scene.works()
}

#[test]
fn a_damaged_container_is_delivered_as_it_is_stored() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run("INSERT INTO vault (id, secret) VALUES (1, 'one'), (2, 'two'), (3, 'three')")?;
    let length: i32 = scene
        .stored("SELECT length(secret) FROM vault WHERE id = 2")?
        .parse()?;
    let sql = "SELECT secret FROM vault ORDER BY id";
    for at in [3, 4, 12, 20, length / 2, length - 1] {
        scene.run_directly(&format!(
            "UPDATE vault SET other = secret, secret = set_byte(secret, {at}, get_byte(secret, {at}) # 1) WHERE id = 2"
        ))?;
        let stored = scene.stored("SELECT secret FROM vault WHERE id = 2")?;
        let read = rows(&mut connection, sql)?.concat();
        assert_eq!(read, [hex(b"one"), stored, hex(b"three")], "byte {at}");
        connection.send_all(&[
            f::parse("", sql, &[]),
            f::bind_text("", "", &[]),
            f::execute("", 0),
            f::sync(),
        ])?;
        let read = acra_harness::scene::rows_of(&connection.ready()?)?.concat();
        assert_eq!(read[0], hex(b"one"), "byte {at}");
        scene.run_directly("UPDATE vault SET secret = other, other = NULL WHERE id = 2")?;
    }
    eventually("the log tells of them", || {
        let log = scene.acra.log();
        Ok(log
            .matches("Containers in a result were not opened")
            .count()
            >= 3)
    })?;
    // A part of one, and what only looks like one.
    scene.run_directly(
        "UPDATE vault SET secret = substr(secret, 1, 40) WHERE id = 1; \
         UPDATE vault SET secret = '%%%' WHERE id = 2; UPDATE vault SET secret = '%%%%%%%%%%%%%%%%%%%%' WHERE id = 3",
    )?;
    let stored = rows(&mut scene.direct()?, sql)?;
    assert_eq!(rows(&mut connection, sql)?, stored);
    connection.run("UPDATE vault SET secret = 'whole again'")?;
    assert_eq!(rows(&mut connection, sql)?, vec![[hex(b"whole again")]; 3]);
    scene.works()
}

#[test]
fn a_container_in_a_longer_value_opens_in_its_place() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run("INSERT INTO vault (id, secret) VALUES (1, 'inside')")?;
    scene.run_directly("UPDATE vault SET open = 'before ' || secret || ' after'")?;
    assert_eq!(
        value(&mut connection, "SELECT open FROM vault")?,
        hex(b"before inside after")
    );
    connection.run("SET bytea_output = 'escape'")?;
    assert_eq!(
        value(&mut connection, "SELECT secret FROM vault")?,
        hex(b"inside")
    );
    Ok(())
}

#[test]
fn values_of_a_former_key_open_after_a_new_one_is_made() -> Result<()> {
    let mut scene = Scene::start()?;
    scene
        .proxied()?
        .run("INSERT INTO vault (id, secret) VALUES (1, 'under the first key')")?;
    let keys = scene.acra.keys();
    let file = keys.folder().join("test-client_storage_sym");
    let former = fs::read(&file)?;
    keys.add_client("test-client")?;
    assert_ne!(fs::read(&file)?, former);
    let mut config = AcraConfig::new(scene.postgres.address())
        .encryptor_yaml(CONFIG)
        .flag(&format!("--keys_dir={}", keys.folder().display()));
    let master = keys.master_key().to_owned();
    config.environment.push(("ACRA_MASTER_KEY".into(), master));
    let after = AcraServer::start(&config)?;
    // Its own keys are unused; those of the first server stay where they are.
    let _first = std::mem::replace(&mut scene.acra, after);
    let mut connection = scene.proxied()?;
    connection.run("INSERT INTO vault (id, secret) VALUES (2, 'under the second key')")?;
    let read = rows(&mut connection, "SELECT secret FROM vault ORDER BY id")?.concat();
    assert_eq!(
        read,
        [hex(b"under the first key"), hex(b"under the second key")]
    );
    scene.works()
}

#[test]
fn a_row_over_the_limit_stays_closed_and_is_told() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--max_container=4096"))?;
    let mut connection = scene.proxied()?;
    let large = "large ".repeat(1000);
    connection.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, 'small'), (2, '{large}')"
    ))?;
    let stored = scene.stored("SELECT secret FROM vault WHERE id = 2")?;
    assert!(stored.starts_with("\\x252525"));
    let read = rows(&mut connection, "SELECT secret FROM vault ORDER BY id")?.concat();
    assert_eq!(read, [hex(b"small"), stored]);
    eventually("the log tells of it", || {
        Ok(scene
            .acra
            .log()
            .contains("Container larger than the limit passed unopened"))
    })?;
    scene.works()
}

#[test]
fn the_most_talkative_log_holds_no_values() -> Result<()> {
    let scene = Scene::with(|config| config.flag("-d").flag("-v"))?;
    let mut connection = scene.proxied()?;
    for sql in [
        "INSERT INTO vault (id, secret) VALUES (1, 'Told to nobody') RETURNING secret",
        "SELECT id FROM vault WHERE secret = 'Told to nobody'",
        "INSERT INTO vault (id, secret) VALUES (1, 'Told to nobody')",
        "SELECT 'Told to nobody' FROM no_such_table",
        "SELEC 'Told to nobody",
        "INSERT INTO vault (id, secret) VALUES (1, '\\xTold to nobody')",
    ] {
        connection.query(sql)?;
    }
    scene.works()?;
    let log = scene.acra.log();
    assert!(log.contains("Got new connection"), "{log}");
    let hidden = [
        "Told to nobody",
        &const_hex::encode("Told to nobody"),
        scene.acra.keys().master_key(),
    ];
    assert!(hidden.iter().all(|word| !log.contains(word)), "{log}");
    Ok(())
}

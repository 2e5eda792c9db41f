//! Columns of AcraStructs, and AcraStructs that become AcraBlocks.

use acra_harness::scene::{CONFIG, Scene, eventually, hex, value};
use acra_harness::servers::Postgres;
use acra_harness::{Result, at_rest};
use rustix::process::Signal;

const SECRET: &str = "kept in a struct 2718";

/// First bytes of the containers: the tag of the serialized container, and after its length the kind of what is inside.
const TAG: &str = "encode(substr(secret, 1, 3), 'escape') || encode(substr(secret, 12, 1), 'hex')";

/// The client gets a key pair while the server runs.
fn with_pair(version: u32, envelope: &str) -> Result<Scene<'static>> {
    let config = CONFIG.replace(
        "- column: secret",
        &format!("- column: secret\n        {envelope}"),
    );
    let scene = Scene::on(Postgres::shared(version)?, |acra| {
        acra.encryptor_yaml(&config).flag("-v")
    })?;
    scene.acra.keys().add_pair("test-client")?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the keys are read again", || {
        Ok(scene.acra.log().contains("Reloaded"))
    })?;
    Ok(scene)
}

fn a_column_of_acrastructs_keeps_and_gives_its_values(version: u32) -> Result<()> {
    let scene = with_pair(version, "crypto_envelope: acrastruct")?;
    let mut connection = scene.proxied()?;
    connection.run(&format!(
        "INSERT INTO vault (id, secret, other) VALUES (1, '{SECRET}', '{SECRET}')"
    ))?;
    for column in ["secret", "other"] {
        let read = value(&mut connection, &format!("SELECT {column} FROM vault"))?;
        assert_eq!(read, hex(SECRET.as_bytes()), "{column}");
    }
    let (kind, block) = (
        scene.stored(&format!("SELECT {TAG} FROM vault"))?,
        scene.stored(&format!(
            "SELECT {} FROM vault",
            TAG.replace("secret", "other")
        ))?,
    );
    assert!(
        kind.starts_with("%%%") && block.starts_with("%%%") && kind != block,
        "{kind} {block}"
    );
    // A rotated pair opens what the former one sealed.
    scene.acra.keys().add_pair("test-client")?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the keys are read again", || {
        Ok(scene.acra.log().matches("Reloaded").count() > 1)
    })?;
    connection.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (2, '{SECRET}')"
    ))?;
    for id in [1, 2] {
        let read = value(
            &mut connection,
            &format!("SELECT secret FROM vault WHERE id = {id}"),
        )?;
        assert_eq!(read, hex(SECRET.as_bytes()));
    }
    assert!(at_rest::find(scene.postgres, &scene.database, &[SECRET.as_bytes()])?.is_empty());
    Ok(())
}

fn an_acrastruct_that_is_written_becomes_an_acrablock(version: u32) -> Result<()> {
    let scene = with_pair(version, "crypto_envelope: acrastruct")?;
    let mut connection = scene.proxied()?;
    connection.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, '{SECRET}')"
    ))?;
    let stored = scene.stored("SELECT secret FROM vault")?;
    let config = CONFIG.replace("- column: secret", "- column: secret\n        crypto_envelope: acrablock\n        reencrypting_to_acrablocks: true");
    scene.acra.write_encryptor_yaml(&config)?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the configuration is read again", || {
        Ok(scene.acra.log().matches("Reloaded").count() > 1)
    })?;
    connection.run(&format!(
        "UPDATE vault SET secret = '{stored}' WHERE id = 1"
    ))?;
    let kinds = (stored, scene.stored("SELECT secret FROM vault")?);
    assert!(kinds.0[..26] != kinds.1[..26], "{kinds:?}");
    assert_eq!(
        value(&mut connection, "SELECT secret FROM vault")?,
        hex(SECRET.as_bytes())
    );
    Ok(())
}

crate::on_each_version! {
    a_column_of_acrastructs_keeps_and_gives_its_values,
    an_acrastruct_that_is_written_becomes_an_acrablock,
}

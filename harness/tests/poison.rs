//! Poison records in the database: whoever reads one is noticed, whatever way it is read.

use acra_engine::crypto::{BlockKey, PrivateKey, container};
use acra_engine::keys::{KeyKind, MasterKey, v1};
use acra_harness::raw::{Message, frontend as f};
use acra_harness::scene::{CONFIG, Scene, eventually, hex, rows_of, value};
use acra_harness::servers::AcraConfig;
use acra_harness::{Error, Result};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const MET: &str = "Recognized poison record";

#[derive(Clone, Copy, Debug)]
enum Envelope {
    Block,
    Struct,
}

fn detecting(config: AcraConfig) -> AcraConfig {
    let config = AcraConfig {
        poison_keys: true,
        ..config
    };
    config.flag("--poison_detect_enable=true").flag("-v")
}

/// A record as acra-poisonrecordmaker makes one.
fn record(scene: &Scene<'_>, envelope: Envelope) -> Result<Vec<u8>> {
    let keys = scene.acra.keys();
    let master = MasterKey::from_base64(keys.master_key())?;
    let open = |kind: KeyKind| -> Result<_> {
        let name = v1::file(&kind);
        let file = fs::read(keys.folder().join(&name))?;
        Ok(v1::open(&master, &name, &file)?)
    };
    let (mut out, mut rng) = (Vec::new(), rand::rng());
    match envelope {
        Envelope::Block => {
            let key = BlockKey::new(open(KeyKind::PoisonSymmetric)?)?;
            container::seal_block(&key, &mut rng, b"nothing", &mut out)?;
        }
        Envelope::Struct => {
            let key = PrivateKey::from_container(open(KeyKind::PoisonPair)?.as_bytes())?;
            container::seal_struct(&key.public()?, &mut rng, b"nothing", &mut out)?;
        }
    }
    Ok(out)
}

/// Three rows, of which the second has a poison record.
fn trap(scene: &Scene<'_>, envelope: Envelope) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("INSERT INTO vault (id, secret) VALUES (1, 'one'), (3, 'three')")?;
    let record = hex(&record(scene, envelope)?);
    scene.run_directly(&format!(
        "INSERT INTO vault (id, secret, note) VALUES (2, '{record}', '{record}')"
    ))
}

fn tags(answers: &[Message]) -> String {
    answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}

fn is_withheld(answers: &[Message]) -> Result<()> {
    let error = answers.iter().find(|message| message.tag == b'E');
    let text = error.map(ToString::to_string).unwrap_or_default();
    match text.contains("XX001") && text.contains("Row withheld") {
        true => Ok(()),
        false => Err(Error::new(format!("not withheld: {text}"))),
    }
}

fn met(scene: &Scene<'_>) -> usize {
    scene.acra.log().matches(MET).count()
}

const ALL: &str = "SELECT secret FROM vault ORDER BY id";

#[test]
fn the_row_and_what_follows_are_withheld() -> Result<()> {
    for envelope in [Envelope::Block, Envelope::Struct] {
        let scene = Scene::with(detecting)?;
        trap(&scene, envelope)?;
        let mut session = scene.proxied()?;
        // The row before it has been sent already.
        let answers = session.query(&format!("{ALL}; SELECT 'later'"))?;
        assert_eq!(tags(&answers), "TDEZ", "{envelope:?}");
        is_withheld(&answers)?;
        assert_eq!(met(&scene), 1);
        assert_eq!(value(&mut session, "SELECT 'goes on'")?, "goes on");
        // In a text column, in its hex form.
        is_withheld(&session.query("SELECT note FROM vault WHERE id = 2")?)?;
        for format in [0, 1] {
            session.send_all(&[
                f::parse("", ALL, &[]),
                f::bind(
                    "",
                    "",
                    f::Bind {
                        results: &[format],
                        ..f::Bind::default()
                    },
                ),
                f::execute("", 0),
                f::parse("", "SELECT 'in the same pipeline'", &[]),
                f::bind_text("", "", &[]),
                f::execute("", 0),
                f::sync(),
            ])?;
            let answers = session.ready()?;
            assert_eq!(tags(&answers), "12DEZ");
            is_withheld(&answers)?;
            assert_eq!(value(&mut session, "SELECT 'goes on'")?, "goes on");
        }
        scene.works()?;
    }
    Ok(())
}

#[test]
fn what_is_sent_after_the_error_is_discarded_up_to_sync() -> Result<()> {
    let scene = Scene::with(detecting)?;
    trap(&scene, Envelope::Block)?;
    let mut session = scene.proxied()?;
    session.send_all(&[
        f::parse("", ALL, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::flush(),
    ])?;
    is_withheld(&session.until(b'E')?)?;
    session.send_all(&[
        f::parse("", "DELETE FROM vault WHERE id = 1", &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    assert_eq!(tags(&session.ready()?), "Z");
    assert_eq!(scene.stored("SELECT count(*) FROM vault")?, "3");
    Ok(())
}

#[test]
fn a_copy_is_withheld_too() -> Result<()> {
    let scene = Scene::with(detecting)?;
    trap(&scene, Envelope::Block)?;
    let mut session = scene.proxied()?;
    for options in ["", " (FORMAT csv)", " (FORMAT binary)"] {
        let answers = session.query(&format!(
            "COPY vault (id, secret) TO STDOUT{options}; SELECT 1"
        ))?;
        is_withheld(&answers)?;
        assert!(tags(&answers).ends_with("EZ"), "{}", tags(&answers));
        let seen: Vec<u8> = answers
            .iter()
            .flat_map(|message| message.body.clone())
            .collect();
        assert!(memchr::memmem::find(&seen, b"252525").is_none());
    }
    assert_eq!(value(&mut session, "SELECT 'goes on'")?, "goes on");
    // A COPY into the server of the same text would wait for its data for ever.
    let answers = session.query(&format!("{ALL}; COPY plain FROM STDIN; SELECT 1"))?;
    is_withheld(&answers)?;
    assert_eq!(value(&mut session, "SELECT 'goes on'")?, "goes on");
    Ok(())
}

#[test]
fn the_row_passes_if_that_is_asked_for() -> Result<()> {
    let scene = Scene::with(|config| detecting(config).flag("--poison_reply=pass"))?;
    trap(&scene, Envelope::Block)?;
    let answers = scene.proxied()?.query(ALL)?;
    let rows = rows_of(&answers)?.concat();
    assert_eq!((&rows[0], &rows[2]), (&hex(b"one"), &hex(b"three")));
    assert!(rows[1].starts_with("\\x252525"));
    let copied = scene
        .proxied()?
        .query("COPY vault (id, secret) TO STDOUT")?;
    assert_eq!(tags(&copied).matches('d').count(), 3);
    assert_eq!(met(&scene), 2);
    Ok(())
}

#[test]
fn without_detection_and_without_keys_it_is_a_container_like_others() -> Result<()> {
    let scene = Scene::start()?;
    scene.acra.keys().add_poison()?;
    trap(&scene, Envelope::Struct)?;
    assert_eq!(rows_of(&scene.proxied()?.query(ALL)?)?.len(), 3);
    assert_eq!(met(&scene), 0);
    let scene = Scene::with(|config| config.flag("--poison_detect_enable=true"))?;
    assert!(scene.acra.log().contains("Can't check for poison record"));
    scene.works()
}

#[test]
fn keys_that_come_later_count_after_a_reload() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--poison_detect_enable=true").flag("-v"))?;
    scene.acra.keys().add_poison()?;
    trap(&scene, Envelope::Block)?;
    scene.acra.signal(Signal::HUP)?;
    eventually("reloaded", || Ok(scene.acra.log().contains("msg=Reloaded")))?;
    is_withheld(&scene.proxied()?.query(ALL)?)
}

#[test]
fn the_script_is_told_who_and_what_but_no_value() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (script, told) = (folder.path().join("alarm"), folder.path().join("told"));
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nenv > {0}.new; echo arguments=$# >> {0}.new; mv {0}.new {0}\n",
            told.display()
        ),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
    let flag = format!("--poison_run_script_file={}", script.display());
    let scene = Scene::with(|config| detecting(config).flag(&flag))?;
    trap(&scene, Envelope::Block)?;
    let mut session = scene.proxied()?;
    is_withheld(&session.query("SELECT secret FROM vault WHERE note <> 'a value' AND id > 1")?)?;
    eventually("the script has run", || Ok(told.exists()))?;
    let told = fs::read_to_string(&told)?;
    for line in [
        "ACRA_CLIENT_ID=test-client",
        "ACRA_STATEMENT=SELECT secret FROM vault WHERE note <> ? AND id > ?",
        "arguments=0",
    ] {
        assert!(
            told.lines().any(|told| told == line),
            "{line} is not in\n{told}"
        );
    }
    assert!(told.contains("ACRA_SESSION_ID="));
    assert!(!told.contains("ACRA_MASTER_KEY"), "{told}");
    assert!(!scene.acra.log().contains("a value"));
    Ok(())
}

#[test]
fn the_process_ends_if_that_is_asked_for() -> Result<()> {
    let mut scene = Scene::with(|config| {
        detecting(config.encryptor_yaml(CONFIG)).flag("--poison_shutdown_enable=true")
    })?;
    trap(&scene, Envelope::Block)?;
    let mut session = scene.proxied()?;
    assert!(session.query(ALL).is_err(), "the connection is gone");
    let status = scene.acra.daemon().wait()?;
    assert_eq!(status.code(), Some(1));
    assert!(scene.acra.log().contains("Detected poison record, exit"));
    Ok(())
}

#[test]
fn in_a_masked_column() -> Result<()> {
    let masked = CONFIG.replace(
        "- column: secret",
        "- {column: secret, masking: '****', plaintext_side: left}",
    );
    for (reply, read) in [("error", None), ("pass", Some(hex(b"****")))] {
        let scene = Scene::with(|config| {
            detecting(config.encryptor_yaml(&masked)).flag(&format!("--poison_reply={reply}"))
        })?;
        trap(&scene, Envelope::Block)?;
        let sql = "SELECT secret FROM vault WHERE id = 2";
        let answers = rows_of(&scene.proxied()?.query(sql)?);
        assert_eq!(
            answers.ok().map(|rows| rows.concat().concat()),
            read,
            "{reply}"
        );
        eventually("the record is met", || Ok(scene.acra.log().contains(MET)))?;
    }
    Ok(())
}

#[test]
fn in_a_searchable_column() -> Result<()> {
    let searchable = CONFIG.replace("- column: secret", "- {column: secret, searchable: true}");
    let scene = Scene::with(|config| AcraConfig {
        search_keys: true,
        ..detecting(config.encryptor_yaml(&searchable))
    })?;
    trap(&scene, Envelope::Block)?;
    // Behind the hash of another row's value, too.
    let record = hex(&record(&scene, Envelope::Block)?);
    scene.run_directly(&format!(
        "INSERT INTO vault (id, secret) SELECT 4, substr(secret, 1, 33) || '{record}' FROM vault WHERE id = 1"
    ))?;
    let mut session = scene.proxied()?;
    for (met_before, condition) in ["id = 2", "id = 4", "secret = 'one' AND id > 1"]
        .iter()
        .enumerate()
    {
        is_withheld(&session.query(&format!("SELECT secret FROM vault WHERE {condition}"))?)?;
        assert_eq!(met(&scene), met_before + 1, "{condition}");
    }
    let found = "SELECT secret FROM vault WHERE secret = ANY ('{three}')";
    assert_eq!(value(&mut session, found)?, hex(b"three"));
    scene.works()
}

//! Restarts, crashes, and the tool beside a server.

use super::{Place, Tokens};
use acra_harness::servers::AcraServer;
use acra_harness::{Context, Result, paths, scene};
use rustix::process::Signal;
use std::process::Command;

#[test]
fn tokens_in_a_file_outlive_restarts_and_crashes() -> Result<()> {
    let place = Place::file()?;
    let mut tokens = Tokens::start(&place)?;
    for (id, signal) in [(1, Signal::TERM), (2, Signal::KILL), (3, Signal::KILL)] {
        let mut proxied = tokens.proxied()?;
        proxied.run(&format!(
            "INSERT INTO people (id, name) VALUES ({id}, 'value {id}')"
        ))?;
        drop(proxied);
        tokens.acra = AcraServer::restart(tokens.acra, &tokens.config, signal)?;
        let sql = "SELECT name FROM people ORDER BY id";
        let rows = scene::rows(&mut tokens.proxied()?, sql)?;
        let expected: Vec<_> = (1..=id).map(|id| vec![format!("value {id}")]).collect();
        assert_eq!(rows, expected);
    }
    tokens.works()
}

#[test]
fn the_tool_works_on_what_the_server_has_written() -> Result<()> {
    for place in [Place::file()?, Place::redis()?, Place::cluster()?] {
        let mut tokens = Tokens::start(&place)?;
        let mut proxied = tokens.proxied()?;
        proxied.run("INSERT INTO people (id, name, age) VALUES (1, 'one', 1), (2, 'two', 2)")?;
        let flags: Vec<String> = place.flags();
        let tool = |command: &str, more: &[&str]| -> Result<(bool, String)> {
            let output = Command::new(paths::binary("acra-tokens")?)
                .arg(command)
                .args(&flags)
                .args(more)
                .output()
                .context(|| "acra-tokens".to_owned())?;
            let text = [output.stdout, output.stderr].concat();
            Ok((
                output.status.success(),
                String::from_utf8_lossy(&text).into_owned(),
            ))
        };
        let is_file = place.path().is_some();
        if is_file {
            // One process at a time.
            let (success, said) = tool("status", &[])?;
            assert!(!success && said.contains("in use"), "{said}");
            drop(proxied);
            assert!(tokens.acra.daemon().stop()?.success());
        }
        // Two consistent ones count twice.
        let (_, said) = tool("status", &[])?;
        assert!(said.starts_with("TokenCount: 6\n"), "{said}");
        let (_, said) = tool("disable", &["--client_id=test-client"])?;
        assert!(
            said.contains("Disabled 6 tokens (out of 6 inspected)"),
            "{said}"
        );
        if is_file {
            continue;
        }
        let stored = tokens.stored("SELECT name FROM people ORDER BY id")?;
        let mut proxied = tokens.proxied()?;
        assert_eq!(
            scene::rows(&mut proxied, "SELECT name FROM people ORDER BY id")?,
            stored
        );
        let answers = proxied.query("INSERT INTO people (id, name) VALUES (3, 'one')")?;
        let said = super::error(&answers)?;
        assert!(said.contains("disabled token accessed"), "{said}");
        let (_, said) = tool("enable", &[])?;
        assert!(said.contains("Enabled 6 tokens"), "{said}");
        let rows = scene::rows(&mut proxied, "SELECT name FROM people ORDER BY id")?;
        assert_eq!(rows, [["one"], ["two"]]);
        tokens.acra = AcraServer::restart(tokens.acra, &tokens.config, Signal::TERM)?;
        let rows = scene::rows(&mut tokens.proxied()?, "SELECT age FROM people ORDER BY id")?;
        assert_eq!(rows, [["1"], ["2"]]);
    }
    Ok(())
}

#[test]
fn a_bolt_file_is_named_at_the_start() -> Result<()> {
    let place = Place::file()?;
    let path = place.path().unwrap_or_default();
    std::fs::copy(
        paths::workspace().join("stores/tests/tokens/data/acra-0.96.db"),
        &path,
    )?;
    let failed = Tokens::start(&place)
        .map(drop)
        .expect_err("must not start")
        .to_string();
    assert!(failed.contains("acra-tokens import"), "{failed}");
    Ok(())
}

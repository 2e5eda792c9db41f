//! What keeps `acra-server` from starting, and what it says then.

use acra_harness::port::free_port;
use acra_harness::process::{Daemon, End};
use acra_harness::servers::KeyStore;
use acra_harness::{Error, Result, paths};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A key store and everything else that a start needs.
struct Ground {
    folder: TempDir,
    keys: KeyStore,
}

impl Ground {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = KeyStore::generate(folder.path(), "v1")?;
        keys.add_client("test-client")?;
        Ok(Self { folder, keys })
    }

    /// A file beside the keys.
    fn file(&self, name: &str, content: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        fs::write(&path, content)?;
        Ok(path.display().to_string())
    }

    /// What is printed by a start with further flags that has to fail.
    fn fails(&self, flags: &[&str], change: impl FnOnce(&mut Command)) -> Result<String> {
        let mut command = Command::new(paths::binary("acra-server")?);
        command
            .env("ACRA_MASTER_KEY", self.keys.master_key())
            .args([
                "--db_host=127.0.0.1".to_owned(),
                "--client_id=test-client".to_owned(),
                format!("--keys_dir={}", self.keys.folder().display()),
                format!("--incoming_connection_string=tcp://{}/", free_port()?),
            ]);
        command.args(flags);
        change(&mut command);
        let log = self.folder.path().join("log");
        let _ = fs::remove_file(&log);
        let mut server = Daemon::start(&command, &log, &End::default())?;
        let status = server.wait().map_err(|_| {
            Error::new(format!(
                "{flags:?}: it starts nevertheless:\n{}",
                server.log()
            ))
        })?;
        let log = server.log().replace("\\\"", "\"");
        match !status.success() && !log.contains("panic") && !log.contains(self.keys.master_key()) {
            true => Ok(log),
            false => Err(Error::new(format!("{flags:?}: {status}:\n{log}"))),
        }
    }
}

/// That all of these words are in a log.
fn says(log: &str, words: &[&str]) -> Result<()> {
    match words.iter().find(|word| !log.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(Error::new(format!("nothing of {word:?} in:\n{log}"))),
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[test]
fn a_wrong_master_key_is_told_at_start() -> Result<()> {
    let ground = Ground::new()?;
    let other = Ground::new()?;
    let log = ground.fails(&[], |command| {
        command.env("ACRA_MASTER_KEY", other.keys.master_key());
    })?;
    says(
        &log,
        &[
            "test-client_storage_sym",
            "another master key",
            "ACRA_MASTER_KEY",
        ],
    )?;
    assert!(!log.contains(other.keys.master_key()));
    Ok(())
}

#[test]
fn a_master_key_that_is_none_is_told_at_start() -> Result<()> {
    let ground = Ground::new()?;
    let log = ground.fails(&[], |command| {
        command.env_remove("ACRA_MASTER_KEY");
    })?;
    says(&log, &["ACRA_MASTER_KEY must hold the base64"])?;
    for wrong in ["", "not base64!", "c2hvcnQ="] {
        let log = ground.fails(&[], |command| {
            command.env("ACRA_MASTER_KEY", wrong);
        })?;
        says(&log, &["ACRA_MASTER_KEY must hold the base64"])?;
    }
    Ok(())
}

#[test]
fn a_key_store_that_cannot_be_used_is_told_at_start() -> Result<()> {
    let ground = Ground::new()?;
    let keys = ground.keys.folder();
    let path = keys.display().to_string();
    set_mode(keys, 0o755)?;
    let log = ground.fails(&[], |_| {})?;
    says(
        &log,
        &[
            "incorrect permissions",
            "0755",
            &format!("chmod 700 {path}"),
        ],
    )?;
    set_mode(keys, 0o700)?;
    let key = keys.join("test-client_storage_sym");
    let mut content = fs::read(&key)?;
    let last = content.len() - 1;
    content[last] ^= 1;
    fs::write(&key, content)?;
    let log = ground.fails(&[], |_| {})?;
    says(&log, &[&key.display().to_string(), "is damaged"])?;
    Ok(())
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() -> Result<()> {
    let ground = Ground::new()?;
    let cases: [(&str, &[&str]); 8] = [
        ("schemas:\n  - table: t\n   columns: [a]\n", &["line 3"]),
        ("schemas:\n  - table: [t\n", &["line"]),
        ("schemas: nothing\n", &["line 1", "schemas"]),
        (
            "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - column: a\n        searchable: perhaps\n",
            &["line 6", "searchable"],
        ),
        (
            "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - column: a\n        masking: x\n        token_type: str\n",
            &["line 5", "\"t\"", "\"a\"", "plaintext side must be"],
        ),
        (
            "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - column: a\n        crypto_envelope: paper\n",
            &["line 5", "\"t\"", "\"a\"", "CryptoEnvelopeType"],
        ),
        (
            "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - column: a\n        token_type: word\n",
            &["line 5", "\"a\"", "word: unknown token type"],
        ),
        (
            "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - client_id: test-client\n",
            &["line 5", "\"t\"", "`column` is missing"],
        ),
    ];
    let mut wrong = Vec::new();
    for (content, words) in cases {
        let file = ground.file("encryptor.yaml", content)?;
        let flag = format!("--encryptor_config_file={file}");
        let words = [words, &[&*file]].concat();
        let outcome = ground
            .fails(&[&flag], |_| {})
            .and_then(|log| says(&log, &words));
        wrong.extend(outcome.err().map(|error| format!("{content}: {error}\n")));
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    let log = ground.fails(&["--encryptor_config_file=/nowhere/encryptor.yaml"], |_| {})?;
    says(&log, &["/nowhere/encryptor.yaml", "No such file"])
}

#[test]
fn a_wrong_flag_is_told_by_its_name() -> Result<()> {
    let ground = Ground::new()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let at = format!("--incoming_connection_string=tcp://{address}/");
    let cases: [(&str, &[&str]); 18] = [
        (
            "--no_such_flag",
            &["flag provided but not defined: -no_such_flag"],
        ),
        (
            "--no_such_flag=1",
            &["flag provided but not defined: -no_such_flag"],
        ),
        ("---v", &["bad flag syntax: ---v"]),
        (
            "--db_port=many",
            &["invalid value \"many\" for flag -db_port"],
        ),
        ("--db_port=0", &["--db_port", "1 to 65535"]),
        ("--db_port=65536", &["--db_port", "1 to 65535"]),
        ("-v=perhaps", &["invalid boolean value \"perhaps\" for -v"]),
        ("--db_host=", &["db_host"]),
        (
            "--unsupported_statements=sometimes",
            &["--unsupported_statements", "refuse, observe or forward"],
        ),
        ("--scan_columns=none", &["--scan_columns", "typed or all"]),
        ("--max_container=1", &["--max_container", "4096"]),
        ("--runtime_threads=-1", &["--runtime_threads"]),
        ("--client_id=", &["client_id"]),
        ("--client_id=x/y", &["clientID"]),
        ("--audit_log_enable", &["audit_log_enable", "the audit log"]),
        (
            "--incoming_connection_string=nonsense",
            &["incoming_connection_string", "nonsense"],
        ),
        ("--log_to_file=/nowhere/log", &["/nowhere/log"]),
        (&at, &["listen", &address]),
    ];
    let mut wrong = Vec::new();
    for (flag, words) in cases {
        let outcome = ground
            .fails(&[flag], |_| {})
            .and_then(|log| says(&log, words));
        wrong.extend(outcome.err().map(|error| format!("{flag}: {error}\n")));
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    Ok(())
}

/// Acra goes on without a word; protection that is asked for by a misspelt key is missing.
#[test]
fn a_misspelt_key_is_told_at_start() -> Result<()> {
    let ground = Ground::new()?;
    let file = ground.file(
        "encryptor.yaml",
        "schemas:\n  - table: t\n    columns: [a]\n    encripted:\n      - column: a\n",
    )?;
    let flag = format!("--encryptor_config_file={file}");
    // The wrong client id ends it.
    let log = ground.fails(&[&flag, "--db_port=0"], |_| {})?;
    assert!(
        !log.contains("encripted"),
        "the port is judged first:\n{log}"
    );
    let log = ground.fails(&[&flag, "--client_id=x/y"], |_| {})?;
    says(
        &log,
        &[
            &file,
            "line 4",
            "unknown key \"encripted\"",
            "did you mean \"encrypted\"?",
        ],
    )
}

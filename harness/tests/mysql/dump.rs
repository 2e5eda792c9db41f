//! `mysqldump` and `mariadb-dump` through `acra-server` give plain values; what the servers' own clients restore through it
//! is encrypted again. Columns of every kind, with the options that the programs use by themselves and some that others use.

use crate::protected::{SECRET, Scene};
use crate::targets::PLAIN;
use acra_harness::clients::run_mysql;
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};
use std::net::SocketAddr;

const COLUMNS: &str = "id INT PRIMARY KEY AUTO_INCREMENT, note TEXT, ssn LONGBLOB, found VARBINARY(500) DEFAULT NULL, \
    age INT DEFAULT NULL, mail VARCHAR(100) DEFAULT NULL, name VARCHAR(100), card VARBINARY(400), \
    number VARBINARY(400) DEFAULT NULL, big BLOB, title BLOB, UNIQUE KEY (mail), KEY by_note (note(20))";

const ENCRYPTED: &str = "      - {column: ssn}
      - {column: found, searchable: true}
      - {column: age, token_type: int32}
      - {column: mail, token_type: email, consistent_tokenization: true}
      - {column: name, token_type: str}
      - {column: card, masking: \"xxxx\", plaintext_length: 4, plaintext_side: right}
      - {column: number, data_type: int32, response_on_fail: error}
      - {column: big, data_type: int64}
      - {column: title, data_type: str}
";

/// Every second value has what dumps escape.
const ROWS: &str = "INSERT INTO {t} (note, ssn, found, age, mail, name, card, number, big, title) VALUES
    ('it''s; -- \\\\ \\n', '078-05-1\\0\\'\\\"\\\\\\r\\n\\Z\\t,(', '078-05-it''s', 4100, 'alice@078-05-1.com', '078-05-Alice',
        '078-05-1120', 42, '-9000000000', '078-05-é\\'\\\\'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('', '', '', 1, 'b@078-05-2.com', '', '', NULL, 0, ''),
    ('é', X'3037382D30352D00FF80C3', X'303738FF', -5, 'c@078-05-3.com', '078-05-Carol', 'short', -2147483648, 1, '078-05-ü')";

const ALL: &str = "SELECT id, note, HEX(note), ssn, found, age, mail, name, card, number, big, title FROM {t} ORDER BY id";

/// Ways to dump; the first is the one of the program itself.
const WAYS: [&[&str]; 4] = [
    &[],
    &["--hex-blob"],
    &[
        "--skip-opt",
        "--complete-insert",
        "--single-transaction",
        "--quick",
    ],
    &[
        "--default-character-set=utf8mb4",
        "--replace",
        "--compact",
        "--add-drop-table",
    ],
];

fn has(text: &[u8], part: &str) -> bool {
    memchr::memmem::find(text, part.as_bytes()).is_some()
}

/// What a program prints.
fn printed(
    flavour: Flavour,
    program: &str,
    address: SocketAddr,
    arguments: &[&str],
    input: &[u8],
) -> Result<Vec<u8>> {
    let output = run_mysql(flavour, program, address, arguments, input)?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(Error::new(format!(
            "{program} {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

fn restored(scene: &mut Scene, dump: &str, client: &str, way: &[&str]) -> Result<()> {
    let (through, past) = (scene.acra.address(), scene.direct_address()?);
    let (flavour, table) = (scene.side.flavour, scene.table.clone());
    let mut session = scene.side.login()?;
    session.run(&scene.sql(ROWS))?;
    let before = session.table(&scene.sql(ALL))?.rows;
    let mut arguments = vec!["--skip-dump-date"];
    if flavour == Flavour::MySql {
        // The server that is restored is the one that was dumped, and says that it has these transactions.
        arguments.push("--set-gtid-purged=OFF");
    }
    arguments.extend(way);
    arguments.extend(["test", &table]);
    let dumped = |address| printed(flavour, dump, address, &arguments, b"");
    let plain = dumped(through)?;
    assert!(has(&plain, "CREATE TABLE") && has(&plain, "by_note"));
    for value in ["alice@078-05-1.com", "078-05-Alice", "-9000000000"] {
        assert!(has(&plain, value), "{value}");
    }
    assert!(!has(&dumped(past)?, SECRET));
    if !has(&plain, "DROP TABLE") {
        session.run(&scene.sql("DROP TABLE {t}"))?;
    }
    // A dump without SET NAMES is in the character set that the client has to be told.
    let charset = way.iter().find(|option| option.contains("character-set"));
    let restoring: Vec<&str> = charset.into_iter().copied().chain(["test"]).collect();
    printed(flavour, client, through, &restoring, &plain)?;
    let stored = scene.stored("SELECT ssn, card, number, title, age FROM {t} ORDER BY id")?;
    assert_eq!(stored.len(), 4);
    for cell in stored[0].iter().take(4) {
        let cell = cell.as_deref().unwrap_or_default();
        assert!(memchr::memmem::find(cell, b"%%%").is_some(), "{cell:?}");
    }
    // One number may be its own token by chance, three are not.
    let ages: Vec<_> = stored.iter().map(|row| row[4].as_deref()).collect();
    assert_ne!(ages, [Some(&b"4100"[..]), None, Some(b"1"), Some(b"-5")]);
    assert_eq!(session.table(&scene.sql(ALL))?.rows, before);
    assert!(dumped(through)? == plain);
    Ok(())
}

fn dumps(flavour: Flavour, dump: &str, client: &str) -> Result<()> {
    for (number, way) in WAYS.into_iter().enumerate() {
        let name = format!("dumped_{number}");
        let Some(mut scene) = Scene::new(flavour, PLAIN, &name, COLUMNS, ENCRYPTED)? else {
            return Ok(());
        };
        let outcome = restored(&mut scene, dump, client, way)
            .map_err(|error| Error::new(format!("{way:?}: {error}")));
        scene.explained(outcome)?;
    }
    Ok(())
}

#[test]
fn mariadb_dump_and_its_restoration() -> Result<()> {
    dumps(Flavour::MariaDb, "mariadb-dump", "mariadb")
}

#[test]
fn mysqldump_and_its_restoration() -> Result<()> {
    dumps(Flavour::MySql, "mysqldump", "mysql")
}

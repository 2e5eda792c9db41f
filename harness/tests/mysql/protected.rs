//! Columns of MariaDB and MySQL are protected: what the application sends and reads is plain, what the database keeps is not.

use crate::statements::{Parameter, execution, prepare};
use crate::targets::{MARIADB, MYSQL, PLAIN, plain_for};
use acra_engine::wire::mysql::{Capabilities, lenenc};
use acra_harness::mysql::{Connection, Side};
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql};
use acra_harness::{Error, Result};
use std::net::SocketAddr;

/// In every secret.
pub(crate) const SECRET: &str = "078-05-";

/// The types of parameters.
const LONG: u8 = 3;
const LONGLONG: u8 = 8;
const DATETIME: u8 = 12;
const BLOB: u8 = 252;
pub(crate) const TEXT: u8 = 253;

/// `acra-server` before a database with a protected table.
pub(crate) struct Scene {
    pub(crate) acra: AcraServer,
    pub(crate) side: Side,
    pub(crate) direct: Connection,
    pub(crate) table: String,
}

impl Scene {
    /// `acra-server` before a database with a table of these columns; `None` if the database is not there.
    pub(crate) fn new(
        flavour: Flavour,
        capabilities: Capabilities,
        table: &str,
        columns: &str,
        encrypted: &str,
    ) -> Result<Option<Self>> {
        let Some(server) = MySql::shared(flavour)? else {
            return Ok(None);
        };
        // The same server serves every set of capabilities at the same time.
        let table = format!("{table}_{:x}", capabilities.0);
        let yaml = format!("schemas:\n  - table: {table}\n    encrypted:\n{encrypted}");
        let config = AcraConfig {
            search_keys: true,
            ..plain_for(server, capabilities).encryptor_yaml(&yaml)
        };
        let direct = Side {
            address: server.address(),
            flavour,
            capabilities,
        };
        let mut connection = direct.login()?;
        connection.run(&format!("DROP TABLE IF EXISTS {table}"))?;
        connection.run(&format!("CREATE TABLE {table} ({columns})"))?;
        let acra = AcraServer::start(&config)?;
        let side = Side {
            address: acra.address(),
            ..direct
        };
        Ok(Some(Self {
            acra,
            side,
            direct: connection,
            table,
        }))
    }

    /// That nothing is kept in the clear; gives what is kept.
    pub(crate) fn stored(&mut self, sql: &str) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
        let all = self
            .direct
            .table(&format!("SELECT * FROM {}", self.table))?;
        for cell in all.rows.iter().flatten().flatten() {
            if memchr::memmem::find(cell, SECRET.as_bytes()).is_some() {
                return Err(Error::new(format!(
                    "a secret is kept in the clear: {all:?}"
                )));
            }
        }
        Ok(self.direct.table(&sql.replace("{t}", &self.table))?.rows)
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        sql.replace("{t}", &self.table)
    }

    /// Where the database itself listens.
    pub(crate) fn direct_address(&self) -> Result<SocketAddr> {
        let server = MySql::shared(self.side.flavour)?;
        server
            .map(|server| server.address())
            .ok_or_else(|| Error::new("the database is gone"))
    }

    /// The log is told with what went wrong.
    pub(crate) fn explained(&self, outcome: Result<()>) -> Result<()> {
        outcome.map_err(|error| Error::new(format!("{error}\nlog:\n{}", self.acra.log())))
    }
}

pub(crate) fn some(value: &str) -> Option<Vec<u8>> {
    Some(value.as_bytes().to_vec())
}

/// A value with its length, as it is bound.
pub(crate) fn lengthy(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    lenenc::write_string(&mut out, value);
    out
}

pub(crate) fn each(
    flavour: Flavour,
    all: Capabilities,
    table: &str,
    columns: &str,
    encrypted: &str,
    test: fn(&mut Scene) -> Result<()>,
) -> Result<()> {
    let compressed = all.with(match flavour {
        Flavour::MariaDb => Capabilities::COMPRESS,
        Flavour::MySql => Capabilities::ZSTD_COMPRESSION,
    });
    for capabilities in [PLAIN, all, compressed] {
        let Some(mut scene) = Scene::new(flavour, capabilities, table, columns, encrypted)? else {
            return Ok(());
        };
        let outcome = test(&mut scene);
        scene.explained(outcome)?;
    }
    Ok(())
}

/// Capabilities with which results always have their definitions, and nothing else in front of them.
pub(crate) const FULL_MARIADB: Capabilities = MARIADB.without(Capabilities::MARIADB_CACHE_METADATA);
pub(crate) const FULL_MYSQL: Capabilities =
    MYSQL.without(Capabilities::OPTIONAL_RESULTSET_METADATA);

macro_rules! scenario {
    ($name:ident, $columns:expr, $encrypted:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn on_mariadb() -> Result<()> {
                let name = stringify!($name);
                let (columns, encrypted) = ($columns, $encrypted);
                each(
                    Flavour::MariaDb,
                    FULL_MARIADB,
                    name,
                    columns,
                    encrypted,
                    super::$name,
                )
            }

            #[test]
            fn on_mysql() -> Result<()> {
                let name = stringify!($name);
                let (columns, encrypted) = ($columns, $encrypted);
                each(
                    Flavour::MySql,
                    FULL_MYSQL,
                    name,
                    columns,
                    encrypted,
                    super::$name,
                )
            }
        }
    };
}

pub(crate) const ENCRYPTED: &str = "      - {column: ssn}\n";
pub(crate) const ENCRYPTED_COLUMNS: &str = "id INT PRIMARY KEY, ssn LONGBLOB, note TEXT";

scenario!(definitions, ENCRYPTED_COLUMNS, ENCRYPTED);
fn definitions(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    for sql in [
        "DROP TABLE {t}",
        "CREATE TABLE {t} (id INT PRIMARY KEY, ssn VARBINARY(400) NOT NULL DEFAULT '078-05-0' COMMENT 'kept', note TEXT)",
        "INSERT INTO {t} (id) VALUES (1)",
        "ALTER TABLE {t} ADD COLUMN more INT AFTER ssn, MODIFY ssn VARBINARY(500) DEFAULT NULL",
        "INSERT INTO {t} (id) VALUES (2)",
        "ALTER TABLE {t} ALTER ssn SET DEFAULT '078-05-3', CHANGE more again INT",
        "INSERT INTO {t} (id) VALUES (3)",
        "INSERT INTO {t} (id) VALUES (1) ON DUPLICATE KEY UPDATE ssn = IF(id = 1, '078-05-4', ssn), note = IFNULL(note, 'n')",
    ] {
        session.run(&scene.sql(sql))?;
    }
    let read = "SELECT id, IFNULL(ssn, 'none'), ISNULL(ssn), note FROM {t} ORDER BY id";
    let read = session.table(&scene.sql(read))?;
    let expected = [
        [some("1"), some("078-05-4"), some("0"), some("n")],
        [some("2"), some("none"), some("1"), None],
        [some("3"), some("078-05-3"), some("0"), None],
    ];
    assert_eq!(read.rows, expected);
    let stored = scene
        .stored("SELECT COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_NAME = '{t}'")?;
    assert!(!format!("{stored:?}").contains("078-05"), "{stored:?}");
    Ok(())
}

scenario!(texts, ENCRYPTED_COLUMNS, ENCRYPTED);
fn texts(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql(
        "INSERT INTO {t} (id, ssn, note) VALUES (1, '078-05-1120', 'it''s'), (2, NULL, 'none'), (3, '', 'empty')",
    ))?;
    session.run(&scene.sql("INSERT INTO `{t}` VALUES (4, '078-05-\\'4\\'', NULL)"))?;
    session.run(&scene.sql("UPDATE {t} SET ssn = '078-05-5', note = 'new' WHERE id = 3"))?;
    // Several statements in one text.
    session.run(&scene.sql(
        "INSERT INTO {t} (id, ssn) VALUES (5, '078-05-55'); INSERT INTO {t} (id, ssn) VALUES (6, '078-05-66')",
    ))?;
    let read = session.table(&scene.sql("SELECT id, ssn FROM {t} ORDER BY id"))?;
    let expected = [
        [some("1"), some("078-05-1120")],
        [some("2"), None],
        [some("3"), some("078-05-5")],
        [some("4"), some("078-05-'4'")],
        [some("5"), some("078-05-55")],
        [some("6"), some("078-05-66")],
    ];
    assert_eq!(read.rows, expected);
    let stored = scene.stored("SELECT ssn FROM {t} WHERE ssn IS NOT NULL")?;
    assert_eq!(stored.len(), 5);
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"%%%"))
    );
    // Longer than a packet.
    let long = "x".repeat(0x100_0000);
    session.run(&scene.sql(&format!(
        "INSERT INTO {{t}} (id, ssn) VALUES (7, '{SECRET}{long}')"
    )))?;
    let read = session.table(&scene.sql("SELECT LENGTH(note), ssn FROM {t} WHERE id = 7"))?;
    assert_eq!(
        read.rows[0][1].as_ref().map(Vec::len),
        Some(SECRET.len() + long.len())
    );
    scene.stored("SELECT id FROM {t}")?;
    Ok(())
}

scenario!(parameters, ENCRYPTED_COLUMNS, ENCRYPTED);
fn parameters(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let insert = prepare(
        &mut session,
        &scene.sql("INSERT INTO {t} (id, ssn, note) VALUES (?, ?, ?)"),
    )?;
    let text = lengthy(b"078-05-1120");
    let rows: [[Parameter<'_>; 3]; 5] = [
        [
            (LONG, Some(&[1, 0, 0, 0])),
            (TEXT, Some(&text)),
            (TEXT, Some(b"\x01a")),
        ],
        [
            (LONG, Some(&[2, 0, 0, 0])),
            (6, None),
            (TEXT, Some(b"\x01b")),
        ],
        [
            (LONG, Some(&[3, 0, 0, 0])),
            (LONGLONG, Some(&[0xff; 8])),
            (6, None),
        ],
        [
            (LONG, Some(&[4, 0, 0, 0])),
            (DATETIME, Some(&[4, 0xe8, 7, 2, 29])),
            (TEXT, Some(b"\0")),
        ],
        [
            (LONG, Some(&[5, 0, 0, 0])),
            (TEXT, Some(b"\0")),
            (TEXT, Some(b"\x01e")),
        ],
    ];
    for row in &rows {
        let command = execution(&session, insert, 0, row, true);
        session.executed(&command)?;
    }
    // Types as before.
    let again = lengthy(b"078-05-6");
    let row: [Parameter<'_>; 3] = [
        (LONG, Some(&[6, 0, 0, 0])),
        (TEXT, Some(&again)),
        (TEXT, Some(b"\x01f")),
    ];
    let command = execution(&session, insert, 0, &row, false);
    session.executed(&command)?;
    // In parts.
    for part in [&b"078-05-"[..], b"7777"] {
        session.command(&[&b"\x18"[..], &insert.to_le_bytes(), &[1, 0], part].concat())?;
    }
    session.command(&[&b"\x18"[..], &insert.to_le_bytes(), &[2, 0], b"a long note"].concat())?;
    let row: [Parameter<'_>; 3] = [
        (LONG, Some(&[7, 0, 0, 0])),
        (BLOB, Some(b"")),
        (BLOB, Some(b"")),
    ];
    let command = execution(&session, insert, 0, &row, true);
    session.executed(&command)?;
    let select = prepare(
        &mut session,
        &scene.sql("SELECT id, ssn, note FROM {t} WHERE id >= ? ORDER BY id"),
    )?;
    let command = execution(&session, select, 0, &[(LONG, Some(&[1, 0, 0, 0]))], true);
    let read = session.executed(&command)?;
    let expected = [
        [some("1"), some("078-05-1120"), some("a")],
        [some("2"), None, some("b")],
        [some("3"), some("-1"), None],
        [some("4"), some("2024-02-29 00:00:00"), some("")],
        [some("5"), some(""), some("e")],
        [some("6"), some("078-05-6"), some("f")],
        [some("7"), some("078-05-7777"), some("a long note")],
    ];
    assert_eq!(read.rows, expected);
    let stored = scene.stored("SELECT ssn FROM {t} WHERE id IN (1, 3, 4, 6, 7)")?;
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"%%%")),
        "{stored:?}"
    );
    // A cursor.
    let command = execution(&session, select, 1, &[(LONG, Some(&[6, 0, 0, 0]))], true);
    session.command(&command)?;
    session.answers()?;
    session.command(&[&b"\x1c"[..], &select.to_le_bytes(), &[9, 0, 0, 0]].concat())?;
    let fetched = session.answers()?;
    let has = |value: &[u8]| {
        fetched
            .iter()
            .any(|row| memchr::memmem::find(&row.payload, value).is_some())
    };
    assert!(has(b"078-05-6") && has(b"078-05-7777"), "{fetched:?}");
    Ok(())
}

#[test]
fn bulk_executions() -> Result<()> {
    let Some(mut scene) = Scene::new(
        Flavour::MariaDb,
        MARIADB,
        "bulk_rows",
        ENCRYPTED_COLUMNS,
        ENCRYPTED,
    )?
    else {
        return Ok(());
    };
    let mut session = scene.side.login()?;
    let insert = prepare(
        &mut session,
        &scene.sql("INSERT INTO {t} (id, ssn) VALUES (?, ?)"),
    )?;
    let rows = [
        &b"\0\x01\0\0\0\0"[..],
        &lengthy(b"078-05-1"),
        b"\0\x02\0\0\0\x01",
        b"\0\x03\0\0\0\0",
        &lengthy(b"078-05-3"),
    ]
    .concat();
    let head = [
        &b"\xfa"[..],
        &insert.to_le_bytes(),
        &[128, 0, LONG, 0, TEXT, 0],
    ]
    .concat();
    session.command(&[head, rows].concat())?;
    session.answers()?;
    let stored = scene.stored("SELECT ssn FROM {t} WHERE ssn LIKE '\\%\\%\\%%'")?;
    assert_eq!(stored.len(), 2, "{stored:?}\n{}", scene.acra.log());
    Ok(())
}

pub(crate) const TYPED: &str = "      - {column: number, data_type: int32, response_on_fail: error}
      - {column: big, data_type: int64, response_on_fail: default_value, default_data_value: \"-7\"}
      - {column: name, data_type: str}
      - {column: card, masking: \"xxxx\", plaintext_length: 4, plaintext_side: right}
";
pub(crate) const TYPED_COLUMNS: &str =
    "id INT PRIMARY KEY, number VARBINARY(500), big BLOB, name BLOB, card BLOB";

scenario!(types, TYPED_COLUMNS, TYPED);
fn types(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql(
        "INSERT INTO {t} (id, number, big, name, card) VALUES (1, 42, '-9000000000', '078-05-é', '078-05-1120')",
    ))?;
    let expected = vec![vec![
        some("42"),
        some("-9000000000"),
        some("078-05-é"),
        some("078-05-1120"),
    ]];
    let sql = scene.sql("SELECT number, big, name, card FROM {t}");
    let text = session.table(&sql)?;
    assert_eq!(text.rows, expected);
    let kinds: Vec<u8> = text.columns.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [LONG, LONGLONG, 254, BLOB]);
    assert_eq!(text.columns[0], (LONG, 63, 11));
    assert_eq!(text.columns[1], (LONGLONG, 63, 20));
    let select = prepare(&mut session, &sql)?;
    let command = execution(&session, select, 0, &[], true);
    assert_eq!(session.executed(&command)?.rows, expected);
    let stored = scene.stored("SELECT number, big, name FROM {t}")?;
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"%%%")),
        "{stored:?}"
    );
    // A value that is none of its type is refused.
    let refused = session.error(&scene.sql("INSERT INTO {t} (id, number) VALUES (2, 'many')"))?;
    assert!(refused.contains("is not valid for type"), "{refused}");
    // What cannot be opened is answered for.
    scene
        .direct
        .run(&scene.sql("INSERT INTO {t} (id, big) VALUES (3, 'no number')"))?;
    let answered = session.table(&scene.sql("SELECT big FROM {t} WHERE id = 3"))?;
    assert_eq!(answered.rows, [[some("-7")]]);
    scene
        .direct
        .run(&scene.sql("INSERT INTO {t} (id, number) VALUES (4, 'no number')"))?;
    let failed = session.error(&scene.sql("SELECT number FROM {t} WHERE id = 4"))?;
    assert!(
        failed.starts_with("#70100encoding error in column"),
        "{failed}"
    );
    session.run("DO 1")
}

pub(crate) const TOKENS: &str =
    "      - {column: age, token_type: int32, consistent_tokenization: true}
      - {column: mail, token_type: email, consistent_tokenization: true}
      - {column: name, token_type: str}
";
pub(crate) const TOKEN_COLUMNS: &str =
    "id INT PRIMARY KEY, age INT, mail VARCHAR(100), name VARCHAR(100)";

scenario!(tokens, TOKEN_COLUMNS, TOKENS);
fn tokens(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql(
        "INSERT INTO {t} (id, age, mail, name) VALUES (1, 41, 'alice@078-05-1.com', '078-05-Alice'), (2, 41, 'bob@078-05-2.com', NULL)",
    ))?;
    let insert = prepare(
        &mut session,
        &scene.sql("INSERT INTO {t} (id, age, name) VALUES (?, ?, ?)"),
    )?;
    let name = lengthy(b"078-05-Carol");
    let row: [Parameter<'_>; 3] = [
        (LONG, Some(&[3, 0, 0, 0])),
        (LONG, Some(&[41, 0, 0, 0])),
        (TEXT, Some(&name)),
    ];
    let command = execution(&session, insert, 0, &row, true);
    session.executed(&command)?;
    let expected = vec![
        vec![some("41"), some("alice@078-05-1.com"), some("078-05-Alice")],
        vec![some("41"), some("bob@078-05-2.com"), None],
        vec![some("41"), None, some("078-05-Carol")],
    ];
    let sql = scene.sql("SELECT age, mail, name FROM {t} ORDER BY id");
    assert_eq!(session.table(&sql)?.rows, expected);
    let select = prepare(&mut session, &sql)?;
    let command = execution(&session, select, 0, &[], true);
    assert_eq!(session.executed(&command)?.rows, expected);
    let stored = scene.stored("SELECT DISTINCT age FROM {t}")?;
    assert_eq!(stored.len(), 1);
    // One number may be its own token by chance, two are not.
    session.run(&scene.sql("INSERT INTO {t} (id, age) VALUES (4, 42)"))?;
    let stored = scene.stored("SELECT age FROM {t} WHERE id > 2 ORDER BY id")?;
    assert_ne!(stored, [[some("41")], [some("42")]]);
    Ok(())
}

pub(crate) const SEARCHABLE: &str = "      - {column: ssn, searchable: true}\n";

scenario!(search, ENCRYPTED_COLUMNS, SEARCHABLE);
fn search(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql(
        "INSERT INTO {t} (id, ssn) VALUES (1, '078-05-1120'), (2, '078-05-2'), (3, '078-05-1120')",
    ))?;
    let found = session
        .table(&scene.sql("SELECT id, ssn FROM {t} WHERE ssn = '078-05-1120' ORDER BY id"))?;
    let expected = [
        [some("1"), some("078-05-1120")],
        [some("3"), some("078-05-1120")],
    ];
    assert_eq!(found.rows, expected);
    // Sets of hashes are compared as they are.
    for (set, expected) in [
        (
            "SELECT ssn FROM {t} WHERE id = 3 UNION SELECT ssn FROM {t} WHERE id = 9",
            &["1", "3"][..],
        ),
        (
            "SELECT ssn FROM {t} EXCEPT SELECT ssn FROM {t} WHERE id = 3",
            &["2"],
        ),
    ] {
        let sql = format!("SELECT id FROM {{t}} WHERE ssn IN ({set}) ORDER BY id");
        let found = session.table(&scene.sql(&sql))?;
        let expected: Vec<_> = expected.iter().map(|id| [some(id)]).collect();
        assert_eq!(found.rows, expected, "{set}");
    }
    let select = prepare(&mut session, &scene.sql("SELECT id FROM {t} WHERE ssn = ?"))?;
    let value = lengthy(b"078-05-2");
    let command = execution(&session, select, 0, &[(TEXT, Some(&value))], true);
    assert_eq!(session.executed(&command)?.rows, [[some("2")]]);
    let stored = scene.stored("SELECT ssn FROM {t}")?;
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"\x7f")),
        "{stored:?}"
    );
    Ok(())
}

scenario!(refusals, ENCRYPTED_COLUMNS, ENCRYPTED);
fn refusals(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    for sql in [
        "SELECT id FROM {t} WHERE ssn = '078-05-1'",
        "INSERT INTO {t} (id, ssn) VALUES (1, CONCAT('078-05-', '1'))",
        "UPDATE {t} SET ssn = UPPER(note)",
        "INSERT INTO {t} (id, ssn) VALUES (1, '078-05-1'",
    ] {
        let error = session.error(&scene.sql(sql))?;
        assert!(error.starts_with("#42000"), "{sql}: {error}");
    }
    // None of a text is carried out if a part of it is refused.
    let error = session.error(
        &scene.sql("INSERT INTO {t} (id, note) VALUES (1, 'a'); UPDATE {t} SET ssn = UPPER(note)"),
    )?;
    assert!(error.starts_with("#42000"), "{error}");
    assert!(scene.stored("SELECT * FROM {t}")?.is_empty());
    // How texts are read is followed.
    session.run("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")?;
    session.run(&scene.sql("INSERT INTO {t} (id, ssn) VALUES (1, '078-05-\\')"))?;
    session.run("SET SESSION sql_mode = ''")?;
    session.run(&scene.sql("INSERT INTO {t} (id, ssn) VALUES (2, '078-05-\\\\')"))?;
    session.run(&scene.sql("INSERT INTO {t} (id, ssn) VALUES (3, \"078-05-\\\\\")"))?;
    session.run("SET SESSION sql_mode = 'ANSI_QUOTES'")?;
    session.run(&scene.sql("INSERT INTO \"{t}\" (\"id\", \"ssn\") VALUES (4, '078-05-\\\\')"))?;
    let read = session.table(&scene.sql("SELECT ssn FROM {t} ORDER BY id"))?;
    assert_eq!(read.rows, vec![vec![some("078-05-\\")]; 4]);
    assert_eq!(scene.stored("SELECT id FROM {t}")?.len(), 4);
    Ok(())
}

const HASH_COLUMN: &str =
    "      - {column: ssn, searchable: true, data_type: str, search_column: ssn_hash}\n";
const HASH_COLUMN_COLUMNS: &str = "id INT PRIMARY KEY, ssn VARBINARY(500), \
    ssn_hash VARBINARY(33) GENERATED ALWAYS AS (SUBSTR(ssn, 1, 33)) STORED, UNIQUE KEY by_ssn (ssn_hash)";

scenario!(hash_column, HASH_COLUMN_COLUMNS, HASH_COLUMN);
fn hash_column(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    for sql in [
        "INSERT INTO {t} (id, ssn) VALUES (1, '078-05-1120'), (2, NULL), (3, '078-05-3')",
        "INSERT INTO {t} (id, ssn) VALUES (4, '078-05-1120') ON DUPLICATE KEY UPDATE id = 5, ssn = VALUES(ssn)",
        "UPDATE {t} SET ssn = '078-05-4' WHERE ssn = '078-05-3'",
    ] {
        session.run(&scene.sql(sql))?;
    }
    let read = "SELECT id, ssn FROM {t} WHERE ssn = ";
    let found = session.table(&scene.sql(&format!("{read}'078-05-1120'")))?;
    assert_eq!(found.rows, [[some("5"), some("078-05-1120")]]);
    let select = prepare(&mut session, &scene.sql(&format!("{read}?")))?;
    let sought = lengthy(b"078-05-4");
    let command = execution(&session, select, 0, &[(TEXT, Some(&sought))], true);
    let found = session.executed(&command)?;
    assert_eq!(found.rows, [[some("3"), some("078-05-4")]]);
    let plan = "EXPLAIN SELECT id FROM {t} WHERE ssn = '078-05-1120'";
    let plan = session.table(&scene.sql(plan))?.rows;
    let plan: Vec<u8> = plan.into_iter().flatten().flatten().flatten().collect();
    let plan = String::from_utf8_lossy(&plan);
    // MySQL has read the only row by its unique key when it explains.
    let is_by_key = plan.contains("const") && plan.contains("by_ssn")
        || plan.contains("Rows fetched before execution");
    assert!(is_by_key, "{plan}");
    let kept = scene.stored("SELECT id FROM {t} WHERE ssn_hash = SUBSTR(ssn, 1, 33)")?;
    assert_eq!(kept.len(), 2);
    Ok(())
}

const ORDINARY_COLUMN: &str = "id INT PRIMARY KEY, ssn VARBINARY(500), ssn_hash VARBINARY(33)";

scenario!(ordinary_hash_column, ORDINARY_COLUMN, HASH_COLUMN);
fn ordinary_hash_column(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql("INSERT INTO {t} (id, ssn) VALUES (1, '078-05-1'), (2, '078-05-2')"))?;
    let read = scene.sql("SELECT id, ssn FROM {t} WHERE ssn = '078-05-2'");
    let found = session.table(&read)?;
    assert_eq!(found.rows, [[some("2"), some("078-05-2")]]);
    let log = scene.acra.log();
    assert!(log.contains("is not generated in the database"), "{log}");
    Ok(())
}

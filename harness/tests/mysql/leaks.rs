//! Odd ways to write a value to a protected column of MySQL and MariaDB. Each may be refused by either side, or work: but the
//! value is never stored as it is.

use crate::statements::{execution, prepare};
use acra_harness::mysql::{Connection, Scene};
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};

/// In every value that a statement tries to store.
const SECRET: &str = "LEAK-7F3A";

const COLUMNS: &str = "schemas:
  - table: vault
    columns: [id, note, secret, other, open]
    encrypted: [{column: secret}, {column: other, searchable: true}]
";

const TABLES: &[&str] = &[
    "CREATE TABLE vault (id INT PRIMARY KEY, note TEXT, secret VARBINARY(1000), other VARBINARY(1000), open VARBINARY(1000))",
    "CREATE TABLE plain (id INT PRIMARY KEY, note TEXT)",
];

const ROWS: &str = "DELETE FROM vault; DELETE FROM plain; INSERT INTO plain VALUES (1, 'n'); \
    INSERT INTO vault (id, note) VALUES (1, 'n'), (2, 'n'), (3, 'n')";

/// Statements over a table with rows 1 to 3 and the value that they try to store.
const STATEMENTS: &[&str] = &[
    "INSERT/**/INTO/*x*/vault(id,secret)VALUES(10,'SECRET')",
    "INSERT INTO vault -- vault\n (id, secret) VALUES /* ' */ (10, 'SECRET')",
    "INSERT INTO vault # vault '\n (id, secret) VALUES (10, 'SECRET')",
    "iNsErT iNtO vault (iD, SeCrEt) vAlUeS (10, 'SECRET')",
    "INSERT vault VALUES (10, 'n', 'SECRET', 'SECRET', NULL)",
    "INSERT INTO `vault` (`id`, `secret`) VALUES (10, 'SECRET')",
    "INSERT INTO DATABASE.vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO `DATABASE` . `vault` (vault.id, vault.secret) VALUES (10, 'SECRET')",
    "INSERT INTO DATABASE.vault (id, DATABASE.vault.secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault () VALUES ()",
    "INSERT INTO vault (secret, id, secret) VALUES ('x', 10, 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES ((10), ((('SECRET'))))",
    "INSERT INTO vault (id, secret) VALUE (10, 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, \"SECRET\")",
    "INSERT INTO vault (id, secret) VALUES (10, 'SEC' 'RET')",
    "INSERT INTO vault (id, secret) VALUES (10, 'LEAK' \"-7F3A\")",
    "INSERT INTO vault (id, secret) VALUES (10, 'LEAK' -- x\n '-7F3A')",
    "INSERT INTO vault (id, secret) VALUES (10, 'LEAK\\-7F3A')",
    "INSERT INTO vault (id, secret) VALUES (10, N'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, n'LEAK' '-7F3A')",
    "INSERT INTO vault (id, secret) VALUES (10, _utf8mb4'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, _binary 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, _latin1 X'4C45414B2D37463341')",
    "INSERT INTO vault (id, secret) VALUES (10, X'4C45414B2D37463341')",
    "INSERT INTO vault (id, secret) VALUES (10, 0x4C45414B2D37463341)",
    "INSERT INTO vault (id, secret) VALUES (10, b'010011000100010101000001010010110010110100110111010001100011001101000001')",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET' COLLATE utf8mb4_bin)",
    "INSERT INTO vault (id, secret) VALUES (10, BINARY 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (10, CAST('SECRET' AS BINARY))",
    "INSERT INTO vault (id, secret) VALUES (10, CAST('SECRET' AS CHAR CHARACTER SET latin1))",
    "INSERT INTO vault (id, secret) VALUES (10, CONVERT('SECRET' USING utf8mb4))",
    "INSERT INTO vault (id, secret) VALUES (10, CONVERT('SECRET', BINARY))",
    "INSERT INTO vault (id, secret) VALUES (10, CONCAT('LEAK', '-7F3A'))",
    "INSERT INTO vault (id, secret) VALUES (10, UNHEX('4C45414B2D37463341'))",
    "INSERT INTO vault (id, secret) VALUES (10, FROM_BASE64('TEVBSy03RjNB'))",
    "INSERT INTO vault (id, secret) VALUES (10, REVERSE('A3F7-KAEL'))",
    "INSERT INTO vault (id, secret) VALUES (10, (SELECT 'SECRET'))",
    "INSERT INTO vault (id, secret) VALUES (10, IF(1, 'SECRET', 'x'))",
    "INSERT INTO vault (id, secret) VALUES (10, COALESCE(NULL, 'SECRET'))",
    "INSERT INTO vault (id, secret) VALUES (10, CASE 1 WHEN 1 THEN 'SECRET' END)",
    "INSERT INTO vault (id, secret) VALUES (10, @secret := 'SECRET')",
    "SET @s = 'SECRET'; INSERT INTO vault (id, secret) VALUES (10, @s)",
    "INSERT INTO vault (id, secret) VALUES (10, DEFAULT), (11, 'SECRET'), (12, NULL)",
    "INSERT INTO vault (id, open, secret) VALUES (10, 'SECRET', open)",
    "INSERT INTO vault SET id = 10, secret = 'SECRET'",
    "INSERT INTO vault SET id = 10, vault.secret := 'SECRET', `other` = \"SECRET\"",
    "INSERT INTO vault SET id = 10, open = 'SECRET', secret = open",
    "INSERT LOW_PRIORITY IGNORE INTO vault SET id = 10, secret = 'SECRET'",
    "INSERT HIGH_PRIORITY vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT DELAYED INTO vault (id, secret) VALUES (10, 'SECRET')",
    "INSERT INTO vault PARTITION (p0) (id, secret) VALUES (10, 'SECRET')",
    "REPLACE INTO vault (id, secret) VALUES (1, 'SECRET')",
    "REPLACE vault SET id = 1, secret = 'SECRET'",
    "REPLACE DELAYED vault SET id = 1, secret = 'SECRET'",
    "REPLACE INTO vault (id, secret) SELECT 1, 'SECRET'",
    "INSERT INTO vault (id, secret) VALUES (1, 'x') ON DUPLICATE KEY UPDATE secret = 'SECRET'",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') ON DUPLICATE KEY UPDATE secret = VALUES(secret)",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') ON DUPLICATE KEY UPDATE secret = VALUE(secret)",
    "INSERT INTO vault (id, open) VALUES (1, 'SECRET') ON DUPLICATE KEY UPDATE secret = VALUES(open)",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') AS new ON DUPLICATE KEY UPDATE secret = new.secret",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') AS new (i, s) ON DUPLICATE KEY UPDATE secret = s, other = s",
    "INSERT INTO vault (id, open) VALUES (1, 'SECRET') AS vault2 (i, secret) ON DUPLICATE KEY UPDATE secret = vault2.secret",
    "INSERT INTO vault (id, secret) VALUES (1, 'x') ON DUPLICATE KEY UPDATE note = 'n', secret = CONCAT(secret, 'SECRET')",
    "INSERT INTO vault (id, secret) SELECT 10, 'SECRET'",
    "INSERT INTO vault (id, secret) (SELECT 10, 'SECRET')",
    "INSERT INTO vault (id, secret) SELECT 10, 'SECRET' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM plain WHERE id = 7)",
    "INSERT INTO vault (id, secret) SELECT 10, note FROM (SELECT 'SECRET' AS note) x",
    "INSERT INTO vault (id, secret) SELECT id + 10, secret FROM vault UNION ALL SELECT 20, 'SECRET'",
    "INSERT INTO vault (id, secret) WITH w AS (SELECT 10 AS i, 'SECRET' AS s) SELECT i, s FROM w",
    "INSERT INTO vault (id, secret) TABLE plain",
    "INSERT INTO vault (id, secret) VALUES ROW(10, 'SECRET'), ROW(11, 'SECRET')",
    "INSERT INTO vault (id, secret) SELECT 10, 'SECRET' ON DUPLICATE KEY UPDATE secret = 'SECRET'",
    "INSERT INTO vault (id, secret) VALUES (10, 'SECRET') RETURNING id, secret",
    "UPDATE vault SET secret='SECRET'",
    "UPDATE vault SET secret:='SECRET'",
    "UPDATE vault AS plain SET secret = 'SECRET' WHERE plain.id = 1",
    "UPDATE vault v SET v.secret = 'SECRET'",
    "UPDATE vault `secret` SET secret = 'SECRET'",
    "UPDATE LOW_PRIORITY IGNORE vault SET secret = 'SECRET' ORDER BY id LIMIT 2",
    "UPDATE vault SET note = 'n', secret = 'SECRET', other = 'SECRET'",
    "UPDATE vault SET secret = other, other = 'SECRET', secret = 'SECRET'",
    "UPDATE vault SET open = 'SECRET', secret = open",
    "UPDATE vault SET secret = IF(id = 1, 'SECRET', secret)",
    "UPDATE vault SET secret = IFNULL(secret, 'SECRET')",
    "UPDATE vault SET secret = NULLIF('SECRET', 'x')",
    "UPDATE vault SET secret = CASE WHEN id = 1 THEN 'SECRET' ELSE other END",
    "UPDATE vault, plain SET secret = 'SECRET'",
    "UPDATE vault v, plain p SET v.secret = 'SECRET', p.note = 'n' WHERE v.id = p.id",
    "UPDATE vault JOIN plain USING (id) SET secret = 'SECRET'",
    "UPDATE plain p JOIN vault v ON v.id = p.id SET v.secret = p.note, p.note = 'n'",
    "UPDATE vault v JOIN (SELECT 1 AS id, 'SECRET' AS s) x ON x.id = v.id SET v.secret = x.s",
    "UPDATE plain vault, vault v SET v.secret = 'SECRET'",
    "UPDATE vault PARTITION (p0) SET secret = 'SECRET'",
    "WITH w AS (SELECT 1 AS id, 'SECRET' AS s) UPDATE vault v JOIN w USING (id) SET v.secret = w.s",
    "EXPLAIN UPDATE vault SET secret = 'SECRET'",
    "EXPLAIN ANALYZE UPDATE vault SET secret = 'SECRET'",
    "ANALYZE UPDATE vault SET secret = 'SECRET'",
    "PREPARE p FROM 'UPDATE vault SET secret = ''SECRET'''; EXECUTE p",
    "PREPARE p FROM \"UPDATE vault SET secret = 'SECRET'\"; EXECUTE p; DEALLOCATE PREPARE p",
    "SET @t = 'UPDATE vault SET secret = ''SECRET'''; PREPARE p FROM @t; EXECUTE p",
    "SET @s = 'SECRET'; PREPARE p FROM 'UPDATE vault SET secret = ?'; EXECUTE p USING @s",
    "SET @t = CONCAT('UPDATE va', 'ult SET secret = ''SECRET'''); PREPARE p FROM @t; EXECUTE p",
    "EXECUTE IMMEDIATE 'UPDATE vault SET secret = ''SECRET'''",
    "EXECUTE IMMEDIATE CONCAT('UPDATE va', 'ult SET secret = ''SECRET''')",
    "EXECUTE IMMEDIATE 'UPDATE vault SET secret = ?' USING 'SECRET'",
    "BEGIN NOT ATOMIC UPDATE vault SET secret = 'SECRET'; END",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'UPDATE vault SET secret = ''SECRET'''; END",
    "BEGIN NOT ATOMIC PREPARE p FROM CONCAT('UPDATE va', 'ult SET secret = ''SECRET'''); EXECUTE p; END",
    "BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; END; UPDATE \"vault\" SET secret = 'SECRET'",
    "IF 1 THEN EXECUTE IMMEDIATE 'UPDATE vault SET secret = ''SECRET'''; END IF",
    "FOR i IN 1..1 DO EXECUTE IMMEDIATE CONCAT('UPDATE va', 'ult SET secret = ''SECRET'''); END FOR",
    "FOR i IN 1..1 DO SET sql_mode = 'ANSI_QUOTES'; END FOR; UPDATE \"vault\" SET secret = 'SECRET'",
    "x: BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; END; UPDATE \"vault\" SET secret = 'SECRET'",
    "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR UPDATE \"vault\" SET secret = 'SECRET'",
    "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR EXECUTE IMMEDIATE 'UPDATE \"vault\" SET secret = ''SECRET'''",
    "SET STATEMENT max_statement_time = 10 FOR EXECUTE IMMEDIATE CONCAT('UPDATE va', 'ult SET secret = ''SECRET''')",
    "SET STATEMENT max_statement_time = 10 FOR UPDATE vault SET secret = 'SECRET'",
    "PREPARE p FROM 'SET sql_mode = ANSI_QUOTES'; EXECUTE p; UPDATE \"vault\" SET secret = 'SECRET'",
    "SET @@sql_mode = 'ANSI_QUOTES'; UPDATE \"vault\" SET secret = 'SECRET'",
    "SET `sql_mode` = 'ANSI_QUOTES'; UPDATE \"vault\" SET secret = 'SECRET'",
    "/*! SET sql_mode = 'ANSI_QUOTES' */; UPDATE \"vault\" SET secret = 'SECRET'",
    "SET autocommit = 1, sql_mode = 'ANSI_QUOTES'; UPDATE \"vault\" SET secret = 'SECRET'",
    "SET autocommit = 1; UPDATE vault SET secret = 'SECRET'",
    "SET SESSION sql_mode = 'ORACLE'; BEGIN UPDATE vault SET secret = 'SECRET'; END",
    "CREATE PROCEDURE f() BEGIN PREPARE p FROM CONCAT('UPDATE va', 'ult SET secret = ''SECRET'''); EXECUTE p; END; CALL f()",
    "CREATE PROCEDURE f() EXECUTE IMMEDIATE CONCAT('UPDATE va', 'ult SET secret = ''SECRET'''); CALL f()",
    "CREATE PROCEDURE f() UPDATE vault SET secret = 'SECRET'; CALL f()",
    "CREATE PROCEDURE f() BEGIN UPDATE vault SET secret = 'SECRET'; END; CALL f()",
    "CREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE vault SET secret = 'SECRET'; RETURN 1; END; SELECT f()",
    "CREATE TRIGGER f BEFORE INSERT ON vault FOR EACH ROW SET NEW.secret = 'SECRET'; INSERT INTO vault (id) VALUES (10)",
    "CREATE TRIGGER f AFTER UPDATE ON plain FOR EACH ROW UPDATE vault SET secret = 'SECRET'; UPDATE plain SET note = 'x'",
    "CREATE EVENT f ON SCHEDULE AT CURRENT_TIMESTAMP DO UPDATE vault SET secret = 'SECRET'",
    "CREATE VIEW seen AS SELECT id, secret FROM vault; UPDATE seen SET secret = 'SECRET'",
    "CREATE VIEW seen AS SELECT id, secret AS s FROM vault; UPDATE seen SET s = 'SECRET'",
    "CREATE TABLE copied AS SELECT 'SECRET' AS s, secret FROM vault; UPDATE vault SET secret = 'SECRET'",
    "ALTER TABLE vault ALTER secret SET DEFAULT 'SECRET'; INSERT INTO vault (id) VALUES (10)",
    "ALTER TABLE vault MODIFY secret VARBINARY(1000) DEFAULT 'SECRET'; INSERT INTO vault (id) VALUES (10)",
    "ALTER TABLE vault MODIFY secret VARBINARY(1000) DEFAULT ('SECRET'); INSERT INTO vault (id) VALUES (10)",
    "ALTER TABLE vault CHANGE secret s VARBINARY(1000); UPDATE vault SET s = 'SECRET'",
    "ALTER TABLE vault RENAME COLUMN secret TO s; UPDATE vault SET s = 'SECRET'",
    "ALTER TABLE vault RENAME TO w; INSERT INTO w (id, secret) VALUES (10, 'SECRET')",
    "RENAME TABLE vault TO w; INSERT INTO w (id, secret) VALUES (10, 'SECRET')",
    "RENAME TABLE plain TO w, vault TO plain, w TO vault; INSERT INTO plain (id, secret) VALUES (10, 'SECRET')",
    "SELECT 1; ; UPDATE vault SET secret = 'SECRET'; ;",
    "BEGIN; UPDATE vault SET secret = 'SECRET'; COMMIT",
    "START TRANSACTION; SAVEPOINT vault; UPDATE vault SET secret = 'SECRET'; RELEASE SAVEPOINT vault; COMMIT",
    "USE DATABASE; UPDATE vault SET secret = 'SECRET'",
    "SET sql_mode = 'ANSI_QUOTES'; UPDATE \"vault\" SET \"secret\" = 'SECRET'",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'it\\'; UPDATE vault SET secret = 'SECRET' -- '",
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES'); SELECT '\\'; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT 'it\\'; UPDATE vault SET secret = \\'SECRET\\' -- '",
    "SELECT 1 /* '; */; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT `a``'` FROM (SELECT 1 AS `a``'`) x; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT \"a\"\"'\"; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT 1 --'\n; UPDATE vault SET secret = 'SECRET'",
    "INSERT INTO vault (id, secret) SELECT 1.e-- 20, 'SECRET' /*\n, 'x' -- */",
    "INSERT INTO vault (id, secret) VALUES (10, 1.e('SECRET')), (11, .5E+('SECRET'))",
    "SELECT 1 --1; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT '' # '\n; UPDATE vault SET secret = 'SECRET' # '",
    "SELECT 1 /*! ; UPDATE vault SET secret = 'SECRET' */",
    "SELECT 1 /*!40000 ; UPDATE vault SET secret = 'SECRET' */",
    "SELECT 1 /*!99999 '*/; UPDATE vault SET secret = 'SECRET' -- '",
    "SELECT 1 /*M! ; UPDATE vault SET secret = 'SECRET' */",
    "/*!50000 UPDATE */ /*!50000 va*//*!50000ult*/ SET secret = 'SECRET'",
    "/*! UPDATE vault */ SET secret = /*! 'SECRET' */",
    "UPDATE /*+ MAX_EXECUTION_TIME(1000) */ vault SET secret = 'SECRET'",
    "UPDATE /*! STRAIGHT_JOIN */ vault SET secret = 'SECRET'",
    "/*!UPDATE vault SET secret = 'SECRET'*/",
    "SET @a = 1, @b = 'SECRET'; UPDATE vault SET secret = @b",
    "DO 1; UPDATE\tvault\rSET\u{b}secret\u{c}=\n'SECRET'",
    "HANDLER vault OPEN; UPDATE vault SET secret = 'SECRET'; HANDLER vault CLOSE",
    "LOCK TABLES vault WRITE; UPDATE vault SET secret = 'SECRET'; UNLOCK TABLES",
    "DELETE FROM vault WHERE id = 1; INSERT INTO vault (id, secret) VALUES (1, 'SECRET')",
    "SELECT 'SECRET' INTO @x; UPDATE vault SET secret = @x",
    "LOAD XML LOCAL INFILE 'f' INTO TABLE vault",
    "\u{feff}UPDATE vault SET secret = 'SECRET'",
    "UPDATE\u{a0}vault SET secret = 'SECRET'",
    "UPDATE vault SET secret = 'SECRET' WHERE other = 'SECRET'",
    "UPDATE vault SET other = 'SECRET' WHERE other <> 'SECRET' OR other IS NULL",
    "UPDATE vault SET other = JSON_UNQUOTE('\"SECRET\"')",
    "UPDATE vault SET other = ELT(1, 'SECRET'), secret = GREATEST('SECRET', 'A')",
    "SET NAMES gbk; UPDATE vault SET secret = 'SECRET'",
    "SET CHARACTER SET latin1; UPDATE vault SET secret = 'SECRET'",
    "SET character_set_client = big5; UPDATE vault SET secret = 'SECRET'",
];

/// Texts after which double quotes are those of names.
const CHANGES: &[&str] = &[
    "SET sql_mode = 'ANSI_QUOTES'",
    "SET @@SESSION.sql_mode := 'ANSI_QUOTES'",
    "SET SESSION SQL_MODE = (SELECT 'ANSI_QUOTES'), @x = 1",
    "/*!40101 SET sql_mode = 'ANSI_QUOTES' */",
    "/*M! SET sql_mode = 'ANSI_QUOTES' */",
    "SELECT 1; SET autocommit = 1, `sql_mode` = 'ANSI_QUOTES'; SELECT 2",
    "PREPARE p FROM 'SET sql_mode = ANSI_QUOTES'; EXECUTE p",
    "EXECUTE IMMEDIATE 'SET sql_mode = ANSI_QUOTES'",
    "BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; END",
    "x: BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; END",
    "IF 1 THEN SET sql_mode = 'ANSI_QUOTES'; END IF",
    "CASE 1 WHEN 1 THEN SET sql_mode = 'ANSI_QUOTES'; END CASE",
    "FOR i IN 1..1 DO SET sql_mode = 'ANSI_QUOTES'; END FOR",
    "REPEAT SET sql_mode = 'ANSI_QUOTES'; UNTIL 1 END REPEAT",
    "WHILE @w IS NULL DO SET sql_mode = 'ANSI_QUOTES', @w = 1; END WHILE",
    "SET sql_mode = 'ANSI'",
];

fn fill(scene: &Scene, sql: &str) -> String {
    sql.replace("SECRET", SECRET)
        .replace("DATABASE", &scene.schema)
}

/// Rows to write to; what a statement before may have made of the schema is undone.
fn reset(scene: &Scene, before: &str) -> Result<()> {
    let mut direct = scene.direct()?;
    if ["ALTER", "CREATE", "RENAME"]
        .iter()
        .any(|word| before.contains(word))
    {
        let schema = &scene.schema;
        direct.run(&format!(
            "DROP SCHEMA {schema}; CREATE SCHEMA {schema}; USE {schema}"
        ))?;
        for table in TABLES {
            direct.run(table)?;
        }
    }
    direct.run(ROWS)
}

/// A table or a definition in which the value stands.
fn leaks(scene: &Scene) -> Result<Option<String>> {
    let mut direct = scene.direct()?;
    let found = |content: Vec<Vec<String>>| {
        let content = format!("{content:?}");
        let is_there = content.contains(SECRET) || content.contains("4C45414B2D37463341");
        is_there.then_some(content)
    };
    for table in direct.strings("SHOW TABLES")?.concat() {
        // A plain column holds what is written to it.
        let all = match &*table {
            "vault" => "SELECT id, note, secret, other FROM vault".to_owned(),
            table => format!("SELECT * FROM `{table}`"),
        };
        if let Some(content) = found(direct.strings(&all)?) {
            return Ok(Some(format!("{table}: {content}")));
        }
    }
    let definitions = "SELECT COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
        UNION ALL SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() \
        UNION ALL SELECT ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() \
        UNION ALL SELECT EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()";
    Ok(found(direct.strings(definitions)?))
}

/// Sends a text by either protocol, whatever becomes of it.
fn send(connection: &mut Connection, text: &str, prepared: bool) -> Result<()> {
    match prepared {
        true => {
            // The number of a statement that is refused is that of none.
            let statement = prepare(connection, text)?;
            let execution = execution(connection, statement, 0, &[], true);
            connection.command(&execution)?;
        }
        false => connection.query(text)?,
    }
    connection.answers().map(drop)
}

fn no_form_of_a_statement_stores_a_value_as_it_is(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, COLUMNS)? else {
        return Ok(());
    };
    reset(&scene, "CREATE")?;
    let mut found = Vec::new();
    let mut sealed = 0;
    let mut before = "";
    for sql in STATEMENTS {
        let text = fill(&scene, sql);
        for prepared in [false, true] {
            reset(&scene, before)?;
            before = sql;
            let mut connection = scene.proxied()?;
            let outcome = send(&mut connection, &text, prepared)
                .and_then(|()| send(&mut connection, "COMMIT", false));
            if let Err(error) = outcome {
                found.push(format!("\n{sql} (prepared: {prepared}): {error}"));
            }
            drop(connection);
            if let Some(content) = leaks(&scene)? {
                found.push(format!("\n{sql} (prepared: {prepared}): {content}"));
            }
            let count =
                "SELECT COUNT(*) FROM vault WHERE INSTR(CONCAT_WS('', secret, other), '%%%') > 0";
            let count = scene.stored(count).unwrap_or_default().concat();
            sealed += usize::from(count.first().is_some_and(|count| count != "0"));
        }
    }
    if !found.is_empty() {
        return Err(Error::new(found.concat()));
    }
    if sealed < 80 {
        return Err(Error::new(format!("only {sealed} worked")));
    }
    // What is found where it is there.
    reset(&scene, "ALTER")?;
    scene.run_directly(&fill(&scene, "UPDATE vault SET secret = 'SECRET'"))?;
    if leaks(&scene)?.is_none() {
        return Err(Error::new("a value in clear is not found"));
    }
    scene.explained(Ok(()))
}

/// A text is read by the settings that those before it have made, however they were sent.
fn a_change_of_settings_is_followed(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, COLUMNS)? else {
        return Ok(());
    };
    reset(&scene, "CREATE")?;
    let update = fill(&scene, "UPDATE \"vault\" SET \"secret\" = 'SECRET'");
    let (mut found, mut sealed) = (Vec::new(), 0);
    for change in CHANGES {
        for prepared in [false, true] {
            let mut connection = scene.proxied()?;
            send(&mut connection, change, prepared)
                .map_err(|error| Error::new(format!("{change} ({prepared}): {error}")))?;
            // Neither is waited for.
            connection.query("SET @y = 1")?;
            connection.query(&update)?;
            connection.answers()?;
            let leaked = leaks(&scene)?;
            found.extend(leaked.map(|content| format!("\n{change} ({prepared}): {content}")));
            let count = scene.stored("SELECT COUNT(secret) FROM vault")?.concat();
            sealed += usize::from(count != ["0"]);
            reset(&scene, "")?;
        }
    }
    match (&*found, sealed) {
        ([], 10..) => scene.explained(Ok(())),
        ([], _) => Err(Error::new(format!("only {sealed} worked"))),
        _ => Err(Error::new(found.concat())),
    }
}

on_both! {
    no_form_of_a_statement_stores_a_value_as_it_is;
    a_change_of_settings_is_followed;
}

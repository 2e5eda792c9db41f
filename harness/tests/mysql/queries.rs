//! Queries on protected tables of MariaDB and MySQL give the rows that they would give of plain ones.

use crate::protected::{FULL_MARIADB, FULL_MYSQL, Scene, each};
use acra_harness::Result;
use acra_harness::mysql::Connection;
use acra_harness::servers::Flavour;

pub(crate) const COLUMNS: &str = "id INT PRIMARY KEY, grp INT, ssn LONGBLOB, mail VARBINARY(500)";
const ENCRYPTED: &str = "      - {column: ssn, searchable: true, data_type: str}
      - {column: mail, searchable: true}
";

/// Not the secret of other tests, who look for theirs in all files of the server: the plain table has it too.
const MARK: &str = "alike-";

/// Puts the same rows into the protected table and into a plain one, whose name it gives.
pub(crate) fn filled(scene: &mut Scene, session: &mut Connection) -> Result<String> {
    let plain = format!("plain_{}", scene.table);
    scene.direct.run(&format!("DROP TABLE IF EXISTS {plain}"))?;
    scene.direct.run(&format!(
        "CREATE TABLE {plain} (id INT PRIMARY KEY, grp INT, ssn VARBINARY(500), mail VARBINARY(500))"
    ))?;
    let long = "x".repeat(300);
    for id in 0..30 {
        let ssn = match id % 6 {
            4 => "NULL".to_owned(),
            5 => "''".to_owned(),
            n => format!("'alike-{n}'"),
        };
        let row = format!("({id}, {}, {ssn}, 'alike-m{}{long}')", id % 3, id % 4);
        let row = row.replace(&format!("m2{long}"), "m2");
        session.run(&scene.sql(&format!("INSERT INTO {{t}} VALUES {row}")))?;
        scene
            .direct
            .run(&format!("INSERT INTO {plain} VALUES {row}"))?;
    }
    Ok(plain)
}

/// A statement gives the same rows of the protected table and of the plain one, which are given, sorted.
pub(crate) fn same(
    scene: &mut Scene,
    session: &mut Connection,
    plain: &str,
    sql: &str,
) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
    let mut found = session.table(&scene.sql(sql))?.rows;
    let mut expected = scene.direct.table(&sql.replace("{t}", plain))?.rows;
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{sql}");
    Ok(found)
}

/// A statement is refused.
pub(crate) fn refused(session: &mut Connection, sql: &str) -> Result<()> {
    let error = session.error(sql)?;
    assert!(error.starts_with("#42000"), "{sql}: {error}");
    Ok(())
}

/// Each on a protected table and on a plain one of the same values.
const DISTINCT: &[&str] = &[
    "SELECT DISTINCT ssn FROM {t}",
    "SELECT DISTINCT mail, ssn AS s FROM {t} WHERE id > 2",
    "SELECT DISTINCTROW grp, p.ssn FROM {t} p ORDER BY grp LIMIT 100",
    "SELECT DISTINCT ssn, ssn FROM {t}",
    "SELECT COUNT(*) FROM (SELECT DISTINCT ssn, grp FROM {t}) AS d WHERE ssn <> 'alike-1'",
    "SELECT ssn FROM (SELECT DISTINCT mail, ssn FROM {t}) AS d WHERE mail = 'alike-m2'",
    "SELECT DISTINCT a.ssn, b.mail FROM {t} a JOIN {t} b ON a.mail = b.mail",
    "SELECT DISTINCT s FROM (SELECT ssn AS s FROM {t} UNION ALL SELECT ssn FROM {t} WHERE id < 4) AS u",
    "SELECT id FROM {t} WHERE ssn IN (SELECT DISTINCT ssn FROM {t} WHERE grp = 1)",
    "SELECT COUNT(DISTINCT ssn), COUNT(DISTINCT mail) FROM {t}",
    "SELECT DISTINCT * FROM {t}",
    "SELECT DISTINCT p.* FROM {t} p JOIN {t} q ON p.mail = q.mail WHERE q.id > 3",
    "SELECT DISTINCT q.ssn, p.* FROM {t} p LEFT JOIN {t} q ON p.ssn = q.ssn AND q.id < 9",
    "SELECT DISTINCT p.*, d.ssn AS other FROM {t} p JOIN (SELECT ssn, grp FROM {t}) d ON d.grp = p.grp",
    "SELECT ssn, COUNT(*) FROM {t} GROUP BY ssn",
    "SELECT id, ROW_NUMBER() OVER (PARTITION BY ssn ORDER BY id) FROM {t}",
    "SELECT DISTINCT ssn FROM {t} WHERE id > 1000",
    "SELECT id, id MOD 4 FROM {t} WHERE id MOD 3 = 1 AND `id` MOD (5) <> MOD(id, 2) AND ssn = 'alike-1'",
];

scenario!(distinct, COLUMNS, ENCRYPTED);
fn distinct(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let plain = filled(scene, &mut session)?;
    for sql in DISTINCT {
        same(scene, &mut session, &plain, sql)?;
    }
    for cell in scene
        .stored("SELECT * FROM {t}")?
        .iter()
        .flatten()
        .flatten()
    {
        assert!(memchr::memmem::find(cell, MARK.as_bytes()).is_none());
    }
    let stored = scene.stored("SELECT ssn FROM {t} WHERE ssn <> ''")?;
    assert_eq!(stored.len(), 20);
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"\x7f")),
        "{stored:?}"
    );
    for sql in [
        "SELECT DISTINCT * FROM {t} GROUP BY id, ssn",
        "SELECT DISTINCT * FROM {t} JOIN (SELECT mail AS m FROM {t}) d",
        "SELECT DISTINCT d.* FROM {t} JOIN (SELECT mail FROM {t}) d",
        "SELECT DISTINCT ssn FROM {t} ORDER BY ssn",
        "SELECT DISTINCT IFNULL(ssn, '') FROM {t}",
        "SELECT DISTINCT ssn FROM {t} GROUP BY ssn, grp",
    ] {
        refused(&mut session, &scene.sql(sql))?;
    }
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

scenario!(
    distinct_with_a_protected_key,
    "grp INT, mail VARBINARY(500) PRIMARY KEY",
    "      - {column: mail, searchable: true}\n"
);
fn distinct_with_a_protected_key(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    for _ in 0..2 {
        session.run(&scene.sql("INSERT INTO {t} (grp, mail) VALUES (1, 'alike-m')"))?;
    }
    // The rows are equal, and their containers are not.
    refused(&mut session, &scene.sql("SELECT DISTINCT * FROM {t}"))?;
    let read = session.strings(&scene.sql("SELECT DISTINCT grp, mail FROM {t}"))?;
    assert_eq!(read, [["1", "alike-m"]]);
    Ok(())
}

/// Labels in expressions, and rows that are grouped in several ways, of columns that are not protected.
const LABELLED: &[&str] = &[
    "SELECT grp AS g, ssn FROM {t} WHERE ssn = 'alike-1' HAVING g = 1 AND g + 1 < 9 ORDER BY g + id",
    "SELECT grp + 0 AS g, COUNT(*) AS n FROM {t} WHERE mail = 'alike-m2' GROUP BY g HAVING g > 0 AND n > 1 ORDER BY g * 2",
    "SELECT id AS grp, ssn FROM {t} WHERE ssn = 'alike-1' HAVING grp > 5",
    "SELECT grp, COUNT(*) AS n FROM {t} WHERE ssn <> 'alike-1' GROUP BY grp WITH ROLLUP HAVING n > 1",
    "SELECT grp, id % 2 AS h, COUNT(DISTINCT ssn) FROM {t} GROUP BY grp, h WITH ROLLUP",
];

scenario!(labels_in_expressions, COLUMNS, ENCRYPTED);
fn labels_in_expressions(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let plain = filled(scene, &mut session)?;
    for sql in LABELLED {
        assert!(!same(scene, &mut session, &plain, sql)?.is_empty(), "{sql}");
    }
    for sql in [
        "SELECT ssn AS s FROM {t} HAVING s = 'alike-1'",
        "SELECT grp AS ssn FROM {t} HAVING ssn = 'alike-1'",
        "SELECT ssn AS grp FROM {t} HAVING grp = 'alike-1'",
        "SELECT ssn, COUNT(*) FROM {t} GROUP BY ssn WITH ROLLUP",
    ] {
        refused(&mut session, &scene.sql(sql))?;
    }
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

/// Labels in quotes of strings.
const LABELS: &[&str] = &[
    "SELECT ssn 'the number', mail AS 'it''s', id + 1 'sum', NULL 'n', 'x' 'y' FROM {t} WHERE ssn = 'alike-1'",
    "SELECT `the number`, `Mail` FROM (SELECT ssn 'the number', {t}.mail 'Mail' FROM {t}) AS d WHERE mail = 'alike-m2'",
    "SELECT DISTINCT ssn 'a', grp 'b' FROM {t}",
    "SELECT ssn 'a', COUNT(*) 'b' FROM {t} GROUP BY ssn",
    "SELECT `A ``b` FROM (SELECT ssn 'A `b' FROM {t} UNION SELECT ssn FROM {t} WHERE id < 9) AS d WHERE `A ``b` <> 'alike-1'",
    "SELECT ssn 'A b', CASE WHEN id > 1 THEN 2 END 'c' FROM {t} UNION SELECT ssn, 2 FROM {t}",
    "SELECT ssn 'A b' FROM {t} INTERSECT SELECT ssn FROM {t} WHERE id < 9",
];

scenario!(labels_in_quotes_of_strings, COLUMNS, ENCRYPTED);
fn labels_in_quotes_of_strings(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let plain = filled(scene, &mut session)?;
    for sql in LABELS {
        assert!(!same(scene, &mut session, &plain, sql)?.is_empty(), "{sql}");
        let double = sql.replace('\'', "\"");
        same(scene, &mut session, &plain, &double)?;
    }
    refused(&mut session, &scene.sql("SELECT ssn 'a\\'b' FROM {t}"))?;
    for connection in [&mut session, &mut scene.direct] {
        connection.run("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")?;
    }
    for sql in LABELS
        .iter()
        .chain(&["SELECT ssn 'a\\' FROM {t} WHERE \"ssn\" = 'alike-1'"])
    {
        same(scene, &mut session, &plain, sql)?;
    }
    scene.direct.run("SET sql_mode = DEFAULT")?;
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

/// Where `||` is OR; with how many rows each has.
const OR: &[(&str, usize)] = &[
    (
        "SELECT id FROM {t} WHERE ssn = 'alike-1' || mail = 'alike-m2'",
        12,
    ),
    (
        "SELECT id FROM {t} WHERE id = 3 || ssn = 'alike-1' && grp = 1 || 'alike-m2' = mail",
        13,
    ),
    ("SELECT id FROM {t} WHERE NOT ssn = 'alike-1' || id = 1", 21),
    (
        "SELECT id, ssn = 'alike-1' || id = 2 FROM {t} ORDER BY id LIMIT 3",
        3,
    ),
    ("SELECT id FROM {t} WHERE grp || ssn IS NULL", 20),
];

/// Where it puts strings together.
const CONCAT: &[(&str, usize)] = &[
    (
        "SELECT id, id || ':' || grp, ssn FROM {t} WHERE ssn = 'alike-1' AND id || ':' || grp = '7:1'",
        1,
    ),
    (
        "SELECT id FROM {t} WHERE grp || 0 = '10' AND (ssn = 'alike-1' OR ssn IS NULL)",
        10,
    ),
];

scenario!(pipes, COLUMNS, ENCRYPTED);
fn pipes(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let plain = filled(scene, &mut session)?;
    let both = "SELECT id FROM {t} WHERE ssn = 'alike-1' || mail = 'alike-m2'";
    for (mode, texts) in [
        ("", OR),
        ("PIPES_AS_CONCAT", CONCAT),
        ("ANSI_QUOTES", OR),
        ("ANSI", CONCAT),
        ("NO_BACKSLASH_ESCAPES", OR),
    ] {
        let set = format!("SET SESSION sql_mode = '{mode}'");
        session.run(&set)?;
        scene.direct.run(&set)?;
        for (sql, count) in texts {
            let found = same(scene, &mut session, &plain, sql)?;
            assert_eq!(found.len(), *count, "{mode}: {sql}");
        }
        let prepare = format!("PREPARE p FROM '{}'", both.replace('\'', "''"));
        if texts == OR {
            session.run(&scene.sql(&prepare))?;
            assert_eq!(session.table("EXECUTE p")?.rows.len(), 12, "{mode}");
            continue;
        }
        for sql in [
            both,
            &prepare,
            "SELECT id FROM {t} WHERE ssn = 'alike-' || '1'",
            "UPDATE {t} SET ssn = 'alike-' || '1' WHERE id = 1",
            "INSERT INTO {t} (id, ssn) VALUES (100, 'alike-' || '1')",
        ] {
            let error = session.error(&scene.sql(sql))?;
            assert!(error.starts_with("#42000"), "{mode}: {sql}: {error}");
        }
    }
    // What is behind a change of the mode in the same text is read by the new one.
    for change in [
        "SET sql_mode = 'PIPES_AS_CONCAT'",
        "SET @@SESSION.sql_mode = 'ANSI'",
        "SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')",
    ] {
        let error = session.error(&scene.sql(&format!("{change}; {both}")))?;
        assert!(error.contains("how it is read"), "{error}");
    }
    session.run("SET sql_mode = ''")?;
    assert_eq!(same(scene, &mut session, &plain, both)?.len(), 12);
    scene.stored("SELECT id FROM {t}")?;
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

scenario!(comments_for_versions, COLUMNS, ENCRYPTED);
fn comments_for_versions(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let is_mariadb = scene.side.flavour == Flavour::MariaDb;
    // What a server does not read stays as it is, so no secrets are there. Of the first two comments each server reads one; a server that reads both or none would not understand it.
    session.run(&scene.sql(
        "INSERT INTO {t} (id, ssn) VALUES (1, /*!80000 'of mysql' */ /*M!100000 'of maria' */)",
    ))?;
    session.run(
        &scene.sql("INSERT INTO {t} (id, ssn) VALUES (2, '078-05-2' /*!99999 , 'never' */)"),
    )?;
    session.run(&scene.sql(
        "ALTER TABLE {t} ADD COLUMN extra INT /*!80023 INVISIBLE */ /*M!100303 INVISIBLE */",
    ))?;
    session.run(&scene.sql("INSERT INTO {t} VALUES (3, 1, '078-05-3', NULL)"))?;
    let read = session.strings(&scene.sql("SELECT * FROM {t} ORDER BY id"))?;
    let of_server = match is_mariadb {
        true => "of maria",
        false => "of mysql",
    };
    let expected = [
        ["1", "NULL", of_server, "NULL"],
        ["2", "NULL", "078-05-2", "NULL"],
        ["3", "1", "078-05-3", "NULL"],
    ];
    assert_eq!(read, expected);
    let found = session
        .strings(&scene.sql("SELECT id FROM {t} WHERE ssn = '078-05-3' /*!99999 OR id = 2 */"))?;
    assert_eq!(found, [["3"]]);
    let kept = scene.stored("SELECT id FROM {t} WHERE LEFT(ssn, 1) <> X'7F'")?;
    assert!(kept.is_empty(), "{kept:?}");
    Ok(())
}

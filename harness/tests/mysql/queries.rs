//! Queries on protected tables of MariaDB and MySQL give the rows that they would give of plain ones.

use crate::protected::{FULL_MARIADB, FULL_MYSQL, Scene, each};
use acra_harness::Result;
use acra_harness::servers::Flavour;

const COLUMNS: &str = "id INT PRIMARY KEY, grp INT, ssn LONGBLOB, mail VARBINARY(500)";
const ENCRYPTED: &str = "      - {column: ssn, searchable: true, data_type: str}
      - {column: mail, searchable: true}
";

/// Each on a protected table and on a plain one of the same values.
const DISTINCT: &[&str] = &[
    "SELECT DISTINCT ssn FROM {t}",
    "SELECT DISTINCT mail, ssn AS s FROM {t} WHERE id > 2",
    "SELECT DISTINCTROW grp, p.ssn FROM {t} p ORDER BY grp LIMIT 100",
    "SELECT DISTINCT ssn, ssn FROM {t}",
    "SELECT COUNT(*) FROM (SELECT DISTINCT ssn, grp FROM {t}) AS d WHERE ssn <> '078-05-1'",
    "SELECT ssn FROM (SELECT DISTINCT mail, ssn FROM {t}) AS d WHERE mail = '078-05-m2'",
    "SELECT DISTINCT a.ssn, b.mail FROM {t} a JOIN {t} b ON a.mail = b.mail",
    "SELECT DISTINCT s FROM (SELECT ssn AS s FROM {t} UNION ALL SELECT ssn FROM {t} WHERE id < 4) AS u",
    "SELECT id FROM {t} WHERE ssn IN (SELECT DISTINCT ssn FROM {t} WHERE grp = 1)",
    "SELECT COUNT(DISTINCT ssn), COUNT(DISTINCT mail) FROM {t}",
    "SELECT ssn, COUNT(*) FROM {t} GROUP BY ssn",
    "SELECT id, ROW_NUMBER() OVER (PARTITION BY ssn ORDER BY id) FROM {t}",
    "SELECT DISTINCT ssn FROM {t} WHERE id > 1000",
];

scenario!(distinct, COLUMNS, ENCRYPTED);
fn distinct(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
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
            n => format!("'078-05-{n}'"),
        };
        let row = format!("({id}, {}, {ssn}, '078-05-m{}{long}')", id % 3, id % 4);
        let row = row.replace(&format!("m2{long}"), "m2");
        session.run(&scene.sql(&format!("INSERT INTO {{t}} VALUES {row}")))?;
        scene
            .direct
            .run(&format!("INSERT INTO {plain} VALUES {row}"))?;
    }
    for sql in DISTINCT {
        let mut found = session.table(&scene.sql(sql))?.rows;
        let mut expected = scene.direct.table(&sql.replace("{t}", &plain))?.rows;
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{sql}");
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
        "SELECT DISTINCT * FROM {t}",
        "SELECT DISTINCT ssn FROM {t} ORDER BY ssn",
        "SELECT DISTINCT IFNULL(ssn, '') FROM {t}",
        "SELECT DISTINCT ssn FROM {t} GROUP BY ssn, grp",
    ] {
        let error = session.error(&scene.sql(sql))?;
        assert!(error.starts_with("#42000"), "{sql}: {error}");
    }
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

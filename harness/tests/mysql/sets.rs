//! `UNION`, `INTERSECT` and `EXCEPT` of searchable columns give the rows that they would give of plain ones.

use crate::protected::{FULL_MARIADB, FULL_MYSQL, Scene, TEXT, each, lengthy};
use crate::queries::{COLUMNS, filled, refused, same};
use crate::statements::{execution, prepare};
use acra_harness::Result;
use acra_harness::mysql::Connection;
use acra_harness::servers::Flavour;

const ENCRYPTED: &str = "      - {column: ssn, searchable: true}
      - {column: mail, searchable: true}
";

const SETS: &[&str] = &[
    "SELECT ssn FROM {t} WHERE id < 15 UNION SELECT ssn FROM {t}",
    "SELECT ssn FROM {t} WHERE id > 200 UNION SELECT mail FROM {t} WHERE id < 3",
    "SELECT mail FROM {t} INTERSECT SELECT ssn FROM {t}",
    "SELECT mail FROM {t} EXCEPT ALL SELECT ssn FROM {t}",
    "SELECT ssn, grp FROM {t} WHERE id < 10 UNION SELECT mail, grp FROM {t} ORDER BY grp LIMIT 100",
    "SELECT mail AS m, ssn FROM {t} UNION DISTINCT SELECT ssn, mail FROM {t}",
    "SELECT ssn, ssn AS again, id % 2 AS m FROM {t} UNION SELECT ssn, mail, 1 FROM {t}",
    "SELECT ssn FROM {t} UNION SELECT mail FROM {t} UNION SELECT ssn FROM {t}",
    "SELECT ssn FROM {t} UNION SELECT mail FROM {t} UNION ALL SELECT ssn FROM {t}",
    "SELECT ssn FROM {t} UNION ALL SELECT mail FROM {t} UNION SELECT ssn FROM {t}",
    "(SELECT ssn FROM {t} ORDER BY id LIMIT 3) UNION (SELECT mail FROM {t} WHERE ssn = 'alike-1')",
    "SELECT COUNT(*) FROM (SELECT ssn FROM {t} UNION SELECT mail FROM {t}) AS u WHERE ssn <> 'alike-m2'",
    "WITH w AS (SELECT ssn, id FROM {t} WHERE id < 9) SELECT ssn FROM w UNION SELECT ssn FROM {t} WHERE id > 20",
    "SELECT DISTINCT ssn FROM {t} UNION SELECT mail FROM {t} GROUP BY mail",
    "SELECT Ssn AS `rank`, p.grp AS `select` FROM {t} p UNION SELECT mail, 1 FROM {t}",
    "SELECT d.ssn, d.rank FROM (SELECT ssn, grp AS `rank` FROM {t}) AS d UNION SELECT mail, 1 FROM {t}",
    "SELECT d.ssn, d.rank FROM (SELECT ssn, grp AS `rank` FROM {t}) AS d EXCEPT SELECT mail, 1 FROM {t}",
    "SELECT ssn FROM {t} WHERE id > 1000 UNION SELECT mail FROM {t} WHERE id > 1000",
    "SELECT ssn FROM {t} WHERE id < 3 INTERSECT SELECT ssn FROM {t} WHERE id > 7",
    "SELECT ssn, ssn FROM {t} WHERE id < 3 INTERSECT SELECT ssn, ssn FROM {t} WHERE id > 7",
    "SELECT ssn FROM {t} WHERE id < 15 INTERSECT SELECT ssn FROM {t} WHERE id > 12 AND id < 15",
    "SELECT ssn, grp FROM {t} WHERE id < 7 INTERSECT SELECT ssn, grp FROM {t} WHERE id > 7 ORDER BY grp",
    "SELECT ssn, mail AS m, id FROM {t} INTERSECT SELECT ssn, mail, id FROM {t} WHERE grp = 1",
    "SELECT ssn FROM {t} INTERSECT ALL SELECT ssn FROM {t} WHERE id > 7 AND id < 22",
    "SELECT ssn FROM {t} EXCEPT SELECT ssn FROM {t} WHERE id < 3",
    "SELECT ssn, grp FROM {t} EXCEPT SELECT mail, grp FROM {t}",
    "SELECT ssn FROM {t} EXCEPT ALL SELECT ssn FROM {t} WHERE id > 7 AND id < 22",
    "SELECT ssn FROM {t} EXCEPT SELECT ssn FROM {t} WHERE id < 2 EXCEPT SELECT ssn FROM {t} WHERE ssn IS NULL",
    "SELECT ssn FROM {t} EXCEPT (SELECT ssn FROM {t} WHERE id < 2 UNION SELECT mail FROM {t})",
    "SELECT ssn FROM {t} WHERE id < 2 UNION SELECT ssn FROM {t} WHERE id < 20 INTERSECT SELECT ssn FROM {t} WHERE id > 2 AND id < 5",
    "SELECT ssn, CONCAT(REPEAT('x', 1500), grp) AS n FROM {t} INTERSECT SELECT ssn, CONCAT(REPEAT('x', 1500), 1) FROM {t} WHERE id > 3",
    "SELECT ssn, CONCAT(REPEAT('x', 1500), grp) AS n FROM {t} EXCEPT ALL SELECT ssn, CONCAT(REPEAT('x', 1500), 1) FROM {t} WHERE id > 3",
    "SELECT ssn, CONCAT('X', grp) AS n FROM {t} INTERSECT SELECT ssn, 'x1' FROM {t}",
    "SELECT ssn, grp + 1 AS g FROM {t} p JOIN (SELECT id FROM {t} WHERE id IN (1, 2, 8)) d USING (id) INTERSECT SELECT ssn, MOD(id, 3) + 1 FROM {t}",
    "SELECT ssn FROM {t} INTERSECT (SELECT mail FROM {t} WHERE id < 3 ORDER BY id LIMIT 9)",
    "SELECT ssn FROM {t} EXCEPT (SELECT ssn FROM {t} ORDER BY id LIMIT 3)",
    "SELECT DISTINCT ssn, mail AS m FROM {t} INTERSECT ALL SELECT ssn, mail FROM {t} GROUP BY ssn, mail",
    "SELECT DISTINCT ssn, grp FROM {t} INTERSECT SELECT ssn, grp FROM {t}",
    "SELECT ssn, grp FROM {t} EXCEPT SELECT ssn, grp FROM {t} WHERE id < 3 EXCEPT SELECT mail, grp FROM {t}",
    "SELECT ssn, 1 AS one FROM (SELECT ssn FROM {t} EXCEPT SELECT ssn FROM {t} WHERE id < 2) d INTERSECT SELECT ssn, 1 FROM {t}",
    "SELECT DISTINCT ssn FROM {t} INTERSECT SELECT ssn FROM {t} WHERE ssn IS NULL OR ssn = ''",
    "SELECT id FROM {t} WHERE ssn IN (SELECT ssn FROM {t} WHERE id < 9 EXCEPT SELECT ssn FROM {t} WHERE id < 2)",
];

/// With MariaDB it is not known that they read the same each time.
const ONCE: &[&str] = &[
    "WITH w AS (SELECT ssn, id FROM {t} WHERE id < 9) SELECT ssn FROM w EXCEPT SELECT ssn FROM {t} WHERE id < 3",
    "SELECT ssn, grp FROM {t} INTERSECT (SELECT mail, grp FROM {t} WHERE id < 9 ORDER BY id LIMIT 9)",
    "SELECT ssn, grp FROM {t} WHERE id IN (SELECT id FROM {o}) INTERSECT SELECT ssn, grp FROM {t}",
    "SELECT p.ssn, o.grp FROM {t} p JOIN {o} ON o.id = p.id EXCEPT SELECT ssn, grp FROM {t} WHERE id < 3",
    "SELECT ssn, COUNT(*) AS n FROM {t} GROUP BY ssn INTERSECT SELECT ssn, 5 FROM {t}",
    "SELECT ssn, ROW_NUMBER() OVER (ORDER BY id) AS n FROM {t} INTERSECT SELECT ssn, id FROM {t}",
    "SELECT ssn, @@version_comment <> '' AS v FROM {t} INTERSECT SELECT ssn, 1 FROM {t}",
];

scenario!(sets, COLUMNS, ENCRYPTED);
fn sets(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let plain = filled(scene, &mut session)?;
    // Both columns have some values, so that they are equal across columns too.
    let insert = "INSERT INTO {t} (id, ssn) SELECT id + 100 AS n, ssn FROM {t} WHERE id = 1 \
        UNION SELECT id + 200, mail FROM {t} WHERE id = 2 ON DUPLICATE KEY UPDATE grp = 9";
    session.run(&scene.sql(insert))?;
    scene.direct.run(&insert.replace("{t}", &plain))?;
    let read = session.strings(&scene.sql("SELECT id, ssn FROM {t} WHERE id > 99 ORDER BY id"))?;
    assert_eq!(read, [["101", "alike-1"], ["202", "alike-m2"]]);
    for sql in SETS {
        same(scene, &mut session, &plain, sql)?;
    }
    let text = "SELECT ssn, grp FROM {t} WHERE ssn = ? UNION SELECT mail, grp FROM {t} WHERE mail = ? \
        EXCEPT SELECT ssn, 2 FROM {t}";
    let (first, second) = (lengthy(b"alike-1"), lengthy(b"alike-m2"));
    let bound = [(TEXT, Some(&*first)), (TEXT, Some(&*second))];
    let mut read = Vec::new();
    for (connection, sql) in [
        (&mut session, scene.sql(text)),
        (&mut scene.direct, text.replace("{t}", &plain)),
    ] {
        let statement = prepare(connection, &sql)?;
        let command = execution(connection, statement, 0, &bound, true);
        let mut rows = connection.executed(&command)?.rows;
        rows.sort();
        read.push(rows);
    }
    assert_eq!(read[0], read[1]);
    assert_eq!(read[0].len(), 4);
    let other = format!("{plain} AS o");
    for sql in ONCE {
        let sql = sql.replace("{o}", &other);
        // MariaDB would read what they read from twice.
        match scene.side.flavour {
            Flavour::MySql => drop(same(scene, &mut session, &plain, &sql)?),
            Flavour::MariaDb => refused(&mut session, &scene.sql(&sql))?,
        }
    }
    for sql in [
        "SELECT ssn, ssn FROM {t} UNION SELECT mail, mail FROM {t}",
        "SELECT * FROM {t} UNION SELECT * FROM {t}",
        "SELECT ssn, id + 1 FROM {t} UNION SELECT ssn, id FROM {t}",
        "SELECT ssn FROM {t} UNION SELECT 'alike-1'",
        "SELECT ssn FROM {t} UNION SELECT grp FROM {t}",
        "SELECT ssn FROM {t} UNION SELECT mail FROM {t} ORDER BY ssn",
        "SELECT ssn FROM {t} INTERSECT SELECT mail FROM {t} FOR UPDATE",
        "SELECT ssn FROM {t} UNION SELECT mail FROM {t} LOCK IN SHARE MODE",
        "WITH RECURSIVE r AS (SELECT ssn FROM {t} UNION SELECT ssn FROM r) SELECT * FROM r",
    ] {
        refused(&mut session, &scene.sql(sql))?;
    }
    // What is stored by them is sealed.
    views_and_outer_rows(scene, &mut session, &plain)?;
    scene.stored("SELECT id FROM {t}")?;
    scene.direct.run(&format!("DROP TABLE {plain}"))
}

/// In a view they give the same. Columns of an outer query are not known to MariaDB in a query in `FROM`.
fn views_and_outer_rows(scene: &mut Scene, session: &mut Connection, plain: &str) -> Result<()> {
    let union = "SELECT ssn FROM {t} UNION SELECT mail FROM {t}";
    let view = format!("view_{plain}");
    scene.direct.run(&format!("DROP VIEW IF EXISTS {view}"))?;
    session.run(&scene.sql(&format!("CREATE VIEW {view} AS {union}")))?;
    let mut found = session.table(&format!("SELECT ssn FROM {view}"))?.rows;
    found.sort();
    assert_eq!(found, same(scene, session, plain, union)?);
    // What a view reads is not known to be the same each time.
    let of_view = format!("SELECT ssn, 1 AS one FROM {view} INTERSECT SELECT ssn, 1 FROM {{t}}");
    match scene.side.flavour {
        Flavour::MySql => session.run(&scene.sql(&of_view))?,
        Flavour::MariaDb => refused(session, &scene.sql(&of_view))?,
    }
    scene.direct.run(&format!("DROP VIEW {view}"))?;
    let outer = "SELECT id FROM {t} o WHERE EXISTS (SELECT ssn FROM {t} p WHERE p.id = o.id AND p.id < 4 \
        UNION SELECT mail FROM {t} WHERE id = o.id + 100)";
    match scene.side.flavour {
        Flavour::MySql => assert_eq!(same(scene, session, plain, outer)?.len(), 4),
        Flavour::MariaDb => {
            let error = session.error(&scene.sql(outer))?;
            assert!(error.contains("#42S22"), "{error}");
        }
    }
    Ok(())
}

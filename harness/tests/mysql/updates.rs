//! UPDATE in the forms that MariaDB and MySQL have alone.

use crate::protected::{FULL_MARIADB, FULL_MYSQL, Scene, TEXT, each, lengthy, some};
use crate::queries::refused;
use crate::statements::{execution, prepare};
use acra_harness::Result;
use acra_harness::servers::Flavour;

const ENCRYPTED: &str = "      - {column: ssn}\n";
const ENCRYPTED_COLUMNS: &str = "id INT PRIMARY KEY, ssn LONGBLOB, note TEXT";

scenario!(several_tables, ENCRYPTED_COLUMNS, ENCRYPTED);
fn several_tables(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let other = format!("other_{}", scene.table);
    scene.direct.run(&format!("DROP TABLE IF EXISTS {other}"))?;
    scene.direct.run(&format!(
        "CREATE TABLE {other} (id INT PRIMARY KEY, note TEXT) SELECT 1 AS id, 'old' AS note"
    ))?;
    session.run(&scene.sql(
        "INSERT INTO {t} (id, ssn) VALUES (1, '078-05-1'), (2, '078-05-2'), (3, '078-05-3')",
    ))?;
    for sql in [
        "UPDATE {t} p JOIN {o} o ON o.id = p.id SET o.note = 'new', p.ssn = '078-05-4', p.note = 'n'",
        // The table twice, and another.
        "UPDATE {t} a JOIN {t} b ON b.id = a.id + 1 JOIN {o} o ON o.id = a.id \
         SET a.note = 'first', b.ssn = '078-05-5', b.note = 'second', o.note = CONCAT(o.note, 'er')",
    ] {
        session.run(&scene.sql(sql).replace("{o}", &other))?;
    }
    let update =
        "UPDATE {o} o JOIN {t} p ON p.id = o.id + 2 SET o.note = CONCAT(o.note, ?), p.ssn = ?";
    let update = prepare(&mut session, &scene.sql(update).replace("{o}", &other))?;
    let (more, secret) = (lengthy(b"!"), lengthy(b"078-05-6"));
    let bound = [(TEXT, Some(&*more)), (TEXT, Some(&*secret))];
    session.executed(&execution(&session, update, 0, &bound, true))?;
    let read = session.table(&scene.sql("SELECT id, ssn, note FROM {t} ORDER BY id"))?;
    let expected = [
        [some("1"), some("078-05-4"), some("first")],
        [some("2"), some("078-05-5"), some("second")],
        [some("3"), some("078-05-6"), None],
    ];
    assert_eq!(read.rows, expected);
    let note = scene.stored(&format!("SELECT note FROM {other}"))?;
    assert_eq!(note, [[some("newer!")]]);
    for sql in [
        "UPDATE {t} p, {o} o SET p.ssn = '078-05-7', o.note = p.ssn",
        "UPDATE {t} p, {o} o SET p.ssn = UPPER(o.note), o.note = 'x'",
    ] {
        refused(&mut session, &scene.sql(sql).replace("{o}", &other))?;
    }
    // Columns without the name of their table.
    let update = "UPDATE {t} p JOIN {o} o ON p.id = o.id + 2 SET ssn = '078-05-7', o.note = 'x'";
    session.run(&scene.sql(update).replace("{o}", &other))?;
    let read = session.table(&scene.sql("SELECT ssn FROM {t} WHERE id = 3"))?;
    assert_eq!(read.rows, [[some("078-05-7")]]);
    let kept = scene.stored("SELECT id FROM {t} WHERE LEFT(ssn, 1) = '%'")?;
    assert_eq!(kept.len(), 3);
    scene.direct.run(&format!("DROP TABLE {other}"))
}

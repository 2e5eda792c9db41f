//! Statements that read.

use crate::{MARK, WAYS, cells};
use acra_harness::Result;
use acra_harness::scene::{Scene, hex};

/// Queries on the rows of [`read`], each of which gives the secret of row 5000001 once or more, and the number of its
/// columns and of those with the secret.
const QUERIES: [(&str, usize, &[usize]); 14] = [
    ("SELECT * FROM vault WHERE id = 5000001", 5, &[2]),
    ("SELECT secret FROM vault WHERE note = 'row 1'", 1, &[0]),
    ("select id, SECRET from VAULT where id = 5000001", 2, &[1]),
    (
        "SELECT \"secret\" AS \"Label\", note FROM \"vault\" WHERE id = 5000001",
        2,
        &[0],
    ),
    (
        "SELECT secret s FROM public.vault WHERE id = 5000001",
        1,
        &[0],
    ),
    (
        "SELECT v.id, v.secret FROM vault AS v WHERE v.note LIKE 'row 1%'",
        2,
        &[1],
    ),
    (
        "SELECT v.*, 1 FROM vault v WHERE id BETWEEN 5000001 AND 5000001",
        6,
        &[2],
    ),
    (
        "SELECT vault.secret FROM vault WHERE vault.id = 5000001",
        1,
        &[0],
    ),
    (
        "SELECT upper(note), secret FROM vault WHERE id = 5000001 AND secret IS NOT NULL",
        2,
        &[1],
    ),
    (
        "SELECT secret FROM vault WHERE other IS NULL AND id > 5000000 ORDER BY id LIMIT 1",
        1,
        &[0],
    ),
    (
        "SELECT id, secret FROM vault WHERE id >= 5000001 ORDER BY 1, note DESC OFFSET 0 FETCH FIRST 1 ROW ONLY",
        2,
        &[1],
    ),
    (
        "SELECT secret FROM vault WHERE id = 5000001 FOR UPDATE",
        1,
        &[0],
    ),
    (
        "SELECT secret FROM vault v WHERE id = 5000001 FOR UPDATE OF v SKIP LOCKED",
        1,
        &[0],
    ),
    (
        "SELECT secret, id, secret FROM vault WHERE id IN (5000001, 1, 2, 3) AND note = 'row 1'",
        3,
        &[0, 2],
    ),
];

/// Queries whose results hold no container: the same directly and through `acra-server`.
const COUNTS: [&str; 7] = [
    "SELECT count(secret), count(*), count(other) FROM vault WHERE id > 5000000",
    "SELECT id, note FROM vault WHERE secret IS NULL AND id > 5000000 ORDER BY id",
    "SELECT note, count(secret) FROM vault WHERE id > 5000000 GROUP BY note HAVING count(*) > 0 ORDER BY note",
    "SELECT secret FROM vault WHERE id = 5000003",
    "SELECT secret FROM vault WHERE id = 0 FOR SHARE",
    "SELECT DISTINCT note FROM vault WHERE id > 5000000 ORDER BY note LIMIT 2",
    "SELECT 'vault', id FROM vault WHERE note = 'secret'",
];

/// Reads by every query in every way.
pub(crate) fn read(scene: &Scene<'_>) -> Result<()> {
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    let plain = format!("{MARK} to be read \u{1f512}").into_bytes();
    proxied.run(&format!(
        "INSERT INTO vault (id, note, secret, other, open) VALUES (5000001, 'row 1', '{}', NULL, '%%%'), \
         (5000002, 'row 2', '{MARK} of another row', '{MARK}', NULL), (5000003, 'row 3', NULL, NULL, NULL)",
        hex(&plain)
    ))?;
    for way in WAYS {
        for (sql, columns, secrets) in QUERIES {
            let mut expected = cells(&way.run(&mut direct, sql)?);
            assert_eq!(expected.len(), columns, "{sql}");
            for column in secrets {
                assert_ne!(expected[*column], Some(way.cell(&plain)), "{sql}");
                expected[*column] = Some(way.cell(&plain));
            }
            let got = cells(&way.run(&mut proxied, sql)?);
            assert_eq!(got, expected, "{sql} {way:?}");
        }
        for sql in COUNTS {
            let expected = way.run(&mut direct, sql)?;
            assert_eq!(way.run(&mut proxied, sql)?, expected, "{sql} {way:?}");
        }
    }
    Ok(())
}

/// Deletes in every way, and sees what was deleted.
pub(crate) fn delete(scene: &Scene<'_>) -> Result<()> {
    let mut proxied = scene.proxied()?;
    let plain = format!("{MARK} to be deleted").into_bytes();
    let forms = [
        (
            "DELETE FROM vault WHERE id = 6000000 RETURNING secret",
            1,
            0,
        ),
        (
            "DELETE FROM vault v WHERE v.id = 6000000 AND secret IS NOT NULL RETURNING *",
            5,
            2,
        ),
        (
            "delete from public.vault where id = 6000000 returning id, secret as gone",
            2,
            1,
        ),
    ];
    for way in WAYS {
        for (sql, columns, secret) in forms {
            proxied.run(&format!(
                "INSERT INTO vault (id, secret) VALUES (6000000, '{}')",
                hex(&plain)
            ))?;
            let got = cells(&way.run(&mut proxied, sql)?);
            assert_eq!(got.len(), columns, "{sql} {way:?}");
            assert_eq!(got[secret], Some(way.cell(&plain)), "{sql} {way:?}");
        }
        proxied.run("INSERT INTO vault (id, secret) VALUES (6000000, 'x')")?;
        let answers = way.run(&mut proxied, "DELETE FROM vault WHERE id = 6000000")?;
        assert!(cells(&answers).is_empty());
        assert!(
            answers
                .iter()
                .any(|answer| answer.to_string() == "CommandComplete DELETE 1")
        );
    }
    Ok(())
}

//! Forms in which a value passes through other parts of a statement on its way to a protected column, or back.

use acra_harness::raw::frontend as f;
use acra_harness::scene::{hex, rows, value};
use acra_harness::{Context, Result, at_rest};

const MARK: &str = "passed-On-9c";

/// Statements that write MARK to `secret` of row 1.
const WRITES: &[&str] = &[
    "INSERT INTO vault VALUES (1, 'n', 'MARK')",
    "INSERT INTO vault (id, secret) SELECT 1, 'MARK'",
    "INSERT INTO vault (id, secret) SELECT 1, 'MARK' WHERE NOT EXISTS (SELECT FROM vault WHERE id = 1)",
    "INSERT INTO vault (id, secret) SELECT x, y FROM (VALUES (1, 'MARK'::bytea)) v (x, y)",
    "INSERT INTO vault (id, secret) SELECT 1, 'MARK'::bytea UNION ALL SELECT 2, 'MARK'",
    "INSERT INTO vault (id, secret) VALUES (1, (SELECT 'MARK'::bytea))",
    "INSERT INTO vault (id, secret) VALUES (1, coalesce(NULL, 'MARK'::bytea))",
    "WITH v AS (SELECT 1 AS id, 'MARK'::bytea AS s) INSERT INTO vault (id, secret) SELECT id, s FROM v",
    "WITH i AS (INSERT INTO vault (id, secret) VALUES (1, 'MARK') RETURNING id) SELECT id FROM i",
    "WITH RECURSIVE r (n, s) AS (SELECT 1, 'MARK'::bytea UNION ALL SELECT n + 1, s FROM r WHERE n < 3) INSERT INTO vault (id, secret) SELECT n, s FROM r",
    "EXPLAIN ANALYZE INSERT INTO vault (id, secret) VALUES (1, 'MARK')",
    "PREPARE p AS INSERT INTO vault (id, secret) VALUES (1, 'MARK'); EXECUTE p",
    "INSERT INTO vault (id, other) VALUES (1, 'MARK'); INSERT INTO vault (id, secret) SELECT 1, other FROM vault ON CONFLICT (id) DO UPDATE SET secret = excluded.secret",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET (secret, note) = ('MARK', 'n')",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET (secret, note) = ROW ('MARK', 'n')",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET (secret, note) = (SELECT 'MARK'::bytea, 'n')",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET secret = v.s FROM (VALUES (1, 'MARK'::bytea)) v (id, s) WHERE v.id = vault.id",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET secret = CASE WHEN id = 1 THEN 'MARK'::bytea ELSE secret END",
    "INSERT INTO vault (id) VALUES (1); UPDATE \"vault\" SET \"secret\" = (CASE WHEN (\"vault\".\"id\" = 1) THEN 'MARK' ELSE NULL END)::bytea WHERE \"vault\".\"id\" IN (1)",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET secret = coalesce(secret, 'MARK'::bytea)",
    "INSERT INTO vault (id, other) VALUES (1, 'MARK'); UPDATE vault SET secret = other",
    "INSERT INTO vault (id) VALUES (1); WITH v AS (SELECT 'MARK'::bytea AS s) UPDATE vault SET secret = v.s FROM v",
    "INSERT INTO vault (id) VALUES (1); UPDATE ONLY (vault) SET secret = 'MARK'",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault * SET secret = 'MARK' WHERE id = 1",
    "INSERT INTO vault (id) VALUES (1); BEGIN; DECLARE c CURSOR FOR SELECT id FROM vault FOR UPDATE; FETCH c; UPDATE vault SET secret = 'MARK' WHERE CURRENT OF c; COMMIT",
    "INSERT INTO vault (id, secret) VALUES (1, 'MARK') ON CONFLICT ((id)) DO NOTHING",
    "INSERT INTO vault (id) VALUES (1); INSERT INTO vault (id) VALUES (1) ON CONFLICT (id) WHERE id > 0 DO UPDATE SET secret = 'MARK'",
    "INSERT INTO vault (id, other) VALUES (2, 'MARK'); WITH v AS (TABLE vault) INSERT INTO vault (id, secret) SELECT 1, other FROM v",
    "INSERT INTO vault (id, secret) SELECT * FROM unnest(ARRAY[1, 2], ARRAY['MARK', 'x']::bytea[])",
    "INSERT INTO vault (id, secret) SELECT unnest(ARRAY[1]), unnest(ARRAY['MARK'::bytea])",
    "INSERT INTO vault (id, secret) SELECT * FROM UNNEST(('{1,2}')::bigint[], ('{MARK,\"it''s \\\\\\\\ MARK\"}')::bytea[]) RETURNING id",
    "INSERT INTO vault (id, secret) SELECT unnest(ARRAY[1, 2]), unnest(E'{NULL,\\'MARK}'::bytea[]); DELETE FROM vault; INSERT INTO vault (id, secret) SELECT * FROM unnest('{1}'::int[], $x${MARK}$x$::bytea[])",
    "INSERT INTO vault (id) VALUES (1); UPDATE vault SET secret = u.s FROM unnest(ARRAY[1], ARRAY['MARK']::bytea[]) AS u (i, s) WHERE u.i = vault.id",
    "MERGE INTO vault USING (VALUES (1, 'MARK'::bytea)) v (id, s) ON vault.id = v.id \
    WHEN MATCHED THEN UPDATE SET secret = v.s WHEN NOT MATCHED THEN INSERT (id, secret) VALUES (v.id, v.s)",
];

/// Statements with the opened value as the last cell of their only row.
const READS: &[&str] = &[
    "TABLE vault_of_one",
    "SELECT * FROM (SELECT secret FROM vault WHERE id = 1) x",
    "SELECT s FROM (SELECT id, secret FROM vault) x (i, s) WHERE i = 1",
    "SELECT (SELECT secret FROM vault WHERE id = 1)",
    "SELECT coalesce(secret, other) FROM vault WHERE id = 1",
    "SELECT CASE WHEN secret IS NULL THEN other ELSE secret END FROM vault WHERE id = 1",
    "SELECT secret::bytea FROM vault WHERE id IN (SELECT 1)",
    "WITH c AS (SELECT secret AS s FROM vault WHERE id = 1) SELECT s FROM c",
    "WITH RECURSIVE r (n, s) AS (SELECT 1, secret FROM vault WHERE id = 1 UNION ALL SELECT n + 1, s FROM r WHERE n < 2) SELECT s FROM r WHERE n = 2",
    "SELECT secret FROM vault WHERE id = 1 UNION ALL SELECT secret FROM vault WHERE id = -1",
    "SELECT x.s FROM vault v, LATERAL (SELECT v.secret AS s) x WHERE v.id = 1",
    "SELECT v.secret FROM vault v, generate_series(1, 1) g WHERE v.id = g",
    "SELECT secret FROM vault v WHERE v.id = 1 AND EXISTS (SELECT FROM vault w WHERE w.id = v.id)",
    "WITH u AS (UPDATE vault SET note = 'u' WHERE id = 1 RETURNING secret) SELECT * FROM u",
    "PREPARE r AS SELECT secret FROM vault WHERE id = $1; EXECUTE r (1); DEALLOCATE r",
    "BEGIN; DECLARE c CURSOR FOR SELECT secret FROM vault WHERE id = 1; FETCH ALL FROM c; COMMIT",
    "SELECT NULL::bytea WHERE false UNION ALL TABLE vault_of_one",
    "WITH c AS (TABLE vault) SELECT secret FROM c WHERE id = 1",
    "SELECT secret FROM ONLY (vault) WHERE id = 1",
    "SELECT secret FROM vault * WHERE id = 1",
    "SELECT v.secret FROM vault v CROSS JOIN ROWS FROM (generate_series(1, 1), generate_series(2, 2)) AS g (n, m) WHERE v.id = g.n",
    "SELECT v.secret FROM unnest(ARRAY[1]) u JOIN vault v ON v.id = u",
    "DELETE FROM vault USING (SELECT 1 AS id) x WHERE x.id = vault.id RETURNING secret",
];

/// The same of servers from 17 on.
const LATER_READS: &[&str] = &[
    "SELECT v.secret FROM vault v, JSON_TABLE('[{\"a\": 1}]', '$[*]' COLUMNS (a int PATH '$.a')) j WHERE j.a = v.id",
    "MERGE INTO vault v USING (SELECT 1 AS id) x ON x.id = v.id WHEN MATCHED THEN UPDATE SET note = 'm' RETURNING v.secret",
];

fn values_pass_through_other_parts_of_a_statement(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    scene.run_directly("CREATE VIEW vault_of_one AS SELECT secret FROM vault WHERE id = 1")?;
    let (mut connection, mut direct) = (scene.proxied()?, scene.direct()?);
    for sql in WRITES {
        connection.run("TRUNCATE vault")?;
        // What is prepared in a text is executed by another.
        let (first, second) = match sql.strip_suffix("; EXECUTE p") {
            Some(prepare) => (prepare, "EXECUTE p"),
            None => (*sql, "SELECT 1"),
        };
        connection
            .run(&first.replace("MARK", MARK))
            .context(|| first.into())?;
        connection.run(second).context(|| second.into())?;
        let stored = value(&mut direct, "SELECT secret FROM vault WHERE id = 1");
        let stored = stored.context(|| first.into())?;
        assert!(stored.starts_with("\\x252525"), "{first}: {stored}");
        let read = value(&mut connection, "SELECT secret FROM vault WHERE id = 1")?;
        assert_eq!(read, hex(MARK.as_bytes()), "{first}");
    }
    let found = at_rest::find(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    let later = LATER_READS.iter().filter(|_| version >= 17);
    for sql in later.chain(READS) {
        let sql = match sql.strip_suffix("; EXECUTE r (1); DEALLOCATE r") {
            Some(prepare) => {
                connection.run(prepare)?;
                "EXECUTE r (1)"
            }
            None => sql,
        };
        let read = rows(&mut connection, sql)?;
        let cells: Vec<&String> = read.iter().flatten().collect();
        assert_eq!(cells, [&hex(MARK.as_bytes())], "{sql}");
    }
    scene.works()
}

fn execute_seals_the_arguments_of_protected_parameters(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let (mut connection, mut direct) = (scene.proxied()?, scene.direct()?);
    connection.run(
        "PREPARE p (int, bytea, text) AS INSERT INTO vault (id, secret, note) VALUES ($1, $2, $3)",
    )?;
    let upsert = "INSERT INTO vault (id, secret) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET secret = excluded.secret";
    connection.pipeline(&[f::parse("q", upsert, &[]), f::sync()])?;
    for (id, sql) in [
        (1, format!("EXECUTE p (1, '{MARK}', 'a, b')")),
        (
            2,
            format!("EXECUTE \"p\" (1 + 1, $${MARK}$$::bytea, lower('(N)'))"),
        ),
        (3, format!("EXECUTE q (3, E'{MARK}')")),
        (3, format!("EXPLAIN ANALYZE EXECUTE q(3, '{MARK}')")),
    ] {
        connection.run(&sql).context(|| sql.clone())?;
        let select = format!("SELECT secret FROM vault WHERE id = {id}");
        assert!(
            value(&mut direct, &select)?.starts_with("\\x252525"),
            "{sql}"
        );
        assert_eq!(
            value(&mut connection, &select)?,
            hex(MARK.as_bytes()),
            "{sql}"
        );
    }
    connection.run(
        "PREPARE a (int[], bytea[]) AS INSERT INTO vault (id, secret) SELECT * FROM unnest($1, $2)",
    )?;
    connection.run(&format!("EXECUTE a ('{{5,6}}', '{{{MARK},NULL}}')"))?;
    let select = "SELECT secret FROM vault WHERE id = 5";
    assert!(value(&mut direct, select)?.starts_with("\\x252525"));
    assert_eq!(value(&mut connection, select)?, hex(MARK.as_bytes()));
    connection.run("EXECUTE p (4, NULL, NULL); DEALLOCATE p")?;
    // The same statement by the extended protocol.
    connection.run("PREPARE p AS UPDATE vault SET secret = $1 WHERE id = 4")?;
    connection.pipeline(&[
        f::bind_text("", "p", &[Some(MARK)]),
        f::execute("", 0),
        f::sync(),
    ])?;
    let select = "SELECT secret FROM vault WHERE id = 4";
    assert!(value(&mut direct, select)?.starts_with("\\x252525"));
    assert_eq!(value(&mut connection, select)?, hex(MARK.as_bytes()));
    let found = at_rest::find(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

fn tables_with_protected_columns_are_defined_through_the_proxy(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut connection = scene.proxied()?;
    for sql in [
        "DROP TABLE vault",
        "CREATE TABLE vault (id bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, note varchar(20) NULL, secret bytea NULL)",
        "ALTER TABLE vault ADD COLUMN other bytea NULL, ADD COLUMN open bytea",
        "ALTER TABLE vault ALTER COLUMN secret SET NOT NULL",
        "ALTER TABLE vault ALTER COLUMN secret DROP NOT NULL",
        "CREATE INDEX vault_note ON vault (note)",
        "CREATE UNIQUE INDEX vault_note_id ON vault (note, id) WHERE note <> 'x'",
        "CREATE TABLE refers (id int PRIMARY KEY, vault bigint REFERENCES vault (id))",
        "COMMENT ON COLUMN vault.secret IS 'a secret'",
    ] {
        connection.run(sql).context(|| sql.into())?;
    }
    scene.works()
}

crate::on_each_version! {
    values_pass_through_other_parts_of_a_statement,
    execute_seals_the_arguments_of_protected_parameters,
    tables_with_protected_columns_are_defined_through_the_proxy,
}

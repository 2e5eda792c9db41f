//! Arrays whose elements end in protected columns, and parts of columns that are not protected beside them.

use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::scene::{Scene, hex, rows, value};
use acra_harness::servers::Postgres;
use acra_harness::{Context, Result, at_rest};

const MARK: &str = "Spread-Secret-7d";

const CONFIG: &str = "schemas:\n  - table: vault\n    encrypted:\n      - column: secret\n  - table: shelf\n    \
     encrypted:\n      - column: secret\n      - column: label\n";

const SHELF: &str = "CREATE TYPE pair AS (a int, b text[]); \
     CREATE TABLE shelf (id int PRIMARY KEY, secret bytea, label text, tags text[], data jsonb, point pair)";

fn scene(version: u32) -> Result<Scene<'static>> {
    let scene = Scene::on(Postgres::shared(version)?, |config| {
        config.encryptor_yaml(CONFIG)
    })?;
    scene.run_directly(SHELF)?;
    Ok(scene)
}

/// That the mark is nowhere in the database.
fn is_sealed(scene: &Scene<'_>) -> Result<()> {
    let found = at_rest::find(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

fn elements_of_a_bound_array_are_sealed_each(version: u32) -> Result<()> {
    let scene = scene(version)?;
    let (mut connection, mut direct) = (scene.proxied()?, scene.direct()?);
    let quoted = format!("{MARK} \"quoted\", {{b}} \\ ü");
    let plain = [MARK.as_bytes(), quoted.as_bytes()];
    let text = format!(
        "{{{MARK},\"{}\",NULL}}",
        quoted.replace('\\', "\\\\\\\\").replace('"', "\\\"")
    );
    let elements = [Some(plain[0]), Some(plain[1]), None];
    let ids = "{1,2,3}";
    // The column, the types that the client declares, those of the cast, and the format and bytes of the value.
    let cases: [(&str, u32, &str, u16, Vec<u8>); 7] = [
        ("secret", 0, "bytea[]", 0, text.clone().into_bytes()),
        ("secret", 1001, "bytea[]", 0, text.clone().into_bytes()),
        ("secret", 1001, "bytea[]", 1, f::array(17, &elements)),
        ("label", 0, "text[]", 0, text.clone().into_bytes()),
        ("label", 1009, "text[]", 1, f::array(25, &elements)),
        ("label", 1015, "varchar[]", 1, f::array(1043, &elements)),
        ("label", 1015, "text[]", 0, text.into_bytes()),
    ];
    let forms = [
        "INSERT INTO shelf (id, COLUMN) SELECT * FROM unnest($1::int[], $2::TYPE)",
        "INSERT INTO shelf (id, COLUMN) SELECT unnest($1::int[]), unnest($2::TYPE)",
        "INSERT INTO shelf (id, COLUMN) SELECT u.i, u.s FROM unnest($1::int[], $2::TYPE) AS u (i, s) ON CONFLICT (id) DO UPDATE SET COLUMN = excluded.COLUMN",
        "UPDATE shelf SET COLUMN = u.s FROM unnest($1::int[], $2::TYPE) AS u (i, s) WHERE u.i = shelf.id",
    ];
    for (column, declared, cast, format, bytes) in &cases {
        for form in forms {
            let sql = form.replace("COLUMN", column).replace("TYPE", cast);
            let what = || format!("{sql} declared {declared} in format {format}");
            connection.run("TRUNCATE shelf")?;
            if form.starts_with("UPDATE") {
                connection.run("INSERT INTO shelf (id) VALUES (1), (2), (3)")?;
            }
            let done = connection.pipeline(&[
                f::parse("", &sql, &[0, *declared]),
                f::bind(
                    "",
                    "",
                    Bind {
                        formats: &[0, *format],
                        values: &[Some(ids.as_bytes()), Some(bytes)],
                        ..Bind::default()
                    },
                ),
                f::execute("", 0),
                f::sync(),
            ]);
            done.context(what)?;
            let query = format!("SELECT {column} FROM shelf ORDER BY id");
            let stored = rows(&mut direct, &query)?.concat();
            assert_eq!(stored.len(), 3, "{}", what());
            assert!(
                stored
                    .iter()
                    .take(2)
                    .all(|one| one.starts_with("\\x252525")),
                "{}: {stored:?}",
                what()
            );
            assert_ne!(stored[0], stored[1]);
            assert_eq!(stored[2], "NULL");
            let read = rows(&mut connection, &query)?.concat();
            let expected: Vec<String> = plain.iter().map(|one| hex(one)).collect();
            assert_eq!(read.get(..2), Some(&*expected), "{}", what());
        }
    }
    is_sealed(&scene)
}

fn what_is_no_array_of_values_is_refused(version: u32) -> Result<()> {
    let scene = scene(version)?;
    let mut connection = scene.proxied()?;
    let sql = "INSERT INTO shelf (id, label) SELECT * FROM unnest($1::int[], $2::text[])";
    let open = format!("{{{MARK}");
    let quoted = format!("{{{MARK}\"x\"}}");
    let numbers = f::array(23, &[Some(b"\0\0\0\x01")]);
    let cut = f::array(25, &[Some(MARK.as_bytes())]);
    for (format, bytes) in [
        (0, open.as_bytes()),
        (0, quoted.as_bytes()),
        (0, MARK.as_bytes()),
        (1, &*numbers),
        (1, cut.get(..cut.len() - 1).unwrap_or_default()),
    ] {
        connection.send_all(&[
            f::parse("", sql, &[]),
            f::bind(
                "",
                "",
                Bind {
                    formats: &[0, format],
                    values: &[Some(b"{1}"), Some(bytes)],
                    ..Bind::default()
                },
            ),
            f::execute("", 0),
            f::sync(),
        ])?;
        let answers = connection.ready()?;
        let error = answers.iter().find(|message| message.tag == b'E');
        let error = error.ok_or_else(|| acra_harness::Error::new("it was taken"))?;
        assert_eq!(error.field(b'C').as_deref(), Some("22P02"));
        let told = error.field(b'M').unwrap_or_default();
        assert!(told.contains("\"label\"") && !told.contains(MARK), "{told}");
    }
    for written in [
        format!("'{open}'"),
        format!("E'{MARK}'"),
        format!("$${quoted}$$"),
    ] {
        let sql = format!("INSERT INTO shelf (id, label) SELECT 1, unnest({written}::text[])");
        let answers = connection.query(&sql)?;
        let code = answers.iter().find_map(|message| message.field(b'C'));
        assert_eq!(code.as_deref(), Some("22P02"), "{sql}");
    }
    is_sealed(&scene)
}

fn parts_of_other_columns_are_written_beside_a_secret(version: u32) -> Result<()> {
    let scene = scene(version)?;
    let mut connection = scene.proxied()?;
    for sql in [
        "INSERT INTO shelf (id, tags[1], secret, point.a) VALUES (1, 'one', 'MARK', 7)",
        "UPDATE shelf SET tags[2] = 'two', secret = 'MARK', data['key'] = '\"v\"', point.b[1] = 'b' WHERE tags[1] = 'one'",
        "INSERT INTO shelf (id, secret) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (tags[3], label) = ('three', 'MARK')",
    ] {
        connection
            .run(&sql.replace("MARK", MARK))
            .context(|| sql.into())?;
    }
    let read = rows(
        &mut connection,
        "SELECT tags, secret, label, data, (point).a, (point).b FROM shelf",
    )?;
    assert_eq!(
        read.concat(),
        [
            "{one,two,three}",
            &hex(MARK.as_bytes()),
            &hex(MARK.as_bytes()),
            "{\"key\": \"v\"}",
            "7",
            "{b}"
        ]
    );
    assert!(value(&mut scene.direct()?, "SELECT label FROM shelf")?.starts_with("\\x252525"));
    is_sealed(&scene)
}

crate::on_each_version! {
    elements_of_a_bound_array_are_sealed_each,
    what_is_no_array_of_values_is_refused,
    parts_of_other_columns_are_written_beside_a_secret,
}

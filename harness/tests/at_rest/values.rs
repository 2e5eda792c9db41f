//! Values that are special: none, empty, already sealed, another client's, large, many.

use crate::{OPEN, Way, cells};
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::scene::{self, Scene, hex, rows};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Result, at_rest};

/// A column whose values belong to another client than the connection.
const TWO_CLIENTS: &str = "schemas:\n  - table: vault\n    columns: [id, note, secret, other, open]\n    encrypted:\n      \
     - column: secret\n      - column: other\n        client_id: second-client\n";

fn null_empty_and_default_stay_as_they_are(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    scene.run_directly("ALTER TABLE vault ALTER secret SET DEFAULT 'by default'")?;
    let mut proxied = scene.proxied()?;
    proxied.run(
        "INSERT INTO vault (id, secret, other) VALUES (1, NULL, ''), (2, DEFAULT, E''), (3, '\\x', $$$$); \
         INSERT INTO vault (id) VALUES (4); UPDATE vault SET secret = NULL, other = DEFAULT WHERE id = 4",
    )?;
    for (id, format) in [(5, 0), (6, 1)] {
        let key = format!("{id}");
        let bind = Bind {
            formats: &[0, format, format],
            values: &[Some(key.as_bytes()), None, Some(b"")],
            results: &[],
        };
        let sql = "INSERT INTO vault (id, secret, other) VALUES ($1, $2, $3)";
        proxied.pipeline(&[
            f::parse("", sql, &[]),
            f::bind("", "", bind),
            f::execute("", 0),
            f::sync(),
        ])?;
    }
    let sql = "SELECT id, secret, other FROM vault ORDER BY id";
    let expected = [
        ["1", "NULL", "\\x"],
        ["2", &hex(b"by default"), "\\x"],
        ["3", "\\x", "\\x"],
        ["4", "NULL", "NULL"],
        ["5", "NULL", "\\x"],
        ["6", "NULL", "\\x"],
    ];
    assert_eq!(rows(&mut proxied, sql)?, expected);
    assert_eq!(rows(&mut scene.direct()?, sql)?, expected);
    Ok(())
}

fn a_container_is_not_sealed_again(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut proxied = scene.proxied()?;
    proxied.run("INSERT INTO vault (id, secret) VALUES (1, 'sealed once')")?;
    let sealed = scene.stored("SELECT secret FROM vault WHERE id = 1")?;
    proxied.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (2, '{sealed}')"
    ))?;
    let bytes = const_hex::decode(&sealed[2..])?;
    for (id, format, value) in [("3", 0, sealed.as_bytes()), ("4", 1, &bytes)] {
        let bind = Bind {
            formats: &[0, format],
            values: &[Some(id.as_bytes()), Some(value)],
            results: &[],
        };
        let sql = "INSERT INTO vault (id, secret) VALUES ($1, $2)";
        proxied.pipeline(&[
            f::parse("", sql, &[]),
            f::bind("", "", bind),
            f::execute("", 0),
            f::sync(),
        ])?;
    }
    proxied.run("INSERT INTO vault (id, secret) VALUES (5, 'sealed once')")?;
    let same = "SELECT count(*) FROM vault WHERE secret = (SELECT secret FROM vault WHERE id = 1)";
    assert_eq!(
        scene.stored(same)?,
        "4",
        "equal values have different containers"
    );
    let read = rows(&mut proxied, "SELECT secret FROM vault")?;
    assert_eq!(read, vec![[hex(b"sealed once")]; 5]);
    Ok(())
}

fn a_column_of_another_client_opens_with_that_clients_keys_only(version: u32) -> Result<()> {
    let scene = Scene::on(Postgres::shared(version)?, |config| AcraConfig {
        more_client_ids: vec!["second-client".into(), "third-client".into()],
        ..config.encryptor_yaml(TWO_CLIENTS)
    })?;
    scene
        .proxied()?
        .run("INSERT INTO vault (id, secret, other) VALUES (1, 'of the first', 'of the second')")?;
    let sql = "SELECT secret, other FROM vault";
    let stored = rows(&mut scene.direct()?, sql)?.concat();
    assert!(
        stored.iter().all(|value| value.starts_with("\\x252525")),
        "{stored:?}"
    );
    let (first, second) = (hex(b"of the first"), hex(b"of the second"));
    let keys = format!("--keys_dir={}", scene.acra.keys().folder().display());
    for (client, expected) in [
        ("test-client", [&first, &stored[1]]),
        ("second-client", [&stored[0], &second]),
        ("third-client", [&stored[0], &stored[1]]),
    ] {
        let mut config = AcraConfig::new(scene.postgres.address())
            .encryptor_yaml(TWO_CLIENTS)
            .flag(&keys)
            .flag(&format!("--client_id={client}"));
        let master = scene.acra.keys().master_key().to_owned();
        config.environment.push(("ACRA_MASTER_KEY".into(), master));
        let server = AcraServer::start(&config)?;
        let mut connection =
            acra_harness::raw::Connection::login(server.address(), "postgres", &scene.database)?;
        let expected = expected.map(String::clone);
        assert_eq!(rows(&mut connection, sql)?, [expected], "{client}");
        scene::eventually("the log tells of closed containers", || {
            Ok(server
                .log()
                .contains("Containers in a result were not opened"))
        })?;
    }
    scene.works()
}

#[test]
fn a_value_of_a_mebibyte() -> Result<()> {
    let postgres = Postgres::start(17, &[])?;
    let scene = Scene::on(&postgres, |config| config)?;
    let mut proxied = scene.proxied()?;
    // No two parts of it are alike, so that no compression hides it.
    let mut state = 1_u32;
    let large: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(1 << 20)
    .collect();
    proxied.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, '{}')",
        hex(&large)
    ))?;
    let bind = Bind {
        formats: &[1],
        values: &[Some(&large)],
        results: &[1],
    };
    let sql = "INSERT INTO vault (id, secret) VALUES (2, $1) RETURNING secret";
    let binary = Way::Extended(1, crate::Described::Portal);
    let returned = cells(&binary.bind(&mut proxied, sql, &[], bind)?);
    assert!(returned == [Some(large.clone())]);
    for way in [Way::Simple, binary] {
        let read = cells(&way.run(&mut proxied, "SELECT secret FROM vault ORDER BY id")?);
        assert!(
            read == [Some(way.cell(&large)), Some(way.cell(&large))],
            "{way:?}"
        );
    }
    let parts: Vec<&[u8]> = [0, 500_000, (1 << 20) - 24]
        .map(|at| &large[at..at + 24])
        .into();
    let found = at_rest::find(&postgres, &scene.database, &parts)?;
    assert!(found.is_empty(), "{found:?}");
    scene.run_directly(&format!(
        "INSERT INTO vault (id, open) VALUES (3, '{}')",
        hex(&large)
    ))?;
    let found = at_rest::find(&postgres, &scene.database, &parts)?;
    assert!(
        found.iter().any(|found| found.place.starts_with("file ")),
        "{found:?}"
    );
    Ok(())
}

#[test]
fn a_thousand_rows() -> Result<()> {
    let scene = Scene::start()?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    let values: Vec<_> = (0..1000)
        .map(|id| {
            format!(
                "({id}, 'Secret of row {id}', '{}', 'open {id}')",
                "w".repeat(id % 50)
            )
        })
        .collect();
    let sql = format!(
        "INSERT INTO vault (id, secret, other, open) VALUES {}",
        values.join(", ")
    );
    proxied.run(&sql)?;
    let sealed =
        "SELECT count(*), count(DISTINCT secret) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
    assert_eq!(rows(&mut direct, sealed)?, [["1000", "1000"]]);
    assert!(at_rest::in_tables(scene.postgres, &scene.database, &[b"Secret of row"])?.is_empty());
    let sql = "SELECT secret, other, open FROM vault ORDER BY id";
    for way in [Way::Simple, Way::Extended(1, crate::Described::Not)] {
        let read = cells(&way.run(&mut proxied, sql)?);
        let expected = (0..1000).flat_map(|id: usize| {
            [
                format!("Secret of row {id}"),
                "w".repeat(id % 50),
                format!("open {id}"),
            ]
        });
        let expected: Vec<_> = expected
            .map(|plain| Some(way.cell(plain.as_bytes())))
            .collect();
        assert!(read == expected, "{way:?}");
    }
    scene.run_directly(&format!(
        "INSERT INTO vault (id, open) VALUES (5000, '{}')",
        String::from_utf8_lossy(OPEN)
    ))?;
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[OPEN])?;
    assert!(!found.is_empty());
    Ok(())
}

crate::on_each_version! {
    null_empty_and_default_stay_as_they_are,
    a_container_is_not_sealed_again,
    a_column_of_another_client_opens_with_that_clients_keys_only,
}

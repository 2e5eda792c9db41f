//! PostgreSQL's own programs work through `acra-server` as they do without it.

use acra_harness::clients::{Output, pgbench, psql};
use acra_harness::scene::{Scene, hex, rows};
use acra_harness::{Error, Result, at_rest};
use std::fs;

/// What a load with the protected table does. The values are parameters where the protocol has them.
const PROTECTED: &str = "SELECT nextval('ids') AS id \\gset\n\\set value random(100000000, 999999999)\n\
    INSERT INTO vault (id, note, secret) VALUES (:id, 'n', :value) RETURNING secret;\n\
    UPDATE vault SET secret = :value, other = 'told by pgbench' WHERE id = :id;\n\
    SELECT id, secret, other FROM vault WHERE id = :id;\n";

fn through(scene: &Scene<'_>, arguments: &[&str]) -> Result<Output> {
    let output = pgbench(scene.acra.address(), &scene.database, arguments)?;
    match output.success {
        true => Ok(output),
        false => Err(Error::new(format!("pgbench {arguments:?}: {output:?}"))),
    }
}

/// That transactions were processed, as many as each is told to run, and none of them failed.
fn none_failed(output: &Output) -> Result<()> {
    let line = |name: &str| {
        let line = output
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next())
            .map(str::to_owned)
    };
    let processed = line("number of transactions actually processed: ").unwrap_or_default();
    let processed = processed
        .split('/')
        .next()
        .unwrap_or_default()
        .parse()
        .unwrap_or(0);
    let failed = line("number of failed transactions: ");
    match failed.as_deref() == Some("0") && processed > 100 && !output.stderr.contains("error") {
        true => Ok(()),
        false => Err(Error::new(format!("{output:?}"))),
    }
}

fn load(mode: &str) -> Result<()> {
    let scene = Scene::start()?;
    let run = |arguments: &[&str]| {
        none_failed(&through(
            &scene,
            &[&["-M", mode, "-j", "2"], arguments].concat(),
        )?)
    };
    through(&scene, &["-i", "-q"])?;
    run(&["-c", "16", "-t", "30"])?;
    let moved =
        "SELECT sum(bbalance) = (SELECT sum(delta) FROM pgbench_history) FROM pgbench_branches";
    assert_eq!(scene.stored(moved)?, "t");
    run(&["-S", "-c", "16", "-t", "100"])?;
    scene.run_directly("CREATE SEQUENCE ids")?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("protected.sql");
    fs::write(&script, PROTECTED)?;
    run(&[
        "-n",
        "-f",
        &script.display().to_string(),
        "-c",
        "8",
        "-t",
        "50",
    ])?;
    let sealed = "SELECT count(*), count(*) FILTER (WHERE substr(secret, 1, 3) = '%%%' AND substr(other, 1, 3) = '%%%') \
        FROM vault";
    assert_eq!(rows(&mut scene.direct()?, sealed)?, [["400", "400"]]);
    assert!(at_rest::in_tables(scene.postgres, &scene.database, &[b"told by pgbench"])?.is_empty());
    let read = rows(&mut scene.proxied()?, "SELECT secret, other FROM vault")?;
    for row in read {
        let digits = const_hex::decode(&row[0][2..])?;
        assert!(
            digits.len() == 9 && digits.iter().all(u8::is_ascii_digit),
            "{row:?}"
        );
        assert_eq!(row[1], hex(b"told by pgbench"));
    }
    scene.works()
}

#[test]
fn load_by_simple_queries() -> Result<()> {
    load("simple")
}

#[test]
fn load_by_extended_queries() -> Result<()> {
    load("extended")
}

#[test]
fn load_by_prepared_statements() -> Result<()> {
    load("prepared")
}

/// The same script directly and through `acra-server`, each in a database of its own.
fn same(arguments: &[&str], script: &str) -> Result<String> {
    let scene = Scene::start()?;
    let other = Scene::start()?;
    let proxied = psql(scene.acra.address(), &scene.database, arguments, script)?;
    let direct = psql(other.postgres.address(), &other.database, arguments, script)?;
    let plain = |text: String, scene: &Scene<'_>| text.replace(&scene.database, "DATABASE");
    let outputs = |output: Output, scene: &Scene<'_>| {
        (plain(output.stdout, scene), plain(output.stderr, scene))
    };
    let (proxied, direct) = (outputs(proxied, &scene), outputs(direct, &other));
    if proxied != direct {
        return Err(Error::new(format!(
            "directly:\n{direct:?}\nthrough acra-server:\n{proxied:?}"
        )));
    }
    scene.works()?;
    Ok(proxied.0)
}

#[test]
fn psql_describes_tables() -> Result<()> {
    let shown = same(
        &[],
        "\\d\n\\d vault\n\\d+ vault\n\\d plain\n\\dt vault\n\\dt+\n\\di\n\\df\n\\du postgres\n\\dn\n\\dT\n\\sv vault\n\\z vault\n\\l DATABASE\n",
    )?;
    assert!(shown.contains("secret | bytea"), "{shown}");
    Ok(())
}

#[test]
fn psql_copies_tables_that_are_not_protected() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rows");
    let lines: String = (0..5000)
        .map(|id| format!("{id}\trow {id} \\\\ ü %%%\n"))
        .collect();
    fs::write(&file, lines)?;
    let file = file.display();
    let shown = same(
        &["-At"],
        &format!(
            "\\copy plain from '{file}'\n\\copy plain from stdin\n7\tby hand\n\\N\t\\N\n\\.\n\
             SELECT count(*), sum(id), count(note) FROM plain;\n\
             \\copy plain to stdout csv\n\\copy (SELECT note FROM plain LIMIT 3) to stdout\n\
             \\copy plain from stdin csv\nno number,x\n\\.\nSELECT 'after it';\n\
             \\copy nothing to stdout\nSELECT 'after that';\n"
        ),
    )?;
    assert!(shown.contains("5002|12497507|5001"), "{shown}");
    assert!(shown.contains("after it") && shown.ends_with("after that\n"));
    Ok(())
}

#[test]
fn psql_reads_large_results() -> Result<()> {
    let shown = same(
        &["-At"],
        "SELECT n, repeat('row ', n % 100), md5(n::text) FROM generate_series(1, 50000) n;\n\
         SELECT repeat('x', 5000000);\nSELECT decode(repeat('25', 100000), 'hex') FROM generate_series(1, 20);\n\
         \\set FETCH_COUNT 100\nSELECT n, '%%%' FROM generate_series(1, 5000) n;\n",
    )?;
    assert!(shown.len() > 15_000_000, "{}", shown.len());
    Ok(())
}

#[test]
fn psql_reads_and_writes_the_protected_table() -> Result<()> {
    let scene = Scene::start()?;
    let script = "\\set secret 'from psql, it''s'\nINSERT INTO vault (id, secret) VALUES (1, :'secret');\n\
        INSERT INTO vault (id, secret) VALUES (2, $1) \\bind 'by binding' \\g\n\
        SELECT id, secret FROM vault ORDER BY id;\nSELECT convert_from(secret, 'UTF8') FROM vault;\n\
        SELECT id FROM vault WHERE id = $1 \\bind 2 \\g\nSELECT secret FROM vault WHERE id = 1 \\gset\n\\echo :secret\n";
    let output = psql(scene.acra.address(), &scene.database, &["-qAt"], script)?;
    let (one, two) = (hex(b"from psql, it's"), hex(b"by binding"));
    assert_eq!(
        output.stdout,
        format!("1|{one}\n2|{two}\n2\n{one}\n"),
        "{output:?}"
    );
    assert!(
        output.stderr.contains("protected column \"secret\""),
        "{output:?}"
    );
    assert!(
        at_rest::in_tables(
            scene.postgres,
            &scene.database,
            &[b"from psql", b"by binding"]
        )?
        .is_empty()
    );
    scene.works()
}

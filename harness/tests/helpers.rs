//! The harness's own parts do what tests rely on.

use acra_harness::servers::{Postgres, Proxy};
use acra_harness::{Result, at_rest, clients};

const SECRET: &[u8] = b"a secret of nobody";

#[test]
fn secrets_are_found_in_tables_and_files() -> Result<()> {
    let server = Postgres::shared(17)?;
    let database = server.fresh_database()?;
    let absent = b"this was never stored";
    let sql = format!(
        "CREATE TABLE plain (a text); INSERT INTO plain VALUES ('{}');
         CREATE TABLE encoded (a text, b text); INSERT INTO encoded
         SELECT encode(v, 'hex'), encode('x' || v, 'base64') FROM (VALUES ('\\x{}'::bytea)) t(v)",
        String::from_utf8_lossy(SECRET),
        const_hex::encode(SECRET)
    );
    server.run(&database, &sql)?;
    let found = at_rest::find(server, &database, &[absent, SECRET])?;
    assert!(found.iter().all(|found| found.secret == 1), "{found:?}");
    let has = |form: &str, place: &str| {
        let fits = |found: &at_rest::Found| found.form == form && found.place.starts_with(place);
        assert!(found.iter().any(fits), "{form} in {place}: {found:?}");
    };
    has("raw", "table public.plain");
    has("hex", "table public.encoded");
    has("base64", "table public.encoded");
    for form in ["raw", "hex", "base64"] {
        has(form, "file ");
    }
    Ok(())
}

#[test]
fn psql_and_pgbench_run_through_a_relay() -> Result<()> {
    let server = Postgres::shared(15)?;
    let database = server.fresh_database()?;
    let relay = Proxy::null_relay(server.address())?;
    let script = "SELECT 1 + 1;\n\\echo done\nSELECT 1/0;\n";
    let output = clients::psql(relay.address(), &database, &["-At"], script)?;
    assert_eq!(output.stdout, "2\ndone\n");
    assert!(output.stderr.contains("division by zero"), "{output:?}");
    for arguments in [
        &["-i", "-q"][..],
        &["-c", "2", "-t", "20", "-M", "prepared"],
    ] {
        let output = clients::pgbench(relay.address(), &database, arguments)?;
        assert!(output.success, "{output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn tokio_postgres_connects() -> Result<()> {
    let server = Postgres::shared(18)?;
    let client = server.connect(&server.fresh_database()?).await?;
    let row = client.query_one("SHOW server_version_num", &[]).await?;
    assert!(row.get::<_, &str>(0).starts_with("18"));
    Ok(())
}

#[test]
fn a_server_of_ones_own_has_its_settings() -> Result<()> {
    let server = Postgres::start(15, &["log_statement=all"])?;
    let address = server.address();
    server.run("postgres", "SELECT 'to the log'")?;
    assert!(server.log().is_some_and(|log| log.contains("to the log")));
    let folder = server.data_dir()?.to_owned();
    drop(server);
    assert!(!folder.exists());
    assert!(!acra_harness::process::listens(address));
    Ok(())
}

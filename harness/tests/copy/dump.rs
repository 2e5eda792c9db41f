//! `pg_dump` through `acra-server` gives plain values; restored through it, they are encrypted again.

use crate::{MARK, TWIN, is_encrypted, psql, scene, succeeded};
use acra_harness::clients::run;
use acra_harness::raw::Connection;
use acra_harness::scene::{hex, value};
use acra_harness::{Result, at_rest};
use std::net::SocketAddr;

const DATA: [&str; 3] = ["--data-only", "-t", "vault"];

pub(crate) fn dump(address: SocketAddr, database: &str, arguments: &[&str]) -> Result<String> {
    let output = run("pg_dump", address, database, arguments, "")?;
    // A setting that a newer pg_dump writes and older servers do not know.
    Ok(succeeded(output)?.replace("SET transaction_timeout = 0;\n", ""))
}

#[test]
fn a_dump_is_plain_and_its_restoration_is_encrypted() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene(version)?;
        scene.run_directly(TWIN)?;
        scene.run_directly("INSERT INTO vault (id, note, secret) SELECT * FROM twin")?;
        let dump = |address| dump(address, &scene.database, &DATA);
        // Of the plain values themselves, past acra-server.
        let plain = dump(scene.postgres.address())?;
        assert!(plain.contains(&hex(MARK.as_bytes())));
        scene.run_directly("DELETE FROM vault")?;
        let rows = |dump: &str| {
            dump.lines()
                .filter(|line| line.split('\t').count() == 5 || line.starts_with("COPY "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        psql(scene.acra.address(), &scene.database, &plain)?;
        let again = dump(scene.acra.address())?;
        assert_eq!(rows(&again), rows(&plain));
        assert_eq!(rows(&again).len(), 15);
        let direct = dump(scene.postgres.address())?;
        assert!(!direct.contains(&const_hex::encode(MARK)));
        is_encrypted(&scene)?;
    }
    Ok(())
}

/// Definitions included, by COPY and by INSERT without a list of columns, into a database that has nothing.
#[test]
fn a_whole_database_is_moved_through_it() -> Result<()> {
    let scene = scene(15)?;
    scene.run_directly(TWIN)?;
    let fill = "INSERT INTO vault (id, note, secret) SELECT * FROM twin";
    scene.run_directly("CREATE INDEX ON vault (note)")?;
    scene.run_directly(fill)?;
    let plain = dump(scene.postgres.address(), &scene.database, &DATA)?;
    scene.run_directly("DELETE FROM vault")?;
    psql(scene.acra.address(), &scene.database, &plain)?;
    is_encrypted(&scene)?;
    for way in [&["-t", "vault"][..], &["-t", "vault", "--inserts"]] {
        let whole = dump(scene.acra.address(), &scene.database, way)?;
        assert!(whole.contains("CREATE TABLE public.vault") && whole.contains("PRIMARY KEY"));
        assert!(whole.contains(&hex(MARK.as_bytes())));
        let moved = scene.postgres.fresh_database()?;
        psql(scene.acra.address(), &moved, &whole)?;
        let count = |address| {
            let sql = "SELECT count(*) FROM vault WHERE secret IS NOT NULL";
            value(&mut Connection::login(address, "postgres", &moved)?, sql)
        };
        assert_eq!(
            count(scene.acra.address())?,
            count(scene.postgres.address())?
        );
        let stored = at_rest::in_tables(scene.postgres, &moved, &[MARK.as_bytes()])?;
        assert!(stored.is_empty(), "{way:?}: {stored:?}");
        let again = dump(scene.acra.address(), &moved, way)?;
        let rows = |dump: &str| {
            let lines = dump
                .lines()
                .filter(|line| !line.starts_with('\\') && !line.starts_with("--"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(rows(&again), rows(&whole));
    }
    Ok(())
}

//! `pg_dump` through `acra-server` gives plain values; restored through it, they are encrypted again.

use crate::{MARK, TWIN, is_encrypted, psql, scene, succeeded};
use acra_harness::clients::run;
use acra_harness::scene::hex;
use acra_harness::{Error, Result};

const DATA: [&str; 3] = ["--data-only", "-t", "vault"];

#[test]
fn a_dump_is_plain_and_its_restoration_is_encrypted() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene(version)?;
        scene.run_directly(TWIN)?;
        scene.run_directly("INSERT INTO vault (id, note, secret) SELECT * FROM twin")?;
        let dump = |address| {
            let output = run("pg_dump", address, &scene.database, &DATA, "")?;
            // A setting that a newer pg_dump writes and older servers do not know.
            Ok::<_, Error>(succeeded(output)?.replace("SET transaction_timeout = 0;\n", ""))
        };
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

//! Files that `psql` copies in and out, compared with those of a table that is not protected.

use crate::{TWIN, is_encrypted, psql, scene};
use acra_harness::Result;
use acra_harness::scene::Scene;
use std::fs;
use std::path::Path;

/// How rows are written.
const OPTIONS: [&str; 8] = [
    "",
    "(DELIMITER '|', NULL 'NULL', HEADER)",
    "(FORMAT csv)",
    "(FORMAT csv, HEADER, FORCE_QUOTE *)",
    "(FORMAT csv, DELIMITER ';', QUOTE '''', ESCAPE '\\', NULL 'nil')",
    // Characters of what a container is written with.
    "(FORMAT csv, DELIMITER '2', QUOTE 'x', ESCAPE '5')",
    "with csv delimiter as E'\\t' quote as '|' force quote secret",
    "(FORMAT binary)",
];

/// The file of the twin, copied into the protected table and out again through `acra-server`.
fn there_and_back(scene: &Scene<'_>, options: &str, folder: &Path) -> Result<()> {
    let (plain, opened) = (folder.join("plain"), folder.join("opened"));
    let rows = |table: &str, file: &Path| {
        format!(
            "\\copy (SELECT id, note, secret FROM {table} ORDER BY id) to '{}' {options}\n",
            file.display()
        )
    };
    psql(
        scene.postgres.address(),
        &scene.database,
        &rows("twin", &plain),
    )?;
    let plain_file = plain.display();
    let script = format!(
        "\\copy vault (id, note, secret) from '{plain_file}' {}\n",
        options
            .replace(", FORCE_QUOTE *", "")
            .replace(" force quote secret", "")
    ) + &rows("vault", &opened);
    psql(scene.acra.address(), &scene.database, &script)?;
    let (before, after) = (fs::read(&plain)?, fs::read(&opened)?);
    assert!(before.len() > 100_000, "{}", before.len());
    assert!(
        before == after,
        "{options}: {}",
        String::from_utf8_lossy(&after)
    );
    Ok(())
}

fn every_format(version: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for options in OPTIONS {
        let scene = scene(version)?;
        scene.run_directly(TWIN)?;
        there_and_back(&scene, options, folder.path())?;
        is_encrypted(&scene)?;
    }
    Ok(())
}

#[test]
fn every_format_on_15() -> Result<()> {
    every_format(15)
}

#[test]
fn every_format_on_17() -> Result<()> {
    every_format(17)
}

#[test]
fn every_format_on_18() -> Result<()> {
    every_format(18)
}

/// Text that is not written as `bytea`, by hand and with the end marked, in text and CSV.
#[test]
fn rows_by_hand() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene(version)?;
        let script = "\\copy vault (id, secret, note) from stdin\n1\tCopied-Secret-91 one\tn\n2\t\\N\t\\N\n\\.\n\
            \\copy vault (id, secret, note) from stdin csv\n3,\"Copied-Secret-91, \"\"three\"\"\nline\",n\n4,,\n\\.\n\
            COPY vault (note, id) FROM stdin;\n\\\\x\t5\n\\.\n\
            SELECT id, convert_from(secret, 'UTF8') IS NULL FROM plain, LATERAL (SELECT NULL::bytea AS secret) x;\n\
            SELECT id, secret FROM vault ORDER BY id;\nCOPY vault (id, note) TO STDOUT;\n";
        let shown = psql(scene.acra.address(), &scene.database, script)?;
        let secret = |text: &str| acra_harness::scene::hex(text.as_bytes());
        let expected = format!(
            "1|{}\n2|\n3|{}\n4|\n5|\n1\tn\n2\t\\N\n3\tn\n4\t\\N\n5\t\\\\x\n",
            secret("Copied-Secret-91 one"),
            secret("Copied-Secret-91, \"three\"\nline")
        );
        assert_eq!(shown, expected, "{version}");
        let sealed = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
        assert_eq!(scene.stored(sealed)?, "2");
        scene.works()?;
    }
    Ok(())
}

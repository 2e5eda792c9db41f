//! Many rows take no more memory than few.

use crate::{psql, scene};
use acra_harness::scene::Scene;
use acra_harness::{Error, Result};
use std::fs;

/// Peak resident memory of `acra-server` in KiB.
fn peak(scene: &mut Scene<'_>) -> Result<usize> {
    let process = scene.acra.daemon().id();
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .ok_or_else(|| Error::new("/proc has no VmHWM of acra-server"))
}

/// Copies rows in and out, and compares them.
fn copy(scene: &Scene<'_>, rows: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (plain, opened) = (folder.path().join("in"), folder.path().join("out"));
    let lines: String = (0..rows)
        .map(|id| {
            format!(
                "{id}\tnote {id}\t\\\\x{}\n",
                const_hex::encode(format!("secret {id}"))
            )
        })
        .collect();
    fs::write(&plain, &lines)?;
    scene.run_directly("TRUNCATE vault")?;
    let script = format!(
        "\\copy vault (id, note, secret) from '{}'\n\\copy (SELECT id, note, secret FROM vault ORDER BY id) to '{}'\n",
        plain.display(),
        opened.display()
    );
    psql(scene.acra.address(), &scene.database, &script)?;
    assert!(fs::read_to_string(&opened)? == lines);
    Ok(())
}

#[test]
fn memory_does_not_grow_with_the_number_of_rows() -> Result<()> {
    let mut scene = scene(15)?;
    copy(&scene, 4_000)?;
    let few = peak(&mut scene)?;
    copy(&scene, 80_000)?;
    let many = peak(&mut scene)?;
    // Sealed, the rows are 25 MB.
    assert!(
        many < few + 8192,
        "{few} KiB for few rows, {many} KiB for many"
    );
    Ok(())
}

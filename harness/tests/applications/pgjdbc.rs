//! PostgreSQL's driver for Java.

use crate::{MARK, TABLE, is_sealed, program, run, scene};
use acra_harness::Result;
use acra_harness::programs::is_there;
use std::path::Path;
use std::process::Command;

/// The driver, as Debian has it.
const JAR: &str = "/usr/share/java/postgresql.jar";

/// Runs the program with these properties of the connection.
fn java(version: u32, properties: &str) -> Result<()> {
    if !is_there("applications", &[Path::new(JAR)])? {
        return Ok(());
    }
    let scene = scene(version)?;
    scene.run_directly(TABLE)?;
    let (address, database) = (scene.acra.address(), &scene.database);
    let url = format!("jdbc:postgresql://{address}/{database}?user=postgres&{properties}");
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-cp", JAR]);
    command.arg(program("Members.java")).args([&url, MARK]);
    run(&scene, &mut command)?;
    is_sealed(&scene)
}

#[test]
fn as_it_is() -> Result<()> {
    java(17, "")
}

#[test]
fn batches_are_one_statement() -> Result<()> {
    java(15, "reWriteBatchedInserts=true")
}

#[test]
fn prepared_at_once_with_binary_values() -> Result<()> {
    java(18, "prepareThreshold=-1&autosave=always")
}

#[test]
fn values_are_in_the_statement() -> Result<()> {
    java(17, "preferQueryMode=simple")
}

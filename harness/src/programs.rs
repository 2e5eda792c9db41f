//! Programs in other languages that tests run: drivers and applications, which `scripts/setup.sh` installs.

use crate::{Context, Error, Result, paths};
use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether all that a program needs of a part of `scripts/setup.sh` is there. What is not is said aloud, and is an error where
/// `ACRA_TEST_REQUIRE_ALL` is set.
pub fn is_there(part: &str, needed: &[&Path]) -> Result<bool> {
    let Some(missing) = needed.iter().find(|path| !path.exists()) else {
        return Ok(true);
    };
    let text = format!(
        "{} is missing; run: scripts/setup.sh {part}",
        missing.display()
    );
    if env::var_os("ACRA_TEST_REQUIRE_ALL").is_some() {
        return Err(Error::new(text));
    }
    // Not by a macro, whose output is hidden when a test passes.
    writeln!(io::stderr(), "SKIPPED: {text}")?;
    Ok(false)
}

/// What `scripts/setup.sh` puts under this name into `.cache`.
pub fn cached(name: &str) -> PathBuf {
    paths::workspace().join(".cache").join(name)
}

/// The Python that has the drivers of MySQL.
pub fn python_of_mysql() -> PathBuf {
    cached("mysql-clients/bin/python")
}

/// Runs it; gives what it printed, or an error with all that it printed if it does not end well.
pub fn run(command: &mut Command) -> Result<String> {
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command
        .output()
        .context(|| format!("running {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(Error::new(format!(
            "{command:?} failed after\n{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

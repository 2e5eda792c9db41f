//! Where things are: the workspace, its built binaries, installed programs.

use crate::{Error, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap_or(harness).to_owned()
}

/// The folder cargo builds into.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A binary of the workspace: in the folder `ACRA_TEST_BIN_DIR` if that is set, else built with the same profile as
/// the test, else of any profile.
pub fn binary(name: &str) -> Result<PathBuf> {
    let folders = match env::var_os("ACRA_TEST_BIN_DIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => {
            let own = env::current_exe().ok();
            // target/PROFILE/deps/test-hash
            let profile = own
                .iter()
                .flat_map(|path| path.ancestors().skip(1).take(2))
                .map(Path::to_owned);
            profile
                .chain([target().join("debug"), target().join("release")])
                .collect()
        }
    };
    let found = folders.iter().map(|folder| folder.join(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::new(format!(
                "{name} is not built; run: cargo build -p {} --bin {name}",
                package(name)
            ))
        })
}

/// The package of a binary.
fn package(binary: &str) -> &'static str {
    match binary {
        "acra-null-relay" => "acra-net",
        "acra-server" => "acra-server",
        "record" => "acra-harness",
        _ => "acra-tools",
    }
}

/// The folder of the programs of a PostgreSQL version.
pub fn postgres_bin(version: u32) -> Result<PathBuf> {
    let folders = [
        workspace().join(format!(".cache/postgres/{version}/bin")),
        PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")),
    ];
    let found = folders
        .into_iter()
        .find(|folder| folder.join("postgres").is_file());
    found.ok_or_else(|| {
        Error::new(format!(
            "PostgreSQL {version} is not installed; run: scripts/get-postgres.sh {version}"
        ))
    })
}

/// A program of PostgreSQL that any version does for, such as `psql`: the newest of those the tests know.
pub fn postgres_program(name: &str) -> Result<PathBuf> {
    let folders = crate::servers::VERSIONS.iter().rev();
    let mut found = folders.filter_map(|version| Some(postgres_bin(*version).ok()?.join(name)));
    found.find(|path| path.is_file()).ok_or_else(|| {
        Error::new(format!(
            "{name} is not installed; run: scripts/get-postgres.sh"
        ))
    })
}

/// A client program of MySQL that `scripts/get-mysql.sh` has fetched, run with the libraries that came with it.
pub fn mysql_program(name: &str) -> Result<Command> {
    let root = workspace().join(".cache/mysql/usr");
    let program = root.join("bin").join(name);
    if !program.is_file() {
        return Err(Error::new(format!(
            "{name} of MySQL is not there; run: scripts/get-mysql.sh"
        )));
    }
    let libraries = root.join("lib/x86_64-linux-gnu");
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(libraries).arg(program);
    Ok(command)
}

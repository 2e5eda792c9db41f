//! The databases' own client programs.

use crate::servers::Flavour;
use crate::{Context, Result, paths};
use std::io::Write;
use std::net::SocketAddr;
use std::process::{self, Command, Stdio};
use std::thread;

/// How a program ended and what it printed.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it ended well.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Runs `psql` with these arguments and this script as `postgres`, without the user's own settings.
pub fn psql(
    address: SocketAddr,
    database: &str,
    arguments: &[&str],
    script: &str,
) -> Result<Output> {
    run(
        "psql",
        address,
        database,
        &[&["-X"], arguments].concat(),
        script,
    )
}

/// Runs `pgbench` with these arguments, such as `-i` or `-c 2 -t 100 -M prepared`, as `postgres`.
pub fn pgbench(address: SocketAddr, database: &str, arguments: &[&str]) -> Result<Output> {
    run("pgbench", address, database, arguments, "")
}

/// Runs any client program of PostgreSQL, with the connection in its environment.
pub fn run(
    program: &str,
    address: SocketAddr,
    database: &str,
    arguments: &[&str],
    input: &str,
) -> Result<Output> {
    let mut command = Command::new(paths::postgres_program(program)?);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG"))
    {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env("PGHOST", address.ip().to_string())
        .env("PGPORT", address.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGDATABASE", database)
        .env("PGCONNECT_TIMEOUT", "120");
    let output = finish(command, input.as_bytes())?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a client program of MariaDB or MySQL (`mariadb`, `mysqldump`) as `test`, without the user's own settings.
pub fn run_mysql(
    flavour: Flavour,
    program: &str,
    address: SocketAddr,
    arguments: &[&str],
    input: &[u8],
) -> Result<process::Output> {
    let mut command = match flavour {
        Flavour::MariaDb => Command::new(program),
        Flavour::MySql => paths::mysql_program(program)?,
    };
    command
        .args(["--no-defaults", "--protocol=tcp", "--user=test"])
        .arg(format!("--host={}", address.ip()))
        .arg(format!("--port={}", address.port()))
        .args(arguments);
    finish(command, input)
}

/// Runs a program with this input.
fn finish(mut command: Command, input: &[u8]) -> Result<process::Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context(|| format!("starting {command:?}"))?;
    let stdin = child.stdin.take();
    Ok(thread::scope(|scope| {
        // Beside reading its output, lest both wait; a program may end before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })?)
}

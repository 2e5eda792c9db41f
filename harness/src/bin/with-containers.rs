//! `with-containers COMMAND…`: what scripts/with-postgres.sh does, but the servers are containers, whose images stand in
//! `ACRA_TEST_POSTGRES_{15,17,18}_IMAGE`. The command's tests find them as they find others.

#![allow(clippy::print_stderr, reason = "a program for the terminal")]

use acra_harness::servers::{Postgres, VERSIONS};
use acra_harness::{Context, Error, Result};
use std::env;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments
        .next()
        .ok_or_else(|| Error::new("usage: with-containers COMMAND…"))?;
    let mut command = Command::new(&program);
    command.args(arguments);
    let mut servers = Vec::new();
    for version in VERSIONS {
        let server = Postgres::start(version, &[])?;
        eprintln!("== {server:?} is a container");
        let variable = format!("ACRA_TEST_POSTGRES_{version}");
        command.env(&variable, server.address().to_string());
        command.env(format!("{variable}_DATA"), server.data_dir()?);
        servers.push(server);
    }
    let status = command
        .status()
        .context(|| program.to_string_lossy().into_owned())?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

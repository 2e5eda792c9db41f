//! `acra-bench`: what a query costs behind `acra-server`, beside a direct connection, the null relay, HAProxy and
//! PgBouncer.
//!
//! All targets take turns in every round, so that what disturbs the machine disturbs all of them. What counts is CPU time
//! and context switches of the process in between, per query; throughput and latency are shown beside them.
//! `make bench` runs it; `ACRA_BENCH_ROUNDS` and `ACRA_BENCH_SECONDS` (per turn) change how long it takes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod client;
mod memory;
mod report;
mod scenario;
mod target;
mod usage;

use acra_harness::{Error, Result};
use std::process::ExitCode;
use std::time::Duration;

/// How long and how often is measured.
#[derive(Debug, Clone, Copy)]
struct Effort {
    rounds: usize,
    turn: Duration,
    connections: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let effort = Effort {
        rounds: setting("ACRA_BENCH_ROUNDS", 7.0)? as usize,
        turn: Duration::from_secs_f64(setting("ACRA_BENCH_SECONDS", 1.0)?),
        connections: setting("ACRA_BENCH_CONNECTIONS", 4.0)? as usize,
    };
    let only = std::env::args().nth(1).unwrap_or_default();
    if only == "memory" {
        return memory::run(setting("ACRA_BENCH_SESSIONS", 5000.0)? as usize);
    }
    println!(
        "{} connections, {} rounds of {:?} per target and scenario\n",
        effort.connections, effort.rounds, effort.turn
    );
    let servers = target::Servers::start()?;
    let targets = servers.targets();
    for scenario in scenario::all() {
        if !scenario.name.contains(&only) {
            continue;
        }
        eprintln!("measuring: {} …", scenario.name);
        let mut measured: Vec<Vec<client::Turn>> = vec![Vec::new(); targets.len()];
        for _ in 0..effort.rounds {
            for (target, turns) in targets.iter().zip(&mut measured) {
                (scenario.before)(&servers)?;
                turns.push(client::turn(target, &scenario, effort)?);
            }
        }
        report::print(&scenario, &targets, &measured);
    }
    Ok(())
}

fn setting(name: &str, default: f64) -> Result<f64> {
    match std::env::var(name) {
        Err(_) => Ok(default),
        Ok(text) => text
            .parse()
            .ok()
            .filter(|value: &f64| *value > 0.0)
            .ok_or_else(|| Error::new(format!("{name}={text}: expected a number above 0"))),
    }
}

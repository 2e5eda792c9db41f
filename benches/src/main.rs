//! `acra-bench`: what a query costs behind `acra-server`, beside a direct connection, the null relay, HAProxy and
//! PgBouncer.
//!
//! All targets take turns in every round, so that what disturbs the machine disturbs all of them. What counts is CPU time
//! and context switches of the process in between, per query; throughput and latency are shown beside them.
//! `acra-bench copy` copies a million rows (`ACRA_BENCH_ROWS`) in and out; `acra-bench poison` says what looking for
//! poison records costs, `acra-bench columns` what searchable and tokenized columns cost; `acra-bench mysql` has sysbench ask
//! a MariaDB.
//! `make bench` runs it; `ACRA_BENCH_ROUNDS` and `ACRA_BENCH_SECONDS` (per turn) change how long it takes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod churn;
mod client;
mod columns;
mod copy;
mod memory;
mod poison;
mod report;
mod scenario;
mod scripted;
mod sysbench;
mod target;
mod tls;
mod usage;

use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};
use scenario::Scenario;
use std::process::ExitCode;
use std::time::Duration;
use target::Target;

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
    match &*only {
        "memory" => {
            return memory::run(
                setting("ACRA_BENCH_SESSIONS", 5000.0)? as usize,
                setting("ACRA_BENCH_STATEMENTS", 1e6)? as usize,
            );
        }
        "churn" => {
            return churn::run(Duration::from_secs_f64(setting(
                "ACRA_BENCH_SECONDS",
                60.0,
            )?));
        }
        "copy" => {
            let rows = setting("ACRA_BENCH_ROWS", 1e6)? as usize;
            return copy::run(rows, effort.rounds);
        }
        "poison" => return poison::run(effort),
        "columns" => return columns::run(effort),
        "mysql" => return sysbench::run(effort),
        _ => {}
    }
    println!(
        "{} connections, {} rounds of {:?} per target and scenario\n",
        effort.connections, effort.rounds, effort.turn
    );
    let wanted = |scenarios: Vec<Scenario>| -> Vec<Scenario> {
        let named = |scenario: &Scenario| scenario.name.contains(&only);
        scenarios.into_iter().filter(named).collect()
    };
    let (plain, tls) = (wanted(scenario::all()), wanted(scenario::with_tls()));
    if !plain.is_empty() {
        let servers = target::Servers::start()?;
        measure(
            &plain,
            &servers.targets(),
            servers.postgres,
            effort,
            "null relay",
        )?;
    }
    if !tls.is_empty() {
        let mut servers = target::TlsServers::start()?;
        let targets = servers.targets()?;
        measure(&tls, &targets, &servers.postgres, effort, "HAProxy")?;
    }
    Ok(())
}

/// Measures scenarios on all targets in turn, and prints the ratios to the target `base`.
fn measure(
    scenarios: &[Scenario],
    targets: &[Target],
    postgres: &Postgres,
    effort: Effort,
    base: &str,
) -> Result<()> {
    for scenario in scenarios {
        eprintln!("measuring: {} …", scenario.name);
        let mut measured: Vec<Vec<client::Turn>> = vec![Vec::new(); targets.len()];
        for _ in 0..effort.rounds {
            for (target, turns) in targets.iter().zip(&mut measured) {
                (scenario.before)(postgres)?;
                turns.push(client::turn(target, scenario, effort)?);
            }
        }
        report::print(scenario, targets, &measured, base);
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

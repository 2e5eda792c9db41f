//! `acra-tokens`: counts, disables, enables, removes and imports the records of a token store (cli.md 18, tools.md 5).
//!
//! No key is needed: records stay sealed, and of their metadata only the switch is changed.

mod dates;
mod filter;
mod import;
mod place;
mod program;
mod size;
mod visits;

pub use program::program;

use crate::program::ignore;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::tokens::{Action, TokenStore, VisitSummary, Visited};
use filter::Filter;

/// Runs a command of [`program()`].
///
/// # Errors
///
/// The line with which it ends.
pub fn run(
    command: &str,
    parsed: &Parsed,
    mut surroundings: Surroundings<'_>,
) -> Result<(), Failure> {
    let with = &mut surroundings;
    ignore(parsed.rest(), with.logger);
    match command {
        "status" => visits::status(parsed, with),
        "disable" => visits::set(parsed, with, Action::Disable),
        "enable" => visits::set(parsed, with, Action::Enable),
        "remove" => visits::remove(parsed, with),
        "import" => import::run(parsed, with),
        _ => Err(Failure::arguments("unknown command")),
    }
}

/// Runs what waits for a store.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::fatal("Cannot open token storage").caused_by(error))?;
    Ok(runtime.block_on(work))
}

/// Shows every record of the store that the flags name.
fn visit(
    parsed: &Parsed,
    with: &Surroundings<'_>,
    judge: &mut dyn FnMut(&Visited<'_>) -> Action,
) -> Result<(), Failure> {
    let store = place::open(parsed, with)?;
    let VisitSummary { unreadable } = block_on(scan(&store, with, judge))??;
    if unreadable > 0 {
        let count = unreadable.to_string();
        with.logger.warning(
            "Entries that are no tokens were left alone",
            &[("entries", (&count).into())],
        );
    }
    Ok(())
}

async fn scan(
    store: &TokenStore,
    with: &Surroundings<'_>,
    judge: &mut dyn FnMut(&Visited<'_>) -> Action,
) -> Result<VisitSummary, Failure> {
    place::reach(store, with).await?;
    let scanned = store.visit(judge).await;
    scanned.map_err(|error| Failure::fatal("Failed to scan token storage").caused_by(error))
}

/// Logs a warning, with which wrong arguments begin.
fn wrong(with: &Surroundings<'_>, warning: &str, error: &str) -> Failure {
    with.logger.warning(warning, &[]);
    Failure::arguments(error)
}

/// What the flags say of which records are meant. Before the store is opened, so that nothing is made in vain.
fn checked(parsed: &Parsed, with: &Surroundings<'_>) -> Result<Filter, Failure> {
    place::check(parsed, with)?;
    Filter::of(parsed, with)
}

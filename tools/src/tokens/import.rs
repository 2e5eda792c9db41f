//! `acra-tokens import`: from a Bolt file of Acra into a store of ours or Redis.

use super::{block_on, place, wrong};
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::tokens::{EntryKey, Metadata, Reply, StoreCall};
use acra_stores::tokens::{TokenStore, TokenStoreError, read_bolt};
use std::path::Path;

/// Records that are written at once.
const AT_ONCE: usize = 1000;

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let from = parsed.text("bolt_file");
    if from.is_empty() {
        return Err(wrong(with, "--bolt_file is required", "nothing to import"));
    }
    place::check(parsed, with)?;
    let mut records = Vec::new();
    let mut strangers = 0;
    // Read whole before anything is written: a damaged file brings in nothing.
    let others = read_bolt(Path::new(from), &mut |entry| {
        match Metadata::read(entry.record) {
            Ok(_) => records.push((entry.key, entry.record.to_vec())),
            Err(_) => strangers += 1,
        }
        Ok(())
    });
    strangers +=
        others.map_err(|error| Failure::fatal("Cannot read the file of Acra").caused_by(error))?;
    let store = place::open(parsed, with)?;
    let total = records.len();
    let imported = block_on(import(&store, with, records))??;
    if strangers > 0 {
        let count = strangers.to_string();
        with.logger.warning(
            "Entries that are no tokens were left alone",
            &[("entries", (&count).into())],
        );
    }
    let message = format!("Imported {imported} tokens (out of {total} in {from})");
    with.logger.info(&message, &[]);
    Ok(())
}

async fn import(
    store: &TokenStore,
    with: &Surroundings<'_>,
    records: Vec<(EntryKey, Vec<u8>)>,
) -> Result<usize, Failure> {
    place::reach(store, with).await?;
    let fail = |error: TokenStoreError| {
        Failure::fatal("Cannot write tokens; importing again completes the rest").caused_by(error)
    };
    let mut imported = 0;
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let saves = records.by_ref().take(AT_ONCE);
        let saves = saves
            .map(|(key, record)| StoreCall::Save(key, record))
            .collect();
        let replies = store.run(saves).await.map_err(fail)?;
        let is_new = |reply: &&Reply| **reply == Reply::Saved(true);
        imported += replies.iter().filter(is_new).count();
    }
    Ok(imported)
}

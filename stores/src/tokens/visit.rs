//! Looking at every record of a store, whoever owns it.

use acra_engine::tokens::{EntryKey, Metadata};

/// A record that is shown. It is sealed, so this is all that can be known of it.
#[derive(Clone, Copy, Debug)]
pub struct Visited<'a> {
    /// Its name.
    pub key: EntryKey,
    /// Its message.
    pub metadata: Metadata<'a>,
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// It can be used again.
    Enable,
    /// It cannot be used until it is enabled.
    Disable,
    /// It is gone for ever.
    Remove,
}

/// What was met on a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisitSummary {
    /// Entries that are no records: they were not shown and left alone.
    pub unreadable: u64,
}

/// What takes the place of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Write(Vec<u8>),
    Remove,
}

/// Shows a record to the judge.
pub(super) fn judged(
    key: EntryKey,
    record: &[u8],
    summary: &mut VisitSummary,
    judge: &mut dyn FnMut(&Visited<'_>) -> Action,
) -> Change {
    let metadata = Metadata::read(record).ok();
    // What is empty or has been something else is no record.
    let Some(metadata) = metadata.filter(|metadata| !metadata.data.is_empty()) else {
        summary.unreadable += 1;
        return Change::None;
    };
    let disabled = match judge(&Visited { key, metadata }) {
        Action::Keep => return Change::None,
        Action::Remove => return Change::Remove,
        Action::Enable => false,
        Action::Disable => true,
    };
    match disabled == metadata.disabled {
        true => Change::None,
        false => Change::Write(
            Metadata {
                disabled,
                ..metadata
            }
            .to_bytes(),
        ),
    }
}

//! What a value takes in the database, for whom it does not fit.
//!
//! A container is longer than its value, and in a column of text it is written in hex: `varchar(11)` held the value and does
//! not hold its container.

use super::PgSession;
use super::ledger::{Awaited, Entry};
use crate::columns::Setting;
use crate::wire::pg::error;
use std::sync::Arc;

/// SQLSTATE of a value that is too long for its column (PostgreSQL documentation, appendix A).
const TOO_LONG: &[u8] = b"22001";

/// The longest container that a message stores.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    setting: Arc<Setting>,
    /// Its length in bytes.
    bytes: usize,
}

impl Stored {
    /// Takes note of a container, if it is the longest.
    pub(super) fn note(longest: &mut Option<Self>, setting: &Arc<Setting>, bytes: usize) {
        if longest.as_ref().is_none_or(|longest| longest.bytes < bytes) {
            *longest = Some(Self {
                setting: Arc::clone(setting),
                bytes,
            });
        }
    }

    fn hint(&self) -> String {
        let Setting { table, column, .. } = &*self.setting;
        let characters = self.bytes.saturating_mul(2).saturating_add(2);
        format!(
            "Column \"{column}\" of table \"{table}\" is encrypted, and its longest value takes {characters} characters here: \
             make the column bytea, text, or varchar({characters}) or longer."
        )
    }
}

impl PgSession {
    /// The server's error with a hint, if it says that a value is too long and we have made one longer.
    pub(super) fn with_size(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        if error::sqlstate(body) != Some(TOO_LONG) {
            return None;
        }
        let stored = self.ledger.head().and_then(|entry| stored(entry))?;
        error::with_hint(body, &stored.hint())
    }
}

fn stored(entry: &Entry) -> Option<&Stored> {
    match &entry.awaited {
        Awaited::Execute(Some(portal)) => entry.stored.as_ref().or(portal.stored.as_ref()),
        _ => entry.stored.as_ref(),
    }
}

//! What a value takes in the database, for whom it does not fit.
//!
//! A container is longer than its value, and in a column of text it is written in hex: `varchar(11)` held the value and does
//! not hold its container.

use super::PgSession;
use super::ledger::{Awaited, Entry};
use crate::columns::Setting;
use crate::session::stored::Stored;
use crate::wire::pg::error;

/// SQLSTATE of a value that is too long for its column (PostgreSQL documentation, appendix A).
const TOO_LONG: &[u8] = b"22001";

impl PgSession {
    /// The server's error with a hint, if it says that a value is too long and we have made one longer.
    pub(super) fn with_size(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        if error::sqlstate(body) != Some(TOO_LONG) {
            return None;
        }
        let stored = self.ledger.head().and_then(|entry| stored(entry))?;
        error::with_hint(body, &hint(stored))
    }
}

fn stored(entry: &Entry) -> Option<&Stored> {
    match &entry.awaited {
        Awaited::Execute(Some(portal)) => entry.stored.as_ref().or(portal.stored.as_ref()),
        _ => entry.stored.as_ref(),
    }
}

fn hint(longest: &Stored) -> String {
    let Setting { table, column, .. } = &*longest.setting;
    let characters = longest.bytes.saturating_mul(2).saturating_add(2);
    format!(
        "Column \"{column}\" of table \"{table}\" is encrypted, and its longest value takes {characters} characters here: \
         make the column bytea, text, or varchar({characters}) or longer."
    )
}

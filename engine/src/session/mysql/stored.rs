//! What a value takes in the database, for whom it does not fit: a container is longer than its value.
//!
//! Without a strict SQL mode, with IGNORE and in LOAD DATA LOCAL the server cuts what is too long and only warns, and what was in a
//! container that is cut is lost. Where the database has told how long a column is, nothing longer is sent.

use super::MySqlSession;
use super::ledger::Entry;
use crate::columns::Setting;
use crate::plan::Role;
use crate::session::search::{Changed, Changes};
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::{ClientError, Cx};
use crate::wire::mysql::error;
use std::sync::Arc;

/// ER_DATA_TOO_LONG.
const TOO_LONG: u16 = 1406;

/// Its anchor in docs/errors.md.
const ANCHOR: &str = "data-too-long";

impl MySqlSession {
    /// What a value becomes, of which `changes` takes note, and of what does not fit its column; `None`: it stays.
    pub(super) fn change(
        &self,
        value: &[u8],
        (setting, role): (&Arc<Setting>, Role),
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Changed>, Stop> {
        let changed = self.openings.change(value, setting, role, cx)?;
        if role == Role::Stored {
            let stored = changed.as_ref().map_or(value, Changed::as_bytes);
            changes.measure(
                setting,
                stored,
                self.planning.planner().columns().longest(setting),
            );
        }
        if let Some(changed) = &changed {
            changes.add(setting, changed);
        }
        Ok(changed)
    }

    /// Tells of what was sealed of a message, all of which fits; the longest container.
    pub(super) fn told(&self, changes: Changes, cx: &mut Cx<'_>) -> Result<Option<Stored>, Stop> {
        fit(&changes)?;
        Ok(changes.tell(cx))
    }

    /// What is known of a column may be of an earlier day, so the database is asked again before something is refused for its
    /// length, once for a message. Says whether the message is to be judged again.
    pub(super) fn measures_again(&mut self, stop: &Stop) -> bool {
        if !self.measured_too_long(stop) || self.measuring {
            return false;
        }
        self.measuring = true;
        true
    }

    /// Whether it is that something does not fit. If so, the database is asked again at the next chance.
    pub(super) fn measured_too_long(&self, stop: &Stop) -> bool {
        let is_it = matches!(stop, Stop::Refuse(ANCHOR, _));
        if is_it {
            self.planning.outdate();
        }
        is_it
    }
}

/// That everything fits its column.
pub(super) fn fit(changes: &Changes) -> Result<(), Stop> {
    let Some(stored) = changes.too_long() else {
        return Ok(());
    };
    // The server's words.
    let message = format!("Data too long for column '{}'", stored.setting.column);
    Err(Stop::Refuse(
        ANCHOR,
        ClientError::error("22001", message)
            .about(stored.setting.subject())
            .hint(hint(stored)),
    ))
}

/// The server's error with a hint behind its text, if it says that the column of the longest container is too short.
pub(super) fn with_size(entry: &Entry, payload: &[u8]) -> Option<Vec<u8>> {
    let stored = entry.stored.as_ref()?;
    if payload.first() != Some(&error::ERR) || error::code(payload) != Ok(TOO_LONG) {
        return None;
    }
    // In any language, and with names as they were created.
    let names = format!("'{}'", stored.setting.column).into_bytes();
    let mut places = payload.windows(names.len());
    if !places.any(|place| place.eq_ignore_ascii_case(&names)) {
        return None;
    }
    let hint = format!(". {}", hint(stored));
    Some([payload, hint.as_bytes()].concat())
}

fn hint(Stored { setting, bytes }: &Stored) -> String {
    let Setting { table, column, .. } = &**setting;
    format!(
        "Column \"{column}\" of table \"{table}\" is encrypted, and its longest value takes {bytes} bytes here: \
         make the column varbinary({bytes}) or longer, or a blob"
    )
}

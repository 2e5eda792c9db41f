//! What a value takes in the database, for whom it does not fit: a container is longer than its value.

use super::ledger::Entry;
use crate::columns::Setting;
use crate::session::stored::Stored;
use crate::wire::mysql::error;

/// ER_DATA_TOO_LONG.
const TOO_LONG: u16 = 1406;

/// The server's error with a hint behind its text, if it says that the column of the longest container is too short.
pub(super) fn with_size(entry: &Entry, payload: &[u8]) -> Option<Vec<u8>> {
    let Stored { setting, bytes } = entry.stored.as_ref()?;
    if payload.first() != Some(&error::ERR) || error::code(payload) != Ok(TOO_LONG) {
        return None;
    }
    let Setting { table, column, .. } = &**setting;
    // In any language, and with names as they were created.
    let names = format!("'{column}'").into_bytes();
    let mut places = payload.windows(names.len());
    if !places.any(|place| place.eq_ignore_ascii_case(&names)) {
        return None;
    }
    let hint = format!(
        ". Column \"{column}\" of table \"{table}\" is encrypted, and its longest value takes {bytes} bytes here: \
         make the column varbinary({bytes}) or longer, or a blob"
    );
    Some([payload, hint.as_bytes()].concat())
}

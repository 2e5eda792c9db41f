//! Client ids (keystore.md 2).

use std::fmt;
use std::sync::Arc;

/// Shortest and longest client id, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=256;

/// Names a client, and with it its keys: 5 to 256 bytes of `a-z A-Z 0-9 - _` and blank.
///
/// Ids become file names, so one that is not checked never gets near a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Checks an id.
    ///
    /// # Errors
    ///
    /// It is too short, too long or has other characters.
    pub fn new(id: &str) -> Result<Self, ClientIdError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte);
        if LENGTHS.contains(&id.len()) && id.bytes().all(is_allowed) {
            Ok(Self(id.into()))
        } else {
            Err(ClientIdError)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIdError;

impl ClientIdError {
    /// What tools print, the two blanks included.
    pub const RULE: &str = "Invalid client ID,  5 <= len(client ID) <= 256, only digits, letters and '_', '-', ' ' \
                            characters";
}

impl fmt::Display for ClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid client ID")
    }
}

impl std::error::Error for ClientIdError {}

//! What a value takes in the database: a container is longer than its value.

use crate::columns::Setting;
use std::sync::Arc;

/// The longest container that a message stores.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The column that it is for.
    pub(super) setting: Arc<Setting>,
    /// Its length in bytes.
    pub(super) bytes: usize,
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
}

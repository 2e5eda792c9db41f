//! What a key store has to say that stops nothing.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Most notices that wait to be taken.
const MAX_WAITING: usize = 256;

/// Something that the administrator should know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub message: String,
    /// The file it is about.
    pub path: PathBuf,
    /// Whether a key cannot be used, as opposed to one that should be looked after.
    pub is_error: bool,
}

/// Notices that wait to be taken.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Vec<Notice>>);

impl Notices {
    /// Adds one, unless it waits already.
    pub(crate) fn add(&self, message: &str, path: &Path, is_error: bool) {
        let notice = Notice {
            message: message.to_owned(),
            path: path.to_owned(),
            is_error,
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING && !waiting.contains(&notice) {
            waiting.push(notice);
        }
    }

    /// All that wait.
    pub(crate) fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

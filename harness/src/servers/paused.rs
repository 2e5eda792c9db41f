//! Servers that stand still for a while.

use std::fmt;

/// A server that is stopped until this is dropped.
#[must_use]
pub struct Paused(Option<Box<dyn FnOnce() + Send>>);

impl Paused {
    pub(super) fn new(resume: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(resume)))
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(resume) = self.0.take() {
            resume();
        }
    }
}

impl fmt::Debug for Paused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Paused")
    }
}

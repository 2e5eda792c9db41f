//! Log lines: formats, levels, destinations. And counts of what goes on.
//!
//! Implements observability.md 1 to 3 and 6 of the specification. The interface takes texts and numbers only, never values of
//! columns or keys: what is secret has no way in that is not spelt out at the caller.

mod clock;
pub mod codes;
mod format;
mod logger;
pub mod metrics;

pub use format::{Format, Level};
pub use logger::{Destinations, Logger};

/// A named part of a line.
pub type Field<'a> = (&'static str, Value<'a>);

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// True or false.
    Boolean(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(state: bool) -> Self {
        Self::Boolean(state)
    }
}

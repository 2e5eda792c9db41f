//! PostgreSQL's frontend/backend protocol 3.x: one file per message that is looked into.
//!
//! Layouts are those of the PostgreSQL documentation, "Message Formats". Integers are big-endian; a frame is a tag
//! byte, a 32-bit length that includes itself, and the body. Messages that are only forwarded have no view here.

pub mod bind;
pub mod data_row;
pub mod error;
pub mod frame;
pub mod parameter_description;
pub mod parse;
pub mod row_description;
pub mod startup;

pub use bind::{Bind, Replaced};
pub use frame::{Frame, Scan, scan};
pub use parse::Parse;
pub use startup::Startup;

/// Format code of a value: 0 text, 1 binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The type's text form.
    Text,
    /// The type's binary form.
    Binary,
}

/// A list of format codes with its shorthand: none means all text, one stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formats {
    /// One format for every value.
    All(Format),
    /// A format for each value; a value beyond the list counts as text, the server refuses such a message.
    Each(Box<[Format]>),
}

impl Formats {
    /// Reads the codes from `raw`, two bytes each.
    pub fn new(raw: &[u8]) -> Self {
        let format = |code: &[u8]| match code {
            [0, 1] => Format::Binary,
            _ => Format::Text,
        };
        match raw.len() {
            0 | 1 => Self::All(Format::Text),
            2 => Self::All(format(raw)),
            _ => Self::Each(raw.chunks_exact(2).map(format).collect()),
        }
    }

    /// The format of the value with this index.
    pub fn get(&self, index: usize) -> Format {
        match self {
            Self::All(format) => *format,
            Self::Each(each) => each.get(index).copied().unwrap_or(Format::Text),
        }
    }

    /// Whether every value has this format.
    pub fn are_all(&self, format: Format) -> bool {
        match self {
            Self::All(all) => *all == format,
            Self::Each(each) => each.iter().all(|each| *each == format),
        }
    }
}

/// Appends a frame: `tag`, the length, and what `body` writes.
pub fn write_frame(out: &mut Vec<u8>, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    // A message that we build comes from one that had a valid 32-bit length, or is a short error.
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends the bytes and a terminating zero.
pub fn write_cstr(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

//! Types of values, and how long a value of each is in the binary protocol (MySQL source documentation, "Binary Protocol
//! Value").

use super::lenenc;
use crate::wire::cursor::{Malformed, Reader};

/// The number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Type(pub u8);

impl Type {
    /// Text or bytes of limited length.
    pub const VAR_STRING: Self = Self(253);
    /// Bytes, or text, of any length.
    pub const BLOB: Self = Self(252);
    /// A 32-bit integer.
    pub const LONG: Self = Self(3);

    /// Length of a value in bytes; `None` if it stands in front of each. Types that are not known are of that kind, as
    /// all have been that were added.
    pub fn width(self) -> Option<usize> {
        Some(match self.0 {
            // NULL
            6 => 0,
            // TINY
            1 => 1,
            // SHORT, YEAR
            2 | 13 => 2,
            // LONG, FLOAT, INT24
            3 | 4 | 9 => 4,
            // DOUBLE, LONGLONG
            5 | 8 => 8,
            _ => return None,
        })
    }

    /// Whether its values are text or bytes of the user's choice: VARCHAR, TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB,
    /// VAR_STRING, STRING. Enumerations and sets are reported as STRING.
    pub fn is_string(self) -> bool {
        matches!(self.0, 15 | 249..=254)
    }

    /// Whether its values have a length but cannot be of the user's choice: DECIMAL, TIMESTAMP, DATE, TIME, DATETIME,
    /// NEWDATE, BIT, the forms of them with fractions, VECTOR, NEWDECIMAL, ENUM, SET, GEOMETRY.
    pub fn is_rigid(self) -> bool {
        matches!(self.0, 0 | 7 | 10..=12 | 14 | 16..=19 | 242 | 246..=248 | 255)
    }
}

/// Reads a value in the form of the binary protocol; what is in front of it is not part of what is returned.
pub fn binary<'a>(reader: &mut Reader<'a>, kind: Type) -> Result<&'a [u8], Malformed> {
    match kind.width() {
        Some(width) => reader.bytes(width, "value"),
        None => lenenc::string(reader, "value"),
    }
}

/// Whether a bit of a NULL bitmap is set; beyond its end none is.
pub fn is_null(bitmap: &[u8], bit: usize) -> bool {
    bitmap
        .get(bit / 8)
        .is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

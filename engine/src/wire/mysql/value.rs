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
    /// A 64-bit integer.
    pub const LONGLONG: Self = Self(8);
    /// Text or bytes of a fixed length, and what columns of text are shown as.
    pub const STRING: Self = Self(254);

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

/// Appends a value in the form of the binary protocol.
pub fn write_binary(out: &mut Vec<u8>, kind: Type, value: &[u8]) {
    match kind.width() {
        Some(_) => out.extend_from_slice(value),
        None => lenenc::write_string(out, value),
    }
}

/// Appends a decimal number in so many bytes. False: it is none, or does not fit.
pub fn write_integer(out: &mut Vec<u8>, text: &[u8], width: usize, is_unsigned: bool) -> bool {
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<i128>().ok());
    let bits = u32::try_from(width * 8).unwrap_or(0);
    let fits = |number: &i128| match is_unsigned {
        true => (0..1 << bits).contains(number),
        false => (-(1 << bits) / 2..(1 << bits) / 2).contains(number),
    };
    let Some(number) = number.filter(|number| matches!(width, 1 | 2 | 4 | 8) && fits(number))
    else {
        return false;
    };
    out.extend_from_slice(number.to_le_bytes().get(..width).unwrap_or_default());
    true
}

/// Whether a bit of a NULL bitmap is set; beyond its end none is.
pub fn is_null(bitmap: &[u8], bit: usize) -> bool {
    bitmap
        .get(bit / 8)
        .is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_are_written() {
        let written = |text: &[u8], width, is_unsigned| {
            let mut out = Vec::new();
            write_integer(&mut out, text, width, is_unsigned).then_some(out)
        };
        assert_eq!(written(b"-128", 1, false), Some(vec![0x80]));
        assert_eq!(written(b"128", 1, false), None);
        assert_eq!(written(b"255", 1, true), Some(vec![0xff]));
        assert_eq!(written(b"-1", 1, true), None);
        assert_eq!(written(b"-2147483648", 4, false), Some(vec![0, 0, 0, 0x80]));
        assert_eq!(written(b"2147483648", 4, false), None);
        assert_eq!(
            written(b"18446744073709551615", 8, true),
            Some(vec![0xff; 8])
        );
        assert_eq!(written(b"9223372036854775808", 8, false), None);
        assert_eq!(written(b"1.0", 8, false), None);
    }
}

//! The wire form of a tokenized value, whose column has the type of the value: numbers, text, bytes.
//!
//! What is between here and a token store is text as applications write it: decimal numbers, characters, and of type
//! `bytes` the bytes themselves.

use super::{Kind, bytea};
use crate::columns::TokenType;
use crate::wire::pg::Format;
use std::borrow::Cow;

/// Why a cell has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoValue {
    /// A number in binary format has 2, 4 or 8 bytes.
    Width(usize),
    /// The hexadecimal form of bytes is wrong.
    Hex,
}

/// Reads a cell that is not NULL.
///
/// # Errors
///
/// [`NoValue`].
pub fn read<'a>(
    cell: &'a [u8],
    token_type: TokenType,
    kind: Kind,
    format: Format,
) -> Result<Cow<'a, [u8]>, NoValue> {
    match (token_type.is_number(), format) {
        (true, Format::Binary) => {
            let number = match *cell {
                [a, b] => i16::from_be_bytes([a, b]).into(),
                [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
                [a, b, c, d, e, f, g, h] => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
                _ => return Err(NoValue::Width(cell.len())),
            };
            Ok(Cow::Owned(number.to_string().into_bytes()))
        }
        // As the server reads numbers.
        (true, Format::Text) => Ok(Cow::Borrowed(match cell.trim_ascii() {
            b"" => cell,
            number => number,
        })),
        (false, Format::Text) if is_bytea(token_type, kind) => {
            bytea::input(cell).map_err(|bytea::BadHex| NoValue::Hex)
        }
        (false, _) => Ok(Cow::Borrowed(cell)),
    }
}

/// Writes a value in the place of a cell of `width` bytes. `None`: the number does not fit.
pub fn write(
    value: &[u8],
    token_type: TokenType,
    kind: Kind,
    format: Format,
    width: usize,
) -> Option<Vec<u8>> {
    match (token_type.is_number(), format) {
        (true, Format::Binary) => {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            Some(match width {
                2 => i16::try_from(number).ok()?.to_be_bytes().to_vec(),
                4 => i32::try_from(number).ok()?.to_be_bytes().to_vec(),
                _ => number.to_be_bytes().to_vec(),
            })
        }
        (false, Format::Text) if is_bytea(token_type, kind) => {
            let mut text = Vec::with_capacity(value.len() * 2 + 2);
            bytea::encode_hex(value, &mut text);
            Some(text)
        }
        _ => Some(value.to_vec()),
    }
}

/// The fewest bytes of a number in binary format that hold any token of this type; nothing for other types.
pub fn number_width(token_type: TokenType) -> Option<usize> {
    match token_type {
        TokenType::Int32 => Some(4),
        TokenType::Int64 => Some(8),
        _ => None,
    }
}

fn is_bytea(token_type: TokenType, kind: Kind) -> bool {
    kind == Kind::Bytes || token_type == TokenType::Bytes && kind != Kind::Raw
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_the_width_of_their_column() {
        let read = |cell: &[u8]| {
            let value = read(cell, TokenType::Int32, Kind::Never, Format::Binary);
            value.map(Cow::into_owned)
        };
        assert_eq!(read(&[0xff, 0xfe]), Ok(b"-2".to_vec()));
        assert_eq!(read(&[0, 0, 0, 7]), Ok(b"7".to_vec()));
        assert_eq!(read(&[0, 0, 0, 1, 0, 0, 0, 0]), Ok(b"4294967296".to_vec()));
        assert_eq!(read(&[0; 3]), Err(NoValue::Width(3)));
        let write = |value: &[u8], width| {
            write(value, TokenType::Int64, Kind::Never, Format::Binary, width)
        };
        assert_eq!(write(b"-2", 2), Some(vec![0xff, 0xfe]));
        assert_eq!(write(b"40000", 2), None);
        assert_eq!(write(b"4294967296", 4), None);
        assert_eq!(write(b"4294967296", 8), Some(vec![0, 0, 0, 1, 0, 0, 0, 0]));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes: Vec<u8>, number: i32, binary: bool) {
            let format = if binary { Format::Binary } else { Format::Text };
            for (value, token_type, kind) in [
                (bytes.clone(), TokenType::Bytes, Kind::Bytes),
                (bytes.clone(), TokenType::Bytes, Kind::Unknown),
                (b"some text".to_vec(), TokenType::Str, Kind::Text),
                (b"some text".to_vec(), TokenType::Str, Kind::Bytes),
                (number.to_string().into_bytes(), TokenType::Int64, Kind::Never),
                (number.to_string().into_bytes(), TokenType::Int64String, Kind::Text),
            ] {
                let cell = write(&value, token_type, kind, format, 4).unwrap();
                let back = read(&cell, token_type, kind, format).unwrap();
                prop_assert_eq!(&*back, &value);
            }
        }
    }
}

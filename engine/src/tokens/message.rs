//! The two protobuf messages of records (tokens.md 4), written and read by hand: five fields do not need a generator.
//!
//! ```text
//! TokenValue         1 bytes   the value
//!                    2 varint  its type
//! MetadataContainer  1 bytes   an AcraBlock
//!                    2 int64   created, Unix seconds
//!                    3 int64   last accessed, Unix seconds
//!                    4 bool    disabled
//! ```
//!
//! Fields of value zero are left out, others written in ascending order. Readers take them in any order, the last of a
//! repeated one, and pass over unknown ones.

/// Bytes that are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a record of a token store")
    }
}

impl std::error::Error for Malformed {}

/// The value behind a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenValue<'a> {
    /// Its bytes.
    pub value: &'a [u8],
    /// The number of its type: [`type_id`](super::type_id).
    pub type_id: u64,
}

impl std::fmt::Debug for TokenValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenValue")
            .field("type_id", &self.type_id)
            .finish_non_exhaustive()
    }
}

impl<'a> TokenValue<'a> {
    /// Appends the message.
    pub fn write(self, out: &mut Vec<u8>) {
        write_bytes(1, self.value, out);
        write_number(2, self.type_id, out);
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut message = Self {
            value: &[],
            type_id: 0,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => message.value = bytes,
                (2, Field::Number(number)) => message.type_id = number,
                (1 | 2, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(message)
    }
}

/// A record: a sealed payload and what is known of it without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The AcraBlock.
    pub data: &'a [u8],
    /// When it was made, in Unix seconds.
    pub created: i64,
    /// When it was last used, in Unix seconds; kept to the day or so.
    pub accessed: i64,
    /// It may not be used.
    pub disabled: bool,
}

impl<'a> Metadata<'a> {
    /// The message.
    pub fn to_bytes(self) -> Vec<u8> {
        // Two numbers of at most 11 bytes, the switch, and the length in front of the data.
        let mut out = Vec::with_capacity(self.data.len() + 36);
        write_bytes(1, self.data, &mut out);
        // Negative numbers are those of 64 bits that look the same.
        write_number(2, self.created.cast_unsigned(), &mut out);
        write_number(3, self.accessed.cast_unsigned(), &mut out);
        write_number(4, self.disabled.into(), &mut out);
        out
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut message = Self {
            data: &[],
            created: 0,
            accessed: 0,
            disabled: false,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => message.data = bytes,
                (2, Field::Number(number)) => message.created = number.cast_signed(),
                (3, Field::Number(number)) => message.accessed = number.cast_signed(),
                (4, Field::Number(number)) => message.disabled = number != 0,
                (1..=4, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(message)
    }
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// What a field holds. Fixed widths are only passed over.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message, by number.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            VARINT => Field::Number(self.varint()?),
            FIXED_64 => self.take(8).map(|_| Field::Fixed)?,
            BYTES => {
                let length = usize::try_from(self.varint()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            FIXED_32 => self.take(4).map(|_| Field::Fixed)?,
            _ => return None,
        };
        // Number 0 does not exist, and 29 bits are the most.
        let number = tag >> 3;
        (1..1 << 29).contains(&number).then_some((number, field))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let &[byte] = self.take(1)? else { return None };
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn write_number(field: u64, number: u64, out: &mut Vec<u8>) {
    if number != 0 {
        write_varint(field << 3 | VARINT, out);
        write_varint(number, out);
    }
}

fn write_bytes(field: u64, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        write_varint(field << 3 | BYTES, out);
        write_varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_order_unknown_fields_and_repeated_ones() {
        // Disabled first, then unknown fields of each kind, then the data twice.
        let bytes = b"\x20\x01\x28\x05\x31abcdefgh\x3a\x02zz\x45abcd\x0a\x01x\x0a\x02ab";
        let read = Metadata::read(bytes).unwrap();
        assert_eq!(
            (read.data, read.created, read.disabled),
            (&b"ab"[..], 0, true)
        );
        for wrong in [
            &b"\x0a\x05ab"[..],
            b"\x08\x01",
            b"\x12\x00",
            b"\x0b",
            b"\x00\x01",
            b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            b"\x10",
        ] {
            assert_eq!(Metadata::read(wrong), Err(Malformed), "{wrong:x?}");
        }
        assert!(
            !format!(
                "{:?}",
                TokenValue {
                    value: b"x",
                    type_id: 3
                }
            )
            .contains("120")
        );
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            data: Vec<u8>, created: i64, accessed: i64, disabled: bool, type_id: u64,
        ) {
            let message = Metadata { data: &data, created, accessed, disabled };
            let bytes = message.to_bytes();
            prop_assert_eq!(Metadata::read(&bytes), Ok(message));
            let mut out = Vec::new();
            let message = TokenValue { value: &data, type_id };
            message.write(&mut out);
            prop_assert_eq!(TokenValue::read(&out), Ok(message));
        }

        #[test]
        fn any_bytes_are_an_ordinary_error(bytes: Vec<u8>) {
            let _ = Metadata::read(&bytes);
            let _ = TokenValue::read(&bytes);
        }
    }
}

//! Just enough of DER for key rings (keystore.md 7.2).
//!
//! Reading is strict: definite lengths and integers in their shortest form, the one tag that is expected, nothing left
//! over. Each element that is written is built in a buffer of its final size, which is wiped: some hold keys.

use super::error::RingError;
use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A complete element: tag, length, contents.
pub(super) type Element = Zeroizing<Vec<u8>>;

/// What has not been read yet of some contents.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// Reads bytes that are one element of this tag, and gives its contents.
pub(super) fn only(tag: u8, bytes: &[u8]) -> Result<Reader<'_>, RingError> {
    let mut reader = Reader(bytes);
    let contents = reader.element(tag)?;
    reader.end()?;
    Ok(Reader(contents))
}

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may be left over.
    pub(super) fn end(&self) -> Result<(), RingError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(RingError::ExtraData),
        }
    }

    /// The contents of the next element, which has this tag.
    pub(super) fn element(&mut self, tag: u8) -> Result<&'a [u8], RingError> {
        self.optional(tag)?.ok_or(RingError::Encoding("tag"))
    }

    /// The contents of the next element, if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, RingError> {
        match self.0.split_first() {
            Some((first, rest)) if *first == tag => {
                let (contents, rest) = contents(rest).ok_or(RingError::Encoding("length"))?;
                self.0 = rest;
                Ok(Some(contents))
            }
            _ => Ok(None),
        }
    }

    /// The contents of the next element, which are elements themselves.
    pub(super) fn constructed(&mut self, tag: u8) -> Result<Self, RingError> {
        self.element(tag).map(Self)
    }

    /// The next element with tag and length.
    pub(super) fn whole(&mut self, tag: u8) -> Result<&'a [u8], RingError> {
        let before = self.0;
        self.element(tag)?;
        let length = before.len() - self.0.len();
        before.get(..length).ok_or(RingError::Encoding("length"))
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// An INTEGER of at most 64 bits.
    pub(super) fn integer(&mut self) -> Result<i64, RingError> {
        integer(self.element(INTEGER)?).ok_or(RingError::Encoding("INTEGER"))
    }

    pub(super) fn object_identifier(&mut self) -> Result<&'a [u8], RingError> {
        let identifier = self.element(OBJECT_IDENTIFIER)?;
        // Numbers in groups of seven bits, the last group of each without the top bit, none with a leading zero.
        let ends = identifier.last().is_some_and(|last| last & 0x80 == 0);
        let starts = [&[0], identifier].concat();
        let is_padded = starts
            .windows(2)
            .any(|pair| matches!(pair, [0..0x80, 0x80]));
        match ends && !is_padded {
            true => Ok(identifier),
            false => Err(RingError::Encoding("OBJECT IDENTIFIER")),
        }
    }
}

/// Splits off contents behind their length, which is in its shortest form and not more than there is.
fn contents(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let count = usize::from(first & 0x7f);
    if *first < 0x80 {
        return rest.split_at_checked(count);
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    if !(1..=4).contains(&count) || digits.first() == Some(&0) {
        return None;
    }
    let length = digits
        .iter()
        .fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
    let length = usize::try_from(length).ok()?;
    (length >= 0x80)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

/// Whether the first byte of a number says nothing but the sign, which the second one says too.
fn is_padded(integer: &[u8]) -> bool {
    matches!(integer, [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..])
}

fn integer(contents: &[u8]) -> Option<i64> {
    let (first, _) = contents.split_first()?;
    if contents.len() > 8 || is_padded(contents) {
        return None;
    }
    let sign = if *first < 0x80 { 0 } else { -1 };
    Some(
        contents
            .iter()
            .fold(sign, |value, digit| value << 8 | i64::from(*digit)),
    )
}

/// An element with contents in pieces.
pub(super) fn write(tag: u8, pieces: &[&[u8]]) -> Element {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let digits = length.to_be_bytes();
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    let mut element = Zeroizing::new(Vec::with_capacity(2 + digits.len() + length));
    element.push(tag);
    if length >= 0x80 {
        element.push(0x80 | digits.len() as u8);
        element.extend_from_slice(digits);
    } else {
        element.push(length as u8);
    }
    for piece in pieces {
        element.extend_from_slice(piece);
    }
    element
}

/// An element that holds elements.
pub(super) fn write_all(tag: u8, elements: &[Element]) -> Element {
    let pieces: Vec<&[u8]> = elements.iter().map(|element| element.as_slice()).collect();
    write(tag, &pieces)
}

/// A SET OF: elements in the order of their encodings.
pub(super) fn write_set(mut elements: Vec<Element>) -> Element {
    elements.sort_unstable_by(|first, second| first.as_slice().cmp(second.as_slice()));
    write_all(SET, &elements)
}

pub(super) fn write_integer(value: i64) -> Element {
    let bytes = value.to_be_bytes();
    let mut digits = &bytes[..];
    while is_padded(digits) {
        digits = digits.get(1..).unwrap_or_default();
    }
    write(INTEGER, &[digits])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_integer(bytes: &[u8]) -> Result<i64, RingError> {
        let mut reader = Reader(bytes);
        let value = reader.integer()?;
        reader.end().map(|()| value)
    }

    #[test]
    fn integers() {
        for (value, bytes) in [
            (0, &[2, 1, 0][..]),
            (-1, &[2, 1, 0xff]),
            (127, &[2, 1, 0x7f]),
            (128, &[2, 2, 0, 0x80]),
            (-128, &[2, 1, 0x80]),
            (-129, &[2, 2, 0xff, 0x7f]),
        ] {
            assert_eq!(write_integer(value).as_slice(), bytes);
            assert_eq!(read_integer(bytes).unwrap(), value);
        }
        for bytes in [
            &[2, 0][..],
            &[2, 2, 0, 1],
            &[2, 2, 0xff, 0x80],
            &[2, 0x81, 1, 1],
            &[0x0a, 1, 1],
            &[2, 1, 1, 0],
            &[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(read_integer(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn lengths() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let element = write(OCTET_STRING, &[&vec![7; length]]);
            let contents = only(OCTET_STRING, &element).unwrap().rest();
            assert_eq!(contents.len(), length);
        }
        for bytes in [
            &[4, 0x80, 0, 0][..],
            &[4, 0x82, 0, 1, 1],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[4, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[4],
            &[4, 2, 1],
        ] {
            assert!(only(OCTET_STRING, bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn object_identifiers() {
        let read = |bytes: &[u8]| {
            Reader(&write(OBJECT_IDENTIFIER, &[bytes]))
                .object_identifier()
                .is_ok()
        };
        assert!(read(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]));
        for bytes in [&[][..], &[0x60, 0x86], &[0x80, 1], &[0x60, 0x80, 1]] {
            assert!(!read(bytes), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_integer_comes_back(value: i64) {
            prop_assert_eq!(read_integer(&write_integer(value)).unwrap(), value);
        }
    }
}

//! Length-encoded integers and strings (MySQL source documentation, "Integer Types", "String Types").
//!
//! An integer below 251 is one byte. `0xfc`, `0xfd` and `0xfe` are followed by 2, 3 and 8 bytes. `0xfb` stands for NULL
//! where a row has a value, and `0xff` for nothing.

use crate::wire::cursor::{Malformed, Reader};

/// In the place of a value's length: NULL.
pub const NULL: u8 = 0xfb;

/// Reads an integer; NULL is none.
pub fn integer(reader: &mut Reader<'_>, field: &'static str) -> Result<u64, Malformed> {
    nullable(reader, field)?.ok_or(Malformed(field))
}

/// Reads an integer in the place of which NULL may stand.
pub fn nullable(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<u64>, Malformed> {
    let length = match reader.u8(field)? {
        NULL => return Ok(None),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xff => return Err(Malformed(field)),
        small => return Ok(Some(u64::from(small))),
    };
    let bytes = reader.bytes(length, field)?;
    let value = bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    Ok(Some(value))
}

/// Reads a length and that many bytes.
pub fn string<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Malformed> {
    nullable_string(reader, field)?.ok_or(Malformed(field))
}

/// Reads a length and that many bytes, or NULL.
pub fn nullable_string<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
) -> Result<Option<&'a [u8]>, Malformed> {
    let Some(length) = nullable(reader, field)? else {
        return Ok(None);
    };
    let length = usize::try_from(length).map_err(|_| Malformed(field))?;
    reader.bytes(length, field).map(Some)
}

/// An integer in its shortest form, and how many bytes that has.
pub fn encode(value: u64) -> ([u8; 9], usize) {
    let mut out = [0; 9];
    let bytes = value.to_le_bytes();
    let (mark, length) = match value {
        0..=250 => {
            if let (Some(first), Some(byte)) = (out.first_mut(), bytes.first()) {
                *first = *byte;
            }
            return (out, 1);
        }
        251..=0xffff => (0xfc, 2),
        0x1_0000..=0xff_ffff => (0xfd, 3),
        _ => (0xfe, 8),
    };
    let [first, rest @ ..] = &mut out;
    *first = mark;
    *rest = bytes;
    (out, 1 + length)
}

/// Appends an integer in its shortest form.
pub fn write_integer(out: &mut Vec<u8>, value: u64) {
    let (bytes, length) = encode(value);
    out.extend_from_slice(bytes.get(..length).unwrap_or_default());
}

/// Appends a length and the bytes.
pub fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    write_integer(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_width_has_its_mark() {
        for (value, expected) in [
            (0, &[0][..]),
            (250, &[250]),
            (251, &[0xfc, 251, 0]),
            (0xffff, &[0xfc, 0xff, 0xff]),
            (0x1_0000, &[0xfd, 0, 0, 1]),
            (0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]),
            (0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            write_integer(&mut out, value);
            assert_eq!(out, expected);
        }
        assert_eq!(nullable(&mut Reader::new(&[NULL]), "n"), Ok(None));
        assert_eq!(integer(&mut Reader::new(&[NULL]), "n"), Err(Malformed("n")));
        assert_eq!(integer(&mut Reader::new(&[0xff]), "n"), Err(Malformed("n")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any::<u64>(), shift in 0u32..64, text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let value = value >> shift;
            let mut out = Vec::new();
            write_integer(&mut out, value);
            write_string(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(integer(&mut reader, "n"), Ok(value));
            prop_assert_eq!(string(&mut reader, "s"), Ok(&text[..]));
            prop_assert_eq!(reader.left(), 0);
            for cut in 0..out.len() {
                let mut reader = Reader::new(&out[..cut]);
                prop_assert!(integer(&mut reader, "n").and_then(|_| string(&mut reader, "s").map(drop)).is_err());
            }
        }
    }
}

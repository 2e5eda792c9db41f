//! The text forms of `bytea` (PostgreSQL documentation, "Binary Data Types").

use std::borrow::Cow;

/// A text that starts with `\x` and is not an even number of hexadecimal digits after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadHex;

/// What the hex form begins with.
pub const HEX: &[u8; 2] = b"\\x";

/// What the server would store for this input text.
///
/// `\x` starts the hex form. Otherwise the escape form is tried; a text that is not valid in it (a lone backslash, a
/// control character) stands for its own bytes, so that ordinary text can be written to a protected column.
pub fn input(text: &[u8]) -> Result<Cow<'_, [u8]>, BadHex> {
    if let Some(digits) = text.strip_prefix(HEX) {
        let mut raw = vec![0; digits.len() / 2];
        return match digits.len() % 2 == 0 && const_hex::decode_to_slice(digits, &mut raw).is_ok() {
            true => Ok(Cow::Owned(raw)),
            false => Err(BadHex),
        };
    }
    if memchr::memchr(b'\\', text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut raw = Vec::with_capacity(text.len());
    match decode_escape(text, &mut raw) {
        true => Ok(Cow::Owned(raw)),
        false => Ok(Cow::Borrowed(text)),
    }
}

/// Decodes `\x…` into `out`, which is cleared first. False: not of that form.
pub fn decode_hex(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some(digits) = text.strip_prefix(HEX) else {
        return false;
    };
    out.resize(digits.len() / 2, 0);
    digits.len() % 2 == 0 && const_hex::decode_to_slice(digits, out).is_ok()
}

/// Decodes the escape form into `out`, which is cleared first. False: not of that form.
pub fn decode_escape(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                rest
            }
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                rest @ ..,
            ] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\' | 0..=31 | 127, ..] => return false,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

/// Appends `\x` and lower-case hexadecimal digits.
pub fn encode_hex(raw: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(HEX);
    let start = out.len();
    out.resize(start + raw.len() * 2, 0);
    if let Some(digits) = out.get_mut(start..) {
        // The slice has twice the length of `raw`, the one thing that can be wrong.
        let _ = const_hex::encode_to_slice(raw, digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_is_understood() {
        assert_eq!(input(b"\\x00fF"), Ok(Cow::Owned(vec![0, 255])));
        assert_eq!(input(b"\\x0"), Err(BadHex));
        assert_eq!(input(b"\\xzz"), Err(BadHex));
        assert_eq!(
            input(b"a\\\\b\\000\\377"),
            Ok(Cow::Owned(b"a\\b\0\xff".to_vec()))
        );
        assert_eq!(input(b"plain"), Ok(Cow::Borrowed(&b"plain"[..])));
    }

    #[test]
    fn text_that_is_not_in_escape_form_stands_for_itself() {
        for text in [&b"C:\\dir"[..], b"line\nand \\ slash", b"\\"] {
            assert_eq!(input(text), Ok(Cow::Borrowed(text)));
        }
    }

    proptest! {
        #[test]
        fn hex_is_read_back(raw in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut text = Vec::new();
            encode_hex(&raw, &mut text);
            prop_assert_eq!(input(&text), Ok(Cow::Owned(raw.clone())));
            let mut out = Vec::new();
            prop_assert!(decode_hex(&text, &mut out));
            prop_assert_eq!(out, raw);
        }
    }
}

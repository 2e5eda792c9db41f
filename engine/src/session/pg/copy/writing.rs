//! What the cells of the text and CSV formats stand for, and how a value is written in their place.

use crate::plan::{CopyFormat, Dialect};
use memchr::memchr;
use std::borrow::Cow;

/// What a cell of the text format stands for: its escapes decoded.
pub(super) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    // The usual form of `bytea`: one backslash, doubled, in front.
    if first == 0
        && let Some(rest) = raw.get(1..)
        && rest.first() == Some(&b'\\')
        && memchr(b'\\', rest.get(1..).unwrap_or_default()).is_none()
    {
        return Cow::Borrowed(rest);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escaped, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match escaped {
            b'0'..=b'7' => out.push(digits(*escaped, &mut rest, 8, 2)),
            b'x' => match rest.split_first() {
                Some((first, after)) if first.is_ascii_hexdigit() => {
                    rest = after;
                    out.push(digits(*first, &mut rest, 16, 1));
                }
                _ => out.push(b'x'),
            },
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            other => out.push(*other),
        }
    }
    Cow::Owned(out)
}

/// The byte of an octal or hexadecimal escape: its first digit and up to `more` that follow.
fn digits(first: u8, rest: &mut &[u8], radix: u32, more: usize) -> u8 {
    let digit = |byte: u8| char::from(byte).to_digit(radix);
    let mut value = digit(first).unwrap_or(0);
    for _ in 0..more {
        let Some((next, after)) = rest
            .split_first()
            .and_then(|(byte, after)| Some((digit(*byte)?, after)))
        else {
            break;
        };
        value = value * radix + next;
        *rest = after;
    }
    // The server takes the low byte.
    value as u8
}

/// Appends a value as a cell of the text format.
pub(super) fn escape(value: &[u8], dialect: &Dialect, out: &mut Vec<u8>) {
    let start = out.len();
    for byte in value {
        let escaped = match byte {
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b'\\' => b'\\',
            byte if *byte == dialect.delimiter => *byte,
            byte => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escaped]);
    }
    let written = out.get(start..).unwrap_or_default();
    // An escape in front makes another text of a marker, and the same value.
    let is_marker = *written == *dialect.null || dialect.default.as_deref() == Some(written);
    if is_marker && let [first, ..] = *value {
        let octal = [
            b'\\',
            b'0' + (first >> 6),
            b'0' + (first >> 3 & 7),
            b'0' + (first & 7),
        ];
        let length = 1 + usize::from(written.starts_with(b"\\"));
        out.splice(start..start + length, octal);
    }
}

/// What a cell of CSV stands for: its quotes taken away.
pub(super) fn unquote<'a>(raw: &'a [u8], dialect: &Dialect) -> Cow<'a, [u8]> {
    let Dialect { quote, escape, .. } = *dialect;
    if memchr(quote, raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let (mut rest, mut open) = (raw, false);
    while let [byte, after @ ..] = rest {
        rest = after;
        match after.first() {
            Some(next) if open && *byte == escape && (*next == escape || *next == quote) => {
                out.push(*next);
                rest = after.get(1..).unwrap_or_default();
            }
            _ if *byte == quote => open = !open,
            _ => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

/// Appends a value, which is in the form of its column's type, as a cell.
pub(super) fn cell(value: &[u8], quoted: bool, dialect: &Dialect, out: &mut Vec<u8>) {
    match dialect.format {
        CopyFormat::Binary => {
            // One value of more than 2 GiB is refused by the server, whose lengths are signed.
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX >> 1);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(value);
        }
        CopyFormat::Text => escape(value, dialect, out),
        CopyFormat::Csv => quote(value, quoted, dialect, out),
    }
}

/// Appends a value as a cell of CSV: in quotes if it was or has to be.
pub(super) fn quote(value: &[u8], quoted: bool, dialect: &Dialect, out: &mut Vec<u8>) {
    let Dialect {
        delimiter,
        quote,
        escape,
        ..
    } = *dialect;
    let is_special =
        |byte: &u8| *byte == delimiter || *byte == quote || matches!(byte, b'\n' | b'\r');
    let is_marker = *value == *dialect.null || dialect.default.as_deref() == Some(value);
    if !quoted && !is_marker && !value.iter().any(is_special) {
        out.extend_from_slice(value);
        return;
    }
    out.push(quote);
    for byte in value {
        if *byte == quote || *byte == escape {
            out.push(escape);
        }
        out.push(*byte);
    }
    out.push(quote);
}

//! What literals and names of MySQL stand for.

use crate::sql::lexical::Lexical;
use crate::sql::literal::hexadecimal;
use std::borrow::Cow;

/// Character sets whose names stand in front of strings (MySQL 9, MariaDB 12), and whether the string has the bytes that
/// are written.
const CHARSETS: [(&[u8], bool); 41] = [
    (b"armscii8", false),
    (b"ascii", false),
    (b"big5", false),
    (b"binary", true),
    (b"cp1250", false),
    (b"cp1251", false),
    (b"cp1256", false),
    (b"cp1257", false),
    (b"cp850", false),
    (b"cp852", false),
    (b"cp866", false),
    (b"cp932", false),
    (b"dec8", false),
    (b"eucjpms", false),
    (b"euckr", false),
    (b"gb18030", false),
    (b"gb2312", false),
    (b"gbk", false),
    (b"geostd8", false),
    (b"greek", false),
    (b"hebrew", false),
    (b"hp8", false),
    (b"keybcs2", false),
    (b"koi8r", false),
    (b"koi8u", false),
    (b"latin1", false),
    (b"latin2", false),
    (b"latin5", false),
    (b"latin7", false),
    (b"macce", false),
    (b"macroman", false),
    (b"sjis", false),
    (b"swe7", false),
    (b"tis620", false),
    (b"ucs2", false),
    (b"ujis", false),
    (b"utf16", false),
    (b"utf16le", false),
    (b"utf32", false),
    (b"utf8mb3", true),
    (b"utf8mb4", true),
];

/// Whether a word after `_` is the name of a character set.
pub(super) fn is_charset(word: &[u8]) -> bool {
    charset(word).is_some()
}

fn charset(word: &[u8]) -> Option<bool> {
    if word.eq_ignore_ascii_case(b"utf8") {
        return Some(true);
    }
    let mut charsets = CHARSETS.iter();
    let found = charsets.find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, keeps_bytes)| *keeps_bytes)
}

fn is_utf8mb3(charset: &[u8]) -> bool {
    charset.eq_ignore_ascii_case(b"utf8") || charset.eq_ignore_ascii_case(b"utf8mb3")
}

/// Whether no character takes four bytes: those become question marks in `utf8mb3`, which `N'…'` is of as well.
fn in_three_bytes(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte < 0xF0)
}

/// The bytes of a string token. `None`: the server would make others of them.
pub(crate) fn string<'a>(raw: &'a [u8], lexical: &Lexical) -> Option<Cow<'a, [u8]>> {
    match raw {
        [b'_', rest @ ..] => {
            let length = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let keeps_bytes = charset(rest.get(..length)?)?;
            let start = length + literal_start(rest.get(length..)?)?;
            let value = string(rest.get(start..)?, lexical)?;
            let cuts = is_utf8mb3(rest.get(..length)?) && !in_three_bytes(&value);
            (keeps_bytes && !cuts).then_some(value)
        }
        [b'x' | b'X', b'\'', digits @ .., b'\''] if digits.len() % 2 == 0 => bytes_of(digits),
        [b'0', b'x', digits @ ..] => bytes_of(digits),
        [b'n' | b'N', rest @ ..] => {
            quoted(rest, !lexical.standard_conforming_strings).filter(|value| in_three_bytes(value))
        }
        [b'\'' | b'"', ..] => quoted(raw, !lexical.standard_conforming_strings),
        _ => None,
    }
}

/// Writes a text as a string in single quotes.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &[u8], lexical: &Lexical) {
    out.push(b'\'');
    for byte in text {
        match byte {
            b'\'' => out.push(b'\''),
            b'\\' if !lexical.standard_conforming_strings => out.push(b'\\'),
            _ => {}
        }
        out.push(*byte);
    }
    out.push(b'\'');
}

/// Whether a string token tells bytes, and not characters in the client's encoding.
pub(crate) fn tells_bytes(raw: &[u8]) -> bool {
    match raw {
        [b'x' | b'X' | b'0', ..] => true,
        // The name of a character set says what the bytes are; of others than these a string has no value.
        [b'_', ..] => true,
        _ => false,
    }
}

/// Whether a token is a hexadecimal literal without the name of a character set, which makes it a string everywhere.
pub(crate) fn is_hexadecimal(raw: &[u8]) -> bool {
    matches!(raw, [b'x' | b'X', b'\'', ..] | [b'0', b'x', ..])
}

/// After the name of a character set, the place of the literal; comments may stand between.
fn literal_start(rest: &[u8]) -> Option<usize> {
    let blank = rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b);
    let at = blank.count();
    let literal = rest.get(at..)?;
    matches!(
        literal.first()?,
        b'\'' | b'"' | b'x' | b'X' | b'0' | b'n' | b'N'
    )
    .then_some(at)
}

/// An odd number of digits has a zero in front.
fn bytes_of(digits: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (first, pairs) = digits.split_at_checked(digits.len() % 2)?;
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    if !first.is_empty() {
        bytes.push(hexadecimal(first)? as u8);
    }
    for pair in pairs.chunks(2) {
        bytes.push(hexadecimal(pair)? as u8);
    }
    Some(Cow::Owned(bytes))
}

/// Strings one after another.
fn quoted(raw: &[u8], escapes: bool) -> Option<Cow<'_, [u8]>> {
    let (quote, inner) = raw.split_first()?;
    let inner_end = inner.len().checked_sub(1)?;
    let whole = inner.get(..inner_end)?;
    if !whole.iter().any(|byte| byte == quote || *byte == b'\\') && inner.last() == Some(quote) {
        return Some(Cow::Borrowed(whole));
    }
    let mut out = Vec::with_capacity(whole.len());
    let mut rest = raw;
    while let Some((quote, part)) = rest.split_first() {
        if !matches!(quote, b'\'' | b'"') {
            return None;
        }
        rest = quoted_part(*quote, part, escapes, &mut out)?;
        let blanks = rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b);
        rest = rest.get(blanks.count()..)?;
    }
    Some(Cow::Owned(out))
}

/// One string from after its quote; what follows it.
fn quoted_part<'a>(
    quote: u8,
    mut rest: &'a [u8],
    escapes: bool,
    out: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    loop {
        rest = match rest {
            [first, second, rest @ ..] if *first == quote && *second == quote => {
                out.push(quote);
                rest
            }
            [first, rest @ ..] if *first == quote => return Some(rest),
            [b'\\', escaped, rest @ ..] if escapes => {
                match escaped {
                    b'0' => out.push(0),
                    b'b' => out.push(8),
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    b'Z' => out.push(0x1A),
                    // These keep their backslash, for patterns.
                    b'%' | b'_' => out.extend_from_slice(&[b'\\', *escaped]),
                    other => out.push(*other),
                }
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => return None,
        };
    }
}

/// A name in lower case: letter by letter, as names are compared.
pub(crate) fn lower(name: &str) -> String {
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    name.chars().map(lower).collect()
}

/// A name in lower case without its quotes; names of columns are equal in any case, and those of tables are taken for equal.
pub(crate) fn name(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut name = unquoted(raw);
    match std::str::from_utf8(&name) {
        Ok(text) if !text.is_ascii() => Cow::Owned(lower(text).into_bytes()),
        _ => {
            name.make_ascii_lowercase();
            Cow::Owned(name)
        }
    }
}

/// A name without its quotes.
pub(crate) fn unquoted(raw: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(raw.len());
    match raw.split_first() {
        Some((quote @ (b'`' | b'"' | b'\''), inner)) => {
            let inner = inner
                .get(..inner.len().saturating_sub(1))
                .unwrap_or_default();
            let mut bytes = inner.iter();
            while let Some(byte) = bytes.next() {
                name.push(*byte);
                if byte == quote {
                    bytes.next();
                }
            }
        }
        _ => name.extend_from_slice(raw),
    }
    name
}

//! Values that must not reach the database, and how they are looked for there.

use crate::fixture::opener;
use acra_engine::cell::Tally;
use acra_engine::crypto::{container, detect};
use arbitrary::Arbitrary;
use memchr::memmem;

/// Both halves are looked for, so that half a value is found too. Eight letters do not occur in ciphertext by chance, however
/// many inputs there are.
pub(crate) const HALVES: [&str; 2] = ["Kqzwvgpf", "Jvxqykhd"];

/// Data that a client sends when nobody has asked, and that a COPY under way takes for a value.
pub(crate) const STRAY: &str = "no value";

/// A value that is written as a number.
pub(crate) const NUMBER: &str = "1918273645";

/// A value like no other of the run.
pub(crate) fn value(number: usize) -> String {
    format!("{}{}{:04}", HALVES[0], HALVES[1], number % 10_000)
}

/// Whether these bytes could have been sealed.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    let is_marker = |bytes: &[u8]| {
        let digits = bytes.strip_prefix(HALVES.concat().as_bytes());
        digits.is_some_and(|digits| digits.len() == 4 && digits.iter().all(u8::is_ascii_digit))
    };
    // In CSV of a column the marker of the end is a value, since version 18 of the server.
    is_marker(bytes)
        || bytes == STRAY.as_bytes()
        || bytes == b"\\."
        || bytes == NUMBER.as_bytes()
        || bytes == format!("-{NUMBER}").as_bytes()
}

/// How a value is written in a text.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Notation {
    Plain,
    Escape,
    EscapeHex,
    EscapeOctal,
    EscapeUnicode,
    Unicode,
    UnicodeWithClause,
    Dollar,
    TaggedDollar,
    ByteaHex,
    ByteaEscape,
    EscapedByteaHex,
    Continued,
    Number,
    NegativeNumber,
    CastToBytea,
    // What follows is refused today.
    National,
    Bits,
    CastToText,
    Typed,
    Concatenated,
    Called,
    Decoded,
    Positive,
    InParentheses,
    Row,
    Subselect,
}

impl Notation {
    /// The literal, or the expression around it.
    pub(crate) fn write(self, value: &str, cut: u8) -> String {
        let each = |form: &dyn Fn(u8) -> String| value.bytes().map(form).collect::<String>();
        let cut = usize::from(cut) % (value.len() + 1);
        let (left, right) = value.split_at(cut);
        let hex = const_hex::encode(value);
        match self {
            Self::Plain => format!("'{value}'"),
            Self::Escape => format!("E'{value}'"),
            Self::EscapeHex => format!("e'{}'", each(&|byte| format!("\\x{byte:02X}"))),
            Self::EscapeOctal => format!("E'{left}{}'", octal(right)),
            Self::EscapeUnicode => format!("E'{}'", each(&|byte| format!("\\u{byte:04x}"))),
            Self::Unicode => format!("U&'{}'", each(&|byte| format!("\\{byte:04x}"))),
            Self::UnicodeWithClause => {
                format!("u&'{}' UESCAPE '!'", each(&|byte| format!("!+{byte:06X}")))
            }
            Self::Dollar => format!("$${value}$$"),
            Self::TaggedDollar => format!("$tag_1${value}$tag_1$"),
            Self::ByteaHex => format!("'\\x{hex}'"),
            Self::ByteaEscape => format!("'{left}{}'", octal(right)),
            Self::EscapedByteaHex => format!("E'\\\\x{hex}'"),
            Self::Continued => format!("'{left}' -- it's\n '{right}'"),
            Self::Number => NUMBER.to_owned(),
            Self::NegativeNumber => format!("- {NUMBER}"),
            Self::CastToBytea => format!("'{value}'::bytea"),
            Self::National => format!("N'{value}'"),
            Self::Bits => format!("X'{hex}'"),
            Self::CastToText => format!("CAST('{value}' AS text)"),
            Self::Typed => format!("bytea '{value}'"),
            Self::Concatenated => format!("'{left}' || '{right}'"),
            Self::Called => format!("lower('{value}')"),
            Self::Decoded => format!("decode('{hex}', 'hex')"),
            Self::Positive => format!("+{NUMBER}"),
            Self::InParentheses => format!("('{value}')"),
            Self::Row => format!("ROW('{value}')"),
            Self::Subselect => format!("(SELECT '{value}')"),
        }
    }
}

fn octal(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:03o}")).collect()
}

/// Where a value, or half of one, is in these bytes in any notation.
pub(crate) fn found(bytes: &[u8]) -> Option<&'static str> {
    let lower = bytes.to_ascii_lowercase();
    if memmem::find(bytes, NUMBER.as_bytes()).is_some() {
        return Some(NUMBER);
    }
    let (octal, unicode) = (unescape(bytes, false), unescape(bytes, true));
    HALVES.into_iter().find(|half| {
        let hex = const_hex::encode(half);
        memmem::find(&lower, hex.as_bytes()).is_some()
            || [bytes, &octal, &unicode]
                .iter()
                .any(|bytes| memmem::find(bytes, half.as_bytes()).is_some())
    })
}

/// The bytes with their escapes read: `\ooo` and `\xHH`, or those of U&'…' and `\uXXXX`.
fn unescape(bytes: &[u8], unicode: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let read = match first {
            b'\\' | b'!' if unicode => match after {
                [b'+', after @ ..] => number(after, 6, 16),
                [b'u', after @ ..] => number(after, 4, 16),
                _ => number(after, 4, 16),
            },
            b'\\' => match after {
                [b'x', after @ ..] => number(after, 2, 16),
                _ => number(after, 3, 8),
            },
            _ => None,
        };
        match read {
            Some((byte, after)) => {
                out.push(byte);
                rest = after;
            }
            None => out.push(*first),
        }
    }
    out
}

fn number(bytes: &[u8], digits: usize, radix: u32) -> Option<(u8, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(digits)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let value = u32::from_str_radix(digits, radix).ok()?;
    Some((u8::try_from(value).ok()?, rest))
}

/// What is sealed in these bytes, in hex or as it is.
pub(crate) fn sealed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for at in memmem::find_iter(bytes, b"252525") {
        let digits = bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit());
        let digits = digits.count() & !1;
        if let Ok(raw) = const_hex::decode(&bytes[at..at + digits]) {
            values.extend(opened(&raw));
        }
    }
    for at in memmem::find_iter(bytes, b"%%%") {
        values.extend(opened(&bytes[at..]));
    }
    values
}

fn opened(bytes: &[u8]) -> Option<Vec<u8>> {
    let (envelope, inner) = container::parse(bytes).ok()?;
    let mut tally = Tally::default();
    let mut out = Vec::new();
    detect::Opener::open(&mut opener(&mut tally), envelope, inner, &mut out).then_some(out)
}

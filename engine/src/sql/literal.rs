//! What a literal stands for (PostgreSQL documentation, 4.1.2).

use super::lex::continuation;
use super::lexical::Lexical;
use super::mysql;
use super::token::{Kind, Token};
use std::borrow::Cow;

/// The bytes of a character string. `None`: an escape in it is wrong, or it is no character string.
pub fn string<'a>(token: &Token, text: &'a [u8], lexical: &Lexical) -> Option<Cow<'a, [u8]>> {
    let raw = token.text(text);
    if lexical.dialect.is_mysql() {
        return match token.kind {
            Kind::String => mysql::string(raw, lexical),
            _ => None,
        };
    }
    match token.kind {
        Kind::String => quoted(raw, !lexical.standard_conforming_strings),
        Kind::National => quoted(raw.get(1..)?, !lexical.standard_conforming_strings),
        Kind::Escape => quoted(raw.get(1..)?, true),
        Kind::Unicode => decode_unicode(raw, b'\'').map(Cow::Owned),
        Kind::Dollar => {
            let delimiter = memchr::memchr(b'$', raw.get(1..)?)? + 2;
            raw.get(delimiter..raw.len().checked_sub(delimiter)?)
                .map(Cow::Borrowed)
        }
        _ => None,
    }
}

/// The text of a number as the server would print it, as far as it matters: an `integer` without leading zeros.
pub fn number<'a>(token: &Token, text: &'a [u8]) -> &'a [u8] {
    let raw = token.text(text);
    let significant = raw.iter().position(|digit| *digit != b'0');
    let canonical = significant
        .and_then(|first| raw.get(first..))
        .unwrap_or(b"0");
    let is_integer = raw.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(canonical).is_ok_and(|digits| digits.parse::<i32>().is_ok());
    if is_integer { canonical } else { raw }
}

/// Decodes `'…'` and the parts that continue it.
fn quoted(raw: &[u8], escapes: bool) -> Option<Cow<'_, [u8]>> {
    let whole = raw.get(1..raw.len().checked_sub(1)?)?;
    let special = if escapes {
        memchr::memchr2(b'\'', b'\\', whole)
    } else {
        memchr::memchr(b'\'', whole)
    };
    if special.is_none() {
        return Some(Cow::Borrowed(whole));
    }
    let mut out = Vec::with_capacity(whole.len());
    let mut rest = raw.get(1..)?;
    loop {
        rest = match rest {
            [b'\'', b'\'', rest @ ..] => {
                out.push(b'\'');
                rest
            }
            [b'\'', rest @ ..] => match continuation(rest) {
                Some(quote) => rest.get(quote + 1..)?,
                None => return Some(Cow::Owned(out)),
            },
            [b'\\', rest @ ..] if escapes => escape(rest, &mut out)?,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => return None,
        };
    }
}

/// Decodes what follows a backslash in an escape string.
fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (first, rest) = rest.split_first()?;
    match first {
        b'b' => out.push(8),
        b'f' => out.push(12),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'v' => out.push(11),
        b'0'..=b'7' => {
            let digits = rest
                .iter()
                .take(2)
                .take_while(|digit| matches!(digit, b'0'..=b'7'))
                .count();
            let value = rest
                .iter()
                .take(digits)
                .fold(u32::from(first - b'0'), |value, digit| {
                    value * 8 + u32::from(digit - b'0')
                });
            // The server takes the low byte, and refuses a zero byte.
            out.push(Some(value as u8).filter(|byte| *byte != 0)?);
            return rest.get(digits..);
        }
        b'x' => {
            let digits = rest
                .iter()
                .take(2)
                .take_while(|digit| digit.is_ascii_hexdigit())
                .count();
            if digits > 0 {
                let value = hexadecimal(rest.get(..digits)?)?;
                out.push(Some(value as u8).filter(|byte| *byte != 0)?);
                return rest.get(digits..);
            }
            out.push(b'x');
        }
        b'u' => return code_point(rest, 4, b"\\u", out),
        b'U' => return code_point(rest, 8, b"\\U", out),
        other => out.push(*other),
    }
    Some(rest)
}

/// Decodes the digits of `\uXXXX` and its kin, and the second half of a surrogate pair.
fn code_point<'a>(
    rest: &'a [u8],
    digits: usize,
    introducer: &[u8],
    out: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    let (value, mut rest) = (hexadecimal(rest.get(..digits)?)?, rest.get(digits..)?);
    let value = match value {
        0xD800..=0xDBFF => {
            let second = rest.strip_prefix(introducer)?;
            let low = hexadecimal(second.get(..digits)?)?;
            rest = second.get(digits..)?;
            let low = Some(low).filter(|low| (0xDC00..=0xDFFF).contains(low))?;
            0x10000 + ((value & 0x3FF) << 10) + (low & 0x3FF)
        }
        value => value,
    };
    push_char(value, out)?;
    Some(rest)
}

fn push_char(value: u32, out: &mut Vec<u8>) -> Option<()> {
    let character = char::from_u32(value).filter(|character| *character != '\0')?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

pub(super) fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        Some((value << 4) | char::from(*digit).to_digit(16)?)
    })
}

/// Decodes `U&'…'` or `U&"…"` with the `UESCAPE` clause that may follow it.
pub(super) fn decode_unicode(raw: &[u8], quote: u8) -> Option<Vec<u8>> {
    let body = raw.get(3..)?;
    // The body without its quotes, and the place after the closing one.
    let mut inner = Vec::with_capacity(body.len());
    let mut rest = body;
    let after = loop {
        rest = match rest {
            [first, second, rest @ ..] if *first == quote && *second == quote => {
                inner.push(quote);
                rest
            }
            [first, rest @ ..] if *first == quote => match continuation(rest) {
                Some(next) if quote == b'\'' => rest.get(next + 1..)?,
                _ => break rest,
            },
            [byte, rest @ ..] => {
                inner.push(*byte);
                rest
            }
            [] => return None,
        };
    };
    let escape = match after {
        [] => b'\\',
        // `… '!'`: the lexer has seen to it that nothing else follows.
        [.., b'\'', escape, b'\''] => Some(*escape).filter(|escape| {
            !escape.is_ascii_hexdigit() && !b"+'\" \t\n\r\x0b\x0c".contains(escape)
        })?,
        _ => return None,
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = &*inner;
    loop {
        rest = match rest {
            [] => return Some(out),
            [first, second, rest @ ..] if *first == escape && *second == escape => {
                out.push(escape);
                rest
            }
            [first, b'+', rest @ ..] if *first == escape => {
                code_point(rest, 6, &[escape, b'+'], &mut out)?
            }
            [first, rest @ ..] if *first == escape => code_point(rest, 4, &[escape], &mut out)?,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

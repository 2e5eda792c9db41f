//! Identifiers as the server knows them: folded, unquoted, cut to the length of a name.

use super::literal;
use super::mysql;
use super::token::{Kind, Token};
use std::borrow::Cow;

/// Longest name in bytes (`NAMEDATALEN - 1`).
const MAX_NAME: usize = 63;

/// The name that a token stands for; for a token that is no name, its text.
///
/// Unquoted names fold their ASCII letters; a server with a database of a single-byte encoding folds others too, by its
/// locale, which is not known here. A `U&"…"` whose escapes are wrong keeps its text: the server refuses it.
pub fn name<'a>(token: &Token, text: &'a [u8]) -> Cow<'a, [u8]> {
    let raw = token.text(text);
    if matches!(token.kind, Kind::Backtick | Kind::Label) {
        return mysql::name(raw);
    }
    let name = match token.kind {
        Kind::Word if raw.iter().any(u8::is_ascii_uppercase) => {
            Cow::Owned(raw.to_ascii_lowercase())
        }
        Kind::Quoted => unquote(raw),
        Kind::UnicodeQuoted => match literal::decode_unicode(raw, b'"') {
            Some(decoded) => Cow::Owned(decoded),
            None => Cow::Borrowed(raw),
        },
        _ => Cow::Borrowed(raw),
    };
    truncate(name)
}

/// Calls `then` with the name that a token stands for, without allocating for an unquoted one.
pub fn with_name<T>(token: &Token, text: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    let raw = token.text(text);
    let mut folded = [0; MAX_NAME];
    match folded.get_mut(..raw.len()) {
        Some(folded) if token.kind == Kind::Word => {
            folded.copy_from_slice(raw);
            folded.make_ascii_lowercase();
            then(folded)
        }
        _ => then(&name(token, text)),
    }
}

fn unquote(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(byte) = rest.next() {
        out.push(*byte);
        if *byte == b'"' {
            rest.next();
        }
    }
    Cow::Owned(out)
}

/// Cuts a name as the server does, at the end of a character.
fn truncate(name: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if name.len() <= MAX_NAME {
        return name;
    }
    let mut end = MAX_NAME;
    while end > 0 && name.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.get(..end).unwrap_or_default()),
        Cow::Owned(mut name) => {
            name.truncate(end);
            Cow::Owned(name)
        }
    }
}

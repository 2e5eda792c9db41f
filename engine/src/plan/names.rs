//! Names as texts.

use crate::sql::facts::Source;
use crate::sql::{Dialect, Token, ident};
use std::borrow::Cow;

/// The name that a token stands for.
pub(super) fn name<'a>(token: &Token, text: &'a [u8]) -> Cow<'a, str> {
    match ident::name(token, text) {
        Cow::Borrowed(name) => String::from_utf8_lossy(name),
        Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
    }
}

/// The name that the token of this number stands for.
pub(super) fn token_name<'a>(token: usize, source: &Source<'a>) -> Cow<'a, str> {
    source
        .tokens
        .get(token)
        .map_or(Cow::Borrowed(""), |token| name(token, source.text))
}

/// A name as it is written in the quotes of a dialect.
pub fn quoted_in(dialect: Dialect, name: &str) -> String {
    let quote = if dialect.is_mysql() { "`" } else { "\"" };
    format!("{quote}{}{quote}", name.replace(quote, &quote.repeat(2)))
}

//! Arrays whose elements are values of a protected column: the types that they are cast to.

use super::Role;
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode, refused};
use crate::columns::{Likeness, Setting, TokenType};
use crate::sql::facts::Source;
use std::ops::Range;

/// The types that the array at a token is cast to: their tokens without the brackets. That they are casts of the array, and to
/// types that are known, has been read from the tree.
pub(super) fn casts(array: usize, source: &Source<'_>) -> Vec<Range<usize>> {
    let token = |at: usize| source.tokens.get(at);
    let is = |at: usize, symbol| token(at).is_some_and(|token| token.is(source.text, symbol));
    let mut found = Vec::new();
    let mut at = array + 1;
    loop {
        while is(at, b')') {
            at += 1;
        }
        let casts = token(at).is_some_and(|token| {
            token.text(source.text) == b"::" || token.is_word(source.text, "as")
        });
        let start = at + 1;
        let mut end = start;
        while token(end).is_some_and(|token| token.kind.is_name()) {
            end += 1;
        }
        if !casts || !is(end, b'[') {
            return found;
        }
        found.push(start..end);
        at = end + 1;
        while token(at).is_some() && !is(at, b']') {
            at += 1;
        }
        at += 1;
    }
}

/// The type that elements are cast to instead, where what they become does not fit; `None` if the cast stays.
///
/// # Errors
///
/// Numbers that would be encrypted: nothing of that type holds a container.
pub(super) fn instead(
    cast: &Range<usize>,
    setting: &Setting,
    role: Role,
    source: &Source<'_>,
) -> Result<Option<&'static str>, Refusal> {
    let width = match &*token_name(cast.start, source) {
        "smallint" | "int2" => Some(2),
        "int" | "integer" | "int4" => Some(4),
        "bigint" | "int8" => Some(8),
        _ => None,
    };
    // What is stored may go into a column of text, unless it begins with a hash.
    let keeps_type = role == Role::Stored && setting.likeness() != Some(Likeness::Hash);
    match (setting.tokenized(), width) {
        (Some((TokenType::Int32, _)), Some(2)) => Ok(Some("integer")),
        (Some((TokenType::Int64, _)), Some(2 | 4)) => Ok(Some("bigint")),
        (Some(_), _) => Ok(None),
        (None, Some(_)) if keeps_type => Err(refused(
            RefusalCode::ValueForm,
            setting,
            "is set to the elements of an array of numbers",
        )
        .with_hint("Cast the array to bytea[] or text[].")),
        (None, _) if keeps_type => Ok(None),
        (None, _) => Ok(Some("bytea")),
    }
}

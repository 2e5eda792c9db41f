//! Arrays whose elements are values of a protected column: the types that they are cast to.

use super::names::token_name;
use super::refusal::{Refusal, RefusalCode, refused};
use super::{Role, cast};
use crate::columns::{Likeness, Setting, TokenType, narrowest};
use crate::sql::facts::Source;
use crate::sql::facts::tree::CastType;
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
/// Elements that would be encrypted, of a type that holds no container and is not that of the column.
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
    match (setting.tokenized(), width) {
        (Some((TokenType::Int32, _)), Some(2)) => return Ok(Some("integer")),
        (Some((TokenType::Int64, _)), Some(2 | 4)) => return Ok(Some("bigint")),
        (Some(_), _) => return Ok(None),
        (None, _) => {}
    }
    // What is stored may go into a column of text, unless it begins with a hash or is of the column's own type.
    let keeps_type = role == Role::Stored && setting.likeness() != Some(Likeness::Hash);
    match cast::named(cast, source).map(|cast| cast.oid) {
        Some(of) if setting.takes_elements(of) => Ok(Some("bytea")),
        None | Some(CastType::TEXT | CastType::VARCHAR) if keeps_type => Ok(None),
        None | Some(CastType::TEXT | CastType::VARCHAR) => Ok(Some("bytea")),
        // Numbers may be written as such where the column has no type.
        Some(_) if width.is_some() && !keeps_type => Ok(Some("bytea")),
        Some(_) => Err(refused(
            RefusalCode::ValueForm,
            setting,
            "has the elements of an array of another type than its own as values",
        )
        .with_hint(
            "Cast the array to bytea[], to text[], or to an array of the column's data_type.",
        )),
    }
}

/// The type by which elements are read that are cast to these.
pub(super) fn read_by(
    casts: &[Range<usize>],
    setting: &Setting,
    source: &Source<'_>,
) -> Option<CastType> {
    let named = casts.iter().filter_map(|cast| cast::named(cast, source));
    // Any text is one of text.
    let says = |oid: &u32| {
        setting.takes_elements(*oid) && !matches!(*oid, CastType::TEXT | CastType::VARCHAR)
    };
    narrowest(named.map(|cast| cast.oid).filter(says)).map(|oid| CastType {
        oid,
        modifier: None,
    })
}

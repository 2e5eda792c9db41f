//! Casts of values that are stored in protected columns, or compared with them.
//!
//! What the value becomes is `bytea`, whatever it was cast to, so the cast is changed with it. How the value is read does
//! not change: the cast's type says it.

use super::Role;
use super::edits::Insertion;
use super::flow::{CastUse, Fate, Use};
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use crate::columns::Setting;
use crate::sql::facts::tree::{Cast, CastType};
use crate::sql::facts::{self, Source};
use std::ops::Range;

/// What is changed in a text for its casts.
pub(super) fn changes(casts: &[CastUse<'_>]) -> Result<Vec<Insertion>, Refusal> {
    let mut changes = Vec::new();
    for cast in casts {
        let Some(first) = cast.uses.first() else {
            continue;
        };
        let Use { setting, role } = *first;
        let is_like = |given: &Use<'_>| is_token(given.setting) == is_token(setting);
        if cast.seen || !cast.uses.iter().all(is_like) {
            return Err(refused(
                setting,
                "has a value with a cast that is compared, returned or stored elsewhere too",
            ));
        }
        let taken = |given: &Use<'_>| takes(given.setting, given.role, cast.cast.of.oid);
        if let Some(other) = cast.uses.iter().find(|given| !taken(given)) {
            return Err(of_other_type(other.setting));
        }
        if !is_token(setting) {
            changes.extend(change(&cast.cast, cast.bare && role == Role::Stored));
        } else if let (Some(_), Some(types)) = (cast.cast.of.modifier, &cast.cast.types) {
            // A token is of the column's type. It may have more characters than its value, which is cut before.
            changes.push(Insertion::over(types, "varchar"));
        }
    }
    Ok(changes)
}

/// Whether a value that is this to a column may have a cast to the type with this OID.
pub(super) fn takes(setting: &Setting, role: Role, oid: u32) -> bool {
    let is_as_stored = || match role {
        Role::Stored => true,
        Role::Compared => setting.compares_without_blanks(),
        Role::Pattern => false,
    };
    setting.takes_cast(oid) && (oid != CastType::BPCHAR || is_as_stored())
}

fn is_token(setting: &Setting) -> bool {
    setting.tokenized().is_some()
}

/// A cast to `bytea`, or none.
fn change(cast: &Cast, bare: bool) -> Vec<Insertion> {
    match &cast.types {
        Some(types) if !bare => vec![Insertion::over(types, "bytea")],
        _ => {
            let around = cast.around.iter();
            around.map(|tokens| Insertion::over(tokens, "")).collect()
        }
    }
}

/// The type that a literal or parameter is read by.
pub(super) fn of_leaf(
    fate: &Fate<'_>,
    setting: &Setting,
    casts: &[CastUse<'_>],
) -> Result<Option<CastType>, Refusal> {
    let mut types = fate.casts.iter().filter_map(|cast| casts.get(*cast));
    let first = types.next().map(|cast| cast.cast.of);
    match types.all(|cast| Some(cast.cast.of) == first) {
        true => Ok(first),
        false => Err(refused(
            setting,
            "has a value with casts to different types",
        )),
    }
}

/// The type of a parameter that is cast in one place and perhaps not in another.
pub(super) fn either(
    one: Option<CastType>,
    other: Option<CastType>,
    setting: &Setting,
) -> Result<Option<CastType>, Refusal> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(refused(
            setting,
            "has a parameter with casts to different types",
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// The type of a value that is cast to one type, and after that to another: if they are the same, with the numbers of either.
pub(super) fn in_turn(
    first: Option<CastType>,
    then: Option<CastType>,
    setting: &Setting,
) -> Result<Option<CastType>, Refusal> {
    match (first, then) {
        (Some(first), Some(then)) if first.oid == then.oid && then.modifier.is_none() => {
            Ok(Some(first))
        }
        (Some(first), Some(then)) if first.oid == then.oid && first.modifier.is_none() => {
            Ok(Some(then))
        }
        (first, then) => either(first, then, setting),
    }
}

/// A cast to a type of which the column has no values.
pub(super) fn of_other_type(setting: &Setting) -> Refusal {
    refused(
        setting,
        "has a value with a cast to a type that is not the column's",
    )
}

/// The type at these tokens.
pub(super) fn named(tokens: &Range<usize>, source: &Source<'_>) -> Option<CastType> {
    let words: Vec<_> = tokens
        .clone()
        .map(|token| token_name(token, source))
        .collect();
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    facts::named(&words).map(|oid| CastType {
        oid,
        modifier: None,
    })
}

fn refused(setting: &Setting, what: &str) -> Refusal {
    let Setting { table, column, .. } = setting;
    let message = format!("column \"{column}\" of protected table \"{table}\" {what}");
    Refusal::new(RefusalCode::ValueForm, message).about(setting.subject()).with_hint(
        "Cast it to the column's data_type or to bytea, or leave the cast out; docs/columns.md tells which casts there are.",
    )
}

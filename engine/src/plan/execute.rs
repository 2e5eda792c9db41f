//! The arguments of `EXECUTE`: those of protected parameters are sealed where they are written.
//!
//! Which they are is known of the statement that was prepared, and so of the session, not of the text.

use super::cast;
use super::literals::{LiteralValue, Written, read};
use super::refusal::{Refusal, RefusalCode};
use super::variables;
use super::{CastType, Edit, ParamAction, Role, Scratch};
use crate::columns::Setting;
use crate::sql::effects::{executed, statements};
use crate::sql::facts;
use crate::sql::{Kind, Token, ident};
use std::ops::Range;

/// What is changed of the arguments of the prepared statements that a text executes: values to seal, and edits that leave out
/// their casts. `scratch` is as [`super::Planner::plan`] left it for this text; `params` tells the protected parameters of a
/// prepared statement, `has_stored` of a variable of MySQL whether it has what a column stores.
///
/// # Errors
///
/// An argument that is not a value, or one that [`super::Plan::literals`] refuses.
pub fn arguments<'a>(
    text: &'a [u8],
    scratch: &'a Scratch,
    params: impl Fn(&[u8]) -> &'a [ParamAction],
    has_stored: impl Fn(&str, &Setting) -> bool,
) -> Result<(Vec<LiteralValue<'a>>, Vec<Edit>), Refusal> {
    let (mut values, mut edits) = (Vec::new(), Vec::new());
    for range in statements(text, &scratch.tokens) {
        let statement = scratch.tokens.get(range.clone()).unwrap_or_default();
        let Some(name) = executed(text, statement) else {
            continue;
        };
        let Some(token) = statement.get(name) else {
            continue;
        };
        let actions = params(&ident::name(token, text));
        if actions.is_empty() {
            continue;
        }
        let rest = range.start + name + 1..range.end;
        let mysql = scratch.lexical.dialect.is_mysql();
        let arguments = match mysql {
            true => using(text, &scratch.tokens, rest),
            false => list(text, &scratch.tokens, rest),
        };
        for action in actions {
            let setting = &action.setting;
            let Some(argument) = arguments.get(usize::from(action.number).saturating_sub(1)) else {
                continue;
            };
            if let Some([variable]) = scratch.tokens.get(argument.clone())
                && let Some(name) = variables::name_of(variable, text, scratch)
            {
                let is_pattern = action.role == Role::Pattern;
                match has_stored(&name, setting) {
                    true if is_pattern => return Err(variables::pattern(&name, setting)),
                    true => continue,
                    false => return Err(variables::not_stored(&name, setting)),
                }
            }
            let read_as = value(text, &scratch.tokens, argument, mysql)
                .ok_or_else(|| not_a_value(setting))?;
            let Argument { kept, cast, .. } = &read_as;
            if let Some(given) = cast {
                if action.elements || !cast::takes(setting, action.role, given.oid) {
                    return Err(cast::of_other_type(setting));
                }
                // What the value becomes has the type of the parameter, so that the cast goes.
                edits.extend(around(&scratch.tokens, argument, kept));
            }
            let literal = read_as
                .literal(setting)
                .ok_or_else(|| not_a_value(setting))?;
            let Some((token, written)) = literal else {
                continue;
            };
            let written = match action.elements {
                true => Written::InArray,
                false => written,
            };
            let value = read(token, (setting, action.role), written, text, scratch)?;
            let cast = match value.cast {
                None => cast::in_turn(*cast, action.cast, setting)?,
                truth => truth,
            };
            values.push(LiteralValue { cast, ..value });
        }
    }
    Ok((values, edits))
}

fn not_a_value(setting: &Setting) -> Refusal {
    let message = format!(
        "an argument of EXECUTE for column \"{}\" of protected table \"{}\" is not a string or number, so that its value is not known",
        setting.column, setting.table
    );
    Refusal::new(RefusalCode::ValueForm, message).about(setting.subject())
}

pub(super) struct Argument {
    /// The tokens of the value.
    kept: Range<usize>,
    /// The type that it is cast to.
    cast: Option<CastType>,
    value: Value,
}

impl Argument {
    /// The token of the literal, if it can be a value of this column; within, nothing for NULL.
    #[expect(
        clippy::option_option,
        reason = "no literal, and none that can be a value"
    )]
    pub(super) fn literal(&self, setting: &Setting) -> Option<Option<(usize, Written)>> {
        match self.value {
            Value::Null => Some(None),
            Value::Truth => {
                let takes = setting.takes_cast(CastType::BOOL.oid);
                takes.then_some(Some((self.kept.start, Written::Plainly)))
            }
            Value::Literal(token, written) => Some(Some((token, written))),
        }
    }
}

enum Value {
    Null,
    /// `TRUE`, `FALSE`
    Truth,
    /// The token of a string or number.
    Literal(usize, Written),
}

/// Edits that leave out what of an argument is around its value.
fn around(tokens: &[Token], argument: &Range<usize>, kept: &Range<usize>) -> Vec<Edit> {
    let parts = [argument.start..kept.start, kept.end..argument.end];
    let bytes = parts.into_iter().filter_map(|part| {
        let tokens = tokens.get(part)?;
        Some(tokens.first()?.start as usize..tokens.last()?.end as usize)
    });
    bytes
        .map(|span| Edit {
            span,
            text: Vec::new(),
        })
        .collect()
}

/// What an argument is; a cast of PostgreSQL to `bytea` is looked through.
pub(super) fn value(
    text: &[u8],
    tokens: &[Token],
    argument: &Range<usize>,
    mysql: bool,
) -> Option<Argument> {
    let (kept, of) = match mysql {
        true => (argument.clone(), None),
        false => uncast(text, tokens, argument.clone()),
    };
    let cast = match of.as_deref() {
        None | Some([]) => None,
        Some([bytea]) if bytea == "bytea" => None,
        Some(words) => {
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            Some(facts::typed(&words)?)
        }
    };
    let is_string = |token: &Token| token.kind.is_string() && token.kind != Kind::National;
    let value = match tokens.get(kept.clone())? {
        [null] if null.is_word(text, "null") => Value::Null,
        [value] if value.is_word(text, "true") || value.is_word(text, "false") => match cast {
            None | Some(CastType::BOOL) => Value::Truth,
            Some(_) => return None,
        },
        [value] if is_string(value) || value.kind == Kind::Number => {
            Value::Literal(kept.start, Written::Plainly)
        }
        [sign, value] if sign.is(text, b'-') && value.kind == Kind::Number => {
            Value::Literal(kept.start + 1, Written::WithMinus)
        }
        _ => return None,
    };
    Some(Argument { kept, cast, value })
}

/// The value of an argument without a cast around it, `value::type` or `CAST(value AS type)`, and the words of the type.
fn uncast(
    text: &[u8],
    tokens: &[Token],
    argument: Range<usize>,
) -> (Range<usize>, Option<Vec<String>>) {
    let token = |at: usize| tokens.get(at).filter(|_| argument.contains(&at));
    let words = |range: Range<usize>| -> Vec<String> {
        let words = tokens.get(range).unwrap_or_default().iter();
        words
            .map(|word| String::from_utf8_lossy(&ident::name(word, text)).into_owned())
            .collect()
    };
    let is_cast = token(argument.start).is_some_and(|token| token.is_word(text, "cast"))
        && token(argument.start + 1).is_some_and(|open| open.is(text, b'('));
    let (value, last) = match is_cast {
        true => (argument.start + 2..argument.end, argument.end - 1),
        false => (argument.clone(), argument.end),
    };
    let separates = |at: &usize| {
        token(*at).is_some_and(|token| match is_cast {
            true => token.is_word(text, "as"),
            false => token.text(text) == b"::",
        })
    };
    match value.clone().find(separates) {
        Some(at) => (value.start..at, Some(words(at + 1..last))),
        None => (argument, None),
    }
}

/// What is between the commas behind `USING`.
fn using(text: &[u8], tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    let is_using = |at: &usize| {
        tokens
            .get(*at)
            .is_some_and(|token| token.is_word(text, "using"))
    };
    let mut parts = Vec::new();
    let Some(using) = range.clone().find(is_using) else {
        return parts;
    };
    let first = using + 1;
    let (mut depth, mut from) = (0_usize, first);
    for at in first..range.end {
        let Some(token) = tokens.get(at) else { break };
        match token.text(text) {
            b"(" => depth += 1,
            b")" => depth = depth.saturating_sub(1),
            b"," if depth == 0 => {
                parts.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(from..range.end);
    parts
}

/// What is between the commas of the parentheses that begin here.
fn list(text: &[u8], tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_usize, range.start + 1);
    for at in range {
        let Some(token) = tokens.get(at) else { break };
        match token.text(text) {
            b"(" | b"[" if token.kind == Kind::Punctuation => depth += 1,
            b")" | b"]" if token.kind == Kind::Punctuation => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    parts.push(from..at);
                    break;
                }
            }
            b"," if depth == 1 => {
                parts.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

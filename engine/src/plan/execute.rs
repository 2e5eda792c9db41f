//! The arguments of `EXECUTE`: those of protected parameters are sealed where they are written.
//!
//! Which they are is known of the statement that was prepared, and so of the session, not of the text.

use super::cast;
use super::literals::{LiteralValue, Written, read};
use super::refusal::{Refusal, RefusalCode};
use super::{CastType, ParamAction, Scratch};
use crate::columns::Setting;
use crate::sql::effects::{executed, statements};
use crate::sql::facts;
use crate::sql::{Kind, Token, ident};
use std::ops::Range;

/// The values to seal among the arguments of the prepared statements that a text executes. `scratch` is as
/// [`super::Planner::plan`] left it for this text; `params` tells the protected parameters of a prepared statement.
///
/// # Errors
///
/// An argument that is not a value, or one that [`super::Plan::literals`] refuses.
pub fn arguments<'a>(
    text: &'a [u8],
    scratch: &'a Scratch,
    params: impl Fn(&[u8]) -> &'a [ParamAction],
) -> Result<Vec<LiteralValue<'a>>, Refusal> {
    let mut values = Vec::new();
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
        for ParamAction {
            number,
            setting,
            role,
            elements,
            cast,
        } in actions
        {
            let Some(argument) = arguments.get(usize::from(*number).saturating_sub(1)) else {
                continue;
            };
            match value(text, &scratch.tokens, argument.clone(), mysql) {
                Argument::Null => {}
                Argument::Truth if !setting.takes_cast(CastType::BOOL.oid) => {
                    return Err(not_a_value(setting));
                }
                Argument::Truth => {
                    let written = Written::Plainly;
                    let token = argument.start;
                    values.push(read(token, (setting, *role), written, text, scratch)?);
                }
                Argument::Value {
                    token,
                    written,
                    cast: given,
                } => {
                    if given.is_some_and(|given| *elements || !setting.takes_cast(given.oid)) {
                        return Err(cast::of_other_type(setting));
                    }
                    let written = match elements {
                        true => Written::InArray,
                        false => written,
                    };
                    let value = read(token, (setting, *role), written, text, scratch)?;
                    // What the value becomes has the type of the parameter, so that the cast goes.
                    let span = given.and_then(|_| whole(&scratch.tokens, argument));
                    let span = span.unwrap_or_else(|| value.span.clone());
                    values.push(LiteralValue {
                        span,
                        cast: cast::either(*cast, given, setting)?,
                        ..value
                    });
                }
                Argument::Other => return Err(not_a_value(setting)),
            }
        }
    }
    Ok(values)
}

fn not_a_value(setting: &Setting) -> Refusal {
    let message = format!(
        "an argument of EXECUTE for column \"{}\" of protected table \"{}\" is not a string or number, so that its value is not known",
        setting.column, setting.table
    );
    Refusal::new(RefusalCode::ValueForm, message)
}

enum Argument {
    Null,
    /// `TRUE`, `FALSE`
    Truth,
    Value {
        token: usize,
        written: Written,
        /// The type that it is cast to.
        cast: Option<CastType>,
    },
    Other,
}

/// The bytes of tokens.
fn whole(tokens: &[Token], range: &Range<usize>) -> Option<Range<usize>> {
    let tokens = tokens.get(range.clone())?;
    Some(tokens.first()?.start as usize..tokens.last()?.end as usize)
}

/// What an argument is; a cast of PostgreSQL to `bytea` is looked through.
fn value(text: &[u8], tokens: &[Token], argument: Range<usize>, mysql: bool) -> Argument {
    let (kept, of) = match mysql {
        true => (argument, None),
        false => uncast(text, tokens, argument),
    };
    let start = kept.start;
    let kept = tokens.get(kept).unwrap_or_default();
    let cast = match of.as_deref() {
        None | Some([]) => None,
        Some([bytea]) if bytea == "bytea" => None,
        Some(words) => {
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            match facts::named(&words) {
                Some(oid) => Some(CastType {
                    oid,
                    modifier: None,
                }),
                None => return Argument::Other,
            }
        }
    };
    let is_string = |token: &Token| token.kind.is_string() && token.kind != Kind::National;
    match kept {
        [null] if null.is_word(text, "null") => Argument::Null,
        [value] if value.is_word(text, "true") || value.is_word(text, "false") => match cast {
            None | Some(CastType::BOOL) => Argument::Truth,
            Some(_) => Argument::Other,
        },
        [value] if is_string(value) || value.kind == Kind::Number => Argument::Value {
            token: start,
            written: Written::Plainly,
            cast,
        },
        [sign, value] if sign.is(text, b'-') && value.kind == Kind::Number => Argument::Value {
            token: start + 1,
            written: Written::WithMinus,
            cast,
        },
        _ => Argument::Other,
    }
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

//! Labels of result columns in quotes of strings: `SELECT ssn AS 'number'`, `SELECT ssn "number"`.

use super::words::MODIFIERS;
use crate::sql::token::{Kind, Token};

/// Words that stand in front of a value where an operand begins, or of a string that is none, beside the modifiers of `SELECT`.
const NOT_OPERANDS: [&str; 15] = [
    "select",
    "all",
    "distinct",
    "distinctrow",
    "not",
    "binary",
    "case",
    "interval",
    "date",
    "time",
    "timestamp",
    "names",
    "charset",
    "password",
    "comment",
];

/// Words that an operand follows.
const BEFORE_OPERANDS: [&str; 6] = [
    "select",
    "returning",
    "distinct",
    "all",
    "distinctrow",
    "sql_no_cache",
];

/// Whether a string after these tokens is a label. Elsewhere no string stands right after a value; one that cannot be told from a name's
/// other uses is taken for a value.
pub(super) fn is_label(text: &[u8], before: &[Token], raw: &[u8], escapes: bool) -> bool {
    let is_word =
        |token: &Token, words: &[&str]| words.iter().any(|word| token.is_word(text, word));
    let Some((last, earlier)) = before.split_last() else {
        return false;
    };
    let follows_value = match last.kind {
        Kind::Backtick | Kind::Variable | Kind::Param | Kind::Number => true,
        Kind::Punctuation => last.is(text, b')'),
        Kind::Word if is_word(last, &["as", "end"]) => true,
        Kind::Word => earlier.last().is_some_and(|earlier| {
            let begins = earlier.is(text, b',')
                || earlier.kind == Kind::Operator
                || is_word(earlier, &BEFORE_OPERANDS);
            earlier.is(text, b'.')
                || begins && !is_word(last, &NOT_OPERANDS) && !is_word(last, &MODIFIERS)
        }),
        _ => false,
    };
    follows_value && is_name(raw, escapes)
}

/// Whether a string is one in quotes of its own, without escapes: what it is called is then plain to see.
fn is_name(raw: &[u8], escapes: bool) -> bool {
    let (Some(quote @ (b'\'' | b'"')), Some(last)) = (raw.first(), raw.last()) else {
        return false;
    };
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    let mut parts = inner.split(|byte| byte == quote);
    // Between two quotes that stand for one there is nothing.
    let doubled =
        parts.clone().count() % 2 == 1 && parts.by_ref().skip(1).step_by(2).all(<[u8]>::is_empty);
    quote == last && doubled && !(escapes && inner.contains(&b'\\'))
}

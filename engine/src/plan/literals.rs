//! The literals of a text that its plan concerns.

use super::like::PatternAt;
use super::refusal::{Refusal, RefusalCode};
use super::{CastType, Plan, Role, Scratch};
use crate::columns::Setting;
use crate::sql::shape::Lifted;
use crate::sql::{Kind, literal, mysql};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralKind {
    /// As a character string.
    String,
    /// As a number.
    Number,
    /// As a character string that is an array; its elements are the values.
    Array,
}

/// How a literal stands for what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As it is.
    Plainly,
    /// The token before it is its sign.
    WithMinus,
    /// Its elements are the values.
    InArray,
}

/// A value in a text that must be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiteralValue<'a> {
    /// Its place in the text.
    pub span: Range<usize>,
    /// What it stands for, without quotes and escapes.
    pub value: Cow<'a, [u8]>,
    /// How it is written.
    pub kind: LiteralKind,
    /// The column that it is a value of.
    pub setting: &'a Arc<Setting>,
    /// What it is to the column.
    pub role: Role,
    /// The type that it is cast to.
    pub cast: Option<CastType>,
    /// What is around a pattern.
    pub pattern: Option<PatternPlace>,
}

/// What is around a pattern of `LIKE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatternPlace {
    /// The byte after the column, where [`super::part`] of it belongs that the pattern asks for; `None`: the hash of the whole
    /// value is compared, so that the pattern can have no wildcard.
    pub column_end: Option<usize>,
    /// The character that makes the next one stand for itself; `None`: there is none.
    pub escape: Option<u8>,
}

impl Plan {
    /// The values to change, in the order of the text. `scratch` is as [`super::Planner::plan`] left it for this text.
    ///
    /// # Errors
    ///
    /// A value whose escapes are wrong, or whose bytes the server would convert.
    pub fn literals<'a>(
        &'a self,
        text: &'a [u8],
        scratch: &'a Scratch,
    ) -> impl Iterator<Item = Result<LiteralValue<'a>, Refusal>> {
        let mut lifted = scratch.shape.literals().iter().peekable();
        let assigned = self.assigned.iter();
        let mut assigned = assigned
            .filter_map(|assigned| Some((assigned.value?, &assigned.setting)))
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let is_next = |((token, _), _): &((usize, Written), _)| {
                    let next = lifted.peek();
                    next.is_none_or(|lifted| *token < lifted.token as usize)
                };
                if let Some(((token, written), setting)) = assigned.next_if(is_next) {
                    let given = (setting, Role::Stored);
                    return Some(read(token, given, written, text, scratch));
                }
                if let Some(value) = self.lifted(lifted.next()?, text, scratch) {
                    return Some(value);
                }
            }
        })
    }

    /// What is done to the literal of a slot, if anything is.
    fn lifted<'a>(
        &'a self,
        lifted: &Lifted,
        text: &'a [u8],
        scratch: &'a Scratch,
    ) -> Option<Result<LiteralValue<'a>, Refusal>> {
        let mut numbers = self.numbers.iter();
        if let Some(number) = numbers.find(|number| number.token == lifted.slot as usize) {
            let token = scratch.tokens.get(lifted.token as usize)?;
            return (!number.is(token.text(text))).then(|| Err(other_part()));
        }
        let action = self.slots.get(lifted.slot as usize)?.as_ref()?;
        let token = lifted.token as usize;
        let given = (&action.setting, action.role);
        let value = read(token, given, action.written, text, scratch);
        Some(value.and_then(|value| {
            let pattern = action.pattern.map(|at| place(at, token, text, scratch));
            Ok(LiteralValue {
                cast: action.cast,
                pattern: pattern.transpose()?,
                ..value
            })
        }))
    }
}

/// Of a searchable column nothing but the hash can be compared.
pub(super) fn other_part() -> Refusal {
    Refusal::new(
        RefusalCode::ColumnUse,
        "substr() of a searchable column is its hash, with the numbers 1 and 33, and nothing with others",
    )
}

/// What is around the pattern at a token.
fn place(
    at: PatternAt,
    pattern: usize,
    text: &[u8],
    scratch: &Scratch,
) -> Result<PatternPlace, Refusal> {
    let token = |at: Option<usize>| at.and_then(|at| scratch.tokens.get(at));
    let column = at.column.and_then(|before| pattern.checked_sub(before));
    let escape = match token(at.escape.map(|after| pattern + after)) {
        // Without escapes in strings, MySQL has none in patterns either.
        None if scratch.lexical.dialect.is_mysql()
            && scratch.lexical.standard_conforming_strings =>
        {
            None
        }
        None => Some(b'\\'),
        Some(escape) => {
            let value = literal::string(escape, text, &scratch.lexical);
            match value.as_deref() {
                Some([]) => None,
                Some([escape]) if escape.is_ascii() => Some(*escape),
                _ => {
                    return Err(Refusal::new(
                        RefusalCode::BadLiteral,
                        "ESCAPE of a searchable column must be one ASCII character",
                    ));
                }
            }
        }
    };
    Ok(PatternPlace {
        column_end: token(column).map(|column| column.end as usize),
        escape,
    })
}

/// Reads the value at a token.
pub(super) fn read<'a>(
    at: usize,
    (setting, role): (&'a Arc<Setting>, Role),
    written: Written,
    text: &'a [u8],
    scratch: &'a Scratch,
) -> Result<LiteralValue<'a>, Refusal> {
    let wrong = |code, what| {
        let (table, column) = (&setting.table, &setting.column);
        Refusal::new(
            code,
            format!("a value for column \"{column}\" of table \"{table}\" {what}"),
        )
        .about(setting.subject())
    };
    let token = scratch
        .tokens
        .get(at)
        .ok_or_else(|| wrong(RefusalCode::NotUnderstood, "was not found"))?;
    let mut span = token.span();
    if token.kind == Kind::Word {
        let (value, kind, cast) = match scratch.lexical.dialect.is_mysql() {
            true if token.is_word(text, "true") => (b"1".into(), LiteralKind::Number, None),
            true => (b"0".into(), LiteralKind::Number, None),
            false => (
                Cow::Owned(token.text(text).to_ascii_lowercase()),
                LiteralKind::String,
                Some(CastType::BOOL),
            ),
        };
        return Ok(LiteralValue {
            span,
            value,
            kind,
            setting,
            role,
            cast,
            pattern: None,
        });
    }
    if token.kind == Kind::Number {
        let mut value = Cow::Borrowed(literal::number(token, text));
        if written == Written::WithMinus {
            let sign = at.checked_sub(1).and_then(|sign| scratch.tokens.get(sign));
            span.start = sign.map_or(span.start, |sign| sign.start as usize);
            value.to_mut().insert(0, b'-');
        }
        return Ok(LiteralValue {
            span,
            value,
            kind: LiteralKind::Number,
            setting,
            role,
            cast: None,
            pattern: None,
        });
    }
    if scratch.lexical.dialect.is_mysql()
        && mysql::is_hexadecimal(token.text(text))
        && setting
            .tokenized()
            .is_some_and(|(token_type, _)| token_type.is_number())
    {
        return Err(wrong(
            RefusalCode::BadLiteral,
            "is a hexadecimal literal, which servers read as different numbers",
        )
        .with_hint("Write the number in decimal, or bind it as a parameter."));
    }
    let value = literal::string(token, text, &scratch.lexical)
        .ok_or_else(|| wrong(RefusalCode::BadLiteral, "has a wrong escape"))?;
    let keeps_bytes = scratch.lexical.encoding.keeps_bytes()
        || scratch.lexical.dialect.is_mysql() && mysql::tells_bytes(token.text(text));
    if !value.is_ascii() && !keeps_bytes {
        return Err(match scratch.lexical.dialect.is_mysql() {
            true => wrong(
                RefusalCode::ClientEncoding,
                "is not ASCII and character_set_client is not utf8mb4",
            )
            .with_hint("SET NAMES utf8mb4, bind the value, or write it as X'…'."),
            false => wrong(
                RefusalCode::ClientEncoding,
                "is not ASCII and client_encoding is not UTF8",
            ),
        });
    }
    Ok(LiteralValue {
        span,
        value,
        kind: match written {
            Written::InArray => LiteralKind::Array,
            Written::Plainly | Written::WithMinus => LiteralKind::String,
        },
        setting,
        role,
        cast: None,
        pattern: None,
    })
}

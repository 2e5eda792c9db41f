//! The literals of a text that its plan concerns.

use super::refusal::{Refusal, RefusalCode};
use super::{Plan, Role, Scratch};
use crate::columns::Setting;
use crate::sql::{Kind, literal};
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
        scratch.shape.literals().iter().filter_map(move |lifted| {
            let action = self.slots.get(lifted.slot as usize)?.as_ref()?;
            let token = lifted.token as usize;
            let given = (&action.setting, action.role);
            Some(read(token, given, action.written, text, scratch))
        })
    }
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
    };
    let token = scratch
        .tokens
        .get(at)
        .ok_or_else(|| wrong(RefusalCode::NotUnderstood, "was not found"))?;
    let mut span = token.span();
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
        });
    }
    let value = literal::string(token, text, &scratch.lexical)
        .ok_or_else(|| wrong(RefusalCode::BadLiteral, "has a wrong escape"))?;
    if !value.is_ascii() && !scratch.lexical.encoding.keeps_bytes() {
        return Err(wrong(
            RefusalCode::ClientEncoding,
            "is not ASCII and client_encoding is not UTF8",
        ));
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
    })
}

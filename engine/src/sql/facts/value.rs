//! What a column is set to.

use super::{Source, Value};
use crate::sql::token::Kind;
use sqlparser::ast::{CastKind, DataType, Expr, UnaryOperator};

/// Classifies the expression that a column is set to. Parentheses and casts to `bytea` are looked through.
pub(super) fn value(expr: &Expr, source: &Source<'_>) -> Value {
    match expr {
        Expr::Nested(inner) => value(inner, source),
        Expr::Cast {
            kind: CastKind::Cast | CastKind::DoubleColon,
            expr: inner,
            data_type: DataType::Bytea,
            format: None,
            ..
        } => value(inner, source),
        Expr::Value(literal) => source
            .token_at(literal.span)
            .map_or(Value::Other, |token| of_token(token, source)),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: inner,
        } => negative(inner, source),
        Expr::Identifier(name) => match source.token_at(name.span) {
            Some(token) if is_word(token, "default", source) => Value::Nothing,
            _ => Value::Other,
        },
        _ => Value::Other,
    }
}

fn of_token(token: usize, source: &Source<'_>) -> Value {
    match source.kind(token) {
        Some(Kind::Number) => Value::Literal(token),
        // The server gives N'…' a type that no bytea column takes.
        Some(kind) if kind.is_string() && kind != Kind::National => Value::Literal(token),
        Some(Kind::Param) => param(token, source).map_or(Value::Other, Value::Param),
        Some(Kind::Word) if is_word(token, "null", source) => Value::Nothing,
        _ => Value::Other,
    }
}

/// A number whose sign is the token right before it.
fn negative(inner: &Expr, source: &Source<'_>) -> Value {
    let Expr::Value(literal) = inner else {
        return Value::Other;
    };
    let number = source
        .token_at(literal.span)
        .filter(|token| source.kind(*token) == Some(Kind::Number));
    match number {
        Some(token)
            if token
                .checked_sub(1)
                .and_then(|sign| source.tokens.get(sign))
                .is_some_and(|sign| sign.is(source.text, b'-')) =>
        {
            Value::Negative(token)
        }
        _ => Value::Other,
    }
}

fn is_word(token: usize, word: &str, source: &Source<'_>) -> bool {
    source
        .tokens
        .get(token)
        .is_some_and(|token| token.is_word(source.text, word))
}

/// The number of a parameter.
pub(super) fn param(token: usize, source: &Source<'_>) -> Option<u16> {
    crate::sql::facts::param_number(source.tokens.get(token)?.text(source.text))
}

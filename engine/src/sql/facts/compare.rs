//! Comparisons for equality, and the values on their sides.

use super::NoFacts;
use super::reader::Reader;
use super::tree::{Comparison, Term};
use crate::sql::token::Kind;
use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr};
use std::ops::Range;

impl Reader<'_> {
    /// Reads a comparison for equality; `None` if the expression is none, or none that could concern a column.
    pub(super) fn comparison(&mut self, expr: &Expr) -> Result<Option<Comparison>, NoFacts> {
        Ok(Some(match expr {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
            }
            | Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
                if has_columns(left) || has_columns(right) =>
            {
                self.equality(left, [&**right])?
            }
            Expr::InList {
                expr: left,
                list,
                negated: _,
            } => self.equality(left, list)?,
            Expr::InSubquery {
                expr: left,
                subquery,
                negated: _,
            } => Comparison {
                left: self.operand(left)?,
                right: vec![Term::Query(Box::new(self.query(subquery)?))],
            },
            _ => return Ok(None),
        }))
    }

    /// One value that is compared with each of the others.
    pub(super) fn equality<'e>(
        &mut self,
        left: &Expr,
        right: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Comparison, NoFacts> {
        Ok(Comparison {
            left: self.operand(left)?,
            right: right
                .into_iter()
                .map(|expr| self.operand(expr))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Reads a side of a comparison.
    fn operand(&mut self, expr: &Expr) -> Result<Term, NoFacts> {
        match expr {
            Expr::Nested(inner) => self.operand(inner),
            Expr::Tuple(values) => self.operand_row(values),
            Expr::Function(function) => match self.plain_arguments(function, "row") {
                Some(values) => {
                    self.parts(&function.name)?;
                    self.operand_row(values)
                }
                None => self.term(expr),
            },
            Expr::Cast { expr: inner, .. } => match self.type_of_cast(expr) {
                Some(tokens) => Ok(Term::Typed(Box::new(self.operand(inner)?), tokens)),
                None => self.term(expr),
            },
            _ => self.term(expr),
        }
    }

    fn operand_row<'e>(
        &mut self,
        values: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Term, NoFacts> {
        let values = values.into_iter().map(|value| self.operand(value));
        Ok(Term::Row(values.collect::<Result<_, _>>()?))
    }

    /// The tokens of the type that a value is cast to, if the cast does not change the value.
    fn type_of_cast(&self, cast: &Expr) -> Option<Range<usize>> {
        let Expr::Cast {
            kind,
            expr,
            data_type,
            format: None,
        } = cast
        else {
            return None;
        };
        let words: &[&str] = match data_type {
            DataType::Text => &["text"],
            DataType::Varchar(None) => &["varchar"],
            DataType::CharacterVarying(None) => &["character", "varying"],
            _ if !self.is_number_or_param(expr) => return None,
            DataType::SmallInt(None) => &["smallint"],
            DataType::Int2(None) => &["int2"],
            DataType::Int(None) => &["int"],
            DataType::Integer(None) => &["integer"],
            DataType::Int4(None) => &["int4"],
            DataType::BigInt(None) => &["bigint"],
            DataType::Int8(None) => &["int8"],
            _ => return None,
        };
        let before = self.last_token(expr)? + 1;
        let is_cast = match kind {
            CastKind::DoubleColon => {
                let token = self.source.tokens.get(before)?;
                token.text(self.source.text) == b"::"
            }
            CastKind::Cast => self.is_word(before, "as"),
            CastKind::TryCast | CastKind::SafeCast => false,
        };
        let start = before + 1;
        let mut places = (start..).zip(words);
        let found = is_cast && places.all(|(at, word)| self.is_word(at, word));
        found.then_some(start..start + words.len())
    }

    fn is_number_or_param(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => {
                self.is_number_or_param(inner)
            }
            Expr::Value(literal) => self
                .source
                .token_at(literal.span)
                .and_then(|token| self.source.kind(token))
                .is_some_and(|kind| matches!(kind, Kind::Number | Kind::Param)),
            _ => false,
        }
    }

    /// The last token of a value or column, with the parentheses around it.
    fn last_token(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Value(literal) => self.source.token_at(literal.span),
            Expr::Identifier(name) => self.source.token_at(name.span),
            Expr::CompoundIdentifier(names) => self.source.token_at(names.last()?.span),
            Expr::UnaryOp { expr: inner, .. } => self.last_token(inner),
            Expr::Nested(inner) => {
                let last = self.last_token(inner)? + 1;
                let token = self.source.tokens.get(last)?;
                token.is(self.source.text, b')').then_some(last)
            }
            _ => None,
        }
    }
}

/// Whether a side of a comparison can be a column, or have columns as values.
fn has_columns(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => has_columns(inner),
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Subquery(_)
        | Expr::Tuple(_)
        | Expr::Function(_) => true,
        _ => false,
    }
}

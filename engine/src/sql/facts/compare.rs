//! Comparisons for equality and with patterns, and the values on their sides.

use super::NoFacts;
use super::reader::Reader;
use super::tree::{ArrayType, Comparison, Like, Term};
use crate::sql::token::Kind;
use sqlparser::ast::{Array, ArrayElemTypeDef, BinaryOperator, CastKind, DataType, Expr};
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
                array: None,
            },
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
                is_some: _,
            }
            | Expr::AllOp {
                left,
                compare_op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
            } => match &**right {
                Expr::Subquery(query) => Comparison {
                    left: self.operand(left)?,
                    right: vec![Term::Query(Box::new(self.query(query)?))],
                    array: None,
                },
                right => match self.array(right) {
                    Some((elements, array)) => Comparison {
                        array: Some(array),
                        ..self.equality(left, elements)?
                    },
                    None if is_value_of_array(right) => Comparison {
                        left: self.operand(left)?,
                        right: vec![self.element(right)?],
                        array: None,
                    },
                    None => return Ok(None),
                },
            },
            _ => return Ok(None),
        }))
    }

    /// Reads a comparison with a pattern; `None` if the expression is none, or one of another form.
    pub(super) fn like(&mut self, expr: &Expr) -> Result<Option<Like>, NoFacts> {
        let (value, pattern, escape) = match expr {
            Expr::Like {
                negated: _,
                any: false,
                expr,
                pattern,
                escape_char,
            }
            | Expr::ILike {
                negated: _,
                any: false,
                expr,
                pattern,
                escape_char,
            } => (expr, pattern, escape_char.as_deref()),
            Expr::BinaryOp {
                left,
                op:
                    BinaryOperator::PGLikeMatch
                    | BinaryOperator::PGILikeMatch
                    | BinaryOperator::PGNotLikeMatch
                    | BinaryOperator::PGNotILikeMatch,
                right,
            } => (left, right, None),
            _ => return Ok(None),
        };
        let Some((operator, negated)) = self.operator_before(pattern) else {
            return Ok(None);
        };
        let escape = match escape {
            None => None,
            Some(escape) => match self.escape(escape)? {
                None => return Ok(None),
                escape => escape,
            },
        };
        Ok(Some(Like {
            value: self.operand(value)?,
            pattern: self.operand(pattern)?,
            operator,
            negated,
            escape,
        }))
    }

    /// The token of an escape character; `None` if it is something else than a string.
    fn escape(&mut self, escape: &Expr) -> Result<Option<usize>, NoFacts> {
        let Expr::Value(value) = escape else {
            return Ok(None);
        };
        let token = self.source.token_at(value.span);
        let token = token.filter(|token| {
            let kind = self.source.kind(*token);
            kind.is_some_and(|kind| kind.is_string() && kind != Kind::National)
                && self.is_word(token.saturating_sub(1), "escape")
        });
        if token.is_some() {
            self.literal(value)?;
        }
        Ok(token)
    }

    /// The operator in front of a pattern, and whether it is a negated one.
    fn operator_before(&self, pattern: &Expr) -> Option<(Range<usize>, bool)> {
        let last = self.first_token(pattern)?.checked_sub(1)?;
        let token = self.source.tokens.get(last)?;
        if token.kind == Kind::Operator {
            let negated = match token.text(self.source.text) {
                b"~~" | b"~~*" => false,
                b"!~~" | b"!~~*" => true,
                _ => return None,
            };
            return Some((last..last + 1, negated));
        }
        if !self.is_word(last, "like") && !self.is_word(last, "ilike") {
            return None;
        }
        match last.checked_sub(1).filter(|at| self.is_word(*at, "not")) {
            Some(not) => Some((not..last + 1, true)),
            None => Some((last..last + 1, false)),
        }
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
            array: None,
        })
    }

    /// `ARRAY[…]` of strings or parameters, also with a type: its elements, and where the type is.
    fn array<'e>(&self, expr: &'e Expr) -> Option<(&'e [Expr], ArrayType)> {
        match expr {
            Expr::Nested(inner) => self.array(inner),
            Expr::Array(Array { elem, named: true }) => {
                let close = self.last_token(elem.last()?)? + 1;
                let token = self.source.tokens.get(close)?;
                let closes = token.is(self.source.text, b']');
                closes.then_some((elem, ArrayType::After(close)))
            }
            Expr::Cast {
                kind: CastKind::DoubleColon,
                expr: inner,
                data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(element, None)),
                format: None,
            } if is_type_of_elements(element) => {
                let (elements, array) = self.array(inner)?;
                let ArrayType::After(close) = array else {
                    return None;
                };
                // `::`, the type, and brackets.
                let is_type = self.source.tokens.get(close + 1)?.text(self.source.text) == b"::"
                    && self
                        .source
                        .tokens
                        .get(close + 4)?
                        .is(self.source.text, b']');
                is_type.then_some((elements, ArrayType::At(close + 2..close + 3)))
            }
            _ => None,
        }
    }

    /// Reads a side of a comparison.
    pub(super) fn operand(&mut self, expr: &Expr) -> Result<Term, NoFacts> {
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
            Expr::Substring {
                expr: column,
                substring_from: Some(start),
                substring_for: Some(length),
                ..
            } => {
                let numbers = self.number(start).zip(self.number(length));
                match numbers.filter(|_| is_column(column)) {
                    Some((start, length)) => {
                        self.look(start)?;
                        self.look(length)?;
                        let column = Box::new(self.term(column)?);
                        Ok(Term::HashOf(column, (start, length)))
                    }
                    None => self.term(expr),
                }
            }
            Expr::Cast { .. } => match self.cast_of_operand(expr) {
                Some((inner, cast)) => {
                    Ok(Term::Typed(Box::new(self.operand(inner)?), Box::new(cast)))
                }
                None => self.term(expr),
            },
            _ => self.term(expr),
        }
    }

    /// The token of a number.
    fn number(&self, expr: &Expr) -> Option<usize> {
        let Expr::Value(value) = expr else {
            return None;
        };
        let token = self.source.token_at(value.span)?;
        (self.source.kind(token) == Some(Kind::Number)).then_some(token)
    }

    fn operand_row<'e>(
        &mut self,
        values: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Term, NoFacts> {
        let values = values.into_iter().map(|value| self.operand(value));
        Ok(Term::Row(values.collect::<Result<_, _>>()?))
    }

    /// The first token of a value, with the parentheses around it.
    fn first_token(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Value(literal) => self.source.token_at(literal.span),
            Expr::Nested(inner) => {
                let first = self.first_token(inner)?.checked_sub(1)?;
                let token = self.source.tokens.get(first)?;
                token.is(self.source.text, b'(').then_some(first)
            }
            Expr::Cast {
                kind: CastKind::DoubleColon,
                expr: inner,
                ..
            } => self.first_token(inner),
            _ => None,
        }
    }

    /// The last token of a value or column, with the parentheses around it.
    pub(super) fn last_token(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Value(literal) => self.source.token_at(literal.span),
            Expr::Identifier(name) => self.source.token_at(name.span),
            Expr::CompoundIdentifier(names) => self.source.token_at(names.last()?.span),
            Expr::UnaryOp { expr: inner, .. } => self.last_token(inner),
            Expr::Case { end_token, .. } => self.source.token_at(end_token.0.span),
            Expr::Nested(inner) => {
                let last = self.last_token(inner)? + 1;
                let token = self.source.tokens.get(last)?;
                token.is(self.source.text, b')').then_some(last)
            }
            _ => None,
        }
    }
}

/// A string or parameter, also with types of arrays.
fn is_value_of_array(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_value_of_array(inner),
        Expr::Cast {
            expr: inner,
            data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(of, _)),
            ..
        } => is_type_of_elements(of) && is_value_of_array(inner),
        Expr::Value(_) => true,
        _ => false,
    }
}

/// The types of arrays with whose elements protected columns are compared.
fn is_type_of_elements(of: &DataType) -> bool {
    matches!(
        of,
        DataType::Bytea
            | DataType::Text
            | DataType::Varchar(None)
            | DataType::CharacterVarying(None)
            | DataType::SmallInt(None)
            | DataType::Int2(None)
            | DataType::Int(None)
            | DataType::Integer(None)
            | DataType::Int4(None)
            | DataType::BigInt(None)
            | DataType::Int8(None)
    )
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Whether a side of a comparison can be a column, or have columns as values.
fn has_columns(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => has_columns(inner),
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Subquery(_)
        | Expr::Tuple(_)
        | Expr::Substring { .. }
        | Expr::Function(_) => true,
        _ => false,
    }
}

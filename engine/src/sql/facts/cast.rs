//! Values with a type: `value::type`, `CAST(value AS type)`, `type 'value'`.

use super::reader::Reader;
use super::tree::{Cast, CastType};
use crate::sql::token::Kind;
use sqlparser::ast::{
    CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, TimezoneInfo, TypedString,
};
use std::ops::Range;

/// OID of `varchar`.
const VARCHAR: u32 = 1043;

impl Reader<'_> {
    /// The value that is cast, and the cast, of one that is a side of a comparison: to a type of text anything, to
    /// another one a value.
    pub(super) fn cast_of_operand<'e>(&self, cast: &'e Expr) -> Option<(&'e Expr, Cast)> {
        self.cast(cast, |expr, to| {
            is_value(expr) || to.is_text() && to.length.is_none() && !ends_in_value(expr)
        })
        .map(|(expr, cast)| {
            let compared = true;
            (expr, Cast { compared, ..cast })
        })
    }

    /// The same of a value that is stored or returned.
    pub(super) fn cast_of_value<'e>(&self, cast: &'e Expr) -> Option<(&'e Expr, Cast)> {
        self.cast(cast, |expr, to| {
            is_value(expr)
                || cast_once(expr).is_some_and(|(_, of, _)| of == to && to.length.is_none())
                || matches!(
                    unnested(expr),
                    Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Case { .. }
                )
        })
    }

    /// The cast of a string with a type in front.
    pub(super) fn typed_string(&self, string: &TypedString) -> Option<Cast> {
        if self.source.dialect.is_mysql() {
            return None;
        }
        let value = self.source.token_at(string.value.span)?;
        let (of, words) = spelled(&string.data_type)?;
        let start = value.checked_sub(words.len())?;
        let types = self.words(start, words).filter(|_| {
            let kind = self.source.kind(value);
            of.length.is_none()
                && kind.is_some_and(|kind| kind.is_string())
                && !string.uses_odbc_syntax
        })?;
        Some(Cast {
            of,
            // Before a string another type than its own cannot be written in each case, so that the cast has to go.
            types: None,
            around: vec![types],
            compared: false,
        })
    }

    fn cast<'e>(
        &self,
        cast: &'e Expr,
        takes: impl Fn(&Expr, CastType) -> bool,
    ) -> Option<(&'e Expr, Cast)> {
        let Expr::Cast {
            kind,
            expr,
            data_type,
            format: None,
        } = cast
        else {
            return None;
        };
        // The types of MySQL are others.
        if self.source.dialect.is_mysql() {
            return None;
        }
        let (of, words) = spelled(data_type)?;
        let before = match cast_once(expr) {
            Some((value, _, words)) => {
                let operator = self.last_token(value)? + 1;
                self.words(operator + 1, words)?.end
            }
            None => self.last_token(expr)? + 1,
        };
        if !takes(expr, of) {
            return None;
        }
        let types = self.words(before + 1, words)?;
        let (of, types) = match of.length {
            None => (of, types),
            Some(_) => self.with_length(of, types)?,
        };
        let around = match kind {
            CastKind::DoubleColon => {
                let token = self.source.tokens.get(before)?;
                if token.text(self.source.text) != b"::" {
                    return None;
                }
                let behind = before..types.end;
                vec![behind]
            }
            CastKind::Cast if self.is_word(before, "as") => {
                let open = self.opened_before(before)?;
                let word = open.checked_sub(1).filter(|at| self.is_word(*at, "cast"))?;
                vec![word..word + 1, before..types.end]
            }
            _ => return None,
        };
        let cast = Cast {
            of,
            types: Some(types),
            around,
            compared: false,
        };
        Some((expr, cast))
    }

    /// These words, if they are at these tokens.
    fn words(&self, start: usize, words: &[&str]) -> Option<Range<usize>> {
        let mut places = (start..).zip(words);
        let found = places.all(|(at, word)| self.is_word(at, word));
        found.then_some(start..start + words.len())
    }

    /// A type with the length behind it. The parser library does not get numbers as they are.
    fn with_length(&self, of: CastType, types: Range<usize>) -> Option<(CastType, Range<usize>)> {
        let is = |at: usize, symbol| {
            let token = self.source.tokens.get(at);
            token.is_some_and(|token| token.is(self.source.text, symbol))
        };
        let end = types.end;
        let number = self.source.tokens.get(end + 1)?;
        if !is(end, b'(') || number.kind != Kind::Number || !is(end + 2, b')') {
            return None;
        }
        let digits = std::str::from_utf8(number.text(self.source.text)).ok()?;
        let length = Some(digits.parse().ok()?);
        Some((CastType { length, ..of }, types.start..end + 3))
    }

    /// The parenthesis that is open before a token.
    fn opened_before(&self, token: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (self.source.range.0..token).rev() {
            let token = self.source.tokens.get(at)?;
            if token.is(self.source.text, b')') {
                depth += 1;
            } else if token.is(self.source.text, b'(') {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Some(at),
                }
            }
        }
        None
    }
}

fn unnested(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unnested(inner),
        expr => expr,
    }
}

/// Whether it is a literal or parameter, without a cast.
fn is_value(expr: &Expr) -> bool {
    match unnested(expr) {
        Expr::Value(_) => true,
        Expr::UnaryOp { expr: inner, .. } => matches!(unnested(inner), Expr::Value(_)),
        _ => false,
    }
}

/// A value with one cast behind it, its type, and the words of that.
fn cast_once(expr: &Expr) -> Option<(&Expr, CastType, &'static [&'static str])> {
    match expr {
        Expr::Cast {
            kind: CastKind::DoubleColon,
            expr: inner,
            data_type,
            format: None,
        } if is_value(inner) => {
            let (of, words) = spelled(data_type)?;
            of.length.is_none().then_some((inner, of, words))
        }
        _ => None,
    }
}

/// Whether it is a value with casts: what comes out of several ones is not known here.
fn ends_in_value(expr: &Expr) -> bool {
    match unnested(expr) {
        Expr::Cast { expr: inner, .. } => ends_in_value(inner),
        Expr::TypedString(_) => true,
        expr => is_value(expr),
    }
}

/// What is cast to `bytea`, and to nothing else before.
pub(super) fn under_bytea(expr: &Expr) -> Option<&Expr> {
    let mut inner = expr;
    let mut is_cast = false;
    loop {
        match inner {
            Expr::Nested(nested) => inner = nested,
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr: of,
                data_type: DataType::Bytea,
                format: None,
            } => {
                is_cast = true;
                inner = of;
            }
            Expr::Cast { .. } | Expr::TypedString(_) => return None,
            inner => return is_cast.then_some(inner),
        }
    }
}

/// The OID of a type that is known here, by its words in lower case.
pub fn named(words: &[&str]) -> Option<u32> {
    Some(match words {
        ["pg_catalog", ".", name] => return named(&[name]),
        ["text"] => CastType::TEXT,
        ["varchar"] | ["character", "varying"] => VARCHAR,
        ["smallint" | "int2"] => 21,
        ["int" | "integer" | "int4"] => 23,
        ["bigint" | "int8"] => 20,
        ["bool" | "boolean"] => 16,
        ["real" | "float4"] => 700,
        ["float8"] | ["double", "precision"] => 701,
        ["numeric" | "decimal"] => 1700,
        ["uuid"] => 2950,
        ["json"] => 114,
        ["jsonb"] => 3802,
        ["date"] => 1082,
        ["time"] | ["time", "without", "time", "zone"] => 1083,
        ["timestamp"] | ["timestamp", "without", "time", "zone"] => 1114,
        ["timestamptz"] | ["timestamp", "with", "time", "zone"] => 1184,
        _ => return None,
    })
}

/// A type that is known here, and the words that it may be written in.
fn spelled(data_type: &DataType) -> Option<(CastType, &'static [&'static str])> {
    let length = |length: &Option<CharacterLength>| match length {
        None => Some(None),
        Some(CharacterLength::IntegerLength { length, unit: None }) => {
            u32::try_from(*length).ok().map(Some)
        }
        Some(_) => None,
    };
    let (length, words): (Option<u32>, &[&str]) = match data_type {
        DataType::Text => (None, &["text"]),
        DataType::Varchar(of) => (length(of)?, &["varchar"]),
        DataType::CharacterVarying(of) => (length(of)?, &["character", "varying"]),
        DataType::SmallInt(None) => (None, &["smallint"]),
        DataType::Int2(None) => (None, &["int2"]),
        DataType::Int(None) => (None, &["int"]),
        DataType::Integer(None) => (None, &["integer"]),
        DataType::Int4(None) => (None, &["int4"]),
        DataType::BigInt(None) => (None, &["bigint"]),
        DataType::Int8(None) => (None, &["int8"]),
        DataType::Bool => (None, &["bool"]),
        DataType::Boolean => (None, &["boolean"]),
        DataType::Real => (None, &["real"]),
        DataType::Float4 => (None, &["float4"]),
        DataType::Float8 => (None, &["float8"]),
        DataType::DoublePrecision => (None, &["double", "precision"]),
        DataType::Numeric(ExactNumberInfo::None) => (None, &["numeric"]),
        DataType::Decimal(ExactNumberInfo::None) => (None, &["decimal"]),
        DataType::Uuid => (None, &["uuid"]),
        DataType::JSON => (None, &["json"]),
        DataType::JSONB => (None, &["jsonb"]),
        DataType::Date => (None, &["date"]),
        DataType::Time(None, TimezoneInfo::None) => (None, &["time"]),
        DataType::Time(None, TimezoneInfo::WithoutTimeZone) => {
            (None, &["time", "without", "time", "zone"])
        }
        DataType::Timestamp(None, TimezoneInfo::None) => (None, &["timestamp"]),
        DataType::Timestamp(None, TimezoneInfo::WithoutTimeZone) => {
            (None, &["timestamp", "without", "time", "zone"])
        }
        DataType::Timestamp(None, TimezoneInfo::Tz) => (None, &["timestamptz"]),
        DataType::Timestamp(None, TimezoneInfo::WithTimeZone) => {
            (None, &["timestamp", "with", "time", "zone"])
        }
        _ => return None,
    };
    let oid = named(words)?;
    Some((CastType { oid, length }, words))
}

//! Values with a type: `value::type`, `CAST(value AS type)`, `type 'value'`.

use super::reader::Reader;
use super::tree::{Cast, CastType};
use crate::sql::token::Kind;
use sqlparser::ast::{
    CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, TimezoneInfo, TypedString,
};
use std::ops::Range;

/// OID of `numeric`.
const NUMERIC: u32 = 1700;

/// OID of `time`.
const TIME: u32 = 1083;

/// OID of `timestamp`.
const TIMESTAMP: u32 = 1114;

/// OID of `timestamptz`.
const TIMESTAMPTZ: u32 = 1184;

/// A type as it is written, without its numbers.
struct Spelled {
    oid: u32,
    words: &'static [&'static str],
    /// There are numbers.
    modified: bool,
}

impl Spelled {
    /// Whether any text is a value of it, as it is.
    fn is_text(&self) -> bool {
        matches!(self.oid, CastType::TEXT | CastType::VARCHAR) && !self.modified
    }

    fn is_same(&self, other: &Self) -> bool {
        self.oid == other.oid && !self.modified && !other.modified
    }
}

impl Reader<'_> {
    /// The value that is cast, and the cast, of one that is a side of a comparison: to a type of text anything, to
    /// another one a value.
    pub(super) fn cast_of_operand<'e>(&self, cast: &'e Expr) -> Option<(&'e Expr, Cast)> {
        self.cast(cast, |expr, to| {
            is_value(expr) || to.is_text() && !ends_in_value(expr)
        })
        .map(|(expr, cast)| {
            let compared = true;
            (expr, Cast { compared, ..cast })
        })
    }

    /// The same of a value that is stored or returned.
    pub(super) fn cast_of_value<'e>(&self, cast: &'e Expr) -> Option<(&'e Expr, Cast)> {
        self.cast(cast, |expr, to| {
            is_whole(expr) || cast_once(expr).is_some_and(|of| of.is_same(to))
        })
    }

    /// The cast of a string with a type in front.
    pub(super) fn typed_string(&self, string: &TypedString) -> Option<Cast> {
        if self.source.dialect.is_mysql() {
            return None;
        }
        let value = self.source.token_at(string.value.span)?;
        let spelled = spelled(&string.data_type)?;
        let start = value.checked_sub(spelled.words.len())?;
        let types = self.words(start, spelled.words).filter(|_| {
            let kind = self.source.kind(value);
            !spelled.modified
                && kind.is_some_and(|kind| kind.is_string())
                && !string.uses_odbc_syntax
        })?;
        Some(Cast {
            of: CastType {
                oid: spelled.oid,
                modifier: None,
            },
            // Before a string another type than its own cannot be written in each case, so that the cast has to go.
            types: None,
            around: vec![types],
            compared: false,
        })
    }

    fn cast<'e>(
        &self,
        cast: &'e Expr,
        takes: impl Fn(&Expr, &Spelled) -> bool,
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
        let spelled = spelled(data_type)?;
        let before = self.behind(expr)?;
        if !takes(expr, &spelled) {
            return None;
        }
        let (of, types) = self.type_at(before + 1, &spelled)?;
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

    /// The token behind a value, a column or `CASE`, with one cast around it at most.
    fn behind(&self, expr: &Expr) -> Option<usize> {
        let closed = |at: usize| {
            let token = self.source.tokens.get(at)?;
            token.is(self.source.text, b')').then_some(at + 1)
        };
        match expr {
            Expr::Nested(inner) => closed(self.behind(inner)?),
            Expr::Cast {
                kind,
                expr: inner,
                data_type,
                format: None,
            } => {
                let operator = self.last_token(inner)? + 1;
                let (_, types) = self.type_at(operator + 1, &spelled(data_type)?)?;
                match kind {
                    CastKind::DoubleColon => Some(types.end),
                    CastKind::Cast => closed(types.end),
                    _ => None,
                }
            }
            expr => Some(self.last_token(expr)? + 1),
        }
    }

    /// These words, if they are at these tokens.
    fn words(&self, start: usize, words: &[&str]) -> Option<Range<usize>> {
        let mut places = (start..).zip(words);
        let found = places.all(|(at, word)| self.is_word(at, word));
        found.then_some(start..start + words.len())
    }

    /// The type that begins at a token, and its tokens. The parser library does not get numbers as they are.
    fn type_at(&self, start: usize, spelled: &Spelled) -> Option<(CastType, Range<usize>)> {
        let Spelled { oid, words, .. } = *spelled;
        if !spelled.modified {
            let of = CastType {
                oid,
                modifier: None,
            };
            return Some((of, self.words(start, words)?));
        }
        // The zone of a time is told after its number.
        let named = match words {
            [_, "with" | "without", ..] => 1,
            words => words.len(),
        };
        let (name, zone) = words.split_at_checked(named)?;
        let (numbers, end) = self.numbers(self.words(start, name)?.end)?;
        let end = self.words(end, zone)?.end;
        let modifier = Some(numbers);
        has(oid, numbers).then_some((CastType { oid, modifier }, start..end))
    }

    /// One or two numbers in the parentheses that open at a token, and the token after these.
    fn numbers(&self, open: usize) -> Option<([u32; 2], usize)> {
        let is = |at: usize, symbol| {
            let token = self.source.tokens.get(at);
            token.is_some_and(|token| token.is(self.source.text, symbol))
        };
        let number = |at: usize| {
            let token = self.source.tokens.get(at);
            let token = token.filter(|token| token.kind == Kind::Number)?;
            let digits = std::str::from_utf8(token.text(self.source.text)).ok()?;
            digits.parse().ok()
        };
        if !is(open, b'(') {
            return None;
        }
        let first = number(open + 1)?;
        let (second, close) = match is(open + 2, b',') {
            true => (number(open + 3)?, open + 4),
            false => (0, open + 2),
        };
        is(close, b')').then_some(([first, second], close + 1))
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

/// Whether it is a value, a column or `CASE`, without a cast.
fn is_whole(expr: &Expr) -> bool {
    is_value(expr)
        || matches!(
            unnested(expr),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Case { .. }
        )
}

/// The type that a value, a column or `CASE` is cast to.
fn cast_once(expr: &Expr) -> Option<Spelled> {
    match unnested(expr) {
        Expr::Cast {
            kind: CastKind::Cast | CastKind::DoubleColon,
            expr: inner,
            data_type,
            format: None,
        } if is_whole(inner) => spelled(data_type),
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

/// Whether elements of arrays of this type can be values of protected columns: of no other is it known what a cast to it does.
pub(super) fn is_type_of_elements(of: &DataType) -> bool {
    *of == DataType::Bytea || spelled(of).is_some_and(|of| !of.modified)
}

/// The OID of a type that is known here, by its words in lower case.
pub fn named(words: &[&str]) -> Option<u32> {
    Some(match words {
        ["pg_catalog", ".", name] => return named(&[name]),
        ["text"] => CastType::TEXT,
        ["varchar"] | ["character", "varying"] => CastType::VARCHAR,
        ["smallint" | "int2"] => 21,
        ["int" | "integer" | "int4"] => 23,
        ["bigint" | "int8"] => 20,
        ["bool" | "boolean"] => 16,
        ["real" | "float4"] => 700,
        ["float8"] | ["double", "precision"] => 701,
        ["numeric" | "decimal"] => NUMERIC,
        ["uuid"] => 2950,
        ["json"] => 114,
        ["jsonb"] => 3802,
        ["date"] => 1082,
        ["time"] | ["time", "without", "time", "zone"] => TIME,
        ["timestamp"] | ["timestamp", "without", "time", "zone"] => TIMESTAMP,
        ["timestamptz"] | ["timestamp", "with", "time", "zone"] => TIMESTAMPTZ,
        _ => return None,
    })
}

/// A type that is known here, by its words in lower case and its numbers in parentheses.
pub fn typed(words: &[&str]) -> Option<CastType> {
    let mut parts = words.splitn(2, |word| *word == "(");
    let (before, Some(numbers)) = (parts.next()?, parts.next()) else {
        return named(words).map(|oid| CastType {
            oid,
            modifier: None,
        });
    };
    let number = |digits: &str| digits.parse().ok();
    let (numbers, zone) = match numbers {
        [one, ")", zone @ ..] => ([number(one)?, 0], zone),
        [one, ",", other, ")", zone @ ..] => ([number(one)?, number(other)?], zone),
        _ => return None,
    };
    let oid = match (before, zone) {
        (["char" | "character"], []) => CastType::BPCHAR,
        // The zone of a time is told after its number.
        (["time" | "timestamp"], zone) => named(&[before, zone].concat())?,
        (name, []) => named(name)?,
        _ => return None,
    };
    has(oid, numbers).then_some(CastType {
        oid,
        modifier: Some(numbers),
    })
}

/// Whether the server has a type with these numbers.
fn has(oid: u32, [first, second]: [u32; 2]) -> bool {
    match oid {
        CastType::VARCHAR | CastType::BPCHAR => (1..=10_485_760).contains(&first) && second == 0,
        // Before version 15 not more digits can be behind the point than there are.
        NUMERIC => (1..=1000).contains(&first) && second <= first,
        TIME | TIMESTAMP | TIMESTAMPTZ => first <= 6 && second == 0,
        _ => false,
    }
}

/// A type that is known here.
fn spelled(data_type: &DataType) -> Option<Spelled> {
    let length = |length: &Option<CharacterLength>| match length {
        None => Some(false),
        Some(CharacterLength::IntegerLength { unit: None, .. }) => Some(true),
        Some(_) => None,
    };
    let (modified, words): (bool, &[&str]) = match data_type {
        DataType::Text => (false, &["text"]),
        DataType::Varchar(of) => (length(of)?, &["varchar"]),
        DataType::CharacterVarying(of) => (length(of)?, &["character", "varying"]),
        DataType::Char(of @ Some(_)) => (length(of)?, &["char"]),
        DataType::Character(of @ Some(_)) => (length(of)?, &["character"]),
        DataType::SmallInt(None) => (false, &["smallint"]),
        DataType::Int2(None) => (false, &["int2"]),
        DataType::Int(None) => (false, &["int"]),
        DataType::Integer(None) => (false, &["integer"]),
        DataType::Int4(None) => (false, &["int4"]),
        DataType::BigInt(None) => (false, &["bigint"]),
        DataType::Int8(None) => (false, &["int8"]),
        DataType::Bool => (false, &["bool"]),
        DataType::Boolean => (false, &["boolean"]),
        DataType::Real => (false, &["real"]),
        DataType::Float4 => (false, &["float4"]),
        DataType::Float8 => (false, &["float8"]),
        DataType::DoublePrecision => (false, &["double", "precision"]),
        DataType::Numeric(info) => (*info != ExactNumberInfo::None, &["numeric"]),
        DataType::Decimal(info) => (*info != ExactNumberInfo::None, &["decimal"]),
        DataType::Uuid => (false, &["uuid"]),
        DataType::JSON => (false, &["json"]),
        DataType::JSONB => (false, &["jsonb"]),
        DataType::Date => (false, &["date"]),
        DataType::Time(digits, TimezoneInfo::None) => (digits.is_some(), &["time"]),
        DataType::Time(digits, TimezoneInfo::WithoutTimeZone) => {
            (digits.is_some(), &["time", "without", "time", "zone"])
        }
        DataType::Timestamp(digits, TimezoneInfo::None) => (digits.is_some(), &["timestamp"]),
        DataType::Timestamp(digits, TimezoneInfo::WithoutTimeZone) => {
            (digits.is_some(), &["timestamp", "without", "time", "zone"])
        }
        DataType::Timestamp(digits, TimezoneInfo::Tz) => (digits.is_some(), &["timestamptz"]),
        DataType::Timestamp(digits, TimezoneInfo::WithTimeZone) => {
            (digits.is_some(), &["timestamp", "with", "time", "zone"])
        }
        _ => return None,
    };
    let oid = match words {
        ["char" | "character"] => CastType::BPCHAR,
        words => named(words)?,
    };
    Some(Spelled {
        oid,
        words,
        modified,
    })
}

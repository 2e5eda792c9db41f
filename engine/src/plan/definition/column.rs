//! What the definition of a protected column may say: its type, NULL, and a default that is a value.

use super::super::literals::Written;
use super::super::refusal::Refusal;
use super::super::scope::misused;
use super::Definition;
use crate::columns::{Likeness, Setting};
use crate::sql::Kind;
use crate::sql::facts::Source;
use std::ops::Range;
use std::sync::Arc;

/// A default, which is stored as it stands in every row that has no value.
pub(in crate::plan) struct DefaultValue<'s> {
    pub(in crate::plan) setting: &'s Arc<Setting>,
    /// Its token.
    pub(in crate::plan) token: usize,
    pub(in crate::plan) written: Written,
}

/// What may follow a default; another word may be an operator.
const AFTER_DEFAULT: [&str; 11] = [
    "not",
    "null",
    "unique",
    "primary",
    "key",
    "constraint",
    "check",
    "references",
    "comment",
    "after",
    "first",
];

fn computed(setting: &Setting) -> Refusal {
    misused(
        setting,
        "has a default, a check or an expression, which the database computes in clear",
    )
}

impl<'s> Definition<'s, '_> {
    /// The type and constraints of a protected column.
    pub(super) fn column(
        &mut self,
        setting: &'s Arc<Setting>,
        definition: Range<usize>,
    ) -> Result<(), Refusal> {
        const COMPARE: [&str; 3] = ["unique", "primary", "key"];
        const COMPUTE: [&str; 3] = ["check", "generated", "as"];
        let source = self.source;
        let mut at = definition.start;
        while at < definition.end {
            if source.is(at, "default") {
                at = self.default_value(setting, at + 1..definition.end)?;
                continue;
            }
            if source.is_any(at, &COMPARE) && setting.likeness() != Some(Likeness::Token) {
                return Err(self.incomparable(
                    setting,
                    "is in a key or unique constraint, where encrypted values are never equal",
                ));
            }
            if source.is(at, "references") {
                at = self.refers(&[Some(setting)], at)?;
            }
            if source.is(at, "using") {
                return match self.casts_itself(setting, at + 1..definition.end) {
                    true => Ok(()),
                    false => Err(computed(setting)),
                };
            }
            if source.is_any(at, &COMPUTE) {
                return Err(computed(setting));
            }
            at += 1;
        }
        Ok(())
    }

    /// Notes the value of a default, if it is NULL or a literal; gives the place after it.
    pub(super) fn default_value(
        &mut self,
        setting: &'s Arc<Setting>,
        range: Range<usize>,
    ) -> Result<usize, Refusal> {
        let source = self.source;
        let mut at = range.start;
        while at < range.end && source.is_symbol(at, b'(') {
            at += 1;
        }
        let opened = at - range.start;
        let minus = source.is_symbol(at, b'-');
        let token = at + usize::from(minus);
        let written = match (source.kind(token), minus) {
            _ if token >= range.end => return Err(computed(setting)),
            (Some(Kind::Number), true) => Some(Written::WithMinus),
            (Some(Kind::Number), false) => Some(Written::Plainly),
            (Some(kind), false) if kind.is_string() && kind != Kind::National => {
                Some(Written::Plainly)
            }
            (Some(Kind::Word), false) if source.is(token, "null") => None,
            _ => return Err(computed(setting)),
        };
        at = token + 1;
        at += cast_to_stored(source, at).unwrap_or_default();
        for _ in 0..opened {
            if !source.is_symbol(at, b')') {
                return Err(computed(setting));
            }
            at += 1;
        }
        if at < range.end && !source.is_any(at, &AFTER_DEFAULT) {
            return Err(computed(setting));
        }
        if let Some(written) = written {
            let default = DefaultValue {
                setting,
                token,
                written,
            };
            self.keep(default)?;
        }
        Ok(at)
    }

    /// A child has the columns of its parents: their settings must do the same to a default.
    fn keep(&mut self, default: DefaultValue<'s>) -> Result<(), Refusal> {
        let same = |kept: &&DefaultValue<'s>| kept.token == default.token;
        match self.defaults.iter().find(same) {
            Some(kept) if !kept.setting.protects_like(default.setting) => {
                Err(computed(default.setting))
            }
            Some(_) => Ok(()),
            None => {
                self.defaults.push(default);
                Ok(())
            }
        }
    }

    /// Whether the values of a column are kept, in another type that holds them all.
    fn casts_itself(&self, setting: &Setting, expression: Range<usize>) -> bool {
        let source = self.source;
        let start = expression.start;
        source.is_name(start)
            && super::super::names::token_name(start, source) == setting.column
            && cast_to_stored(source, start + 1)
                .is_some_and(|cast| start + 1 + cast == expression.end)
    }
}

/// The number of tokens of a cast to a type that holds what is stored, whatever its length.
fn cast_to_stored(source: &Source<'_>, at: usize) -> Option<usize> {
    const TYPES: [&[&str]; 4] = [
        &["bytea"],
        &["text"],
        &["varchar"],
        &["character", "varying"],
    ];
    let text = |at: usize| source.tokens.get(at).map(|token| token.text(source.text));
    if text(at)? != b"::" {
        return None;
    }
    let is = |words: &&&[&str]| {
        let mut places = (at + 1..).zip(words.iter());
        places.all(|(at, word)| {
            text(at).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let words = TYPES.iter().find(is)?.len();
    (text(at + 1 + words) != Some(b"(".as_slice())).then_some(1 + words)
}

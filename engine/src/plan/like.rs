//! `LIKE` on searchable columns: a pattern without wildcards is equality, and with `searchable_prefix` one that ends with its
//! only wildcard is equality of prefixes (policy.md 4.1). Which of these it is, the value says.

use super::Role;
use super::compare::{HASH_OF, LENGTH, SideTerm};
use super::edits::Place;
use super::flow::Use;
use super::refusal::Refusal;
use super::resolve::{IN_EXPRESSION, Resolver};
use super::scope::{Scope, misused};
use crate::columns::{Likeness, Setting};
use crate::sql::facts::tree::{Like, Term};
use std::ops::Range;

/// What is around a pattern that is a literal, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PatternAt {
    /// From the name of the column to the pattern, if the part of the column that is compared depends on the pattern.
    pub(super) column: Option<usize>,
    /// From the pattern to the escape character.
    pub(super) escape: Option<usize>,
}

impl<'a> Resolver<'a> {
    pub(super) fn like(&mut self, like: &Like, scope: &Scope<'_, 'a>) -> Result<(), Refusal> {
        let value = self.flow(&like.value, scope)?;
        let pattern = self.flow(&like.pattern, scope)?;
        let settings = self.flows.settings(value);
        let Some(setting) = settings.first().copied() else {
            if let Some(setting) = self.flows.settings(pattern).first() {
                return Err(misused(setting, IN_EXPRESSION));
            }
            self.flows.see(value);
            self.flows.see(pattern);
            return Ok(());
        };
        let alike = settings.iter().all(|other| other.is_like(setting));
        if setting.likeness() != Some(Likeness::Hash) || !alike || self.flows.is_plain(value) {
            return Err(misused(setting, IN_EXPRESSION));
        }
        let prefix = setting.prefix();
        let (bare, cast) = match &like.pattern {
            Term::Typed(value, cast) => (&**value, Some(cast)),
            value => (value, None),
        };
        match (bare, prefix) {
            (Term::Literal(token), _) => {
                self.literal_pattern(like, *token, prefix.is_some(), setting)?;
            }
            (Term::Param(..), _) if like.escape.is_some() => {
                return Err(misused(
                    setting,
                    "is compared by LIKE with a parameter and ESCAPE",
                ));
            }
            (Term::Param(..), None) => self.equal(like, setting)?,
            (Term::Param(_, token), Some(prefix)) if cast.is_none() => {
                self.param_pattern(like, *token, prefix, setting)?;
            }
            _ => {
                return Err(misused(
                    setting,
                    "is compared by LIKE with something else than a string or parameter",
                ));
            }
        }
        if let Some(escape) = like.escape {
            self.replace(&(escape - 1..escape + 1), "");
        }
        let role = Role::Pattern;
        self.flows.give(pattern, Use { setting, role });
        Ok(())
    }

    fn literal_pattern(
        &mut self,
        like: &Like,
        token: usize,
        has_prefixes: bool,
        setting: &Setting,
    ) -> Result<(), Refusal> {
        let name = match &like.value {
            Term::Column { name, .. } if has_prefixes => Some(*name),
            _ if has_prefixes => return Err(misused(setting, IN_EXPRESSION)),
            _ => None,
        };
        let at = PatternAt {
            column: name.and_then(|name| token.checked_sub(name)),
            escape: like.escape.and_then(|escape| escape.checked_sub(token)),
        };
        self.patterns.push((token, at));
        let Some(name) = name else {
            return self.equal(like, setting);
        };
        // What follows the column comes with the pattern.
        self.put(self.first_of_column(name), Place::Before, HASH_OF);
        self.replace(&like.operator, if like.negated { "<>" } else { "=" });
        Ok(())
    }

    /// The whole value is compared.
    fn equal(&mut self, like: &Like, setting: &Setting) -> Result<(), Refusal> {
        if !self.hash(SideTerm::Value(&like.value)) {
            return Err(misused(setting, IN_EXPRESSION));
        }
        self.replace(&like.operator, if like.negated { "<>" } else { "=" });
        Ok(())
    }

    /// How long the pattern will be is not known: it is looked for among the hashes of all prefixes, of which only one is of
    /// values of its length.
    fn param_pattern(
        &mut self,
        like: &Like,
        token: usize,
        prefixes: u32,
        setting: &Setting,
    ) -> Result<(), Refusal> {
        let refused = || misused(setting, IN_EXPRESSION);
        let Term::Column { name, .. } = &like.value else {
            return Err(refused());
        };
        let column = self.column_text(*name).ok_or_else(refused)?;
        let param = self.source.tokens.get(token).ok_or_else(refused)?;
        let param = String::from_utf8_lossy(param.text(self.source.text)).into_owned();
        let slots: Vec<String> = (1..=u64::from(prefixes))
            .map(|prefix| format!("{HASH_OF}{column}{}", part(prefix)))
            .collect();
        let first = self.first_of_column(*name);
        self.replace(
            &Range {
                start: first,
                end: name + 1,
            },
            param,
        );
        self.replace(&like.operator, if like.negated { "NOT IN" } else { "IN" });
        self.replace(&(token..token + 1), format!("({})", slots.join(", ")));
        Ok(())
    }
}

/// After a column, the part of it that has the hash of a prefix of so many characters; of none, that of the value.
pub fn part(prefix: u64) -> String {
    let length = LENGTH as u64;
    format!(", {}, {length})", prefix * length + 1)
}

/// What a pattern says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A value is equal to this.
    Whole(Vec<u8>),
    /// A value begins with this.
    Prefix(Vec<u8>),
    /// Something else.
    Other,
}

impl Pattern {
    /// Reads a pattern; `escape` makes the character behind it one that stands for itself.
    pub fn read(pattern: &[u8], escape: Option<u8>) -> Self {
        let mut text = Vec::with_capacity(pattern.len());
        let mut rest = pattern.iter().copied();
        while let Some(byte) = rest.next() {
            match byte {
                _ if Some(byte) == escape => match rest.next() {
                    Some(byte) => text.push(byte),
                    None => return Self::Other,
                },
                b'%' if rest.len() == 0 => return Self::Prefix(text),
                b'%' | b'_' => return Self::Other,
                byte => text.push(byte),
            }
        }
        Self::Whole(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, part};

    #[test]
    fn patterns_are_whole_values_prefixes_or_neither() {
        let read = |pattern: &str| Pattern::read(pattern.as_bytes(), Some(b'\\'));
        let whole = |text: &str| Pattern::Whole(text.into());
        let prefix = |text: &str| Pattern::Prefix(text.into());
        for (pattern, expected) in [
            ("abc", whole("abc")),
            ("", whole("")),
            ("abc%", prefix("abc")),
            ("%", prefix("")),
            ("100\\%", whole("100%")),
            ("100\\%%", prefix("100%")),
            ("a\\_b", whole("a_b")),
            ("a\\\\", whole("a\\")),
            ("a\\", Pattern::Other),
            ("%a", Pattern::Other),
            ("a%%", Pattern::Other),
            ("a_", Pattern::Other),
        ] {
            assert_eq!(read(pattern), expected, "{pattern}");
        }
        assert_eq!(Pattern::read(b"a\\!%", Some(b'!')), whole("a\\%"));
        assert_eq!(Pattern::read(b"a\\%", None), prefix("a\\"));
    }

    #[test]
    fn parts_are_one_after_another() {
        assert_eq!(part(0), ", 1, 33)");
        assert_eq!(part(3), ", 100, 33)");
    }
}

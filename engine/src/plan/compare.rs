//! Comparisons for equality: what equal values of a column have in common is compared in their place.
//!
//! A searchable column stores a hash in front of its container, so `column = value` becomes
//! `substr(column, 1, 33) = hash` (policy.md 6.7; the text is Acra's, which users' indexes are made for). Equal values of
//! a consistently tokenized column have equal tokens, so the value alone is replaced. Of every other column containers
//! would be compared, which are never equal: that is refused.

use super::Role;
use super::arrays;
use super::edits::{Insertion, Number, Place};
use super::flow::{Flow, Use};
use super::refusal::Refusal;
use super::resolve::{IN_EXPRESSION, Resolver};
use super::scope::{Rows, Scope, compare, misused};
use crate::columns::{Likeness, Setting};
use crate::sql::Token;
use crate::sql::facts::tree::{ArrayType, Body, Comparison, Item, Query, Term};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// In front of a column whose hash is compared.
pub(super) const HASH_OF: &str = "substr(";

/// Bytes of a hash (containers.md 9).
pub(super) const LENGTH: usize = 33;

/// After it.
pub(super) const OF_LENGTH: &str = ", 1, 33)";

/// The text of the hash of a searchable value, of which this is the text.
pub(super) fn hash_of_text(value: &str) -> String {
    format!("{HASH_OF}{value}{OF_LENGTH}")
}

/// Around the part of a column that a literal of MySQL is compared with: users' indexes are made for Acra's text (policy.md 7.6).
const BINARY_HASH_OF: &str = "convert(substr(";
const BINARY_OF_LENGTH: &str = ", 1, 33), binary)";

/// A value that is compared.
#[derive(Clone, Copy)]
struct Side<'t> {
    flow: Flow,
    term: SideTerm<'t>,
}

/// Where it comes from.
#[derive(Clone, Copy)]
pub(super) enum SideTerm<'t> {
    Value(&'t Term),
    /// A result column of a query.
    Output(&'t Query, usize),
}

impl<'a> Resolver<'a> {
    pub(super) fn comparison(
        &mut self,
        comparison: &Comparison,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let Comparison { left, right, array } = comparison;
        let width = std::iter::once(left)
            .chain(right)
            .find_map(|term| match term {
                Term::Row(values) => Some(values.len()),
                _ => None,
            });
        let left = self.sides(left, width, scope)?;
        let mut places: Vec<Vec<Side<'_>>> = left.into_iter().map(|side| vec![side]).collect();
        let mut others = Vec::new();
        for term in right {
            let sides = self.sides(term, width, scope)?;
            if sides.len() != places.len() {
                others.extend(sides);
                continue;
            }
            for (place, side) in places.iter_mut().zip(sides) {
                place.push(side);
            }
        }
        if !others.is_empty() {
            // The server refuses it.
            for side in places.iter().flatten().chain(&others) {
                compare(side.flow, &mut self.flows, IN_EXPRESSION)?;
            }
            return Ok(());
        }
        for place in places {
            let Some((setting, array)) = self.equality(&place)?.zip(array.as_ref()) else {
                continue;
            };
            match array {
                ArrayType::After(close) if setting.likeness() == Some(Likeness::Hash) => {
                    self.put(*close, Place::After, "::bytea[]");
                }
                ArrayType::After(_) => {}
                ArrayType::At(tokens) => {
                    let instead = arrays::instead(tokens, setting, Role::Compared, &self.source)?;
                    if let Some(instead) = instead {
                        self.replace(tokens, instead);
                    }
                }
            }
        }
        Ok(())
    }

    /// The values that a term gives to a comparison of so many columns.
    fn sides<'t>(
        &mut self,
        term: &'t Term,
        width: Option<usize>,
        scope: &Scope<'_, 'a>,
    ) -> Result<Vec<Side<'t>>, Refusal> {
        match term {
            Term::Row(values) => values.iter().map(|value| self.side(value, scope)).collect(),
            Term::Query(query) => {
                let rows: Rows<'a> = self.query(query, Some(scope))?;
                let known = rows.open.is_none() && rows.columns.len() == width.unwrap_or(1);
                if !known {
                    return Ok(vec![Side {
                        flow: rows.any(&mut self.flows),
                        term: SideTerm::Value(term),
                    }]);
                }
                let columns = rows.flows().enumerate();
                let sides = columns.map(|(at, flow)| Side {
                    flow,
                    term: SideTerm::Output(query, at),
                });
                Ok(sides.collect())
            }
            _ => Ok(vec![self.side(term, scope)?]),
        }
    }

    fn side<'t>(&mut self, term: &'t Term, scope: &Scope<'_, 'a>) -> Result<Side<'t>, Refusal> {
        let value = match term {
            Term::HashOf(column, _) => column,
            term => term,
        };
        Ok(Side {
            flow: self.flow(value, scope)?,
            term: SideTerm::Value(term),
        })
    }

    /// Values that are compared with the first of them; the setting of the column, if one is protected.
    fn equality(&mut self, sides: &[Side<'_>]) -> Result<Option<&'a Arc<Setting>>, Refusal> {
        let protected = sides
            .iter()
            .find_map(|side| self.flows.settings(side.flow).first().copied());
        let Some(setting) = protected else {
            for side in sides {
                // A value that stands here is nowhere else.
                if !matches!(
                    side.term,
                    SideTerm::Value(Term::Literal(_) | Term::Param(..))
                ) {
                    self.flows.see(side.flow);
                }
            }
            return Ok(None);
        };
        let Some(likeness) = setting.likeness() else {
            return Err(misused(setting, IN_EXPRESSION));
        };
        let is_literal = |side: &Side<'_>| {
            matches!(
                side.term,
                SideTerm::Value(Term::Literal(_) | Term::Negative(_))
            )
        };
        let binary = self.source.dialect.is_mysql() && sides.iter().any(is_literal);
        for side in sides {
            match self.flows.settings(side.flow).is_empty() {
                true => self.compared_value(side, setting)?,
                false => self.compared_column(side, setting, likeness, binary)?,
            }
        }
        Ok(Some(setting))
    }

    /// What a protected column is compared with.
    fn compared_value(
        &mut self,
        side: &Side<'_>,
        setting: &'a Arc<Setting>,
    ) -> Result<(), Refusal> {
        if self.flows.is_plain(side.flow) {
            return Err(misused(
                setting,
                "is compared with an expression, or a column that is not protected",
            ));
        }
        let role = Role::Compared;
        self.flows.give(side.flow, Use { setting, role });
        Ok(())
    }

    /// A protected column that is compared.
    fn compared_column(
        &mut self,
        side: &Side<'_>,
        setting: &'a Arc<Setting>,
        likeness: Likeness,
        binary: bool,
    ) -> Result<(), Refusal> {
        let settings = self.flows.settings(side.flow);
        if let Some(other) = settings.iter().find(|other| !other.is_like(setting)) {
            let (one, other) = match Arc::ptr_eq(other, setting) {
                true => (setting, settings.last().unwrap_or(&setting)),
                false => (setting, other),
            };
            return Err(misused(
                one,
                &format!(
                    "is compared with column \"{}\" of table \"{}\", which is protected in another way",
                    other.column, other.table
                ),
            ));
        }
        if self.flows.is_plain(side.flow) {
            return Err(misused(
                setting,
                "is compared where it may be another column of that name: write it with its table",
            ));
        }
        if self.flows.has_leaves(side.flow) {
            // A value that stands in the place of the column in other rows is compared as well.
            let role = Role::Compared;
            self.flows.give(side.flow, Use { setting, role });
        }
        if let (true, SideTerm::Value(Term::Column { name, .. })) = (binary, side.term)
            && likeness == Likeness::Hash
            && !self.hash_columns.contains_key(name)
        {
            self.put(self.first_of_column(*name), Place::Before, BINARY_HASH_OF);
            self.put(*name, Place::After, BINARY_OF_LENGTH);
            return Ok(());
        }
        if likeness == Likeness::Hash && !self.hash(side.term) {
            return Err(misused(
                setting,
                "is compared after CASE, COALESCE or a query that is not simple",
            ));
        }
        Ok(())
    }

    /// Puts the hash of a column in its place; says whether that could be done.
    pub(super) fn hash(&mut self, term: SideTerm<'_>) -> bool {
        match term {
            SideTerm::Value(Term::Column { name, .. }) => {
                if let Some(hashes) = self.hash_columns.get(name) {
                    self.put(*name, Place::Over(0), hashes.clone());
                    return true;
                }
                self.put(self.first_of_column(*name), Place::Before, HASH_OF);
                self.put(*name, Place::After, OF_LENGTH);
                true
            }
            SideTerm::Value(Term::HashOf(_, (start, length))) => {
                // Whether they are these the text says, not its shape.
                for (token, expected) in [(start, 1), (length, LENGTH)] {
                    self.numbers.push(Number {
                        token: *token,
                        expected,
                    });
                }
                true
            }
            SideTerm::Value(Term::Typed(value, cast)) => {
                if let Some(types) = &cast.types {
                    self.replace(types, "bytea");
                }
                self.hash(SideTerm::Value(value))
            }
            SideTerm::Output(query, at) => self.hash_output(&query.body, at),
            SideTerm::Value(_) => false,
        }
    }

    /// Puts hashes in the place of a result column.
    fn hash_output(&mut self, body: &Body, at: usize) -> bool {
        match body {
            Body::Select(select) => {
                let wildcard = |item: &Item| !matches!(item, Item::One { .. });
                if select.items.iter().any(wildcard) {
                    return false;
                }
                match select.items.get(at) {
                    Some(Item::One { term, .. }) => self.hash(SideTerm::Value(term)),
                    _ => false,
                }
            }
            Body::Query(query) => self.hash_output(&query.body, at),
            Body::Set { left, right, .. } => {
                self.hash_output(left, at) && self.hash_output(right, at)
            }
            Body::Values(_) | Body::Write(_) => false,
        }
    }

    /// The first token of a column with this name, which qualifiers may stand in front of.
    pub(super) fn first_of_column(&self, name: usize) -> usize {
        let token = |at: Option<usize>| at.and_then(|at| self.source.tokens.get(at));
        let mut first = name;
        while token(first.checked_sub(1)).is_some_and(|dot| dot.is(self.source.text, b'.'))
            && token(first.checked_sub(2)).is_some_and(|part: &Token| part.kind.is_name())
        {
            first -= 2;
        }
        first
    }

    /// The text of a column, with what stands in front of its name.
    pub(super) fn column_text(&self, name: usize) -> Option<String> {
        let mut text = String::new();
        for token in self.source.tokens.get(self.first_of_column(name)..=name)? {
            text.push_str(std::str::from_utf8(token.text(self.source.text)).ok()?);
        }
        Some(text)
    }

    pub(super) fn put(&mut self, token: usize, place: Place, text: impl Into<Cow<'static, str>>) {
        self.insertions.push(Insertion {
            token,
            place,
            text: text.into(),
        });
    }

    /// Writes something else in the place of tokens.
    pub(super) fn replace(&mut self, tokens: &Range<usize>, text: impl Into<Cow<'static, str>>) {
        self.insertions.push(Insertion::over(tokens, text));
    }
}

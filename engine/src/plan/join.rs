//! Columns of several relations that are compared without an operator: `USING` and `NATURAL`.
//!
//! Equal tokens are equal values, so that such columns are compared as they are. Searchable columns are compared by `ON` with their
//! hashes in the place of `USING` or `NATURAL`: they stay two columns, of which each must be written with its table.

use super::edits::{Insertion, Place};
use super::flow::{Flow, PLAIN};
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{Rel, Scope, compare};
use crate::columns::Likeness;
use crate::sql::facts::tree::{From, Join, NaturalTokens};
use std::borrow::Cow;

const BY_USING: &str = "is compared by USING";

impl<'a> Resolver<'a> {
    pub(super) fn from(&mut self, from: &[From], scope: &mut Scope<'_, 'a>) -> Result<(), Refusal> {
        for From { first, joins } in from {
            let start = scope.rels.len();
            self.relation(first, scope)?;
            for (relation, join) in joins {
                let right = scope.rels.len();
                self.relation(relation, scope)?;
                match join {
                    Join::On(operands) => self.operands(operands, scope)?,
                    Join::Using(names) => self.using(names, (start, right), scope)?,
                    Join::Natural(tokens) => {
                        self.natural(tokens.as_ref(), (start, right), scope)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The relations that are joined begin at two places.
    fn using(
        &mut self,
        names: &[usize],
        sides: (usize, usize),
        scope: &mut Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let columns: Vec<Cow<'a, str>> = names.iter().map(|name| self.name(*name)).collect();
        let Some((hashed, on)) = self.compared(&columns, sides, scope, BY_USING)? else {
            scope.merges = true;
            return Ok(());
        };
        match self.clause(names) {
            Some(clause) => {
                self.insertions.push(Insertion::over(&clause, on));
                scope.split.extend(columns);
                Ok(())
            }
            None => compare(hashed, &mut self.flows, BY_USING),
        }
    }

    /// Columns of these names are compared. If hashes are, one of the columns, and the condition that does it.
    fn compared(
        &mut self,
        names: &[Cow<'a, str>],
        (start, right): (usize, usize),
        scope: &Scope<'_, 'a>,
        how: &str,
    ) -> Result<Option<(Flow, String)>, Refusal> {
        let (left, right) = scope.rels.split_at(right);
        let left = left.get(start..).unwrap_or_default();
        let mut compared = Vec::with_capacity(names.len());
        let mut hashed = None;
        for name in names {
            let flows = [self.joined(name, left), self.joined(name, right)];
            let flow = self.flows.any(flows);
            let likeness = self.likeness(flow, how)?;
            if likeness == Some(Likeness::Hash) {
                hashed = hashed.or(Some(flow));
            }
            compared.push((name, likeness));
        }
        let Some(hashed) = hashed else {
            return Ok(None);
        };
        let mut conditions = Vec::with_capacity(compared.len());
        for (name, likeness) in compared {
            let side = |side| {
                let rel = holder(name, side)?;
                match likeness {
                    Some(Likeness::Hash) => self.hash_of(rel, name),
                    Some(Likeness::Token) | None => {
                        let table = rel.name.as_deref()?;
                        Some(format!("{}.{}", self.quoted(table), self.quoted(name)))
                    }
                }
            };
            let Some((one, other)) = side(left).zip(side(right)) else {
                let how = format!("{how} with columns whose tables are not certain");
                compare(hashed, &mut self.flows, &how)?;
                return Ok(None);
            };
            conditions.push(format!("{one} = {other}"));
        }
        Ok(Some((hashed, format!("ON {}", conditions.join(" AND ")))))
    }

    /// What a column of a side of a join is.
    fn joined(&mut self, name: &str, side: &[Rel<'a>]) -> Flow {
        // Two of the name would be an error of the server.
        let named: Vec<Flow> = side.iter().flat_map(|rel| rel.rows.named(name)).collect();
        let flows = match named.is_empty() {
            true => side.iter().flat_map(|rel| rel.rows.unnamed()).collect(),
            false => named,
        };
        self.flows.any(flows)
    }

    /// The tokens of `USING (…)` with these names in it.
    fn clause(&self, names: &[usize]) -> Option<std::ops::Range<usize>> {
        let (first, last) = (names.first()?.checked_sub(2)?, names.last()? + 1);
        let token = |at: usize| self.source.tokens.get(at);
        let is = token(first)?.is_word(self.source.text, "using")
            && token(first + 1)?.is(self.source.text, b'(')
            && token(last)?.is(self.source.text, b')');
        // `AS` would give the columns a name.
        let is_named = token(last + 1).is_some_and(|next| next.is_word(self.source.text, "as"));
        (is && !is_named).then_some(first..last + 1)
    }

    /// Columns that both sides have, or may have, are compared.
    fn natural(
        &mut self,
        tokens: Option<&NaturalTokens>,
        (start, right): (usize, usize),
        scope: &mut Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        const HOW: &str = "is compared by NATURAL JOIN";
        let (left, others) = scope.rels.split_at(right);
        let left = left.get(start..).unwrap_or_default();
        let Some(names) = common(left, others) else {
            scope.merges = true;
            return self.perhaps_common((start, right), scope, HOW);
        };
        let Some((hashed, on)) = self.compared(&names, (start, right), scope, HOW)? else {
            scope.merges = true;
            return Ok(());
        };
        match tokens {
            Some(NaturalTokens { natural, last }) => {
                self.put(*natural, Place::Over(0), "");
                self.put(*last, Place::After, format!(" {on}"));
                scope.split.extend(names);
                Ok(())
            }
            None => compare(hashed, &mut self.flows, HOW),
        }
    }

    /// Of the sides not all columns are known.
    fn perhaps_common(
        &mut self,
        (start, right): (usize, usize),
        scope: &Scope<'_, 'a>,
        how: &str,
    ) -> Result<(), Refusal> {
        let (left, right) = scope.rels.split_at(right);
        let left = left.get(start..).unwrap_or_default();
        for (one, other) in [(left, right), (right, left)] {
            for column in one.iter().flat_map(|rel| &rel.rows.columns) {
                let mut flows = vec![column.flow];
                for rel in other {
                    match &column.name {
                        Some(name) => flows.extend(rel.rows.named(name)),
                        None => flows.extend(rel.rows.flows()),
                    }
                    // They may have the name.
                    flows.extend(rel.rows.unnamed().map(|_| PLAIN));
                }
                if flows.len() == 1 {
                    continue;
                }
                let flow = self.flows.any(flows);
                if self.likeness(flow, how)? == Some(Likeness::Hash) {
                    compare(flow, &mut self.flows, how)?;
                }
            }
        }
        Ok(())
    }
}

/// The names that columns of both sides have; `None` if not all columns are known.
fn common<'a>(left: &[Rel<'a>], right: &[Rel<'a>]) -> Option<Vec<Cow<'a, str>>> {
    let is_known = |rel: &Rel<'_>| {
        let mut columns = rel.rows.columns.iter();
        rel.rows.open.is_none() && columns.all(|column| column.name.is_some())
    };
    if !left.iter().chain(right).all(is_known) {
        return None;
    }
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for name in right
        .iter()
        .flat_map(|rel| &rel.rows.columns)
        .filter_map(|column| column.name.as_ref())
    {
        let is_common = left.iter().any(|rel| rel.rows.named(name).next().is_some());
        if is_common && !names.contains(name) {
            names.push(name.clone());
        }
    }
    Some(names)
}

/// The relation of a side of a join that has a column; `None` if it is not certain which has it.
fn holder<'r, 'a>(name: &str, side: &'r [Rel<'a>]) -> Option<&'r Rel<'a>> {
    let named = |rel: &&Rel<'_>| rel.rows.named(name).next().is_some();
    let mut having: Vec<&Rel<'_>> = side.iter().filter(named).collect();
    if having.is_empty() {
        having = side.iter().collect();
    }
    match *having {
        [rel] => Some(rel),
        _ => None,
    }
}

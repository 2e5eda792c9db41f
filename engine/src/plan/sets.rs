//! Rows of `UNION`, `INTERSECT` and `EXCEPT`, which are compared as a whole.
//!
//! Equal tokens are equal values, so that nothing has to be done for them. For searchable columns the two queries become one by
//! `UNION ALL`, and a query around it tells rows apart by hashes. `UNION` is `DISTINCT ON`. For the others the rows of either side
//! are counted, with those that are equal, by window functions; these tell which rows stay, and how often, for a NULL as for any
//! other value. Where only the hashes of the columns are asked for (`email IN (SELECT … INTERSECT …)`), the operation stays as it is.

use super::compare::{HASH_OF, OF_LENGTH};
use super::edits::{Insertion, Place};
use super::flow::NOTHING;
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{Rows, compare, misused};
use crate::columns::{Likeness, Setting};
use crate::sql::facts::tree::{Body, Item, Operation, SetTokens, Term};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of what is compared.
const ALIAS: &str = "acra_server";

/// Rows that are compared by hashes.
#[derive(Debug)]
pub(super) struct ComparedRows<'a> {
    operation: Operation,
    tokens: Option<SetTokens>,
    columns: Vec<ComparedColumn<'a>>,
    /// The first searchable column.
    setting: &'a Arc<Setting>,
}

/// A column of these rows.
#[derive(Debug)]
struct ComparedColumn<'a> {
    /// Its name in the result, if that is known.
    name: Option<Cow<'a, str>>,
    is_searchable: bool,
    /// The token of its name in the first query, if it is a column there.
    token: Option<usize>,
    /// It may be a value that has no type of its own in one of the queries.
    has_values: bool,
}

impl<'a> Resolver<'a> {
    /// The columns of two queries whose rows are compared; the first one as it was read, and where they are.
    pub(super) fn compared_rows(
        &mut self,
        (left, right): (&Rows<'a>, &Rows<'a>),
        operation: Operation,
        first: &Body,
        tokens: Option<&SetTokens>,
    ) -> Result<(), Refusal> {
        let how = operation.how();
        if left.open.is_some() || right.open.is_some() || left.columns.len() != right.columns.len()
        {
            for flow in left.flows().chain(right.flows()) {
                compare(flow, &mut self.flows, how)?;
            }
            return Ok(());
        }
        let mut columns = Vec::with_capacity(left.columns.len());
        let mut searchable = None;
        for (at, (column, other)) in left.columns.iter().zip(right.flows()).enumerate() {
            let flow = self.flows.any([column.flow, other]);
            let is_searchable = self.likeness(flow, how)? == Some(Likeness::Hash);
            if is_searchable {
                searchable = searchable.or(self.flows.settings(flow).first().copied());
            }
            let is_value = |flow| flow == NOTHING || self.flows.has_leaves(flow);
            columns.push(ComparedColumn {
                name: column.name.clone(),
                is_searchable,
                token: column_of(first, at),
                has_values: is_value(column.flow) || is_value(other),
            });
        }
        if let Some(setting) = searchable {
            self.sets.push(ComparedRows {
                operation,
                tokens: tokens.cloned(),
                columns,
                setting,
            });
        }
        Ok(())
    }

    /// Puts queries that compare hashes around set operations, the inner ones first.
    pub(super) fn write_sets(&mut self) -> Result<(), Refusal> {
        let hashed = self.hashed_columns();
        // What is before and after a token is one insertion each.
        let mut before: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut after: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for set in std::mem::take(&mut self.sets) {
            let is_bare = |column: &ComparedColumn<'_>| {
                column.is_searchable && !column.token.is_some_and(|name| hashed.contains(&name))
            };
            if !set.columns.iter().any(is_bare) {
                continue;
            }
            let refusal = || {
                misused(set.setting, set.operation.how()).with_hint(
                    "Give each column of the first query a name of its own, by AS; a value beside searchable columns needs a query in FROM. \
                     MySQL compares searchable columns by IN (SELECT …) and EXISTS.",
                )
            };
            let is_known = !self.source.dialect.is_mysql()
                && set
                    .columns
                    .iter()
                    .all(|column| !column.is_searchable || is_bare(column));
            let tokens = set
                .tokens
                .as_ref()
                .filter(|_| is_known)
                .ok_or_else(refusal)?;
            let [front, between, behind] = match set.operation {
                Operation::Union => self.union(&set.columns),
                operation => self.counted(operation, &set.columns),
            }
            .ok_or_else(refusal)?;
            before.entry(tokens.first).or_default().push(front);
            after.entry(tokens.last).or_default().push(behind);
            self.insertions
                .push(Insertion::over(&tokens.operation, between));
        }
        for (token, mut inner) in before {
            inner.reverse();
            self.put(token, Place::Before, inner.concat());
        }
        for (token, outer) in after {
            self.put(token, Place::After, outer.concat());
        }
        Ok(())
    }

    /// What is in front of `UNION`, in its place, and behind it.
    fn union(&self, columns: &[ComparedColumn<'a>]) -> Option<[String; 3]> {
        let mut keys = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            if !column.is_searchable {
                keys.push((at + 1).to_string());
                continue;
            }
            let name = column.name.as_deref()?;
            let named = columns
                .iter()
                .filter(|column| column.name.as_deref() == Some(name));
            if named.count() != 1 {
                return None;
            }
            keys.push(format!("{HASH_OF}{}{OF_LENGTH}", self.quoted(name)));
        }
        Some([
            format!("SELECT DISTINCT ON ({}) * FROM (", keys.join(", ")),
            "UNION ALL".to_owned(),
            format!(") AS {ALIAS}"),
        ])
    }

    /// What is in front of another operation, in its place, and behind it.
    fn counted(&self, operation: Operation, columns: &[ComparedColumn<'a>]) -> Option<[String; 3]> {
        let (mut results, mut names, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (at, column) in columns.iter().enumerate() {
            // It would be a text here, and have the type of the other query's column there.
            if column.has_values {
                return None;
            }
            let name = format!("c{}", at + 1);
            let label = self.quoted(column.name.as_deref()?);
            results.push(format!("{name} AS {label}"));
            keys.push(match column.is_searchable {
                true => format!("{HASH_OF}{name}{OF_LENGTH}"),
                false => name.clone(),
            });
            names.push(name);
        }
        let stays = match operation {
            Operation::Intersect => "place = 1 AND others > 0",
            Operation::IntersectAll => "place <= others",
            Operation::Except => "place = 1 AND others = 0",
            Operation::ExceptAll => "place > others",
            Operation::Union | Operation::UnionAll => return None,
        };
        let (results, names, keys) = (results.join(", "), names.join(", "), keys.join(", "));
        Some([
            format!(
                "SELECT {results} FROM (SELECT *, row_number() OVER (PARTITION BY {keys}, side) AS place, \
                 count(*) FILTER (WHERE side = 2) OVER (PARTITION BY {keys}) AS others FROM (SELECT *, 1 FROM ("
            ),
            format!(") AS {ALIAS} UNION ALL SELECT *, 2 FROM ("),
            format!(
                ") AS {ALIAS}) AS {ALIAS} ({names}, side)) AS {ALIAS} WHERE side = 1 AND {stays}"
            ),
        ])
    }
}

/// The token of the column that is a result column.
fn column_of(body: &Body, at: usize) -> Option<usize> {
    fn named(term: &Term) -> Option<usize> {
        match term {
            Term::Column { name, .. } => Some(*name),
            Term::Typed(value, _) => named(value),
            _ => None,
        }
    }
    match body {
        Body::Select(select) => match select.items.get(..=at)? {
            [before @ .., Item::One { term, .. }] => {
                let is_one = |item: &Item| matches!(item, Item::One { .. });
                before.iter().all(is_one).then(|| named(term)).flatten()
            }
            _ => None,
        },
        Body::Query(query) => column_of(&query.body, at),
        Body::Set { left, .. } => column_of(left, at),
        Body::Values(_) | Body::Write(_) => None,
    }
}

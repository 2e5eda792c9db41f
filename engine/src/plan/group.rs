//! Values that are grouped: `GROUP BY`, `DISTINCT`, `count(DISTINCT …)`, `PARTITION BY`.
//!
//! Rows of a searchable column are grouped by its hash. Where such a column is a result of its group, any value of the group
//! stands for all: their containers differ, what is in them does not.

use super::compare::{OF_LENGTH, SideTerm};
use super::edits::{Insertion, Place};
use super::flow::Flow;
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{Column, Rel, Rows, Scope, compare, misused};
use crate::columns::Likeness;
use crate::sql::facts::tree::{Distinct, Item, Key, Select, Term};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What is said of a column that cannot be grouped by.
const BY_GROUP: &str = "is compared by GROUP BY or DISTINCT";
const BY_DISTINCT: &str = "is compared by DISTINCT";

/// A result column that has a value of its group.
#[derive(Debug)]
pub(super) struct Representative {
    /// The token of the column's name.
    name: usize,
    /// The result column has a label.
    labelled: bool,
    group: Group,
}

/// How the rows of a group are known to the server.
#[derive(Debug)]
enum Group {
    /// By `GROUP BY`.
    Grouped,
    /// By a window over this hash: in all of its rows the value becomes the same, so that `DISTINCT` finds them equal.
    Window(String),
}

impl<'a> Resolver<'a> {
    /// What the rows of a `SELECT` are grouped by, and which of them are left out as equal.
    pub(super) fn group(
        &mut self,
        select: &Select,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        for key in &select.group_by {
            let Some(flow) = self.group_key(key, select, rows, scope, true)? else {
                continue;
            };
            if let (true, Some(setting)) = (select.grouping_sets, self.flows.settings(flow).first())
            {
                return Err(misused(
                    setting,
                    "is compared by GROUPING SETS, ROLLUP or CUBE",
                ));
            }
            self.represent(flow, select, rows);
        }
        match &select.distinct {
            Distinct::No => Ok(()),
            Distinct::Rows(keyword) => self.distinct(*keyword, select, rows, scope),
            Distinct::On(keys) => {
                for key in keys {
                    self.group_key(key, select, rows, scope, false)?;
                }
                Ok(())
            }
        }
    }

    /// A value that is counted once, or that rows are parted by.
    pub(super) fn grouped(
        &mut self,
        value: &Term,
        scope: &Scope<'_, 'a>,
        how: &str,
    ) -> Result<Option<Flow>, Refusal> {
        let column = match value {
            Term::HashOf(column, _) => column,
            value => value,
        };
        let flow = self.flow(column, scope)?;
        match self.likeness(flow, how)? {
            Some(Likeness::Hash) => self.hash_or_refuse(value, flow, how).map(|()| Some(flow)),
            Some(Likeness::Token) | None => Ok(None),
        }
    }

    /// What equal values of a flow have in common, if it is a protected column and nothing else.
    pub(super) fn likeness(&mut self, flow: Flow, how: &str) -> Result<Option<Likeness>, Refusal> {
        let settings = self.flows.settings(flow);
        let Some(setting) = settings.first() else {
            self.flows.see(flow);
            return Ok(None);
        };
        let alike = settings.iter().all(|other| other.is_like(setting));
        let is_other = self.flows.is_plain(flow) || self.flows.has_leaves(flow);
        match setting.likeness() {
            Some(likeness) if alike && !is_other => Ok(Some(likeness)),
            _ => Err(misused(setting, how)),
        }
    }

    fn hash_or_refuse(&mut self, term: &Term, flow: Flow, how: &str) -> Result<(), Refusal> {
        match (
            self.hash(SideTerm::Value(term)),
            self.flows.settings(flow).first(),
        ) {
            (false, Some(setting)) => Err(misused(setting, how)),
            _ => Ok(()),
        }
    }

    /// One key; the column, if rows are grouped by its hash. A name is first looked for among the columns, or first among the
    /// labels of the result.
    fn group_key(
        &mut self,
        key: &Key,
        select: &Select,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
        columns_first: bool,
    ) -> Result<Option<Flow>, Refusal> {
        match key {
            Key::Computed(operands) => self.operands(operands, scope).map(|()| None),
            Key::Column(term) => self.grouped(term, scope, BY_GROUP),
            Key::Ordinal(number, token) => {
                let at = number.checked_sub(1);
                let known = at.filter(|at| rows.open.is_none_or(|open| *at < open));
                match known {
                    Some(at) => self.group_item(at, *token, select, rows, scope),
                    None => Ok(None),
                }
            }
            Key::Name(token) => {
                let name = self.name(*token);
                let is_column = columns_first
                    && scope
                        .rels
                        .iter()
                        .any(|rel| rel.rows.named(&name).next().is_some());
                let labelled = rows
                    .columns
                    .iter()
                    .position(|column| !is_column && column.name.as_deref() == Some(&*name));
                match labelled {
                    Some(at) => self.group_item(at, *token, select, rows, scope),
                    None => {
                        let column = Term::Column {
                            qualifier: None,
                            name: *token,
                        };
                        self.grouped(&column, scope, BY_GROUP)
                    }
                }
            }
        }
    }

    /// A key that is a result column.
    fn group_item(
        &mut self,
        at: usize,
        token: usize,
        select: &Select,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
    ) -> Result<Option<Flow>, Refusal> {
        let Some(column) = rows.columns.get(at) else {
            return Ok(None);
        };
        if self.likeness(column.flow, BY_GROUP)? != Some(Likeness::Hash) {
            return Ok(None);
        }
        match (
            self.hash_text(select, at, scope),
            self.flows.settings(column.flow).first(),
        ) {
            (None, Some(setting)) => Err(misused(setting, BY_GROUP)),
            (text, _) => {
                self.put(token, Place::Over(0), text.unwrap_or_default());
                Ok(Some(column.flow))
            }
        }
    }

    /// The hash of a result column that is a column.
    fn hash_text(&self, select: &Select, at: usize, scope: &Scope<'_, 'a>) -> Option<String> {
        let mut before = 0;
        for item in &select.items {
            let (rels, at) = match item {
                Item::One { .. } if before < at => {
                    before += 1;
                    continue;
                }
                Item::One {
                    term: Term::Column { name, .. },
                    ..
                } => return self.hash_of_named(*name),
                Item::One { .. } => return None,
                // Columns that are one in `*`, and those of which not all are known, have no place.
                Item::Wildcard | Item::TableWildcard(_) if scope.merges => return None,
                Item::Wildcard => (Cow::Borrowed(&*scope.rels), at - before),
                Item::TableWildcard(qualifier) => {
                    let rels = scope.qualified(&self.name(*qualifier));
                    (Cow::Owned(rels), at - before)
                }
            };
            match column_of(&rels, at) {
                Ok(column) => {
                    let (rel, column) = column?;
                    return self.hash_of(rel, column);
                }
                Err(columns) => before += columns,
            }
        }
        None
    }

    /// A column that rows are grouped by, where it is a result.
    fn represent(&mut self, grouped_by: Flow, select: &Select, rows: &Rows<'a>) {
        for (item, column) in select.items.iter().zip(&rows.columns) {
            match item {
                Item::One {
                    label,
                    term: Term::Column { name, .. },
                } if column.flow == grouped_by => self.representatives.push(Representative {
                    name: *name,
                    labelled: label.is_some(),
                    group: Group::Grouped,
                }),
                Item::One { .. } => {}
                // Which columns follow is not known; the server takes them only where they need no group.
                Item::Wildcard | Item::TableWildcard(_) => break,
            }
        }
    }

    /// `DISTINCT`: with hashes, rows are told apart by these and the other columns.
    fn distinct(
        &mut self,
        keyword: usize,
        select: &Select,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        if self.source.dialect.is_mysql() {
            return self.distinct_by_windows(select, rows, scope);
        }
        let mut keys = Vec::new();
        let mut hashed = None;
        for (at, column) in rows.columns.iter().enumerate() {
            let key = match self.likeness(column.flow, BY_DISTINCT)? {
                Some(Likeness::Hash) => {
                    hashed = hashed.or(Some(column.flow));
                    self.hash_text(select, at, scope)
                }
                Some(Likeness::Token) | None => Some((at + 1).to_string()),
            };
            keys.push(key);
        }
        let Some(flow) = hashed else {
            return Ok(());
        };
        let keys: Option<Vec<String>> = keys.into_iter().collect();
        match keys.filter(|_| rows.open.is_none()) {
            Some(keys) => {
                self.put(keyword, Place::After, format!(" ON ({})", keys.join(", ")));
                Ok(())
            }
            None => compare(flow, &mut self.flows, BY_DISTINCT),
        }
    }

    /// The names of columns that have their hashes in their places.
    pub(super) fn hashed_columns(&self) -> BTreeSet<usize> {
        let is_hash = |insertion: &&Insertion| match insertion.place {
            Place::After => insertion.text == OF_LENGTH,
            Place::Over(_) => true,
            Place::Before => false,
        };
        let hashes = self.insertions.iter().filter(is_hash);
        hashes.map(|insertion| insertion.token).collect()
    }

    /// The same for servers without `DISTINCT ON`. Rows that are grouped already have no windows over the columns of a table.
    fn distinct_by_windows(
        &mut self,
        select: &Select,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let grouped = !select.group_by.is_empty();
        let mut columns = rows.columns.iter();
        for item in &select.items {
            let Item::One { label, term } = item else {
                self.distinct_from_all(item, grouped, &mut columns, scope)?;
                continue;
            };
            let Some(column) = columns.next() else {
                continue;
            };
            if self.likeness(column.flow, BY_DISTINCT)? != Some(Likeness::Hash) {
                continue;
            }
            let hash = match term {
                Term::Column { name, .. } if !grouped => {
                    self.hash_of_named(*name).map(|hash| (*name, hash))
                }
                _ => None,
            };
            let Some((name, hash)) = hash else {
                compare(column.flow, &mut self.flows, BY_DISTINCT)?;
                continue;
            };
            self.representatives.push(Representative {
                name,
                labelled: label.is_some(),
                group: Group::Window(hash),
            });
        }
        Ok(())
    }

    /// `*` in `DISTINCT`: a container has no name there. Where rows of a table are equal they are one row, so that its containers are
    /// the same.
    fn distinct_from_all(
        &mut self,
        item: &Item,
        grouped: bool,
        columns: &mut std::slice::Iter<'_, Column<'a>>,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let mut rels = match item {
            Item::TableWildcard(qualifier) => scope.qualified(&self.name(*qualifier)),
            Item::Wildcard | Item::One { .. } => Vec::new(),
        };
        if rels.is_empty() {
            rels.clone_from(&scope.rels);
        }
        let keyed = !grouped && !scope.merges && rels.iter().all(|rel| rel.is_keyed);
        let count = rels.iter().map(|rel| rel.rows.columns.len()).sum();
        for column in columns.take(count).filter(|_| !keyed) {
            if self.likeness(column.flow, BY_DISTINCT)? == Some(Likeness::Hash) {
                compare(column.flow, &mut self.flows, BY_DISTINCT)?;
            }
        }
        Ok(())
    }

    /// Puts one value of the group in the place of result columns that rows are grouped by.
    pub(super) fn write_representatives(&mut self) {
        let hashed = self.hashed_columns();
        for representative in std::mem::take(&mut self.representatives) {
            let Representative {
                name,
                labelled,
                group,
            } = representative;
            if hashed.contains(&name) {
                continue;
            }
            let (before, after) = match group {
                Group::Grouped if self.source.dialect.is_mysql() => ("min(", ")".to_owned()),
                Group::Grouped => ("(array_agg(", "))[1]".to_owned()),
                Group::Window(hash) => ("min(", format!(") OVER (PARTITION BY {hash})")),
            };
            self.put(self.first_of_column(name), Place::Before, before);
            let label = self
                .source
                .tokens
                .get(name)
                .map(|name| name.text(self.source.text));
            let text = match label.and_then(|label| std::str::from_utf8(label).ok()) {
                Some(label) if !labelled => format!("{after} AS {label}"),
                _ => after,
            };
            self.put(name, Place::After, text);
        }
    }
}

/// The column at a place of these relations; `None` if it has no name of its own. Fails with the number of
/// their columns if they have fewer.
fn column_of<'r, 'a>(
    rels: &'r [Rel<'a>],
    at: usize,
) -> Result<Option<(&'r Rel<'a>, &'r str)>, usize> {
    let mut before = 0;
    for rel in rels {
        let rows = &rel.rows;
        if rows.open.is_some() {
            return Ok(None);
        }
        let Some(column) = rows.columns.get(at - before) else {
            before += rows.columns.len();
            continue;
        };
        let name = column.name.as_deref();
        return Ok(name
            .filter(|column| rows.named(column).count() == 1)
            .map(|column| (rel, column)));
    }
    Err(before)
}

//! Rows of `UNION`, `INTERSECT` and `EXCEPT`, which are compared as a whole.
//!
//! Equal tokens are equal values, so that nothing has to be done for them. For searchable columns the two queries become one by
//! `UNION ALL`, and a query around it tells rows apart by hashes. `UNION` is `DISTINCT ON`. For the others the rows of either side
//! are counted, with those that are equal, by window functions; these tell which rows stay, and how often, for a NULL as for any
//! other value. MySQL has neither `DISTINCT ON` nor a right count of equal texts that are long: one container takes the place of all that
//! have its hash, in both queries, and the operation compares the rows then. Where only the hashes of the columns are asked for (`email IN (SELECT … INTERSECT …)`), the operation stays as it is.

use super::compare::hash_of_text;
use super::edits::{Insertion, Place};
use super::flow::NOTHING;
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{Rows, compare, misused};
use crate::columns::{Likeness, Setting};
use crate::sql::facts::tree::{Body, Item, Operation, SetTokens, Term};
use crate::sql::{Dialect, Kind, MySql, Token, mysql};
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
    /// The token of its label in the first query, if it has one there or is a column.
    label: Option<usize>,
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
                label: label_of(first, at),
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
                     With MySQL, list the columns of the first query, and lock no rows. With MariaDB, INTERSECT and EXCEPT are beside no WITH; where columns that are not searchable are compared too, they read nothing but protected tables and the server's usual functions, and have no LIMIT, GROUP BY, variables or windows inside.",
                )
            };
            let is_mysql = self.source.dialect.is_mysql();
            let is_known = set
                .columns
                .iter()
                .all(|column| !column.is_searchable || is_bare(column));
            let tokens = set
                .tokens
                .as_ref()
                .filter(|_| is_known)
                .ok_or_else(refusal)?;
            let [front, between, behind] = match set.operation {
                _ if is_mysql && self.locks_after(tokens.last) => None,
                Operation::Union if is_mysql => self.mysql_union(&set.columns),
                operation if is_mysql && set.columns.iter().all(|column| column.is_searchable) => {
                    self.mysql_counted(operation, &set.columns)
                }
                _ if is_mysql => self.mysql_set(tokens, &set.columns),
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
            keys.push(hash_of_text(&self.quoted(own_name(column, columns)?)));
        }
        Some([
            format!("SELECT DISTINCT ON ({}) * FROM (", keys.join(", ")),
            "UNION ALL".to_owned(),
            format!(") AS {ALIAS}"),
        ])
    }

    /// The same for MySQL and MariaDB, which have no two columns of one name in a query in `FROM`.
    fn mysql_union(&self, columns: &[ComparedColumn<'a>]) -> Option<[String; 3]> {
        let values = columns.iter().map(|column| {
            own_name(column, columns)?;
            let label = self.label(column)?;
            Some(match column.is_searchable {
                true => format!("min({label}) OVER ({}) AS {label}", part_of(&label)),
                false => label,
            })
        });
        let values: Vec<String> = values.collect::<Option<_>>()?;
        Some([
            format!("SELECT DISTINCT {} FROM (", values.join(", ")),
            "UNION ALL".to_owned(),
            format!(") AS {ALIAS}"),
        ])
    }

    /// Another operation with MySQL and MariaDB where all columns are searchable: their hashes are short, so that rows can be counted by them,
    /// and each query is read once. The least container stands for others, so that this can be part of what MariaDB reads twice.
    fn mysql_counted(
        &self,
        operation: Operation,
        columns: &[ComparedColumn<'a>],
    ) -> Option<[String; 3]> {
        if self.is_beside_with() {
            return None;
        }
        let (mut results, mut names, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (at, column) in (1..).zip(columns) {
            let name = format!("acra_{at}");
            results.push(format!("{name} AS {}", self.label(column)?));
            keys.push(hash_of_text(&name));
            names.push(name);
        }
        let stays = stays(operation)?;
        let (results, keys) = (results.join(", "), keys.join(", "));
        let alike = names
            .iter()
            .map(|name| format!("min({name}) OVER (PARTITION BY {keys}, side) AS {name}"));
        let alike = alike.collect::<Vec<_>>().join(", ");
        let names = names.join(", ");
        Some([
            format!("SELECT {results} FROM (WITH acra_left ({names}) AS ("),
            format!("), acra_right ({names}) AS ("),
            format!(
                ") SELECT {alike}, side, row_number() OVER (PARTITION BY {keys}, side) AS place, \
                 sum(side = 2) OVER (PARTITION BY {keys}) AS others FROM (SELECT *, 1 AS side FROM acra_left \
                 UNION ALL SELECT *, 2 FROM acra_right) AS {ALIAS}) AS {ALIAS} WHERE side = 1 AND {stays}"
            ),
        ])
    }

    /// Whether MariaDB would not know what a query reads: names of `WITH` are not known in others within.
    fn is_beside_with(&self) -> bool {
        let is_with = |token: &Token| token.is_word(self.source.text, "with");
        self.reads_twice() && self.source.tokens().any(|(_, token)| is_with(token))
    }

    fn reads_twice(&self) -> bool {
        matches!(
            self.source.dialect,
            Dialect::MySql(MySql { mariadb: true, .. })
        )
    }

    /// Another operation with MySQL and MariaDB. MariaDB reads the rows anew for each of the last two queries, so the container that stands
    /// for others is the same one each time, the least, and the rows must be the same.
    fn mysql_set(&self, tokens: &SetTokens, columns: &[ComparedColumn<'a>]) -> Option<[String; 3]> {
        if self.is_beside_with() || !self.is_read_alike(tokens) {
            return None;
        }
        let (mut results, mut alike, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (at, column) in (1..).zip(columns) {
            let name = format!("acra_{at}");
            results.push(format!("{name} AS {}", self.label(column)?));
            alike.push(match column.is_searchable {
                true => format!("min({name}) OVER ({})", part_of(&name)),
                false => name.clone(),
            });
            names.push(name);
        }
        let (results, alike, names) = (results.join(", "), alike.join(", "), names.join(", "));
        let words = tokens.operation.clone().map(|word| self.raw(word));
        let words = words.collect::<Option<Vec<_>>>()?.join(" ");
        Some([
            format!("SELECT {results} FROM (WITH acra_left ({names}) AS ("),
            format!("), acra_right ({names}) AS ("),
            format!(
                "), {ALIAS} ({names}, acra_side) AS (SELECT {alike}, acra_side FROM (SELECT *, 1 AS acra_side FROM acra_left \
                 UNION ALL SELECT *, 2 FROM acra_right) AS {ALIAS}) SELECT {names} FROM {ALIAS} WHERE acra_side = 1 {words} \
                 SELECT {names} FROM {ALIAS} WHERE acra_side = 2) AS {ALIAS}"
            ),
        ])
    }

    /// Whether the server reads the same rows each time.
    fn is_read_alike(&self, tokens: &SetTokens) -> bool {
        let within = |token: usize| tokens.first <= token && token <= tokens.last;
        let is_doubtful = || self.doubtful.iter().any(|name| within(*name));
        !self.reads_twice()
            || !is_doubtful()
                && mysql::reads_alike(
                    self.source.text,
                    self.source.tokens,
                    tokens.first..tokens.last + 1,
                )
    }

    /// The label of a result column as a name. After a dot it may be a reserved word.
    fn label(&self, column: &ComparedColumn<'a>) -> Option<String> {
        let raw = self.raw(column.label?)?;
        Some(match self.source.kind(column.label?)? {
            Kind::Word => self.quoted(raw),
            Kind::Label => self.quoted(&String::from_utf8(mysql::unquoted(raw.as_bytes())).ok()?),
            _ => raw.to_owned(),
        })
    }

    fn raw(&self, token: usize) -> Option<&'a str> {
        let token = self.source.tokens.get(token)?;
        std::str::from_utf8(token.text(self.source.text)).ok()
    }

    /// Whether what follows a query locks its rows, which are others in a query around it.
    fn locks_after(&self, last: usize) -> bool {
        let mut rest = self.source.tokens.iter().skip(last + 1);
        let next = rest.find(|token| !token.is(self.source.text, b')'));
        next.is_some_and(|token| {
            token.is_word(self.source.text, "for") || token.is_word(self.source.text, "lock")
        })
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
                true => hash_of_text(&name),
                false => name.clone(),
            });
            names.push(name);
        }
        let stays = stays(operation)?;
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

/// Which rows of the first query stay, by their `place` among equal ones and how many of the second query are equal.
fn stays(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Intersect => Some("place = 1 AND others > 0"),
        Operation::IntersectAll => Some("place <= others"),
        Operation::Except => Some("place = 1 AND others = 0"),
        Operation::ExceptAll => Some("place > others"),
        Operation::Union | Operation::UnionAll => None,
    }
}

/// What parts rows by the hash of a column.
fn part_of(column: &str) -> String {
    format!("PARTITION BY {}", hash_of_text(column))
}

/// The name of one of these columns, if it is known and no other has it.
fn own_name<'c>(column: &'c ComparedColumn<'_>, columns: &[ComparedColumn<'_>]) -> Option<&'c str> {
    let name = column.name.as_deref()?;
    let named = columns
        .iter()
        .filter(|other| other.name.as_deref() == Some(name));
    (named.count() == 1).then_some(name)
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
    named(item_of(body, at)?.1)
}

/// The token that labels a result column.
fn label_of(body: &Body, at: usize) -> Option<usize> {
    match item_of(body, at)? {
        (Some(label), _) => Some(label),
        (None, Term::Column { name, .. }) => Some(*name),
        (None, _) => None,
    }
}

/// The label and the value of a result column.
fn item_of(body: &Body, at: usize) -> Option<(Option<usize>, &Term)> {
    match body {
        Body::Select(select) => match select.items.get(..=at)? {
            [before @ .., Item::One { term, label }] => {
                let is_one = |item: &Item| matches!(item, Item::One { .. });
                before.iter().all(is_one).then_some((*label, term))
            }
            _ => None,
        },
        Body::Query(query) => item_of(&query.body, at),
        Body::Set { left, .. } => item_of(left, at),
        Body::Values(_) | Body::Write(_) => None,
    }
}

//! Definitions of tables, judged on their tokens: `CREATE TABLE`, `ALTER TABLE`, `CREATE INDEX`, `COMMENT`.
//!
//! They pass where nothing in them computes or compares a protected column: a column of that name may be defined,
//! dropped, and made NULL or NOT NULL. Its default is a value that is stored.

mod column;
mod keys;

use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::schema::Schema;
use super::scope::misused;
use crate::columns::{NewChild, Setting, Subject, Table};
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;
use std::ops::Range;
use std::sync::Arc;

pub(super) use column::DefaultValue;

/// What a definition does besides defining.
#[derive(Default)]
pub(super) struct Defined<'s> {
    /// The children of protected tables that it makes.
    pub(super) children: Vec<NewChild>,
    /// Values that are to be sealed.
    pub(super) defaults: Vec<DefaultValue<'s>>,
}

/// The verdict on a statement that defines; `None` if it is none that is known.
pub(super) fn judge<'s>(
    source: &Source<'_>,
    schema: Schema<'s>,
    named: &str,
) -> Option<Result<Defined<'s>, Refusal>> {
    let (start, end) = source.range;
    let mut definition = Definition {
        source,
        schema,
        named,
        defaults: Vec::new(),
    };
    if source.is(start, "comment") {
        return Some(Ok(Defined::default()));
    }
    if source.is(start, "alter") && source.is(start + 1, "table") {
        let verdict = definition.alter_table(start + 2..end);
        return Some(verdict.map(|()| definition.defined(Vec::new())));
    }
    if !source.is(start, "create") {
        return None;
    }
    let mut at = start + 1;
    while source.is_any(at, &["global", "local", "temp", "temporary", "unlogged"]) {
        at += 1;
    }
    if source.is(at, "table") {
        let verdict = definition.create_table(at + 1..end)?;
        return Some(verdict.map(|children| definition.defined(children)));
    }
    let unique = source.is(at, "unique");
    at += usize::from(unique);
    source.is(at, "index").then(|| {
        let verdict = definition.create_index(at + 1..end, unique);
        verdict.map(|()| Defined::default())
    })
}

struct Definition<'s, 'a> {
    source: &'a Source<'a>,
    schema: Schema<'s>,
    named: &'a str,
    defaults: Vec<DefaultValue<'s>>,
}

impl<'s> Definition<'s, '_> {
    fn defined(self, children: Vec<NewChild>) -> Defined<'s> {
        Defined {
            children,
            defaults: self.defaults,
        }
    }

    fn form(&self, what: &str) -> Refusal {
        let named = self.named;
        Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{named}\" is not supported: {what}"),
        )
        .about(Subject::of_table(named))
    }

    fn entry(&self, name: TableName) -> Option<&'s Table> {
        self.schema.table(name, self.source)
    }

    fn setting(&self, table: &'s Table, at: usize) -> Option<&'s Arc<Setting>> {
        match self.source.is_name(at) {
            true => table.setting(&token_name(at, self.source)),
            false => None,
        }
    }

    /// The first protected column of the table that is named, alone or with the whole row. Whether a value is NULL is no secret.
    fn named_in(&self, table: Option<&'s Table>, range: Range<usize>) -> Option<&'s Setting> {
        let inside = self.expressions(range.clone());
        self.named_at(table?, range, &inside)
    }

    /// The same where only expressions and lists of columns are looked into: other words are types, names of constraints and the
    /// like, also where a column has that name.
    fn named_inside(&self, table: Option<&'s Table>, range: Range<usize>) -> Option<&'s Setting> {
        let inside = self.expressions(range);
        self.named_at(table?, inside.iter().copied(), &inside)
    }

    fn named_at(
        &self,
        table: &'s Table,
        mut places: impl Iterator<Item = usize>,
        inside: &[usize],
    ) -> Option<&'s Setting> {
        let source = self.source;
        let is_tested =
            |at| source.are(at + 1, &["is", "null"]) || source.are(at + 1, &["is", "not", "null"]);
        places
            .find_map(|at| self.setting(table, at).filter(|_| !is_tested(at)))
            .or_else(|| {
                table
                    .settings()
                    .next()
                    .filter(|_| self.names_row(table, inside))
            })
            .map(|setting| &**setting)
    }

    /// Whether an expression has the table's name for its row, and not as the qualifier of a column.
    fn names_row(&self, table: &Table, inside: &[usize]) -> bool {
        let source = self.source;
        inside.iter().any(|at| {
            let qualifies = source.is_symbol(at + 1, b'.') && !source.is_symbol(at + 2, b'*');
            !qualifies && source.is_name(*at) && token_name(*at, source) == table.name()
        })
    }

    /// The places in parentheses, and those after WHERE, USING and DEFAULT, where expressions need none.
    fn expressions(&self, range: Range<usize>) -> Vec<usize> {
        let source = self.source;
        let (mut depth, mut follows) = (0_usize, false);
        range
            .filter(|at| {
                depth += usize::from(source.is_symbol(*at, b'('));
                depth = depth.saturating_sub(usize::from(source.is_symbol(*at, b')')));
                follows |= source.is_any(*at, &["where", "using", "default"]);
                depth > 0 || follows
            })
            .collect()
    }

    fn create_table(&mut self, range: Range<usize>) -> Option<Result<Vec<NewChild>, Refusal>> {
        let source = self.source;
        let skipped = if source.are(range.start, &["if", "not", "exists"]) {
            3
        } else {
            0
        };
        let (name, at) = source.table(range.start + skipped)?;
        let mut parents = Vec::new();
        let mut after = at;
        if source.are(at, &["partition", "of"]) {
            let parent;
            (parent, after) = source.table(at + 2)?;
            parents.push(parent);
        } else if !source.is_symbol(at, b'(') {
            return None;
        }
        let elements = match source.is_symbol(after, b'(') {
            true => {
                let close = source.close(after)?;
                let elements = source.list(after + 1..close);
                after = close + 1;
                elements
            }
            false => Vec::new(),
        };
        // CREATE TABLE … AS is a query.
        if (after..range.end).any(|at| source.is(at, "as")) {
            return None;
        }
        if source.is(after, "inherits") {
            let close = source.close(after + 1)?;
            for parent in source.list(after + 2..close) {
                parents.push(source.table(parent.start)?.0);
            }
            after = close + 1;
        }
        Some(self.new_table(name, &parents, elements, after..range.end))
    }

    /// A table with these columns and constraints; `rest` follows them.
    fn new_table(
        &mut self,
        name: TableName,
        parents: &[TableName],
        elements: Vec<Range<usize>>,
        rest: Range<usize>,
    ) -> Result<Vec<NewChild>, Refusal> {
        let own = self.entry(name);
        // What is written to a parent may end in the child.
        for parent in parents {
            self.covers(self.entry(*parent), own)?;
        }
        let parents: Vec<&Table> = parents
            .iter()
            .filter_map(|name| self.entry(*name))
            .collect();
        let tables: Vec<&Table> = own.into_iter().chain(parents.iter().copied()).collect();
        for element in elements {
            if self.source.is(element.start, "like")
                && let Some((like, _)) = self.source.table(element.start + 1)
                && let Some(like) = self.entry(like)
            {
                self.covers(own, Some(like))?;
                continue;
            }
            match &*tables {
                [] => self.element(None, element)?,
                tables => {
                    for table in tables {
                        self.element(Some(table), element.clone())?;
                    }
                }
            }
        }
        for table in tables {
            if let Some(setting) = self.named_in(Some(table), rest.clone()) {
                return Err(misused(setting, "is in a partition key or an option"));
            }
        }
        self.parents(rest)?;
        let mut children = Vec::new();
        for parent in parents {
            if self.covers(own, Some(parent)).is_ok() {
                continue;
            }
            if !self.schema.columns.is_told() {
                return Err(self.form("a child of it, which the database cannot be asked about: give it an entry of its own"));
            }
            let text = |name: usize| token_name(name, self.source).into_owned();
            children.push(NewChild {
                schema: name.schema.map(text),
                name: text(name.table),
                parent: (parent.schema().map(str::to_owned), parent.name().to_owned()),
            });
        }
        Ok(children)
    }

    /// That a table is protected like another one whose columns it has, or through which it is written.
    fn covers(&self, table: Option<&Table>, other: Option<&Table>) -> Result<(), Refusal> {
        let alike = |setting: &Arc<Setting>| {
            let own = table.and_then(|table| table.setting(&setting.column));
            own.is_some_and(|own| own.protects_like(setting))
        };
        match other.into_iter().flat_map(Table::settings).all(alike) {
            true => Ok(()),
            false => Err(self.form(
                "a table with its columns, or its rows, which are not protected there: give it an entry of its own",
            )),
        }
    }

    /// A column or a constraint of a table.
    fn element(&mut self, table: Option<&'s Table>, element: Range<usize>) -> Result<(), Refusal> {
        let setting = table.and_then(|table| self.setting(table, element.start));
        match setting {
            Some(setting) => self.column(setting, element.start + 1..element.end),
            None => self.constraint(table, element),
        }
    }

    /// What is no definition of a protected column.
    fn constraint(&self, table: Option<&'s Table>, element: Range<usize>) -> Result<(), Refusal> {
        if let Some(verdict) = self.key(table, element.clone()) {
            return verdict;
        }
        match self.named_inside(table, element.clone()) {
            Some(setting) => Err(in_expression(setting)),
            None => self.others(element),
        }
    }

    /// Tokens that are of no protected column. Another protected table may be named as the one that a key refers to.
    fn others(&self, range: Range<usize>) -> Result<(), Refusal> {
        let mut at = range.start;
        while at < range.end {
            if self.source.is(at, "references")
                && let Some((name, after)) = self.source.table(at + 1)
            {
                let columns = match self.source.is_symbol(after, b'(') {
                    true => self.source.close(after).unwrap_or(range.end),
                    false => after,
                };
                if let Some(setting) = self.named_in(self.entry(name), after..columns) {
                    return Err(misused(setting, "is in a foreign key"));
                }
                at = columns.max(after);
                continue;
            }
            at += 1;
        }
        Ok(())
    }

    /// What follows the columns and parents of a table names no protected one.
    fn parents(&self, range: Range<usize>) -> Result<(), Refusal> {
        let is_table = |at: usize| {
            let name = TableName {
                schema: None,
                table: at,
            };
            self.source.is_name(at) && self.entry(name).is_some()
        };
        match range.into_iter().any(is_table) {
            true => Err(self.form("its name after the columns of another table")),
            false => Ok(()),
        }
    }

    fn alter_table(&mut self, range: Range<usize>) -> Result<(), Refusal> {
        let source = self.source;
        let mut at = range.start;
        if source.are(at, &["if", "exists"]) {
            at += 2;
        }
        at += usize::from(source.is(at, "only"));
        let table = source.table(at);
        let (name, after) = table.ok_or_else(|| self.form("ALTER TABLE without a table"))?;
        let table = self.entry(name);
        for action in source.list(after..range.end) {
            self.action(table, action)?;
        }
        Ok(())
    }

    fn action(&mut self, table: Option<&'s Table>, action: Range<usize>) -> Result<(), Refusal> {
        let source = self.source;
        let start = action.start;
        let is_mysql = source.dialect.is_mysql();
        let renames_table = source.are(start, &["rename", "to"])
            || source.are(start, &["set", "schema"])
            || is_mysql
                && source.is(start, "rename")
                && !source.is_any(start + 1, &["column", "index", "key"]);
        // The table that becomes a child, and the parent: rows that the child has already stay as they are.
        let pair = match () {
            () if source.are(start, &["attach", "partition"]) => source
                .table(start + 2)
                .map(|(child, _)| (self.entry(child), table)),
            () if source.is(start, "inherit") => source
                .table(start + 1)
                .map(|(parent, _)| (table, self.entry(parent))),
            () => None,
        };
        if let Some((child, parent)) = pair {
            self.covers(child, parent)?;
            return self.covers(parent, child);
        }
        if renames_table
            || source.is_any(start, &["inherit", "attach", "detach", "of", "exchange"])
            || source.are(start, &["no", "inherit"])
        {
            return Err(self
                .form("another name, schema or parent, which the configuration would not follow"));
        }
        let action = self.without_place(action);
        if source.is(start, "rename") && self.named_in(table, action.clone()).is_some() {
            return Err(self.form(
                "another name of a protected column, which the configuration would not follow",
            ));
        }
        let mut at = start + 1;
        at += usize::from(source.is(at, "column"));
        for optional in [&["if", "not", "exists"][..], &["if", "exists"]] {
            if source.are(at, optional) {
                at += optional.len();
            }
        }
        let setting = table.and_then(|table| self.setting(table, at));
        let (Some(setting), Some(table)) = (setting, table) else {
            let added = start + usize::from(source.is(start, "add"));
            let is_known = source.is_any(start, &["add", "alter", "drop", "validate"]);
            return match self.named_in(table, action.clone()) {
                Some(setting) if !is_known => Err(in_expression(setting)),
                _ => self.constraint(table, added..action.end),
            };
        };
        let alters = |forms: &[&[&str]]| forms.iter().any(|form| source.are(at + 1, form));
        if source.is_any(start, &["add", "modify"]) {
            return self.column(setting, at + 1..action.end);
        }
        if source.is(start, "change")
            && self
                .setting(table, at + 1)
                .is_some_and(|new| Arc::ptr_eq(new, setting))
        {
            return self.column(setting, at + 2..action.end);
        }
        if source.is(start, "drop") {
            return Ok(());
        }
        if source.is(start, "alter") {
            if alters(&[&["type"], &["set", "data", "type"]]) {
                return self.column(setting, at + 1..action.end);
            }
            if alters(&[&["set", "default"]]) {
                return self.default_value(setting, at + 3..action.end).map(|_| ());
            }
            if alters(&[
                &["set", "not", "null"],
                &["drop", "not", "null"],
                &["drop", "default"],
                &["set", "statistics"],
                &["set", "storage"],
                &["set", "compression"],
            ]) {
                return Ok(());
            }
        }
        Err(in_expression(setting))
    }

    /// Without the place of a new column among the others, as MySQL has it.
    fn without_place(&self, action: Range<usize>) -> Range<usize> {
        let before = action.end.saturating_sub(2);
        let has_place = before > action.start
            && self.source.dialect.is_mysql()
            && self.source.is(before, "after")
            && self.source.is_name(before + 1);
        match has_place {
            true => action.start..before,
            false => action,
        }
    }
}

fn in_expression(setting: &Setting) -> Refusal {
    misused(setting, "is in a constraint, default or expression")
}

//! Definitions of tables, judged on their tokens: `CREATE TABLE`, `ALTER TABLE`, `CREATE INDEX`, `COMMENT`.
//!
//! They pass where nothing in them computes or compares a protected column: a column of that name may be defined,
//! dropped, and made NULL or NOT NULL.

use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::schema::Schema;
use super::scope::misused;
use crate::columns::{Likeness, NewChild, Setting, Table};
use crate::sql::Kind;
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;
use std::ops::Range;
use std::sync::Arc;

/// The verdict on a statement that defines, and the children of protected tables that it makes; `None` if it is none that is
/// known.
pub(super) fn judge(
    source: &Source<'_>,
    schema: Schema<'_>,
    named: &str,
) -> Option<Result<Vec<NewChild>, Refusal>> {
    let words = Words { source };
    let (start, end) = source.range;
    let definition = Definition {
        words,
        schema,
        named,
    };
    if words.is(start, "comment") {
        return Some(Ok(Vec::new()));
    }
    if words.is(start, "alter") && words.is(start + 1, "table") {
        let verdict = definition.alter_table(start + 2..end);
        return Some(verdict.map(|()| Vec::new()));
    }
    if !words.is(start, "create") {
        return None;
    }
    let mut at = start + 1;
    while words.is_any(at, &["global", "local", "temp", "temporary", "unlogged"]) {
        at += 1;
    }
    if words.is(at, "table") {
        return definition.create_table(at + 1..end);
    }
    at += usize::from(words.is(at, "unique"));
    words
        .is(at, "index")
        .then(|| definition.create_index(at + 1..end).map(|()| Vec::new()))
}

#[derive(Clone, Copy)]
struct Words<'s, 'a> {
    source: &'s Source<'a>,
}

impl Words<'_, '_> {
    fn is(&self, at: usize, word: &str) -> bool {
        let token = self.source.tokens.get(at);
        at < self.source.range.1 && token.is_some_and(|token| token.is_word(self.source.text, word))
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    fn are(&self, at: usize, words: &[&str]) -> bool {
        let mut places = (at..).zip(words);
        places.all(|(at, word)| self.is(at, word))
    }

    fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        let token = self.source.tokens.get(at);
        at < self.source.range.1 && token.is_some_and(|token| token.is(self.source.text, symbol))
    }

    fn is_name(&self, at: usize) -> bool {
        at < self.source.range.1 && self.source.kind(at).is_some_and(|kind| kind.is_name())
    }

    /// A name with dots, and the place after it.
    fn table(&self, mut at: usize) -> Option<(TableName, usize)> {
        let mut names = Vec::new();
        loop {
            if !self.is_name(at) {
                return None;
            }
            names.push(at);
            at += 1;
            if !self.is_symbol(at, b'.') {
                break;
            }
            at += 1;
        }
        let table = names.pop()?;
        let schema = names.pop();
        Some((TableName { schema, table }, at))
    }

    /// The place of the parenthesis that closes the one at `at`.
    fn close(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (at..self.source.range.1).find(|at| {
            depth += usize::from(self.is_symbol(*at, b'('));
            let closes = self.is_symbol(*at, b')');
            depth = depth.saturating_sub(usize::from(closes));
            closes && depth == 0
        })
    }

    /// What is between commas that are in no parentheses.
    fn list(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, range.start);
        for at in range.clone() {
            depth += usize::from(self.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(self.is_symbol(at, b')')));
            if depth == 0 && self.is_symbol(at, b',') {
                parts.push(from..at);
                from = at + 1;
            }
        }
        parts.push(from..range.end);
        parts
    }
}

/// Tokens of `substr(column, 1, 33)`.
const PART: usize = 8;

fn indexed(setting: &Setting) -> Refusal {
    let refusal = misused(
        setting,
        "is in an index, where encrypted values are never equal and have no order",
    );
    match setting.likeness() {
        Some(Likeness::Hash) => refusal.with_hint(&format!(
            "Make the index on the hash that it is searched by: substr({}, 1, 33).",
            setting.column
        )),
        _ => refusal,
    }
}

struct Definition<'s, 'a> {
    words: Words<'s, 'a>,
    schema: Schema<'s>,
    named: &'s str,
}

impl<'s> Definition<'s, '_> {
    fn form(&self, what: &str) -> Refusal {
        let named = self.named;
        Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{named}\" is not supported: {what}"),
        )
    }

    fn entry(&self, name: TableName) -> Option<&'s Table> {
        self.schema.table(name, self.words.source)
    }

    fn setting(&self, table: &'s Table, at: usize) -> Option<&'s Arc<Setting>> {
        match self.words.is_name(at) {
            true => table.setting(&token_name(at, self.words.source)),
            false => None,
        }
    }

    /// The first protected column of the table that is named, alone or with the whole row.
    fn named_in(&self, table: Option<&'s Table>, mut range: Range<usize>) -> Option<&'s Setting> {
        let table = table?;
        let whole_row = self.names_row(table, range.clone());
        range
            .find_map(|at| self.setting(table, at))
            .or_else(|| table.settings().next().filter(|_| whole_row))
            .map(|setting| &**setting)
    }

    /// Whether an expression has the table's name for its row, and not as the qualifier of a column.
    fn names_row(&self, table: &Table, range: Range<usize>) -> bool {
        let words = self.words;
        let (mut depth, mut follows) = (0_usize, false);
        range.into_iter().any(|at| {
            depth += usize::from(words.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(words.is_symbol(at, b')')));
            // The other expressions of definitions are in parentheses.
            follows |= words.is_any(at, &["where", "using"]);
            let qualifies = words.is_symbol(at + 1, b'.') && !words.is_symbol(at + 2, b'*');
            (depth > 0 || follows)
                && !qualifies
                && words.is_name(at)
                && token_name(at, words.source) == table.name()
        })
    }

    fn create_table(&self, range: Range<usize>) -> Option<Result<Vec<NewChild>, Refusal>> {
        let words = self.words;
        let skipped = if words.are(range.start, &["if", "not", "exists"]) {
            3
        } else {
            0
        };
        let (name, at) = words.table(range.start + skipped)?;
        let mut parents = Vec::new();
        let mut after = at;
        if words.are(at, &["partition", "of"]) {
            let parent;
            (parent, after) = words.table(at + 2)?;
            parents.push(parent);
        } else if !words.is_symbol(at, b'(') {
            return None;
        }
        let elements = match words.is_symbol(after, b'(') {
            true => {
                let close = words.close(after)?;
                let elements = words.list(after + 1..close);
                after = close + 1;
                elements
            }
            false => Vec::new(),
        };
        // CREATE TABLE … AS is a query.
        if (after..range.end).any(|at| words.is(at, "as")) {
            return None;
        }
        if words.is(after, "inherits") {
            let close = words.close(after + 1)?;
            for parent in words.list(after + 2..close) {
                parents.push(words.table(parent.start)?.0);
            }
            after = close + 1;
        }
        Some(self.new_table(name, &parents, elements, after..range.end))
    }

    /// A table with these columns and constraints; `rest` follows them.
    fn new_table(
        &self,
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
            if self.words.is(element.start, "like")
                && let Some((like, _)) = self.words.table(element.start + 1)
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
            let text = |name: usize| token_name(name, self.words.source).into_owned();
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
    fn element(&self, table: Option<&'s Table>, element: Range<usize>) -> Result<(), Refusal> {
        let setting = table.and_then(|table| self.setting(table, element.start));
        match setting {
            Some(setting) => self.column(setting, element.start + 1..element.end),
            None => match self.named_in(table, element.clone()) {
                Some(setting) => Err(misused(
                    setting,
                    "is in a constraint, default or expression",
                )),
                None => self.others(element),
            },
        }
    }

    /// The type and constraints of a protected column.
    fn column(&self, setting: &Setting, definition: Range<usize>) -> Result<(), Refusal> {
        const COMPARE: [&str; 4] = ["unique", "primary", "references", "exclude"];
        const COMPUTE: [&str; 4] = ["default", "check", "generated", "using"];
        for at in definition {
            if self.words.is_any(at, &COMPARE) {
                return Err(misused(
                    setting,
                    "is in a key or unique constraint, where encrypted values are never equal",
                ));
            }
            if self.words.is_any(at, &COMPUTE) {
                return Err(misused(
                    setting,
                    "has a default, a check or an expression, which the database computes in clear",
                ));
            }
        }
        Ok(())
    }

    /// Tokens that are of no protected column. Another protected table may be named as the one that a key refers to.
    fn others(&self, range: Range<usize>) -> Result<(), Refusal> {
        let mut at = range.start;
        while at < range.end {
            if self.words.is(at, "references")
                && let Some((name, after)) = self.words.table(at + 1)
            {
                let columns = match self.words.is_symbol(after, b'(') {
                    true => self.words.close(after).unwrap_or(range.end),
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
            self.words.is_name(at) && self.entry(name).is_some()
        };
        match range.into_iter().any(is_table) {
            true => Err(self.form("its name after the columns of another table")),
            false => Ok(()),
        }
    }

    fn create_index(&self, range: Range<usize>) -> Result<(), Refusal> {
        let words = self.words;
        let on = range.clone().find(|at| words.is(*at, "on"));
        let on = on.ok_or_else(|| self.form("an index without a table"))?;
        let only = usize::from(words.is(on + 1, "only"));
        let table = words.table(on + 1 + only);
        let (name, after) = table.ok_or_else(|| self.form("an index without a table"))?;
        let table = self.entry(name);
        let mut start = after;
        // Parts of what a searchable column stores are no secret; one is the hash that it is searched by.
        while let Some(part) = (start..range.end).find(|at| self.is_part(table, *at)) {
            if let Some(setting) = self.named_in(table, start..part) {
                return Err(indexed(setting));
            }
            start = part + PART;
        }
        match self.named_in(table, start..range.end) {
            Some(setting) => Err(indexed(setting)),
            None => Ok(()),
        }
    }

    /// Whether this begins `substr(column, 1, 33)` of a searchable column.
    fn is_part(&self, table: Option<&'s Table>, at: usize) -> bool {
        let words = self.words;
        let setting = table.and_then(|table| self.setting(table, at + 2));
        let is_number = |at| words.source.kind(at) == Some(Kind::Number);
        setting.is_some_and(|setting| setting.likeness() == Some(Likeness::Hash))
            && words.is(at, "substr")
            && words.is_symbol(at + 1, b'(')
            && words.is_symbol(at + 3, b',')
            && is_number(at + 4)
            && words.is_symbol(at + 5, b',')
            && is_number(at + 6)
            && words.is_symbol(at + 7, b')')
    }

    fn alter_table(&self, range: Range<usize>) -> Result<(), Refusal> {
        let words = self.words;
        let mut at = range.start;
        if words.are(at, &["if", "exists"]) {
            at += 2;
        }
        at += usize::from(words.is(at, "only"));
        let table = words.table(at);
        let (name, after) = table.ok_or_else(|| self.form("ALTER TABLE without a table"))?;
        let table = self.entry(name);
        for action in words.list(after..range.end) {
            self.action(table, action)?;
        }
        Ok(())
    }

    fn action(&self, table: Option<&'s Table>, action: Range<usize>) -> Result<(), Refusal> {
        let words = self.words;
        let start = action.start;
        let renames_table = words.are(start, &["rename", "to"])
            || words.is(start, "set") && words.is(start + 1, "schema");
        // The table that becomes a child, and the parent: rows that the child has already stay as they are.
        let pair = match () {
            () if words.are(start, &["attach", "partition"]) => words
                .table(start + 2)
                .map(|(child, _)| (self.entry(child), table)),
            () if words.is(start, "inherit") => words
                .table(start + 1)
                .map(|(parent, _)| (table, self.entry(parent))),
            () => None,
        };
        if let Some((child, parent)) = pair {
            self.covers(child, parent)?;
            return self.covers(parent, child);
        }
        if renames_table
            || words.is_any(start, &["inherit", "attach", "detach", "of"])
            || words.are(start, &["no", "inherit"])
        {
            return Err(self
                .form("another name, schema or parent, which the configuration would not follow"));
        }
        let Some(setting) = self.named_in(table, action.clone()) else {
            return self.others(action);
        };
        let mut at = start + 1;
        at += usize::from(words.is(at, "column"));
        for optional in [&["if", "not", "exists"][..], &["if", "exists"]] {
            if words.are(at, optional) {
                at += optional.len();
            }
        }
        let is_column = table.is_some_and(|table| self.setting(table, at).is_some());
        let rest = at + 1..action.end;
        let alters = |forms: &[&[&str]]| forms.iter().any(|form| words.are(at + 1, form));
        if is_column && words.is(start, "add") {
            return self.column(setting, rest);
        }
        if is_column && words.is(start, "drop") {
            return Ok(());
        }
        if is_column && words.is(start, "alter") {
            if alters(&[&["type"], &["set", "data", "type"]]) {
                return self.column(setting, rest);
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
        if words.is(start, "rename") {
            return Err(self.form(
                "another name of a protected column, which the configuration would not follow",
            ));
        }
        Err(misused(
            setting,
            "is in a constraint, default or expression",
        ))
    }
}

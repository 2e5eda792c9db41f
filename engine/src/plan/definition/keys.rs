//! Indexes, keys and unique constraints: what of a protected column has equal values.

use super::super::refusal::Refusal;
use super::super::scope::misused;
use super::Definition;
use crate::columns::{Likeness, Setting, Table};
use crate::sql::Kind;
use std::ops::Range;
use std::sync::Arc;

/// Tokens of `substr(column, 1, 33)`.
const PART: usize = 8;

impl<'s> Definition<'s, '_> {
    /// A column whose stored values are never equal where they are compared.
    pub(super) fn incomparable(&self, setting: &Setting, how: &str) -> Refusal {
        let refusal = misused(setting, how);
        if setting.likeness() != Some(Likeness::Hash) {
            return refusal;
        }
        let mut hash = format!("substr({}, 1, 33)", setting.column);
        if self.source.dialect.is_mysql() {
            hash = format!("(convert({hash}, binary))");
        }
        refusal.with_hint(&format!(
            "Make an index, unique or not, on the hash that it is searched by: {hash}."
        ))
    }

    fn unindexed(&self, setting: &Setting) -> Refusal {
        self.incomparable(
            setting,
            "is in an index, where encrypted values are never equal and have no order",
        )
    }

    /// `CREATE INDEX`, without these words.
    pub(super) fn create_index(&self, range: Range<usize>, unique: bool) -> Result<(), Refusal> {
        let source = self.source;
        let on = range.clone().find(|at| source.is(*at, "on"));
        let on = on.ok_or_else(|| self.form("an index without a table"))?;
        let only = usize::from(source.is(on + 1, "only"));
        let table = source.table(on + 1 + only);
        let (name, after) = table.ok_or_else(|| self.form("an index without a table"))?;
        self.parts(self.entry(name), after..range.end, unique)
    }

    /// A key or unique constraint of a table; `None` if it is none.
    pub(super) fn key(
        &self,
        table: Option<&'s Table>,
        element: Range<usize>,
    ) -> Option<Result<(), Refusal>> {
        let source = self.source;
        let mut at = element.start;
        if source.is(at, "constraint") {
            at += 1;
            at += usize::from(
                source.is_name(at) && !source.is_any(at, &["unique", "primary", "foreign"]),
            );
        }
        if source.are(at, &["foreign", "key"]) {
            return Some(self.foreign(table, at + 2..element.end));
        }
        let unique = source.is_any(at, &["unique", "primary"]);
        (unique || source.is_any(at, &["key", "index"]))
            .then(|| self.parts(table, at + 1..element.end, unique))
    }

    /// The columns of an index in parentheses, and what is around them.
    fn parts(
        &self,
        table: Option<&'s Table>,
        range: Range<usize>,
        unique: bool,
    ) -> Result<(), Refusal> {
        let source = self.source;
        let open = range.clone().find(|at| source.is_symbol(*at, b'('));
        let close = open.and_then(|open| source.close(open));
        let (Some(open), Some(close)) = (open, close) else {
            return self.unnamed(table, range);
        };
        for part in source.list(open + 1..close) {
            self.part(table, part, unique)?;
        }
        self.unnamed(table, close + 1..range.end)
    }

    fn part(
        &self,
        table: Option<&'s Table>,
        part: Range<usize>,
        unique: bool,
    ) -> Result<(), Refusal> {
        let source = self.source;
        let mut start = part.start;
        let setting = table.and_then(|table| self.setting(table, start));
        if setting.is_some_and(|setting| setting.likeness() == Some(Likeness::Token)) {
            // Different tokens may begin alike.
            let begins = source.is_symbol(start + 1, b'(');
            if !(begins && unique) {
                start += 1;
            }
        }
        // Parts of what a searchable column stores are no secret; one is the hash that it is searched by.
        while let Some(part) = (start..part.end).find(|at| self.is_part(table, *at)) {
            self.unnamed(table, start..part)?;
            start = part + PART;
        }
        self.unnamed(table, start..part.end)
    }

    /// That no protected column is named.
    fn unnamed(&self, table: Option<&'s Table>, range: Range<usize>) -> Result<(), Refusal> {
        match self.named_in(table, range) {
            Some(setting) => Err(self.unindexed(setting)),
            None => Ok(()),
        }
    }

    /// Whether this begins `substr(column, 1, 33)` of a searchable column.
    fn is_part(&self, table: Option<&'s Table>, at: usize) -> bool {
        let source = self.source;
        let setting = table.and_then(|table| self.setting(table, at + 2));
        let is_number = |at| source.kind(at) == Some(Kind::Number);
        setting.is_some_and(|setting| setting.likeness() == Some(Likeness::Hash))
            && source.is(at, "substr")
            && source.is_symbol(at + 1, b'(')
            && source.is_symbol(at + 3, b',')
            && is_number(at + 4)
            && source.is_symbol(at + 5, b',')
            && is_number(at + 6)
            && source.is_symbol(at + 7, b')')
    }

    /// What follows FOREIGN KEY.
    fn foreign(&self, table: Option<&'s Table>, range: Range<usize>) -> Result<(), Refusal> {
        let source = self.source;
        let references = range.clone().find(|at| source.is(*at, "references"));
        let references = references.unwrap_or(range.end);
        let open = (range.start..references).find(|at| source.is_symbol(*at, b'('));
        let close = open.and_then(|open| source.close(open));
        let columns = match (open, close) {
            (Some(open), Some(close)) => self.columns(table, open + 1..close),
            _ => Vec::new(),
        };
        let after = self.refers(&columns, references)?;
        match self.named_in(table, after..range.end) {
            // ON DELETE SET NULL (column).
            Some(setting) if setting.likeness() != Some(Likeness::Token) => Err(elsewhere(setting)),
            _ => Ok(()),
        }
    }

    /// The settings of the columns in a list; `None` of those that are not protected.
    fn columns(
        &self,
        table: Option<&'s Table>,
        list: Range<usize>,
    ) -> Vec<Option<&'s Arc<Setting>>> {
        let columns = self.source.list(list).into_iter();
        columns
            .map(|column| self.setting(table?, column.start))
            .collect()
    }

    /// That the columns which the word REFERENCES at `at` leads to have the same tokens as `columns`; the place after them.
    pub(super) fn refers(
        &self,
        columns: &[Option<&Arc<Setting>>],
        at: usize,
    ) -> Result<usize, Refusal> {
        let source = self.source;
        let table = source.table(at + 1);
        let (name, after) = table.ok_or_else(|| self.form("a foreign key without a table"))?;
        let (others, after) = match source.close(after) {
            Some(close) if source.is_symbol(after, b'(') => {
                (self.columns(self.entry(name), after + 1..close), close)
            }
            _ => (Vec::new(), after),
        };
        for place in 0..columns.len().max(others.len()) {
            let of = |list: &[Option<&Arc<Setting>>]| list.get(place).copied().flatten().cloned();
            match (of(columns), of(&others)) {
                (None, None) => {}
                (Some(own), Some(other))
                    if own.is_like(&other) && own.likeness() == Some(Likeness::Token) => {}
                (Some(setting), _) | (None, Some(setting)) => return Err(elsewhere(&setting)),
            }
        }
        Ok(after)
    }
}

fn elsewhere(setting: &Setting) -> Refusal {
    misused(
        setting,
        "is in a foreign key with a column that has other tokens, or none",
    )
}

//! Hashes that the database keeps in a column of their own (`search_column`).
//!
//! The cell of a searchable column stays what it is, and the database makes the hash column of it, so only comparisons are other
//! ones. The column is there where the table itself is read: a sub-select, a view or a list of column aliases may not pass it on,
//! and the front of the cell is compared then, which is equal to it.

use super::compare::hash_of_text;
use super::names::quoted_in;
use super::resolve::Resolver;
use super::scope::{Rel, Scope};
use crate::columns::Setting;
use std::sync::Arc;

impl<'a> Resolver<'a> {
    /// The column with the hashes of a column of this relation.
    fn search_column(&self, rel: &Rel<'a>, column: &str) -> Option<&'a str> {
        let mut named = rel.rows.named(column);
        let (Some(flow), None, true) = (named.next(), named.next(), rel.is_table) else {
            return None;
        };
        let [setting] = self.flows.settings(flow) else {
            return None;
        };
        let setting: &'a Arc<Setting> = setting;
        let hashes = setting.search_column.as_deref()?;
        // Where all columns are known it may turn out not to be there.
        let is_there = rel.rows.open.is_some() || rel.rows.named(hashes).next().is_some();
        is_there.then_some(hashes)
    }

    /// Notes what the name of a column becomes where its hash is compared.
    pub(super) fn note_hash_column(
        &mut self,
        token: usize,
        qualifier: Option<&str>,
        name: &str,
        scope: &Scope<'_, 'a>,
    ) {
        let Some(rel) = scope.holder(qualifier, name) else {
            return;
        };
        let Some(hashes) = self.search_column(&rel, name) else {
            return;
        };
        let hashes = self.quoted(hashes);
        let text = match (&rel.name, qualifier) {
            // Another relation may have a column of this name.
            (Some(table), None) if !scope.has_one_relation() => {
                format!("{}.{hashes}", self.quoted(table))
            }
            _ => hashes,
        };
        self.hash_columns.insert(token, text);
    }

    /// The text of the hash of a column that the text names.
    pub(super) fn hash_of_named(&self, name: usize) -> Option<String> {
        let mut column = self.column_text(name)?;
        let Some(hashes) = self.hash_columns.get(&name) else {
            return Some(hash_of_text(&column));
        };
        let own = self.source.tokens.get(name)?.text(self.source.text).len();
        column.truncate(column.len().checked_sub(own)?);
        column.push_str(hashes);
        Some(column)
    }

    /// The text of the hash of a column of a relation.
    pub(super) fn hash_of(&self, rel: &Rel<'a>, column: &str) -> Option<String> {
        let table = self.quoted(rel.name.as_deref()?);
        Some(match self.search_column(rel, column) {
            Some(hashes) => format!("{table}.{}", self.quoted(hashes)),
            None => hash_of_text(&format!("{table}.{}", self.quoted(column))),
        })
    }

    /// A name in the quotes of the dialect.
    pub(super) fn quoted(&self, name: &str) -> String {
        quoted_in(self.source.dialect, name)
    }
}

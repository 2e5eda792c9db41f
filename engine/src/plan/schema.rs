//! What is known of tables: their protection, and their columns in order.

use super::names::token_name;
use crate::columns::{Columns, Table};
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;

/// Answers for the tables of one statement, by what the database has told and the configuration lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'a> {
    pub(super) columns: &'a Columns,
    /// The schema of names without one, if the session knows it.
    pub(super) current: Option<&'a str>,
}

impl<'a> Schema<'a> {
    /// The entry of a protected table.
    pub(super) fn table(self, name: TableName, source: &Source<'_>) -> Option<&'a Table> {
        let schema = name.schema.map(|schema| token_name(schema, source));
        self.columns
            .table(schema.as_deref(), &token_name(name.table, source))
    }

    /// The names of all columns in their order, if that is known. `name` is what a statement calls the table.
    pub(super) fn columns_of(
        self,
        table: &'a Table,
        name: TableName,
        source: &Source<'_>,
    ) -> Option<&'a [String]> {
        let listed = match table.is_disputed() {
            false => table.columns()?,
            true => {
                let written = name.schema.map(|schema| token_name(schema, source));
                table.columns_in(written.as_deref().or(self.current)?)?
            }
        };
        if listed.is_empty() {
            return None;
        }
        // A list without a protected column is not that of the table.
        table
            .settings()
            .all(|setting| listed.contains(&setting.column))
            .then_some(listed)
    }
}

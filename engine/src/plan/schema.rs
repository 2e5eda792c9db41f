//! What is known of tables: their protection, and their columns in order.

use super::names::token_name;
use crate::columns::{Columns, Table};
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;

/// Answers for the tables of one statement, by what the database has told and the configuration lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'a> {
    pub(super) columns: &'a Columns,
}

impl<'a> Schema<'a> {
    /// The entry of a protected table.
    pub(super) fn table(self, name: TableName, source: &Source<'_>) -> Option<&'a Table> {
        let schema = name.schema.map(|schema| token_name(schema, source));
        self.columns
            .table(schema.as_deref(), &token_name(name.table, source))
    }

    /// The names of all columns in their order, if that is known.
    pub(super) fn columns_of(self, table: &'a Table) -> Option<&'a [String]> {
        let listed = table
            .columns()
            .filter(|listed| !listed.is_empty() && !table.is_disputed())?;
        // A list without a protected column is not that of the table.
        table
            .settings()
            .all(|setting| listed.contains(&setting.column))
            .then_some(listed)
    }
}

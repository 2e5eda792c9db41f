//! What a message is about.

use super::setting::Setting;

/// A table, or a column of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The table, with its schema if its entry has one.
    pub table: Box<str>,
    /// The column.
    pub column: Option<Box<str>>,
}

impl Subject {
    /// A table as a whole.
    pub fn of_table(table: &str) -> Self {
        Self {
            table: table.into(),
            column: None,
        }
    }
}

impl Setting {
    /// The column that it is the setting of.
    pub fn subject(&self) -> Subject {
        Subject {
            table: self.table.as_str().into(),
            column: Some(self.column.as_str().into()),
        }
    }
}

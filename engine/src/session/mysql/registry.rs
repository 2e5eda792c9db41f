//! Prepared statements of a session, by number: what is needed to read rows that come without definitions.

use super::columns::Columns;
use crate::wire::mysql::execute::LAST_PREPARED;
use std::collections::HashMap;
use std::sync::Arc;

/// What an entry costs beside its columns, in bytes; a round figure on the safe side.
const ENTRY: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Registry {
    statements: HashMap<u32, Arc<Columns>, foldhash::fast::RandomState>,
    /// What MariaDB's clients call −1.
    last: Option<u32>,
    bytes: usize,
}

impl Registry {
    /// Whether another statement may be prepared.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.bytes + ENTRY <= limit
    }

    /// The server has prepared a statement.
    pub(super) fn add(&mut self, statement: u32, columns: Arc<Columns>) {
        self.last = Some(statement);
        self.set(statement, columns);
    }

    /// The columns that a statement's rows have from now on. One that has been closed meanwhile is not entered again.
    pub(super) fn update(&mut self, statement: u32, columns: Arc<Columns>) {
        let statement = self.resolve(statement);
        if self.statements.contains_key(&statement) {
            self.set(statement, columns);
        }
    }

    /// The statement that a client means by this number.
    fn resolve(&self, statement: u32) -> u32 {
        match statement {
            LAST_PREPARED => self.last.unwrap_or(statement),
            statement => statement,
        }
    }

    fn set(&mut self, statement: u32, columns: Arc<Columns>) {
        self.bytes += ENTRY + columns.cost();
        if let Some(former) = self.statements.insert(statement, columns) {
            self.bytes = self.bytes.saturating_sub(ENTRY + former.cost());
        }
    }

    pub(super) fn columns(&self, statement: u32) -> Option<&Arc<Columns>> {
        self.statements.get(&self.resolve(statement))
    }

    pub(super) fn remove(&mut self, statement: u32) {
        if let Some(former) = self.statements.remove(&statement) {
            self.bytes = self.bytes.saturating_sub(ENTRY + former.cost());
        }
    }

    /// The server has forgotten all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

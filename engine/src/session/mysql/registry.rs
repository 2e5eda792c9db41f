//! Prepared statements of a session, by number: what is needed to change their parameters and to read rows that come without
//! definitions. Those that are prepared in SQL, by name; and what variables can be given to them.

use super::columns::Columns;
use crate::columns::Setting;
use crate::plan::Plan;
use crate::session::choices::Choices;
use crate::wire::mysql::execute::{LAST_PREPARED, ParameterType};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What an entry costs beside its columns, in bytes; a round figure on the safe side.
const ENTRY: usize = 128;

/// And what a choice costs, with the id of a client.
const CHOICE: usize = 320;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// What is done to its parameters and its results; `None`: nothing is known of it, since the configuration has changed.
    pub(super) plan: Option<Arc<Plan>>,
    pub(super) columns: Arc<Columns>,
    /// What it does to the client's choice.
    pub(super) choices: Choices,
    /// What may be told of it.
    pub(super) outline: Option<Box<str>>,
    /// How many parameters it has.
    pub(super) parameters: usize,
    /// Their types as the client gave them last.
    pub(super) types: Vec<ParameterType<'static>>,
    /// What the client has sent of parameters in parts, since it was last executed; nothing of those that passed.
    pub(super) parts: BTreeMap<usize, Option<Zeroizing<Vec<u8>>>>,
}

impl Statement {
    /// What it costs, in bytes.
    fn cost(&self) -> usize {
        let outline = self.outline.as_ref().map_or(0, |outline| outline.len());
        ENTRY
            + outline
            + self.columns.cost()
            + self.choices.len() * CHOICE
            + self.parameters * size_of::<ParameterType<'_>>()
    }

    /// Bytes of parameters that are held.
    pub(super) fn held(&self) -> usize {
        self.parts.values().flatten().map(|part| part.len()).sum()
    }
}

/// A statement that is prepared in SQL.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// What is done to its arguments and its results.
    pub(super) plan: Arc<Plan>,
    /// It may change definitions.
    pub(super) redefines: bool,
}

/// A user variable that has a value of a protected column as the column stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) setting: Arc<Setting>,
    /// Whose keys have protected it.
    pub(super) owner: Box<str>,
}

/// What a text does to names, in its order.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Statements that get names, or lose them.
    pub(super) statements: Vec<(Box<[u8]>, Option<Named>)>,
    /// Variables that get values of protected columns.
    pub(super) variables: Vec<(Box<str>, Variable)>,
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.variables.is_empty()
    }
}

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Name {
    Known(Named),
    /// One of several statements, or none.
    Doubtful,
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    names: HashMap<Box<[u8]>, Name, foldhash::fast::RandomState>,
    variables: HashMap<Box<str>, Variable, foldhash::fast::RandomState>,
    statements: HashMap<u32, Statement, foldhash::fast::RandomState>,
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
    pub(super) fn add(&mut self, number: u32, statement: Statement) {
        self.last = Some(number);
        self.bytes += statement.cost();
        if let Some(former) = self.statements.insert(number, statement) {
            self.bytes = self.bytes.saturating_sub(former.cost());
        }
    }

    /// The columns that a statement's rows have from now on. One that has been closed meanwhile is not entered again.
    pub(super) fn update(&mut self, number: u32, columns: Arc<Columns>) {
        let number = self.resolve(number);
        if let Some(statement) = self.statements.get_mut(&number) {
            self.bytes = self.bytes.saturating_sub(statement.cost());
            statement.columns = columns;
            self.bytes += statement.cost();
        }
    }

    /// What may be told of a statement.
    pub(super) fn is_told_by(&mut self, number: u32, outline: Option<Box<str>>) {
        if let Some(statement) = self.statements.get_mut(&number) {
            self.bytes = self.bytes.saturating_sub(statement.cost());
            statement.outline = outline;
            self.bytes += statement.cost();
        }
    }

    /// The statement that a client means by this number.
    fn resolve(&self, number: u32) -> u32 {
        match number {
            LAST_PREPARED => self.last.unwrap_or(number),
            number => number,
        }
    }

    pub(super) fn statement(&self, number: u32) -> Option<&Statement> {
        self.statements.get(&self.resolve(number))
    }

    pub(super) fn statement_mut(&mut self, number: u32) -> Option<&mut Statement> {
        let number = self.resolve(number);
        self.statements.get_mut(&number)
    }

    pub(super) fn columns(&self, number: u32) -> Option<&Arc<Columns>> {
        self.statement(number).map(|statement| &statement.columns)
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(former) = self.statements.remove(&number) {
            self.bytes = self.bytes.saturating_sub(former.cost());
        }
    }

    /// What a name stands for; `None`: it has not been given.
    pub(super) fn named(&self, name: &[u8]) -> Option<&Name> {
        self.names.get(name)
    }

    /// A name stands for this from now on.
    pub(super) fn give(&mut self, name: Box<[u8]>, stands_for: Name) {
        let cost = ENTRY + name.len();
        if self.names.insert(name, stands_for).is_none() {
            self.bytes += cost;
        }
    }

    /// A name stands for nothing from now on.
    pub(super) fn take_back(&mut self, name: &[u8]) {
        if self.names.remove(name).is_some() {
            self.bytes = self.bytes.saturating_sub(ENTRY + name.len());
        }
    }

    /// What a variable has; `None`: it is not known.
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// A variable has this from now on.
    pub(super) fn set(&mut self, name: Box<str>, variable: Variable) {
        let cost = ENTRY + name.len();
        if self.variables.insert(name, variable).is_none() {
            self.bytes += cost;
        }
    }

    /// What a variable has is not known from now on.
    pub(super) fn unset(&mut self, name: &str) {
        if self.variables.remove(name).is_some() {
            self.bytes = self.bytes.saturating_sub(ENTRY + name.len());
        }
    }

    /// What variables have is not known from now on.
    pub(super) fn forget_variables(&mut self) {
        for name in std::mem::take(&mut self.variables).into_keys() {
            self.bytes = self.bytes.saturating_sub(ENTRY + name.len());
        }
    }

    /// The server has forgotten all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The plans of all of them are no longer right, nor is what is known of variables.
    pub(super) fn forget_plans(&mut self) {
        self.forget_variables();
        for statement in self.statements.values_mut() {
            statement.plan = None;
        }
        for name in self.names.values_mut() {
            *name = Name::Doubtful;
        }
    }
}

//! Facts and column settings → what is done to a statement.
//!
//! A [`Plan`] belongs to a shape, not to a text: it says what happens to the literal of each slot, to each parameter
//! and to the session. It knows nothing of messages, keys or containers. What is not understood and may concern a
//! protected column is refused (docs/architecture.md, "Fail closed").

mod arrays;
mod cast;
mod choice;
mod compare;
mod copy;
mod decide;
mod definition;
mod edits;
mod examples;
mod execute;
mod explain;
mod flow;
mod glance;
mod group;
mod hash_column;
mod join;
mod like;
mod literals;
mod load;
mod mention;
mod names;
mod outline;
mod params;
mod planner;
mod planners;
mod query;
mod refusal;
mod relation;
mod resolve;
mod results;
mod run;
mod schema;
mod scope;
mod sets;
mod settle;
mod store;
mod term;
mod variables;
mod view;
mod weight;

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod tests;

pub use crate::sql::effects::{NameEffect, RowsOf};
pub use crate::sql::facts::tree::CastType;
pub use crate::sql::{ClientEncoding, Dialect as SqlDialect, Edit, Lexical, MySql};
pub use choice::{Choice, Unclear, choices, is_variable, may_choose};
pub use copy::{Copy, CopyColumn, CopyFormat, CopyIn, CopyOut, Dialect};
pub use edits::edited;
pub use execute::arguments;
pub use explain::{ChangedLiteral, Explanation, ResultColumn};
pub use glance::Glance;
pub use like::{Pattern, part};
pub use literals::{LiteralKind, LiteralValue, PatternPlace};
pub use load::{Load, LoadDialect, LoadTarget};
pub use names::quoted_in;
pub use outline::outline;
pub use planner::{Planner, Scratch, Unsupported};
pub use planners::{Catalog, Claim, Planners};
pub use refusal::{Refusal, RefusalCode};
pub use results::Results;
pub use run::Run;
pub use variables::Assigned;

use crate::columns::{NewChild, Setting};
use edits::{Insertion, Number};
use like::PatternAt;
use literals::Written;
pub(crate) use load::FAILURE;
use std::sync::Arc;

/// What happens to a statement's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as it is.
    Forward,
    /// Some of its literals are sealed, or some of its comparisons are those of hashes.
    Rewrite,
    /// It does not reach the server.
    Refuse(Refusal),
    /// It would be refused, but passes as it is and is reported.
    Observe(Refusal),
}

/// What a value is to its protected column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is stored in the column, and becomes what the column stores.
    Stored,
    /// The column is compared with it, and it becomes what equal values have in common.
    Compared,
    /// It is a pattern of `LIKE`, and becomes that if it has no wildcard; for its wildcard at the end see
    /// [`LiteralValue::pattern`].
    Pattern,
}

/// A parameter whose values are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamAction {
    /// Its number, from 1 on.
    pub number: u16,
    /// The column that it is a value of.
    pub setting: Arc<Setting>,
    /// What it is to the column.
    pub role: Role,
    /// It is an array whose elements are the values.
    pub elements: bool,
    /// The type that it is cast to.
    pub cast: Option<CastType>,
}

/// What happens to the literal of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SlotAction {
    setting: Arc<Setting>,
    role: Role,
    written: Written,
    /// The type that it is cast to.
    cast: Option<CastType>,
    /// What is around a pattern.
    pattern: Option<PatternAt>,
}

/// What is done to the texts of one shape, to the values that are bound to them, and to the session.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What happens to the text.
    pub verdict: Verdict,
    /// Parameters whose values are changed, by their numbers.
    pub params: Vec<ParamAction>,
    /// Changes of the names of prepared statements and cursors, in the order of the text.
    pub names: Vec<NameEffect>,
    /// The plan of each statement to which the text gives a name, in the order of the text.
    pub prepared: Vec<Arc<Plan>>,
    /// Prepared statements that the text executes.
    pub executes: Vec<Box<[u8]>>,
    /// Whether it is one statement, which holds no others.
    pub alone: bool,
    /// A string of it that is a text of its own, and planned as such.
    pub run: Option<Run>,
    /// The copies with the client, in the order of the text.
    pub copies: Vec<Copy>,
    /// Tables that it makes children of protected ones.
    pub children: Vec<NewChild>,
    /// What results are, where it matters, by the numbers of their statements.
    results: Vec<(usize, Results)>,
    /// Statements whose rows are those of another one, by their numbers; told only where columns are mapped.
    rows_of: Vec<(usize, RowsOf)>,
    /// Whether it may change how later texts are read.
    pub may_change_settings: bool,
    /// Whether it names a protected table.
    pub protected: bool,
    /// Variables that get values of protected columns.
    assigned: Vec<Assigned>,
    /// It is an `EXECUTE` that gives variables for protected columns to parameters.
    gives_variables: bool,
    /// It passes although variables for protected columns may get other values by it.
    loses_variables: bool,
    /// By slot of the shape; shorter than the slots if nothing happens to the rest.
    slots: Vec<Option<SlotAction>>,
    /// What else of the text is changed, in its order.
    insertions: Vec<Insertion>,
    /// Slots of numbers that must be what they are taken for.
    numbers: Vec<Number>,
}

impl Plan {
    /// Nothing is done.
    pub fn forward() -> Self {
        Self {
            verdict: Verdict::Forward,
            params: Vec::new(),
            names: Vec::new(),
            prepared: Vec::new(),
            executes: Vec::new(),
            alone: false,
            run: None,
            copies: Vec::new(),
            children: Vec::new(),
            results: Vec::new(),
            rows_of: Vec::new(),
            may_change_settings: false,
            protected: false,
            assigned: Vec::new(),
            gives_variables: false,
            loses_variables: false,
            slots: Vec::new(),
            insertions: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// What the result of a statement is, by its number in the text from 0 on; nothing if no place matters.
    pub fn results(&self, statement: usize) -> Option<&Results> {
        let mut results = self.results.iter();
        let (_, results) = results.find(|(number, _)| *number == statement)?;
        Some(results)
    }

    /// The statement whose rows a statement gives, by its number in the text from 0 on.
    pub fn rows_of(&self, statement: usize) -> Option<&RowsOf> {
        let mut named = self.rows_of.iter();
        let (_, named) = named.find(|(number, _)| *number == statement)?;
        Some(named)
    }

    /// Whether what a result is can only be told with its description.
    pub fn needs_description(&self) -> bool {
        !self.rows_of.is_empty() || self.results.iter().any(|(_, results)| results.is_open())
    }

    /// The plan of the statement to which the effect of this number gives a name.
    pub fn prepared_by(&self, effect: usize) -> Arc<Self> {
        let before = self.names.iter().take(effect);
        let at = before.filter(|name| name.gives()).count();
        match self.prepared.get(at) {
            Some(plan) => Arc::clone(plan),
            None => Arc::new(Self::forward()),
        }
    }

    /// The plan of the statement of this name that the text itself prepares.
    pub fn prepares(&self, name: &[u8]) -> Option<Arc<Self>> {
        let is =
            |effect: &NameEffect| matches!(effect, NameEffect::Prepare(given) if **given == *name);
        self.names
            .iter()
            .rposition(is)
            .map(|effect| self.prepared_by(effect))
    }
}

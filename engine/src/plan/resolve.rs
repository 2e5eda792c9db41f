//! From names to what they mean: which protected columns and which literals reach which place.
//!
//! A query is resolved to its columns. Whatever needs the plain value of a protected column is refused on the way.

use super::edits::{Insertion, Number};
use super::flow::Flows;
use super::group::Representative;
use super::like::PatternAt;
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::schema::Schema;
use super::sets::ComparedRows;
use crate::columns::Subject;
use crate::sql::facts::Source;
use crate::sql::facts::tree::Cast;
use std::borrow::Cow;
use std::collections::HashMap;

/// What is said of a column that is compared or computed with.
pub(super) const IN_EXPRESSION: &str = "is used in an expression or condition";

/// A parameter of which is asked whether it is NULL.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) number: u16,
    pub(super) token: usize,
    /// The cast around it there.
    pub(super) cast: Option<Cast>,
}

/// Resolves one statement.
pub(super) struct Resolver<'a> {
    pub(super) schema: Schema<'a>,
    pub(super) source: Source<'a>,
    /// The protected name that the statement has, for messages.
    pub(super) named: &'a str,
    pub(super) flows: Flows<'a>,
    /// What is changed in the text besides its literals.
    pub(super) insertions: Vec<Insertion>,
    /// Result columns of which any value of a group stands for the group: their names.
    pub(super) representatives: Vec<Representative>,
    /// `UNION`, `INTERSECT` and `EXCEPT` that compare searchable columns.
    pub(super) sets: Vec<ComparedRows<'a>>,
    /// Columns whose hashes the database keeps in another column: the tokens of their names, and what takes their place where
    /// hashes are compared.
    pub(super) hash_columns: HashMap<usize, String>,
    /// Patterns: their tokens, and what is around them.
    pub(super) patterns: Vec<(usize, PatternAt)>,
    /// Numbers that must be what they are taken for: their tokens.
    pub(super) numbers: Vec<Number>,
    /// Parameters of which only is asked whether they are NULL: that stays true of what values become.
    pub(super) tested: Vec<Tested>,
    /// The names of relations that may have other rows the next time that they are read: views, and all of which the database has not
    /// told that they are none.
    pub(super) doubtful: Vec<usize>,
    /// A protected table is read or written.
    pub(super) concerned: bool,
}

impl<'a> Resolver<'a> {
    /// A form that is not supported.
    pub(super) fn form(&self, what: &str) -> Refusal {
        let named = self.named;
        Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{named}\" is not supported: {what}"),
        )
        .about(Subject::of_table(named))
    }

    pub(super) fn name(&self, token: usize) -> Cow<'a, str> {
        token_name(token, &self.source)
    }
}

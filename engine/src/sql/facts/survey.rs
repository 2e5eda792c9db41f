//! One walk over the whole tree: which relations, names and literals are in it, wherever they stand.

use super::{NoFacts, Source};
use crate::sql::hidden::Hidden;
use crate::sql::token::Kind;
use sqlparser::ast::{
    Ident, ObjectName, Select, Statement, TableFactor, ValueWithSpan, Visit, Visitor,
};
use std::ops::ControlFlow;

/// What the walk found. Names are numbers of tokens.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) relations: Vec<(Option<usize>, usize)>,
    pub(super) names: Vec<usize>,
    /// Names of tables that a statement gives itself.
    pub(super) aliases: Vec<usize>,
    /// Strings, parameters, numbers and keywords that are values.
    pub(super) values: Vec<usize>,
    pub(super) selects_into: bool,
}

impl Survey {
    /// Walks over a statement. Every string and parameter of the text must be found exactly once: otherwise the parser
    /// library read another statement than the lexer. What was hidden from it is told by its tokens.
    pub(super) fn of(
        statement: &Statement,
        source: &Source<'_>,
        hidden: &Hidden,
    ) -> Result<Self, NoFacts> {
        let mut walk = Walk {
            source,
            survey: Self::default(),
        };
        if statement.visit(&mut walk).is_break() {
            return Err(NoFacts::NotUnderstood);
        }
        let mut survey = walk.survey;
        survey.values.sort_unstable();
        let is_data = |token: &usize| source.kind(*token).is_some_and(Kind::is_data);
        let found = survey.values.iter().copied().filter(is_data);
        let written = source
            .tokens()
            .filter(|(index, token)| token.kind.is_data() && !hidden.is_aside(*index))
            .map(|(index, _)| index);
        if !written.eq(found) {
            return Err(NoFacts::NotUnderstood);
        }
        let is_name = |token: &usize| source.kind(*token).is_some_and(Kind::is_name);
        // `SELECT && FROM t`: the library takes the word that stands for an operator for a column.
        if !survey.names.iter().all(is_name) {
            return Err(NoFacts::NotUnderstood);
        }
        survey.names.extend(hidden.asides().filter(is_name));
        survey.names.sort_unstable();
        survey.names.dedup();
        Ok(survey)
    }
}

struct Walk<'a> {
    source: &'a Source<'a>,
    survey: Survey,
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.survey.selects_into |= select.into.is_some();
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let token = |part: &sqlparser::ast::ObjectNamePart| {
            part.as_ident()
                .and_then(|name| self.source.token_at(name.span))
        };
        let names: Option<Vec<usize>> = relation.0.iter().map(token).collect();
        // The parser library takes ONLY for the name of a table, and the table for its alias.
        let is_only = |name: &usize| {
            let token = self.source.tokens.get(*name);
            token.is_some_and(|token| token.is_word(self.source.text, "only"))
        };
        if names.iter().flatten().any(is_only) {
            return ControlFlow::Break(());
        }
        match names.as_deref() {
            Some([name]) => self.survey.relations.push((None, *name)),
            Some([.., schema, name]) => self.survey.relations.push((Some(*schema), *name)),
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            alias: Some(alias), ..
        } = factor
        {
            let token = self.source.token_at(alias.name.span);
            self.survey.aliases.extend(token);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        let Some(token) = self.source.token_at(value.span) else {
            return ControlFlow::Break(());
        };
        self.survey.values.push(token);
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, name: &Ident) -> ControlFlow<()> {
        self.survey.names.extend(self.source.token_at(name.span));
        ControlFlow::Continue(())
    }
}

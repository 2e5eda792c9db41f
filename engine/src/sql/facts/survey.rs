//! One walk over the whole tree: which relations, names and literals are in it, wherever they stand.

use super::{NoFacts, Role, Source};
use crate::sql::token::Kind;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query,
    Select, Statement, TableFactor, ValueWithSpan, Visit, Visitor,
};
use std::ops::ControlFlow;

/// What the walk found. Names are numbers of tokens.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) relations: Vec<(Option<usize>, usize)>,
    pub(super) names: Vec<usize>,
    /// Names of tables that a statement gives itself.
    pub(super) aliases: Vec<usize>,
    /// Roles that names have wherever they stand.
    pub(super) roles: Vec<(usize, Role)>,
    pub(super) queries: usize,
    pub(super) selects_into: bool,
}

impl Survey {
    /// Walks over a statement. Every string and parameter of the text must be found exactly once: otherwise the parser
    /// library read another statement than the lexer.
    pub(super) fn of(statement: &Statement, source: &Source<'_>) -> Result<Self, NoFacts> {
        let mut walk = Walk {
            source,
            survey: Self::default(),
            literals: Vec::new(),
        };
        if statement.visit(&mut walk).is_break() {
            return Err(NoFacts::NotUnderstood);
        }
        let Walk {
            mut survey,
            mut literals,
            ..
        } = walk;
        literals.sort_unstable();
        let written = source
            .tokens()
            .filter(|(_, token)| token.kind.is_data())
            .map(|(index, _)| index);
        if !written.eq(literals) {
            return Err(NoFacts::NotUnderstood);
        }
        survey.names.sort_unstable();
        survey.names.dedup();
        Ok(survey)
    }
}

struct Walk<'a> {
    source: &'a Source<'a>,
    survey: Survey,
    literals: Vec<usize>,
}

impl Walk<'_> {
    /// Names that stand in front of a column's name.
    fn qualifiers(&mut self, names: &[Ident]) {
        for name in names {
            if let Some(token) = self.source.token_at(name.span) {
                self.survey.roles.push((token, Role::Table));
            }
        }
    }

    /// A column of which only the presence is asked.
    fn null_test(&mut self, expr: &Expr) {
        if let Some(token) = column(expr, self.source) {
            self.survey.roles.push((token, Role::NullTest));
        }
    }
}

/// The token of a column's name, if the expression is a column.
pub(super) fn column(expr: &Expr, source: &Source<'_>) -> Option<usize> {
    let name = match expr {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(names) => names.last()?,
        _ => return None,
    };
    source.token_at(name.span)
}

/// The one argument of `count(…)`.
fn counted<'e>(function: &'e Function, source: &Source<'_>) -> Option<&'e Expr> {
    let [name] = &*function.name.0 else {
        return None;
    };
    let token = source.token_at(name.as_ident()?.span)?;
    let is_count = source.tokens.get(token)?.is_word(source.text, "count");
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = &*list.args else {
        return None;
    };
    (is_count && list.duplicate_treatment.is_none()).then_some(argument)
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.survey.queries += 1;
        ControlFlow::Continue(())
    }

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

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(names) => {
                self.qualifiers(names.split_last().map_or(&[], |(_, qualifiers)| qualifiers));
            }
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => self.null_test(inner),
            Expr::Function(function) => {
                if let Some(argument) = counted(function, self.source) {
                    self.null_test(argument);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        let Some(token) = self.source.token_at(value.span) else {
            return ControlFlow::Break(());
        };
        match self.source.kind(token) {
            Some(kind) if kind.is_data() => {
                self.literals.push(token);
            }
            // Numbers, and keywords such as NULL.
            Some(Kind::Number | Kind::OddNumber | Kind::Word) => {}
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, name: &Ident) -> ControlFlow<()> {
        self.survey.names.extend(self.source.token_at(name.span));
        ControlFlow::Continue(())
    }
}

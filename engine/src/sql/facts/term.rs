//! Expressions: what of them a value passes through, and what is computed.

use super::NoFacts;
use super::cast::is_type_of_elements;
use super::cast::under_bytea;
use super::reader::Reader;
use super::tree::{Cast, Term};
use crate::sql::token::Kind;
use sqlparser::ast::{
    Array, ArrayElemTypeDef, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, Query, UnaryOperator, ValueWithSpan, Visit, Visitor,
    WindowSpec, WindowType,
};
use std::ops::ControlFlow;

impl Reader<'_> {
    pub(super) fn terms(&mut self, exprs: &[Expr]) -> Result<Vec<Term>, NoFacts> {
        exprs.iter().map(|expr| self.term(expr)).collect()
    }

    /// Reads an expression as a value. Parentheses and casts to `bytea` are looked through.
    pub(super) fn term(&mut self, expr: &Expr) -> Result<Term, NoFacts> {
        Ok(match expr {
            Expr::Nested(inner) => self.term(inner)?,
            Expr::Cast { .. } | Expr::TypedString(_) => self.typed(expr)?,
            Expr::Value(literal) => self.literal(literal)?,
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: inner,
            } => match self.negative(inner) {
                Some(token) => {
                    self.look(token)?;
                    Term::Negative(token)
                }
                None => self.signed(expr, inner)?,
            },
            Expr::Identifier(name) => {
                let name = self.name(name)?;
                match self.is_word(name, "default") {
                    true => Term::Nothing,
                    false => Term::Column {
                        qualifier: None,
                        name,
                    },
                }
            }
            Expr::CompoundIdentifier(names) => self.column(names)?,
            Expr::Case {
                case_token: _,
                end_token: _,
                operand,
                conditions,
                else_result,
            } => {
                let mut operands = Vec::new();
                let mut results = Vec::with_capacity(conditions.len() + 1);
                match operand {
                    Some(operand) => {
                        let conditions = conditions.iter().map(|when| &when.condition);
                        let comparison = self.equality(operand, conditions)?;
                        operands.push(Term::Comparison(Box::new(comparison)));
                    }
                    None => {
                        for when in conditions {
                            operands.extend(self.operands(&when.condition)?);
                        }
                    }
                }
                for when in conditions {
                    results.push(self.term(&when.result)?);
                }
                if let Some(result) = else_result {
                    results.push(self.term(result)?);
                }
                Term::Choice { results, operands }
            }
            Expr::Function(function) => self.function(function, expr)?,
            Expr::Subquery(query) => Term::Query(Box::new(self.query(query)?)),
            _ => self.computed(expr)?,
        })
    }

    // These are no part of `term`, so that it takes less of the stack.

    /// A value with a cast.
    fn typed(&mut self, expr: &Expr) -> Result<Term, NoFacts> {
        if let Some(inner) = under_bytea(expr) {
            return self.term(inner);
        }
        let (value, cast) = match expr {
            Expr::TypedString(string) => match self.typed_string(string) {
                Some(cast) => (self.literal(&string.value)?, cast),
                None => return self.computed(expr),
            },
            _ => match self.cast_of_value(expr) {
                Some((inner, cast)) => (self.term(inner)?, cast),
                None => return self.computed(expr),
            },
        };
        Ok(Term::Typed(Box::new(value), Box::new(cast)))
    }

    /// A number with a cast after a minus sign, which binds less strongly.
    fn signed(&mut self, expr: &Expr, inner: &Expr) -> Result<Term, NoFacts> {
        let cast = self.cast_of_value(inner);
        let negative = cast.and_then(|(number, cast)| Some((self.negative(number)?, cast)));
        match negative {
            Some((token, cast)) => {
                self.look(token)?;
                Ok(Term::Typed(Box::new(Term::Negative(token)), Box::new(cast)))
            }
            None => self.computed(expr),
        }
    }

    /// A function that gives one of its arguments, or anything that it computes.
    fn function(&mut self, function: &Function, expr: &Expr) -> Result<Term, NoFacts> {
        Ok(match self.plain_arguments(function, "coalesce") {
            Some(arguments) => {
                self.parts(&function.name)?;
                let results = arguments.into_iter().map(|argument| self.term(argument));
                Term::Choice {
                    results: results.collect::<Result<_, _>>()?,
                    operands: Vec::new(),
                }
            }
            None if self.source.dialect.is_mysql() => match self.mysql_function(function)? {
                Some(term) => term,
                None => self.computed(expr)?,
            },
            None => match self.plain_arguments(function, "unnest").as_deref() {
                Some([array]) => {
                    self.parts(&function.name)?;
                    self.element(array)?
                }
                _ => self.computed(expr)?,
            },
        })
    }

    /// Reads an array as any of its elements. Casts to arrays of types that values can have are looked through.
    pub(super) fn element(&mut self, array: &Expr) -> Result<Term, NoFacts> {
        Ok(match array {
            Expr::Nested(inner) => self.element(inner)?,
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr: inner,
                data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(of, _)),
                format: None,
            } if is_type_of_elements(of) => self.element(inner)?,
            Expr::Array(Array { elem, named: true }) => Term::Choice {
                results: self.terms(elem)?,
                operands: Vec::new(),
            },
            Expr::Value(value) => match self.literal(value)? {
                Term::Param(number, token) => Term::Element(number, token),
                Term::Literal(token) if self.source.kind(token) != Some(Kind::Number) => {
                    Term::ElementOfLiteral(token)
                }
                Term::Nothing => Term::Nothing,
                _ => Term::Computed(Vec::new()),
            },
            _ => self.computed(array)?,
        })
    }

    fn computed(&mut self, expr: &Expr) -> Result<Term, NoFacts> {
        self.operands(expr).map(Term::Computed)
    }

    /// What is read by anything that computes. Of what is known to need no plain value it is said what that is; any other
    /// name stands for a column, whose plain value is needed.
    pub(super) fn operands(&mut self, node: &impl Visit) -> Result<Vec<Term>, NoFacts> {
        let mut operands = Operands {
            reader: self,
            terms: Vec::new(),
            skipped: 0,
        };
        match node.visit(&mut operands) {
            ControlFlow::Continue(()) => Ok(operands.terms),
            ControlFlow::Break(none) => Err(none),
        }
    }

    fn column(&mut self, names: &[Ident]) -> Result<Term, NoFacts> {
        match *self.names(names)? {
            [name] => Ok(Term::Column {
                qualifier: None,
                name,
            }),
            [.., qualifier, name] => Ok(Term::Column {
                qualifier: Some(qualifier),
                name,
            }),
            [] => Err(NoFacts::NotUnderstood),
        }
    }

    pub(super) fn literal(&mut self, literal: &ValueWithSpan) -> Result<Term, NoFacts> {
        let token = self.source.token_at(literal.span);
        let token = token.ok_or(NoFacts::NotUnderstood)?;
        let first = self.look(token)?;
        let kind = self.source.kind(token).ok_or(NoFacts::NotUnderstood)?;
        if kind.is_data() && !first {
            return Err(NoFacts::NotUnderstood);
        }
        Ok(match kind {
            Kind::Number => Term::Literal(token),
            // The server gives N'…' a type that no bytea column takes.
            Kind::String | Kind::Escape | Kind::Unicode | Kind::Dollar => Term::Literal(token),
            Kind::Param => match self.source.param_number(token) {
                Some(number) => Term::Param(number, token),
                None => Term::Computed(Vec::new()),
            },
            Kind::Word if self.is_word(token, "null") => Term::Nothing,
            Kind::Word if self.is_truth(token) => match self.source.dialect.is_mysql() {
                // Another word for a number.
                true => Term::Literal(token),
                false => Term::Typed(Box::new(Term::Literal(token)), Box::new(Cast::of_truth())),
            },
            Kind::Word | Kind::National | Kind::Variable | Kind::Bits | Kind::OddNumber => {
                Term::Computed(Vec::new())
            }
            Kind::Quoted
            | Kind::UnicodeQuoted
            | Kind::Backtick
            | Kind::Label
            | Kind::Operator
            | Kind::Punctuation
            | Kind::Other => return Err(NoFacts::NotUnderstood),
        })
    }

    fn is_truth(&self, token: usize) -> bool {
        self.is_word(token, "true") || self.is_word(token, "false")
    }

    /// A number whose sign is the token right before it.
    fn negative(&self, inner: &Expr) -> Option<usize> {
        let Expr::Value(literal) = inner else {
            return None;
        };
        let token = self.source.token_at(literal.span)?;
        let sign = self.source.tokens.get(token.checked_sub(1)?)?;
        let is_number = self.source.kind(token) == Some(Kind::Number);
        (is_number && sign.is(self.source.text, b'-')).then_some(token)
    }

    /// The arguments of a function of this name, if nothing but values is between its parentheses.
    pub(super) fn plain_arguments<'e>(
        &self,
        function: &'e Function,
        name: &str,
    ) -> Option<Vec<&'e Expr>> {
        let [part] = &*function.name.0 else {
            return None;
        };
        let token = self.source.token_at(part.as_ident()?.span)?;
        let FunctionArguments::List(list) = &function.args else {
            return None;
        };
        if !self.is_word(token, name)
            || list.duplicate_treatment.is_some()
            || !list.clauses.is_empty()
            || !matches!(function.parameters, FunctionArguments::None)
        {
            return None;
        }
        let argument = |argument: &'e FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        };
        list.args.iter().map(argument).collect()
    }

    /// Whether it is `count(DISTINCT value)`.
    fn counts_different(&self, function: &Function) -> bool {
        let FunctionArguments::List(list) = &function.args else {
            return false;
        };
        let [part] = &*function.name.0 else {
            return false;
        };
        let name = part
            .as_ident()
            .and_then(|name| self.source.token_at(name.span));
        name.is_some_and(|name| self.is_word(name, "count"))
            && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
            && list.clauses.is_empty()
            && matches!(
                &*list.args,
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(_))]
            )
            && matches!(function.parameters, FunctionArguments::None)
    }

    pub(super) fn is_word(&self, token: usize, word: &str) -> bool {
        self.source.is(token, word)
    }
}

/// A walk over what computes.
struct Operands<'r, 'a> {
    reader: &'r mut Reader<'a>,
    terms: Vec<Term>,
    /// Depth inside of what has been read already.
    skipped: usize,
}

impl Operands<'_, '_> {
    /// The library's walk cannot leave out what has been read: what is nested in many ways is walked as often.
    fn skip(&mut self) -> ControlFlow<NoFacts> {
        self.skipped += 1;
        match self.reader.walk_again() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(NoFacts::TooLong),
        }
    }

    /// Reads an expression for itself; says whether it did.
    fn special(&mut self, expr: &Expr) -> Result<bool, NoFacts> {
        let term = match expr {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.reader.term(expr)?,
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                let mut tested = inner;
                while let Expr::IsNull(inner) | Expr::IsNotNull(inner) = &**tested {
                    tested = inner;
                }
                Term::Tested(Box::new(self.reader.term(tested)?))
            }
            Expr::Exists { subquery, .. } => Term::Exists(Box::new(self.reader.query(subquery)?)),
            Expr::Function(function) => {
                self.reader.parts(&function.name)?;
                match self.reader.plain_arguments(function, "count").as_deref() {
                    Some([counted]) => {
                        let counted = self.reader.term(counted)?;
                        self.clauses(function)?;
                        Term::Tested(Box::new(counted))
                    }
                    _ if let Some(tested) = self.reader.is_null(function) => {
                        Term::Tested(Box::new(self.reader.term(tested)?))
                    }
                    _ if self.reader.counts_different(function) => {
                        self.different(function)?;
                        return Ok(true);
                    }
                    _ if partition(function).is_some() => {
                        self.over_parts(function)?;
                        return Ok(true);
                    }
                    _ => return Ok(false),
                }
            }
            _ => match self.reader.comparison(expr)? {
                Some(comparison) => Term::Comparison(Box::new(comparison)),
                None => match self.reader.like(expr)? {
                    Some(like) => Term::Like(Box::new(like)),
                    None => return Ok(false),
                },
            },
        };
        self.terms.push(term);
        Ok(true)
    }

    /// `count(DISTINCT value)`
    fn different(&mut self, function: &Function) -> Result<(), NoFacts> {
        if let FunctionArguments::List(list) = &function.args {
            for argument in &list.args {
                if let FunctionArg::Unnamed(FunctionArgExpr::Expr(counted)) = argument {
                    let counted = self.reader.operand(counted)?;
                    self.terms.push(Term::Grouped(Box::new(counted)));
                }
            }
        }
        self.clauses(function)
    }

    /// A function over the rows of a part.
    fn over_parts(&mut self, function: &Function) -> Result<(), NoFacts> {
        self.terms.extend(self.reader.operands(&function.args)?);
        self.terms
            .extend(self.reader.operands(&function.parameters)?);
        self.clauses(function)
    }

    /// What stands after the arguments of a function.
    fn clauses(&mut self, function: &Function) -> Result<(), NoFacts> {
        self.terms
            .extend(self.reader.operands(&function.within_group)?);
        self.terms.extend(self.reader.operands(&function.filter)?);
        let Some(window) = partition(function) else {
            self.terms.extend(self.reader.operands(&function.over)?);
            return Ok(());
        };
        let WindowSpec {
            window_name,
            partition_by,
            order_by,
            window_frame,
        } = window;
        self.reader.names(window_name)?;
        for key in partition_by {
            let key = self.reader.operand(key)?;
            self.terms.push(Term::Grouped(Box::new(key)));
        }
        self.terms.extend(self.reader.operands(order_by)?);
        self.terms.extend(self.reader.operands(window_frame)?);
        Ok(())
    }
}

/// The window of a function that has one with parts.
fn partition(function: &Function) -> Option<&WindowSpec> {
    match &function.over {
        Some(WindowType::WindowSpec(window)) if !window.partition_by.is_empty() => Some(window),
        _ => None,
    }
}

impl Visitor for Operands<'_, '_> {
    type Break = NoFacts;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<NoFacts> {
        if self.skipped > 0 {
            return self.skip();
        }
        match self.special(expr) {
            Ok(done) => {
                self.skipped = usize::from(done);
                ControlFlow::Continue(())
            }
            Err(none) => ControlFlow::Break(none),
        }
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<NoFacts> {
        self.skipped = self.skipped.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<NoFacts> {
        if self.skipped > 0 {
            return self.skip();
        }
        match self.reader.query(query) {
            Ok(query) => {
                self.terms.push(Term::Query(Box::new(query)));
                self.skipped = 1;
                ControlFlow::Continue(())
            }
            Err(none) => ControlFlow::Break(none),
        }
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<NoFacts> {
        self.skipped = self.skipped.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<NoFacts> {
        if self.skipped > 0 {
            return ControlFlow::Continue(());
        }
        match self.reader.literal(value) {
            Ok(_) => ControlFlow::Continue(()),
            Err(none) => ControlFlow::Break(none),
        }
    }

    /// A name in another place than that of a column: an argument's, a type's, `row.*`.
    fn pre_visit_ident(&mut self, name: &Ident) -> ControlFlow<NoFacts> {
        if self.skipped > 0 {
            return ControlFlow::Continue(());
        }
        let Some(token) = self.reader.source.token_at(name.span) else {
            return ControlFlow::Continue(());
        };
        match self.reader.look(token) {
            Ok(true) => self.terms.push(Term::Column {
                qualifier: None,
                name: token,
            }),
            Ok(false) => {}
            Err(none) => return ControlFlow::Break(none),
        }
        ControlFlow::Continue(())
    }
}

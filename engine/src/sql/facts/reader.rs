//! From the parser library's tree to ours: statements and queries.
//!
//! Fields are matched one by one where the library's types have some that PostgreSQL does not know, so that a new one
//! does not pass unseen.

use super::survey::Survey;
use super::tree::{
    Alias, Body, Cte, Distinct, Item, Key, Operation, Query, Select, TableName, Term,
};
use super::{FOREIGN, NoFacts, OTHER_STATEMENT, Source};
use crate::sql::hidden::Hidden;
use crate::sql::token::Kind;
use sqlparser::ast::{
    self, Expr, GroupByExpr, GroupByWithModifier, Ident, LimitClause, ObjectName, OrderBy,
    OrderByKind, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    Statement, TableAlias, WildcardAdditionalOptions,
};

/// Whether a statement reads or writes no other relations than those that a walk over it finds.
pub(super) fn is_dml(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
    )
}

/// A form that is refused if it is there.
pub(super) fn without(there: bool, what: NoFacts) -> Result<(), NoFacts> {
    match there {
        true => Err(what),
        false => Ok(()),
    }
}

/// Reads one statement and remembers what of its text it has looked at.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source<'a>,
    hidden: &'a Hidden,
    /// By token of the statement.
    seen: Vec<bool>,
    /// How many steps may still be walked twice.
    again: usize,
}

/// Steps that may be walked more than once, in all of a statement: some tenths of a second.
const WALKED_AGAIN: usize = 5_000_000;

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source<'a>, hidden: &'a Hidden) -> Self {
        Self {
            source,
            hidden,
            seen: vec![false; source.range.1 - source.range.0],
            again: WALKED_AGAIN,
        }
    }

    /// Counts a step that is walked again; says whether it may be.
    pub(super) fn walk_again(&mut self) -> bool {
        self.again = self.again.saturating_sub(1);
        self.again > 0
    }

    /// Notes that a token has been looked at; says whether for the first time.
    pub(super) fn look(&mut self, token: usize) -> Result<bool, NoFacts> {
        let at = token.checked_sub(self.source.range.0);
        let seen = at.and_then(|at| self.seen.get_mut(at));
        let seen = seen.ok_or(NoFacts::NotUnderstood)?;
        Ok(!std::mem::replace(seen, true))
    }

    /// That everything which the parser library's own walk finds has been looked at.
    pub(super) fn has_seen(&self, survey: &Survey) -> Result<(), NoFacts> {
        let seen = |token: &usize| {
            let at = token.checked_sub(self.source.range.0);
            at.and_then(|at| self.seen.get(at)) == Some(&true)
        };
        match survey.names.iter().chain(&survey.values).all(seen) {
            true => Ok(()),
            false => Err(NoFacts::NotUnderstood),
        }
    }

    /// The token of a name.
    pub(super) fn name(&mut self, name: &Ident) -> Result<usize, NoFacts> {
        let token = self.source.token_at(name.span);
        let token = token.ok_or(NoFacts::NotUnderstood)?;
        // Elsewhere than as a label it would be a value.
        without(
            self.source.kind(token) == Some(Kind::Label),
            NoFacts::NotUnderstood,
        )?;
        self.look(token)?;
        Ok(token)
    }

    /// The token of the label of a result column.
    fn label(&mut self, label: &Ident) -> Result<usize, NoFacts> {
        let token = self.source.token_at(label.span);
        let token = token.ok_or(NoFacts::NotUnderstood)?;
        self.look(token)?;
        Ok(token)
    }

    pub(super) fn names<'i>(
        &mut self,
        names: impl IntoIterator<Item = &'i Ident>,
    ) -> Result<Vec<usize>, NoFacts> {
        names.into_iter().map(|name| self.name(name)).collect()
    }

    /// The tokens of a name with dots.
    pub(super) fn parts(&mut self, name: &ObjectName) -> Result<Vec<usize>, NoFacts> {
        let part = |part: &ast::ObjectNamePart| match part.as_ident() {
            Some(name) => self.name(name),
            None => Err(NoFacts::NotUnderstood),
        };
        name.0.iter().map(part).collect()
    }

    /// The columns that may be read by expressions which the library was not shown. They belong to some statement that
    /// writes; each of these is told of all.
    pub(super) fn asides(&mut self) -> Result<Vec<Term>, NoFacts> {
        let Source { text, tokens, .. } = *self.source;
        let is_symbol = |at: Option<usize>, symbol| {
            let token = at.and_then(|at| tokens.get(at));
            token.is_some_and(|token| token.is(text, symbol))
        };
        let mut terms = Vec::new();
        for name in self.hidden.asides() {
            if !self.source.kind(name).is_some_and(Kind::is_name) {
                continue;
            }
            self.look(name)?;
            let qualifies = is_symbol(Some(name + 1), b'.') && !is_symbol(Some(name + 2), b'*');
            let is_function = is_symbol(Some(name + 1), b'(');
            if !qualifies && !is_function {
                let qualified = is_symbol(name.checked_sub(1), b'.');
                let qualifier = name.checked_sub(2).filter(|_| qualified);
                terms.push(Term::Column { qualifier, name });
            }
        }
        Ok(terms)
    }

    pub(super) fn table(&mut self, name: &ObjectName) -> Result<TableName, NoFacts> {
        match *self.parts(name)? {
            [table] => Ok(TableName {
                schema: None,
                table,
            }),
            [.., schema, table] => Ok(TableName {
                schema: Some(schema),
                table,
            }),
            [] => Err(NoFacts::NotUnderstood),
        }
    }

    pub(super) fn alias(&mut self, alias: Option<&TableAlias>) -> Result<Option<Alias>, NoFacts> {
        let Some(TableAlias {
            explicit: _,
            name,
            columns,
            at,
        }) = alias
        else {
            return Ok(None);
        };
        without(at.is_some(), FOREIGN)?;
        let name = self.name(name)?;
        let mut names = Vec::with_capacity(columns.len());
        for column in columns {
            names.push(self.name(&column.name)?);
            if let Some(data_type) = &column.data_type {
                self.operands(data_type)?;
            }
        }
        Ok(Some(Alias {
            name,
            columns: names,
        }))
    }

    pub(super) fn statement(&mut self, statement: &Statement) -> Result<Query, NoFacts> {
        let write = match statement {
            Statement::Query(query) => return self.query(query),
            Statement::Insert(insert) => self.insert(insert)?,
            Statement::Update(update) => self.update(update)?,
            Statement::Delete(delete) if self.source.dialect.is_mysql() => {
                return self.mysql_delete(delete);
            }
            Statement::Delete(delete) => self.delete(delete)?,
            Statement::Merge(merge) => self.merge(merge)?,
            _ => return Err(OTHER_STATEMENT),
        };
        Ok(Query::of(Body::Write(Box::new(write))))
    }

    pub(super) fn query(&mut self, query: &ast::Query) -> Result<Query, NoFacts> {
        let ast::Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        without(
            for_clause.is_some()
                || settings.is_some()
                || format_clause.is_some()
                || !pipe_operators.is_empty(),
            FOREIGN,
        )?;
        let mut ctes = Vec::new();
        for cte in with.iter().flat_map(|with| &with.cte_tables) {
            ctes.push(self.cte(cte)?);
        }
        let mut body = self.body(body)?;
        if self.source.dialect.is_mysql() {
            self.labels_in_keys(order_by.as_ref(), &mut body)?;
        }
        let order_by = self.order_by(order_by.as_ref())?;
        let mut operands = Vec::new();
        match limit_clause {
            None => {}
            Some(LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) => {
                without(!limit_by.is_empty(), FOREIGN)?;
                operands.extend(self.operands(limit)?);
                operands.extend(self.operands(offset)?);
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                without(!self.source.dialect.is_mysql(), FOREIGN)?;
                operands.extend(self.operands(offset)?);
                operands.extend(self.operands(limit)?);
            }
        }
        operands.extend(self.operands(fetch)?);
        for lock in locks {
            if let Some(of) = &lock.of {
                self.parts(of)?;
            }
        }
        Ok(Query {
            ctes,
            recursive: with.as_ref().is_some_and(|with| with.recursive),
            body,
            order_by,
            operands,
        })
    }

    fn cte(&mut self, cte: &ast::Cte) -> Result<Cte, NoFacts> {
        let ast::Cte {
            alias,
            query,
            from,
            materialized: _,
            closing_paren_token: _,
        } = cte;
        without(from.is_some(), FOREIGN)?;
        let alias = self.alias(Some(alias))?.ok_or(NoFacts::NotUnderstood)?;
        let query = self.query(query)?;
        Ok(Cte { alias, query })
    }

    fn body(&mut self, body: &SetExpr) -> Result<Body, NoFacts> {
        Ok(match body {
            SetExpr::Select(select) => Body::Select(Box::new(self.select(select)?)),
            SetExpr::Query(query) => Body::Query(Box::new(self.query(query)?)),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let all = match set_quantifier {
                    SetQuantifier::All => true,
                    SetQuantifier::Distinct | SetQuantifier::None => false,
                    SetQuantifier::ByName
                    | SetQuantifier::AllByName
                    | SetQuantifier::DistinctByName => return Err(FOREIGN),
                };
                let operation = match (op, all) {
                    (SetOperator::Union, true) => Operation::UnionAll,
                    (SetOperator::Union, false) => Operation::Union,
                    (SetOperator::Except, true) => Operation::ExceptAll,
                    (SetOperator::Except, false) => Operation::Except,
                    (SetOperator::Intersect, true) => Operation::IntersectAll,
                    (SetOperator::Intersect, false) => Operation::Intersect,
                    (SetOperator::Minus, _) => return Err(FOREIGN),
                };
                let one = self.body(left)?;
                let other = self.body(right)?;
                Body::Set {
                    operation,
                    tokens: self.set_tokens((left, &one), (right, &other)),
                    left: Box::new(one),
                    right: Box::new(other),
                }
            }
            SetExpr::Values(values) => Body::Values(self.rows(values)?),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => Body::Query(Box::new(self.statement(statement)?)),
            // The library is given a SELECT in its place.
            SetExpr::Table(_) => return Err(NoFacts::NotUnderstood),
        })
    }

    pub(super) fn rows(&mut self, values: &ast::Values) -> Result<Vec<Vec<Term>>, NoFacts> {
        let mysql = self.source.dialect.is_mysql();
        without(
            !mysql && values.explicit_row || values.value_keyword,
            FOREIGN,
        )?;
        let rows = values.rows.iter();
        rows.map(|row| self.terms(&row.content)).collect()
    }

    fn select(&mut self, select: &ast::Select) -> Result<Select, NoFacts> {
        let ast::Select {
            select_token,
            optimizer_hints: _,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor: _,
        } = select;
        without(
            select_modifiers.is_some()
                || top.is_some()
                || exclude.is_some()
                || !lateral_views.is_empty()
                || prewhere.is_some()
                || !connect_by.is_empty()
                || !cluster_by.is_empty()
                || !distribute_by.is_empty()
                || !sort_by.is_empty()
                || qualify.is_some()
                || value_table_mode.is_some(),
            FOREIGN,
        )?;
        let from = self.from(from)?;
        let items = self.items(projection)?;
        let distinct = match distinct {
            None | Some(ast::Distinct::All) => Distinct::No,
            Some(ast::Distinct::Distinct) => {
                let select = self.source.token_at(select_token.0.span);
                Distinct::Rows(select.ok_or(NoFacts::NotUnderstood)? + 1)
            }
            Some(ast::Distinct::On(keys)) => Distinct::On(self.keys(keys)?),
        };
        let mut labels = Vec::new();
        if self.source.dialect.is_mysql() {
            let mut keys: Vec<&Expr> = having.iter().collect();
            if let GroupByExpr::Expressions(grouped, _) = group_by {
                let computed = |key: &&Expr| !matches!(key, Expr::Identifier(_));
                keys.extend(grouped.iter().filter(computed));
            }
            labels.extend(keys.into_iter().flat_map(|key| self.labels(key, &items)));
        }
        let grouping_sets = has_sets(group_by);
        let group_by = match group_by {
            GroupByExpr::Expressions(keys, modifiers) => {
                let is_known = |modifier: &_| *modifier == GroupByWithModifier::Rollup;
                without(!modifiers.iter().all(is_known), FOREIGN)?;
                self.keys(keys)?
            }
            GroupByExpr::All(_) => return Err(NoFacts::Form("GROUP BY ALL")),
        };
        let mut operands = self.operands(selection)?;
        operands.extend(self.operands(having)?);
        operands.extend(self.operands(named_window)?);
        let into = match into {
            None => None,
            Some(into) => match &*into.targets {
                [Expr::Identifier(table)] => Some(TableName {
                    schema: None,
                    table: self.name(table)?,
                }),
                [Expr::CompoundIdentifier(names)] => match *self.names(names)? {
                    [.., schema, table] => Some(TableName {
                        schema: Some(schema),
                        table,
                    }),
                    _ => return Err(NoFacts::NotUnderstood),
                },
                _ => return Err(FOREIGN),
            },
        };
        Ok(Select {
            from,
            items,
            distinct,
            group_by,
            grouping_sets,
            labels,
            operands,
            into,
        })
    }

    pub(super) fn items(&mut self, items: &[SelectItem]) -> Result<Vec<Item>, NoFacts> {
        let item = |item: &SelectItem| {
            Ok(match item {
                SelectItem::UnnamedExpr(expr) => Item::One {
                    term: self.term(expr)?,
                    label: None,
                },
                SelectItem::ExprWithAlias { expr, alias } => Item::One {
                    term: self.term(expr)?,
                    label: Some(self.label(alias)?),
                },
                SelectItem::Wildcard(options) => {
                    plain_wildcard(options)?;
                    Item::Wildcard
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    plain_wildcard(options)?;
                    let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                        return Err(NoFacts::Form("the fields of a composite value"));
                    };
                    Item::TableWildcard(self.table(name)?.table)
                }
                SelectItem::ExprWithAliases { .. } => return Err(FOREIGN),
            })
        };
        items.iter().map(item).collect()
    }

    fn order_by(&mut self, order_by: Option<&OrderBy>) -> Result<Vec<Key>, NoFacts> {
        let Some(OrderBy { kind, interpolate }) = order_by else {
            return Ok(Vec::new());
        };
        without(interpolate.is_some(), FOREIGN)?;
        let OrderByKind::Expressions(keys) = kind else {
            return Err(NoFacts::Form("ORDER BY ALL"));
        };
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            without(key.with_fill.is_some(), FOREIGN)?;
            self.key(&key.expr, &mut all)?;
            all.push(Key::Computed(self.operands(&key.options)?));
        }
        Ok(all)
    }

    fn keys(&mut self, keys: &[Expr]) -> Result<Vec<Key>, NoFacts> {
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            self.key(key, &mut all)?;
        }
        Ok(all)
    }

    fn key(&mut self, key: &Expr, all: &mut Vec<Key>) -> Result<(), NoFacts> {
        match key {
            Expr::Nested(inner) => self.key(inner, all)?,
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                for key in sets.iter().flatten() {
                    self.key(key, all)?;
                }
            }
            Expr::Tuple(keys) => {
                for key in keys {
                    self.key(key, all)?;
                }
            }
            Expr::Identifier(name) => all.push(Key::Name(self.name(name)?)),
            Expr::Value(value) => {
                let token = self.source.token_at(value.span);
                let number = token.and_then(|token| self.source.tokens.get(token));
                let number = number.and_then(|token| {
                    std::str::from_utf8(token.text(self.source.text))
                        .ok()?
                        .parse()
                        .ok()
                });
                let operands = self.operands(key)?;
                all.push(match number.zip(token) {
                    Some((number, token)) => Key::Ordinal(number, token),
                    None => Key::Computed(operands),
                });
            }
            Expr::CompoundIdentifier(_) => all.push(Key::Column(self.term(key)?)),
            Expr::Substring { .. } => all.push(match self.operand(key)? {
                term @ Term::HashOf(..) => Key::Column(term),
                term => Key::Computed(vec![term]),
            }),
            _ => all.push(Key::Computed(self.operands(key)?)),
        }
        Ok(())
    }
}

impl Query {
    /// One that is nothing but its body.
    pub(super) fn of(body: Body) -> Self {
        Self {
            ctes: Vec::new(),
            recursive: false,
            body,
            order_by: Vec::new(),
            operands: Vec::new(),
        }
    }
}

/// Whether rows are grouped in several ways.
fn has_sets(group_by: &GroupByExpr) -> bool {
    let GroupByExpr::Expressions(keys, modifiers) = group_by else {
        return false;
    };
    let is_set =
        |key: &Expr| matches!(key, Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_));
    !modifiers.is_empty() || keys.iter().any(is_set)
}

/// `*` without the clauses of other databases.
fn plain_wildcard(options: &WildcardAdditionalOptions) -> Result<(), NoFacts> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    without(
        opt_ilike.is_some()
            || opt_exclude.is_some()
            || opt_except.is_some()
            || opt_replace.is_some()
            || opt_rename.is_some()
            || opt_alias.is_some(),
        FOREIGN,
    )
}

//! The four statement forms over plain tables.

use super::survey::{Survey, column};
use super::value::value;
use super::{Facts, Item, NoFacts, OTHER_STATEMENT, Role, Source, TableUse, Value, Write};
use crate::sql::ident;
use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Distinct, Expr, FromTable, GroupByExpr, Ident, Insert,
    JoinConstraint, JoinOperator, ObjectName, OnConflict, OnConflictAction, OnInsert, OrderBy,
    OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableFactor, TableObject, TableWithJoins, Update, Values,
};

/// Whether a statement reads or writes no other relations than those that a walk over it finds.
pub(super) fn is_dml(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_)
    )
}

/// The facts of a statement, or what in it has none.
pub(super) fn facts(
    statement: &Statement,
    source: &Source<'_>,
    survey: &Survey,
) -> Result<Facts, NoFacts> {
    let mut builder = Builder {
        source,
        facts: Facts::default(),
    };
    let queries = match statement {
        Statement::Query(query) => {
            builder.query(query)?;
            1
        }
        Statement::Insert(insert) => {
            builder.insert(insert)?;
            1
        }
        Statement::Update(update) => {
            builder.update(update)?;
            0
        }
        Statement::Delete(delete) => {
            builder.delete(delete)?;
            0
        }
        _ => return Err(OTHER_STATEMENT),
    };
    if survey.queries > queries {
        return Err(NoFacts::Form("a sub-select"));
    }
    let mut facts = builder.facts;
    facts.roles.extend_from_slice(&survey.roles);
    facts.roles.sort_by_key(|(token, _)| *token);
    Ok(facts)
}

struct Builder<'a> {
    source: &'a Source<'a>,
    facts: Facts,
}

/// A form that is refused if it is there.
fn without(there: bool, what: &'static str) -> Result<(), NoFacts> {
    match there {
        true => Err(NoFacts::Form(what)),
        false => Ok(()),
    }
}

impl Builder<'_> {
    fn query(&mut self, query: &Query) -> Result<(), NoFacts> {
        without(query.with.is_some(), "WITH")?;
        without(!query.pipe_operators.is_empty(), "a pipe operator")?;
        let SetExpr::Select(select) = &*query.body else {
            return Err(NoFacts::Form("UNION, VALUES or TABLE"));
        };
        self.select(select)?;
        for lock in &query.locks {
            if let Some(names) = &lock.of {
                self.names(names, Role::Table);
            }
        }
        self.order_by(query.order_by.as_ref())
    }

    fn select(&mut self, select: &Select) -> Result<(), NoFacts> {
        without(select.into.is_some(), "SELECT INTO")?;
        without(
            !select.lateral_views.is_empty() || !select.connect_by.is_empty(),
            "a clause that PostgreSQL does not have",
        )?;
        for from in &select.from {
            self.joined(from)?;
        }
        self.items(&select.projection)?;
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => self.facts.distinct = true,
            Some(Distinct::On(expressions)) => self.ordinals(expressions.iter()),
        }
        match &select.group_by {
            GroupByExpr::Expressions(expressions, _) => self.ordinals(expressions.iter()),
            GroupByExpr::All(_) => return Err(NoFacts::Form("GROUP BY ALL")),
        }
        Ok(())
    }

    fn insert(&mut self, insert: &Insert) -> Result<(), NoFacts> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(NoFacts::Form("INSERT into something that is not a table"));
        };
        self.relation(name)?;
        if let Some(alias) = &insert.table_alias {
            self.alias(&alias.alias)?;
        }
        without(
            !insert.assignments.is_empty()
                || insert.overwrite
                || insert.partitioned.is_some()
                || !insert.after_columns.is_empty()
                || insert.multi_table_insert_type.is_some(),
            "a clause that PostgreSQL does not have",
        )?;
        without(
            insert.columns.is_empty(),
            "INSERT without a list of columns",
        )?;
        let columns = insert
            .columns
            .iter()
            .map(|name| self.target(name))
            .collect::<Result<Vec<_>, _>>()?;
        let rows = match insert.source.as_deref() {
            Some(Query {
                with: None,
                body,
                order_by: None,
                limit_clause: None,
                fetch: None,
                ..
            }) => match &**body {
                SetExpr::Values(Values { rows, .. }) => rows,
                _ => return Err(NoFacts::Form("INSERT … SELECT")),
            },
            Some(_) => return Err(NoFacts::Form("INSERT … SELECT")),
            None => return Err(NoFacts::Form("INSERT … DEFAULT VALUES")),
        };
        for row in rows {
            without(
                row.content.len() != columns.len(),
                "a row with more or fewer values than there are columns",
            )?;
            for (column, expr) in columns.iter().zip(&row.content) {
                self.write(*column, expr);
            }
        }
        match &insert.on {
            None => {}
            Some(OnInsert::OnConflict(conflict)) => self.conflict(conflict)?,
            Some(_) => return Err(NoFacts::Form("a clause that PostgreSQL does not have")),
        }
        self.returning(insert.returning.as_deref())
    }

    fn conflict(&mut self, conflict: &OnConflict) -> Result<(), NoFacts> {
        match &conflict.action {
            OnConflictAction::DoNothing => Ok(()),
            OnConflictAction::DoUpdate(update) => self.assignments(&update.assignments),
        }
    }

    fn assignments(&mut self, assignments: &[Assignment]) -> Result<(), NoFacts> {
        for Assignment { target, value } in assignments {
            let AssignmentTarget::ColumnName(name) = target else {
                return Err(NoFacts::Form("SET (columns) = …"));
            };
            let column = self.target(name)?;
            match self.excluded(column, value) {
                Some(same) => {
                    self.facts.roles.push((same, Role::Target));
                    let value = Value::Nothing;
                    self.facts.writes.push(Write { column, value });
                }
                None => self.write(column, value),
            }
        }
        Ok(())
    }

    /// The column in `SET column = excluded.column`: its value has been sealed where it was to be inserted.
    fn excluded(&self, column: usize, value: &Expr) -> Option<usize> {
        let Expr::CompoundIdentifier(names) = value else {
            return None;
        };
        let [row, same] = &**names else {
            return None;
        };
        let (row, same) = (self.token(Some(row)).ok()?, self.token(Some(same)).ok()?);
        let name = |token: usize| {
            let token = self.source.tokens.get(token)?;
            Some(ident::name(token, self.source.text))
        };
        (*name(row)? == b"excluded"[..] && name(same) == name(column)).then_some(same)
    }

    fn update(&mut self, update: &Update) -> Result<(), NoFacts> {
        self.table(&update.table)?;
        without(update.from.is_some(), "UPDATE … FROM")?;
        without(
            update.or.is_some() || !update.order_by.is_empty() || update.limit.is_some(),
            "a clause that PostgreSQL does not have",
        )?;
        self.assignments(&update.assignments)?;
        self.returning(update.returning.as_deref())
    }

    fn delete(&mut self, delete: &Delete) -> Result<(), NoFacts> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let [from] = &**from else {
            return Err(NoFacts::Form("more than one table"));
        };
        without(delete.using.is_some(), "DELETE … USING")?;
        without(
            !delete.tables.is_empty() || !delete.order_by.is_empty() || delete.limit.is_some(),
            "a clause that PostgreSQL does not have",
        )?;
        self.table(from)?;
        self.returning(delete.returning.as_deref())
    }

    /// The only table of a statement.
    fn table(&mut self, from: &TableWithJoins) -> Result<(), NoFacts> {
        without(!from.joins.is_empty(), "JOIN")?;
        self.factor(&from.relation)
    }

    /// A table and what is joined to it.
    fn joined(&mut self, from: &TableWithJoins) -> Result<(), NoFacts> {
        self.factor(&from.relation)?;
        for join in &from.joins {
            self.factor(&join.relation)?;
            let constraint = match &join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint) => constraint,
                _ => return Err(NoFacts::Form("a join that PostgreSQL does not have")),
            };
            self.facts.natural |= matches!(constraint, JoinConstraint::Natural);
        }
        Ok(())
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<(), NoFacts> {
        let TableFactor::Table {
            name, alias, args, ..
        } = factor
        else {
            return Err(NoFacts::Form("something in FROM that is not a table"));
        };
        without(args.is_some(), "a function in FROM")?;
        self.relation(name)?;
        if let Some(alias) = alias {
            without(!alias.columns.is_empty(), "a table alias with column names")?;
            self.alias(&alias.name)?;
        }
        Ok(())
    }

    fn relation(&mut self, name: &ObjectName) -> Result<(), NoFacts> {
        let parts = name
            .0
            .iter()
            .map(|part| self.token(part.as_ident()))
            .collect::<Result<Vec<_>, _>>()?;
        let (table, qualifiers) = parts.split_last().ok_or(NoFacts::NotUnderstood)?;
        self.facts.tables.push(TableUse {
            schema: qualifiers.last().copied(),
            table: *table,
            alias: None,
        });
        self.facts
            .roles
            .extend(parts.iter().map(|token| (*token, Role::Table)));
        Ok(())
    }

    /// The alias of the last table.
    fn alias(&mut self, alias: &Ident) -> Result<(), NoFacts> {
        let token = self.token(Some(alias))?;
        if let Some(table) = self.facts.tables.last_mut() {
            table.alias = Some(token);
        }
        self.facts.roles.push((token, Role::Table));
        Ok(())
    }

    fn token(&self, name: Option<&Ident>) -> Result<usize, NoFacts> {
        name.and_then(|name| self.source.token_at(name.span))
            .ok_or(NoFacts::NotUnderstood)
    }

    /// A column that is written; with a dot in it, it is a field of a composite type.
    fn target(&mut self, name: &ObjectName) -> Result<usize, NoFacts> {
        let [part] = &*name.0 else {
            return Err(NoFacts::Form("an assignment to a part of a column"));
        };
        let token = self.token(part.as_ident())?;
        self.facts.roles.push((token, Role::Target));
        Ok(token)
    }

    fn write(&mut self, column: usize, expr: &Expr) {
        let value = value(expr, self.source);
        self.facts.writes.push(Write { column, value });
    }

    fn returning(&mut self, items: Option<&[SelectItem]>) -> Result<(), NoFacts> {
        self.items(items.unwrap_or_default())
    }

    fn items(&mut self, items: &[SelectItem]) -> Result<(), NoFacts> {
        for item in items {
            let item = match item {
                SelectItem::UnnamedExpr(expr) => self.item(expr),
                SelectItem::ExprWithAlias { expr, alias } => {
                    let label = self.token(Some(alias))?;
                    self.facts.roles.push((label, Role::Label));
                    self.item(expr)
                }
                SelectItem::Wildcard(_) => Item::Wildcard,
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    self.names(name, Role::Table);
                    Item::Wildcard
                }
                SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => {
                    return Err(NoFacts::Form("the fields of a composite value"));
                }
            };
            self.facts.items.push(item);
        }
        Ok(())
    }

    fn item(&mut self, expr: &Expr) -> Item {
        match column(expr, self.source) {
            Some(token) => {
                self.facts.roles.push((token, Role::Output));
                Item::Column(token)
            }
            None => Item::Expression,
        }
    }

    fn names(&mut self, name: &ObjectName, role: Role) {
        for part in &name.0 {
            if let Ok(token) = self.token(part.as_ident()) {
                self.facts.roles.push((token, role));
            }
        }
    }

    fn order_by(&mut self, order_by: Option<&OrderBy>) -> Result<(), NoFacts> {
        match order_by.map(|order_by| &order_by.kind) {
            None => Ok(()),
            Some(OrderByKind::Expressions(expressions)) => {
                self.ordinals(expressions.iter().map(|ordered| &ordered.expr));
                Ok(())
            }
            Some(OrderByKind::All(_)) => Err(NoFacts::Form("ORDER BY ALL")),
        }
    }

    fn ordinals<'e>(&mut self, expressions: impl Iterator<Item = &'e Expr>) {
        for expr in expressions {
            if let Expr::Value(literal) = expr
                && let Some(token) = self.source.token_at(literal.span)
                && let Some(token) = self.source.tokens.get(token)
                && let Ok(text) = std::str::from_utf8(token.text(self.source.text))
                && let Ok(ordinal) = text.parse()
            {
                self.facts.ordinals.push(ordinal);
            }
        }
    }
}

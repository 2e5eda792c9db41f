//! What only MySQL and MariaDB have in statements that write.

use super::NoFacts;
use super::reader::{Reader, without};
use super::tree::{
    Action, Assignment, Body, From, Item, Join, NewRow, Query, Relation, Select, TableName, Term,
    Write,
};
use crate::sql::ident;
use sqlparser::ast::{
    self, AssignmentTarget, Delete, Expr, FromTable, Function, Insert, InsertAliases, OnInsert,
    OrderBy, OrderByKind, Update,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const NOT_A_TABLE: NoFacts = NoFacts::Form("UPDATE of something that is not a table");

impl Reader<'_> {
    /// Labels of result columns in an expression: MySQL takes them for what they name in `HAVING`, and in expressions of
    /// `GROUP BY` and `ORDER BY`. Alone they are keys like those of PostgreSQL.
    pub(super) fn labels(&self, expr: &Expr, items: &[Item]) -> Vec<usize> {
        let name = |token: usize| {
            let token = self.source.tokens.get(token);
            token.map(|token| ident::name(token, self.source.text))
        };
        let labels: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::One {
                    label: Some(label),
                    term,
                } => match term {
                    // It is the column in both meanings.
                    Term::Column { name: own, .. } if name(*own) == name(*label) => None,
                    Term::Column { .. } | Term::Query(_) | Term::Choice { .. } => name(*label),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let mut found = Vec::new();
        let _ = ast::visit_expressions(expr, |expr| {
            if let Expr::Identifier(ident) = expr {
                let token = self.source.token_at(ident.span);
                let is_label =
                    |token: &usize| name(*token).is_some_and(|name| labels.contains(&name));
                found.extend(token.filter(is_label));
            }
            ControlFlow::<()>::Continue(())
        });
        found
    }

    /// The same for the keys of `ORDER BY`. Of several queries in one they cannot be told.
    pub(super) fn labels_in_keys(
        &self,
        order_by: Option<&OrderBy>,
        body: &mut Body,
    ) -> Result<(), NoFacts> {
        let (Some(OrderByKind::Expressions(keys)), Some(items)) =
            (order_by.map(|order_by| &order_by.kind), items_of(body))
        else {
            return Ok(());
        };
        let keys = keys.iter().map(|key| &key.expr);
        let computed = keys.filter(|key| !matches!(key, Expr::Identifier(_)));
        let labels: Vec<usize> = computed.flat_map(|key| self.labels(key, items)).collect();
        match body {
            Body::Select(select) => select.labels.extend(labels),
            _ => without(
                !labels.is_empty(),
                NoFacts::Form("the label of a column in an expression"),
            )?,
        }
        Ok(())
    }

    /// A function that gives one of its arguments as it is, or the value of a new row.
    pub(super) fn mysql_function(&mut self, function: &Function) -> Result<Option<Term>, NoFacts> {
        let (condition, results) = match (
            self.plain_arguments(function, "if").as_deref(),
            self.plain_arguments(function, "ifnull").as_deref(),
        ) {
            (Some(&[condition, then, otherwise]), _) => (Some(condition), [then, otherwise]),
            (_, Some(&[value, instead])) => (None, [value, instead]),
            _ => return self.new_value(function),
        };
        self.parts(&function.name)?;
        let operands = match condition {
            Some(condition) => self.operands(condition)?,
            None => Vec::new(),
        };
        let results = results.into_iter().map(|result| self.term(result));
        Ok(Some(Term::Choice {
            results: results.collect::<Result<_, _>>()?,
            operands,
        }))
    }

    /// The argument of `ISNULL(value)`.
    pub(super) fn is_null<'e>(&self, function: &'e Function) -> Option<&'e Expr> {
        let arguments = self.plain_arguments(function, "isnull");
        match arguments.as_deref() {
            Some([tested]) if self.source.dialect.is_mysql() => Some(tested),
            _ => None,
        }
    }

    /// `VALUES(column)`
    fn new_value(&mut self, function: &Function) -> Result<Option<Term>, NoFacts> {
        let arguments = self
            .plain_arguments(function, "values")
            .or_else(|| self.plain_arguments(function, "value"));
        let Some([Expr::Identifier(column)]) = arguments.as_deref() else {
            return Ok(None);
        };
        self.parts(&function.name)?;
        Ok(Some(Term::NewValue(self.name(column)?)))
    }

    /// What `INSERT` and `REPLACE` store.
    pub(super) fn mysql_insert(&mut self, insert: &Insert) -> Result<Vec<Action>, NoFacts> {
        let mut actions = Vec::new();
        if !insert.assignments.is_empty() {
            without(!insert.columns.is_empty(), NoFacts::NotUnderstood)?;
            let mut columns = Vec::with_capacity(insert.assignments.len());
            let mut values = Vec::with_capacity(insert.assignments.len());
            for assignment in &insert.assignments {
                columns.push(self.assigned(assignment)?.1);
                values.push(self.term(&assignment.value)?);
            }
            actions.push(Action::Insert {
                columns,
                source: Query::of(Body::Values(vec![values])),
            });
        }
        let alias = match &insert.insert_alias {
            None => None,
            Some(InsertAliases {
                row_alias,
                col_aliases,
            }) => {
                without(
                    col_aliases.iter().flatten().next().is_some(),
                    NoFacts::Form("names for the columns of a new row"),
                )?;
                self.parts(row_alias)?.last().copied()
            }
        };
        match &insert.on {
            None => {}
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => actions.push(Action::Update {
                assignments: self.mysql_assignments(assignments)?,
                operands: Vec::new(),
                new_row: NewRow::Values(alias),
            }),
            Some(_) => return Err(NoFacts::NotUnderstood),
        }
        Ok(actions)
    }

    pub(super) fn mysql_update(&mut self, update: &Update) -> Result<Write, NoFacts> {
        let Update {
            update_token: _,
            optimizer_hints: _,
            table,
            assignments,
            from,
            selection,
            returning,
            output,
            or,
            order_by,
            limit,
        } = update;
        without(
            or.is_some() || output.is_some() || from.is_some() || returning.is_some(),
            NoFacts::NotUnderstood,
        )?;
        let mut relations = Vec::new();
        let mut operands = Vec::new();
        for from in self.from(std::slice::from_ref(table))? {
            flatten(from, &mut relations, &mut operands)?;
        }
        // Another table's name in front of a column of the only one is the server's to refuse.
        let mut unnamed = Vec::new();
        let mut changes = match &*relations {
            [_] => BTreeMap::from([(0, self.mysql_assignments(assignments)?)]),
            _ => self.updated(assignments, &relations, &mut unnamed)?,
        };
        let (at, first) = match changes.pop_first() {
            Some(first) => first,
            None => {
                let at = relations.iter().position(|table| named(table).is_some());
                (at.ok_or(NOT_A_TABLE)?, Vec::new())
            }
        };
        let mut actions = vec![Action::Update {
            assignments: first,
            operands: Vec::new(),
            new_row: NewRow::Unseen,
        }];
        for (at, assignments) in changes {
            let relation = relations.get(at).ok_or(NoFacts::NotUnderstood)?;
            actions.push(Action::UpdateJoined {
                target: named(relation).ok_or(NOT_A_TABLE)?.0,
                assignments,
            });
        }
        if !unnamed.is_empty() {
            let tables = relations.iter().filter_map(named);
            actions.push(Action::UpdateAny {
                targets: tables.map(|(table, _)| table).collect(),
                assignments: unnamed,
            });
        }
        let (target, alias) = named(&relations.remove(at)).ok_or(NOT_A_TABLE)?;
        operands.extend(self.operands(selection)?);
        operands.extend(self.operands(order_by)?);
        operands.extend(self.operands(limit)?);
        let from = |first| From {
            first,
            joins: Vec::new(),
        };
        Ok(Write {
            target,
            alias,
            from: relations.into_iter().map(from).collect(),
            actions,
            operands,
            returning: Vec::new(),
        })
    }

    /// `DELETE`: rows that go need nothing but that what they are found by is read.
    pub(super) fn mysql_delete(&mut self, delete: &Delete) -> Result<Query, NoFacts> {
        let Delete {
            delete_token: _,
            optimizer_hints: _,
            tables,
            from,
            using,
            selection,
            returning,
            output,
            order_by,
            limit,
        } = delete;
        without(output.is_some(), NoFacts::NotUnderstood)?;
        for table in tables {
            self.parts(table)?;
        }
        let (FromTable::WithFromKeyword(named) | FromTable::WithoutKeyword(named)) = from;
        let from = match using {
            Some(using) => {
                // What it deletes from are names of what follows.
                self.from(named)?;
                self.from(using)?
            }
            None => self.from(named)?,
        };
        let mut operands = self.operands(selection)?;
        operands.extend(self.operands(order_by)?);
        operands.extend(self.operands(limit)?);
        let items: Vec<Item> = self.items(returning.as_deref().unwrap_or_default())?;
        Ok(Query::of(Body::Select(Box::new(Select {
            from,
            items,
            distinct: super::tree::Distinct::No,
            group_by: Vec::new(),
            grouping_sets: false,
            operands,
            labels: Vec::new(),
            into: None,
        }))))
    }

    fn mysql_assignments(
        &mut self,
        assignments: &[ast::Assignment],
    ) -> Result<Vec<Assignment>, NoFacts> {
        assignments
            .iter()
            .map(|assignment| self.mysql_assignment(assignment))
            .collect()
    }

    fn mysql_assignment(&mut self, assignment: &ast::Assignment) -> Result<Assignment, NoFacts> {
        let (_, column) = self.assigned(assignment)?;
        Ok(Assignment::Column(column, self.term(&assignment.value)?))
    }

    /// The column that is assigned, and what stands in front of it.
    fn assigned(
        &mut self,
        assignment: &ast::Assignment,
    ) -> Result<(Option<usize>, usize), NoFacts> {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(NoFacts::NotUnderstood);
        };
        match *self.parts(name)? {
            [column] => Ok((None, column)),
            [.., qualifier, column] => Ok((Some(qualifier), column)),
            [] => Err(NoFacts::NotUnderstood),
        }
    }

    /// What is assigned to columns of each of several tables, by their places; what is assigned to others goes to `unnamed`.
    fn updated(
        &mut self,
        assignments: &[ast::Assignment],
        relations: &[Relation],
        unnamed: &mut Vec<Assignment>,
    ) -> Result<BTreeMap<usize, Vec<Assignment>>, NoFacts> {
        let mut updated: BTreeMap<usize, Vec<Assignment>> = BTreeMap::new();
        for assignment in assignments {
            let Some(qualifier) = self.assigned(assignment)?.0 else {
                unnamed.push(self.mysql_assignment(assignment)?);
                continue;
            };
            let is_named = |relation: &Relation| {
                named(relation).is_some_and(|table| self.is_name_of(qualifier, table))
            };
            let at = relations.iter().position(is_named);
            let at = at.ok_or(NoFacts::Form("UPDATE of several tables"))?;
            // The same name may stand for tables of two schemas.
            without(
                relations.iter().skip(at + 1).any(is_named),
                NoFacts::Form("UPDATE of tables of the same name"),
            )?;
            let assignment = self.mysql_assignment(assignment)?;
            updated.entry(at).or_default().push(assignment);
        }
        Ok(updated)
    }

    fn is_name_of(&self, qualifier: usize, (table, alias): Named) -> bool {
        let name = |token: usize| {
            let token = self.source.tokens.get(token);
            token.map(|token| ident::name(token, self.source.text))
        };
        name(qualifier) == name(alias.unwrap_or(table.table))
    }
}

/// What labels the columns of a query.
fn items_of(body: &Body) -> Option<&[Item]> {
    match body {
        Body::Select(select) => Some(&select.items),
        Body::Query(query) => items_of(&query.body),
        Body::Set { left, .. } => items_of(left),
        Body::Values(_) | Body::Write(_) => None,
    }
}

/// A table and its alias.
type Named = (TableName, Option<usize>);

fn named(relation: &Relation) -> Option<Named> {
    match relation {
        Relation::Table(table, alias) => Some((*table, alias.as_ref().map(|alias| alias.name))),
        _ => None,
    }
}

/// The relations of a join, and its conditions, which see all of them.
fn flatten(
    from: From,
    relations: &mut Vec<Relation>,
    operands: &mut Vec<Term>,
) -> Result<(), NoFacts> {
    let first = std::iter::once((from.first, Join::On(Vec::new())));
    for (relation, how) in first.chain(from.joins) {
        match relation {
            Relation::Joined(inner, None) => flatten(*inner, relations, operands)?,
            relation => relations.push(relation),
        }
        match how {
            Join::On(conditions) => operands.extend(conditions),
            Join::Using(_) | Join::Natural(_) => {
                return Err(NoFacts::Form("UPDATE with NATURAL JOIN or USING"));
            }
        }
    }
    Ok(())
}

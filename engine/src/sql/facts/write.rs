//! `INSERT`, `UPDATE`, `DELETE` and `MERGE`.

use super::reader::{Reader, without};
use super::tree::{
    Action, Assignment, Body, Item, NewRow, Query, Relation, TableName, Term, Write,
};
use super::{FOREIGN, NoFacts};
use sqlparser::ast::{
    self, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Insert, Merge, MergeAction,
    MergeInsertKind, MergeUpdateKind, ObjectName, OnConflict, OnConflictAction, OnInsert,
    OutputClause, SelectItem, TableFactor, TableObject, TableWithJoins, Update,
    UpdateTableFromKind,
};

impl Reader<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<Write, NoFacts> {
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or,
            ignore,
            into: _,
            table,
            table_alias,
            columns,
            overwrite,
            source,
            assignments,
            partitioned,
            after_columns,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority,
            insert_alias,
            settings,
            format_clause,
            multi_table_insert_type,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause,
        } = insert;
        let mysql = self.source.dialect.is_mysql();
        without(
            or.is_some()
                || *ignore
                || *overwrite
                || !mysql && !assignments.is_empty()
                || partitioned.is_some()
                || !after_columns.is_empty()
                || *has_table_keyword
                || output.is_some()
                || *replace_into
                || priority.is_some()
                || !mysql && insert_alias.is_some()
                || settings.is_some()
                || format_clause.is_some()
                || multi_table_insert_type.is_some()
                || !multi_table_into_clauses.is_empty()
                || !multi_table_when_clauses.is_empty()
                || multi_table_else_clause.is_some(),
            FOREIGN,
        )?;
        let TableObject::TableName(name) = table else {
            return Err(NoFacts::Form("INSERT into something that is not a table"));
        };
        let target = self.table(name)?;
        let alias = match table_alias {
            Some(alias) => Some(self.name(&alias.alias)?),
            None => None,
        };
        let columns = self.targets(columns)?;
        let mut actions = Vec::new();
        if let Some(source) = source {
            let source = self.query(source)?;
            actions.push(Action::Insert { columns, source });
        }
        match on {
            _ if mysql => actions.extend(self.mysql_insert(insert)?),
            None => {}
            Some(OnInsert::OnConflict(conflict)) => self.conflict(conflict, &mut actions)?,
            Some(_) => return Err(FOREIGN),
        }
        Ok(Write {
            target,
            alias,
            from: Vec::new(),
            actions,
            operands: self.asides()?,
            returning: self.returning(returning.as_deref())?,
        })
    }

    fn conflict(
        &mut self,
        conflict: &OnConflict,
        actions: &mut Vec<Action>,
    ) -> Result<(), NoFacts> {
        match &conflict.conflict_target {
            None => {}
            Some(ConflictTarget::Columns(columns)) => {
                actions.push(Action::ConflictOn(self.names(columns)?));
            }
            Some(ConflictTarget::OnConstraint(name)) => {
                self.parts(name)?;
            }
        }
        if let OnConflictAction::DoUpdate(update) = &conflict.action {
            actions.push(Action::Update {
                assignments: self.assignments(&update.assignments)?,
                operands: self.operands(&update.selection)?,
                new_row: NewRow::Excluded,
            });
        }
        Ok(())
    }

    pub(super) fn update(&mut self, update: &Update) -> Result<Write, NoFacts> {
        if self.source.dialect.is_mysql() {
            return self.mysql_update(update);
        }
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
            or.is_some() || !order_by.is_empty() || limit.is_some() || output.is_some(),
            FOREIGN,
        )?;
        let (target, alias) = self.target(table)?;
        let mut operands = self.asides()?;
        let from = match from {
            None => Vec::new(),
            Some(UpdateTableFromKind::AfterSet(from)) => self.from(from)?,
            Some(UpdateTableFromKind::BeforeSet(_)) => return Err(FOREIGN),
        };
        let assignments = self.assignments(assignments)?;
        operands.extend(self.operands(selection)?);
        Ok(Write {
            target,
            alias,
            from,
            actions: vec![Action::Update {
                assignments,
                operands: Vec::new(),
                new_row: NewRow::Unseen,
            }],
            operands,
            returning: self.returning(returning.as_deref())?,
        })
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<Write, NoFacts> {
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
        without(
            !tables.is_empty() || !order_by.is_empty() || limit.is_some() || output.is_some(),
            FOREIGN,
        )?;
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = from;
        let [table] = &**from else {
            return Err(NoFacts::Form("more than one table"));
        };
        let (target, alias) = self.target(table)?;
        Ok(Write {
            target,
            alias,
            from: match using {
                Some(using) => self.from(using)?,
                None => Vec::new(),
            },
            actions: Vec::new(),
            operands: self.operands(selection)?,
            returning: self.returning(returning.as_deref())?,
        })
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> Result<Write, NoFacts> {
        let Merge {
            merge_token: _,
            optimizer_hints: _,
            into: _,
            table,
            source,
            on,
            clauses,
            output,
        } = merge;
        let (target, alias) = self.target_factor(table)?;
        let from = super::tree::From {
            first: self.relation(source)?,
            joins: Vec::new(),
        };
        let mut operands = self.asides()?;
        operands.extend(self.operands(on)?);
        let mut actions = Vec::new();
        for clause in clauses {
            operands.extend(self.operands(&clause.predicate)?);
            match &clause.action {
                MergeAction::Delete { .. } | MergeAction::DoNothing { .. } => {}
                MergeAction::Insert(insert) => {
                    without(insert.insert_predicate.is_some(), FOREIGN)?;
                    let columns = self.targets(&insert.columns)?;
                    let MergeInsertKind::Values(values) = &insert.kind else {
                        return Err(FOREIGN);
                    };
                    let mut rows = self.rows(values)?;
                    let values = rows.pop().ok_or(FOREIGN)?;
                    without(!rows.is_empty(), FOREIGN)?;
                    actions.push(Action::InsertRow { columns, values });
                }
                MergeAction::Update(update) => {
                    without(
                        update.update_predicate.is_some() || update.delete_predicate.is_some(),
                        FOREIGN,
                    )?;
                    let MergeUpdateKind::Set(assignments) = &update.kind else {
                        return Err(FOREIGN);
                    };
                    actions.push(Action::Update {
                        assignments: self.assignments(assignments)?,
                        operands: Vec::new(),
                        new_row: NewRow::Unseen,
                    });
                }
            }
        }
        let returning = match output {
            None => Vec::new(),
            Some(OutputClause::Returning {
                returning_token: _,
                select_items,
            }) => self.items(select_items)?,
            Some(OutputClause::Output { .. }) => return Err(FOREIGN),
        };
        Ok(Write {
            target,
            alias,
            from: vec![from],
            actions,
            operands,
            returning,
        })
    }

    /// The table that is written, and its alias.
    fn target(&mut self, from: &TableWithJoins) -> Result<(TableName, Option<usize>), NoFacts> {
        without(!from.joins.is_empty(), NoFacts::Form("JOIN"))?;
        self.target_factor(&from.relation)
    }

    fn target_factor(
        &mut self,
        factor: &TableFactor,
    ) -> Result<(TableName, Option<usize>), NoFacts> {
        match self.relation(factor)? {
            Relation::Table(table, None) => Ok((table, None)),
            Relation::Table(table, Some(alias)) if alias.columns.is_empty() => {
                Ok((table, Some(alias.name)))
            }
            _ => Err(NoFacts::Form("something to write to that is not a table")),
        }
    }

    /// Columns that are written. What follows the name of one, after a dot or in brackets, is a part of it.
    fn targets(&mut self, names: &[ObjectName]) -> Result<Vec<usize>, NoFacts> {
        let column = |name: &ObjectName| {
            let parts = self.parts(name)?;
            parts.first().copied().ok_or(NoFacts::NotUnderstood)
        };
        names.iter().map(column).collect()
    }

    fn assignments(&mut self, assignments: &[ast::Assignment]) -> Result<Vec<Assignment>, NoFacts> {
        let mut all = Vec::with_capacity(assignments.len());
        for ast::Assignment { target, value } in assignments {
            match target {
                AssignmentTarget::ColumnName(name) => {
                    for column in self.targets(std::slice::from_ref(name))? {
                        all.push(Assignment::Column(column, self.term(value)?));
                    }
                }
                AssignmentTarget::Tuple(names) => {
                    let columns = self.targets(names)?;
                    self.row(columns, value, &mut all)?;
                }
            }
        }
        Ok(all)
    }

    /// `SET (columns) = …`
    fn row(
        &mut self,
        columns: Vec<usize>,
        value: &Expr,
        all: &mut Vec<Assignment>,
    ) -> Result<(), NoFacts> {
        const FORM: NoFacts = NoFacts::Form("SET (columns) = something that is not a row");
        let values: Vec<Term> = match value {
            Expr::Subquery(query) => {
                let query = Box::new(self.query(query)?);
                all.push(Assignment::Columns(columns, query));
                return Ok(());
            }
            Expr::Tuple(values) => self.terms(values)?,
            Expr::Nested(value) => vec![self.term(value)?],
            Expr::Function(function) => {
                let values = self.plain_arguments(function, "row").ok_or(FORM)?;
                self.parts(&function.name)?;
                values
                    .into_iter()
                    .map(|value| self.term(value))
                    .collect::<Result<_, _>>()?
            }
            _ => return Err(FORM),
        };
        without(
            values.len() != columns.len(),
            NoFacts::Form("a row with more or fewer values than there are columns"),
        )?;
        let pairs = columns.into_iter().zip(values);
        all.extend(pairs.map(|(column, value)| Assignment::Column(column, value)));
        Ok(())
    }

    fn returning(&mut self, items: Option<&[SelectItem]>) -> Result<Vec<Item>, NoFacts> {
        self.items(items.unwrap_or_default())
    }
}

impl Query {
    /// The rows of a query that is nothing but `VALUES`.
    pub fn rows(&self) -> Option<&[Vec<Term>]> {
        match &self.body {
            Body::Values(rows)
                if self.ctes.is_empty() && self.order_by.is_empty() && self.operands.is_empty() =>
            {
                Some(rows)
            }
            _ => None,
        }
    }
}

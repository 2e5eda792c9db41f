//! What statements write: which flows reach which column.

use super::Role;
use super::compare::SideTerm;
use super::flow::{Flow, Use};
use super::refusal::{Refusal, RefusalCode};
use super::resolve::Resolver;
use super::scope::{Rel, Rows, Scope, misused};
use crate::columns::{Likeness, Setting, Subject, Table};
use crate::sql::facts::tree::{Action, Assignment, NewRow, Query, TableName, Term, Write};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// The row of `VALUES(column)`: no name in a text has this character.
pub(super) const NEW_VALUES: &str = "\0";

/// A table that is written.
struct Target<'a> {
    /// Its entry, if it is protected.
    table: Option<&'a Table>,
    rows: Rc<Rows<'a>>,
    /// Its name in messages.
    name: Cow<'a, str>,
}

impl Target<'_> {
    /// Refuses views.
    fn is_written(&self) -> Result<(), Refusal> {
        match self.table.filter(|table| table.is_view()) {
            Some(view) => Err(view_write(view)),
            None => Ok(()),
        }
    }
}

impl<'a> Resolver<'a> {
    /// A statement that writes; what it returns.
    pub(super) fn write(
        &mut self,
        write: &Write,
        outer: &Scope<'_, 'a>,
    ) -> Result<Rows<'a>, Refusal> {
        let target = self.target(write.target);
        let table = target.table;
        if !write.actions.is_empty() {
            target.is_written()?;
        }
        let mut scope = Scope::inside(Some(outer));
        let own = Rel {
            name: Some(self.name(write.alias.unwrap_or(write.target.table))),
            rows: Rc::clone(&target.rows),
            is_table: table.is_none_or(|table| !table.is_view()),
            is_keyed: false,
        };
        // What a conflict is on is a column of the table, whatever else is visible.
        let mut own_scope = Scope::inside(None);
        own_scope.rels.push(own.clone());
        scope.rels.push(own);
        self.from(&write.from, &mut scope)?;
        for action in &write.actions {
            match action {
                Action::Insert { columns, source } => {
                    self.insert(&target, columns, source, outer)?;
                }
                Action::InsertRow { columns, values } => {
                    self.row(&target, columns, values, &scope)?;
                }
                Action::ConflictOn(columns) => {
                    for column in columns {
                        let setting = target
                            .table
                            .and_then(|table| table.setting(&self.name(*column)));
                        if let Some(setting) = setting {
                            let name = self.name(*column);
                            self.note_hash_column(*column, None, &name, &own_scope);
                            self.conflict_on(*column, setting)?;
                        }
                    }
                }
                Action::Update {
                    assignments,
                    operands,
                    new_row,
                } => {
                    let before = scope.rels.len();
                    for name in self.new_row(*new_row) {
                        scope.rels.push(Rel {
                            name: Some(name),
                            rows: Rc::clone(&target.rows),
                            is_table: false,
                            is_keyed: false,
                        });
                    }
                    self.assignments(&target, assignments, &scope)?;
                    self.operands(operands, &scope)?;
                    scope.rels.truncate(before);
                }
                Action::UpdateJoined {
                    target,
                    assignments,
                } => {
                    let target = self.target(*target);
                    target.is_written()?;
                    self.assignments(&target, assignments, &scope)?;
                }
                Action::UpdateAny {
                    targets,
                    assignments,
                } => {
                    for assignment in assignments {
                        let target = self.target_of(assignment, targets)?;
                        target.is_written()?;
                        self.assignments(&target, std::slice::from_ref(assignment), &scope)?;
                    }
                }
            }
        }
        self.operands(&write.operands, &scope)?;
        self.items(&write.returning, &scope)
    }

    /// The table whose column is assigned without its name. The server takes no name that several have, so that it is the one which has a
    /// protected column of this name, or else a column that is not protected.
    fn target_of(
        &mut self,
        assignment: &Assignment,
        tables: &[TableName],
    ) -> Result<Target<'a>, Refusal> {
        let column = match assignment {
            Assignment::Column(column, _) => Some(self.name(*column)),
            Assignment::Columns(..) => None,
        };
        let mut targets: Vec<Target<'a>> = tables.iter().map(|table| self.target(*table)).collect();
        let protects = |target: &Target<'a>| {
            let setting = |table: &Table| table.setting(column.as_deref()?).map(drop);
            target.table.and_then(setting).is_some()
        };
        let at = targets.iter().position(protects);
        if targets.iter().filter(|target| protects(target)).count() > 1 {
            return Err(self.form("UPDATE of a column that several tables have"));
        }
        match targets.is_empty() {
            true => Err(self.form("UPDATE of something that is not a table")),
            false => Ok(targets.swap_remove(at.unwrap_or(0))),
        }
    }

    fn target(&mut self, table: TableName) -> Target<'a> {
        let name = self.name(table.table);
        let (rows, table) = self.base(table);
        Target {
            table,
            rows: Rc::new(rows),
            name,
        }
    }

    /// The names of the row that was to be inserted.
    fn new_row(&self, new_row: NewRow) -> Vec<Cow<'a, str>> {
        match new_row {
            NewRow::Unseen => Vec::new(),
            NewRow::Excluded => vec![Cow::Borrowed("excluded")],
            NewRow::Values(alias) => {
                let alias = alias.map(|alias| self.name(alias));
                std::iter::once(Cow::Borrowed(NEW_VALUES))
                    .chain(alias)
                    .collect()
            }
        }
    }

    /// Rows in conflict are found by a unique index: of a searchable column, one on its hash.
    fn conflict_on(&mut self, column: usize, setting: &Setting) -> Result<(), Refusal> {
        let term = Term::Column {
            qualifier: None,
            name: column,
        };
        match setting.likeness() {
            Some(Likeness::Hash) if self.hash(SideTerm::Value(&term)) => Ok(()),
            Some(Likeness::Token) => Ok(()),
            Some(Likeness::Hash) | None => Err(misused(
                setting,
                "is compared by ON CONFLICT, where encrypted values are never equal",
            )),
        }
    }

    fn insert(
        &mut self,
        target: &Target<'a>,
        columns: &[usize],
        source: &Query,
        outer: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        // Rows of values are stored one by one, so that each may have its own form.
        if let Some(rows) = source.rows() {
            for row in rows {
                self.row(target, columns, row, outer)?;
            }
            return Ok(());
        }
        let rows = self.query(source, Some(outer))?;
        if rows.open.is_some() {
            if target.table.is_some() {
                return Err(self.form("INSERT … SELECT of columns whose number is not known"));
            }
            for flow in rows.flows() {
                self.store_in(target, "", flow)?;
            }
            return Ok(());
        }
        let flows: Vec<Flow> = rows.flows().collect();
        self.places(target, columns, &flows)
    }

    fn row(
        &mut self,
        target: &Target<'a>,
        columns: &[usize],
        values: &[Term],
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let mut flows = Vec::with_capacity(values.len());
        for value in values {
            flows.push(self.stored(value, scope)?);
        }
        self.places(target, columns, &flows)
    }

    /// Stores values by their places.
    fn places(
        &mut self,
        target: &Target<'a>,
        columns: &[usize],
        flows: &[Flow],
    ) -> Result<(), Refusal> {
        const LENGTH: &str = "a row with more or fewer values than there are columns";
        if !columns.is_empty() {
            if columns.len() != flows.len() {
                return Err(self.form(LENGTH));
            }
            for (column, flow) in columns.iter().zip(flows) {
                self.store_in_named(target, *column, *flow)?;
            }
            return Ok(());
        }
        if target.table.is_none() {
            for flow in flows {
                self.store_in(target, "", *flow)?;
            }
            return Ok(());
        }
        if target.rows.open.is_some() {
            return Err(self.form("INSERT without a list of columns").with_hint(
                "Name the columns, or list all of them in the encryptor configuration (columns:).",
            ));
        }
        if target.rows.columns.len() < flows.len() {
            return Err(self.form(LENGTH));
        }
        for (column, flow) in target.rows.columns.iter().zip(flows) {
            self.store_in(target, column.name.as_deref().unwrap_or_default(), *flow)?;
        }
        Ok(())
    }

    fn assignments(
        &mut self,
        target: &Target<'a>,
        assignments: &[Assignment],
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        for assignment in assignments {
            match assignment {
                Assignment::Column(column, term) => {
                    let flow = self.stored(term, scope)?;
                    self.store_in_named(target, *column, flow)?;
                }
                Assignment::Columns(columns, query) => {
                    let rows = self.query(query, Some(scope))?;
                    if rows.open.is_some() || rows.columns.len() != columns.len() {
                        return Err(
                            self.form("SET (columns) = a query whose columns are not known")
                        );
                    }
                    for (column, flow) in columns.iter().zip(rows.flows()) {
                        self.store_in_named(target, *column, flow)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Stores a value in a column, or in a part of one, that is named in the text.
    fn store_in_named(
        &mut self,
        target: &Target<'a>,
        column: usize,
        flow: Flow,
    ) -> Result<(), Refusal> {
        let symbol = |at: usize, symbols: &[u8]| {
            let token = self.source.tokens.get(at);
            token.is_some_and(|token| {
                symbols
                    .iter()
                    .any(|symbol| token.is(self.source.text, *symbol))
            })
        };
        let mut part = column;
        loop {
            let setting = target
                .table
                .and_then(|table| table.setting(&self.name(part)));
            if let Some(setting) = setting
                && (part != column || symbol(part + 1, b".["))
            {
                return Err(Refusal::new(
                    RefusalCode::ValueForm,
                    format!(
                        "column \"{}\" of protected table \"{}\" is written in part, or with the name of its table",
                        setting.column, setting.table
                    ),
                ).about(setting.subject())
                .with_hint("Set the whole column, by its name alone."));
            }
            if !symbol(part + 1, b".") {
                break;
            }
            part += 2;
        }
        self.store_in(target, &self.name(column), flow)
    }

    /// Stores a value in a column. An empty name is any column of a table that is not protected.
    fn store_in(&mut self, target: &Target<'a>, column: &str, flow: Flow) -> Result<(), Refusal> {
        if let Some(setting) = target.table.and_then(|table| table.setting(column)) {
            return self.store(setting, flow);
        }
        if let Some(setting) = self.flows.settings(flow).first() {
            let place = match column {
                "" => String::new(),
                column => format!("column \"{column}\" of "),
            };
            return Err(misused(
                setting,
                &format!(
                    "is stored in {place}table \"{}\", which is not protected there",
                    target.name
                ),
            ));
        }
        self.flows.see(flow);
        Ok(())
    }

    /// Stores a value in a protected column: literals are sealed, and columns that are protected alike are copied.
    fn store(&mut self, setting: &'a Arc<Setting>, flow: Flow) -> Result<(), Refusal> {
        let refuse = |what: &str| {
            let Setting { table, column, .. } = &**setting;
            Err(Refusal::new(
                RefusalCode::ValueForm,
                format!("column \"{column}\" of protected table \"{table}\" {what}"),
            )
            .about(setting.subject()))
        };
        if self.flows.is_plain(flow) {
            return refuse("is set to an expression, which cannot be encrypted");
        }
        let other = self
            .flows
            .settings(flow)
            .iter()
            .find(|other| !other.protects_like(setting));
        if let Some(other) = other {
            return refuse(&format!(
                "is set to column \"{}\" of table \"{}\", which is protected in another way",
                other.column, other.table
            ));
        }
        self.flows.give(
            flow,
            Use {
                setting,
                role: Role::Stored,
            },
        );
        Ok(())
    }
}

/// Values would be stored in clear: a view can rename, compute and leave out columns.
pub(super) fn view_write(view: &Table) -> Refusal {
    let message = format!(
        "\"{}\" is a view of a protected table: what is written through it cannot be protected",
        view.name()
    );
    Refusal::new(RefusalCode::ViewWrite, message).about(Subject::of_table(view.name()))
}

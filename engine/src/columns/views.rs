//! Views of protected tables: which of their columns are protected.
//!
//! What a view's query says of them is found out by who can read one. Of a view that cannot be read, columns with the name of a
//! protected one count as protected.

use super::schema::{Kinship, Relation, Schema};
use super::setting::Setting;
use super::table::{Columns, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Finds the protected columns of a query: their places from 0 on, and what they are. `None`, if it is not understood.
pub type ReadView<'r> = &'r dyn Fn(&Columns, &str) -> Option<Vec<(usize, Arc<Setting>)>>;

impl Columns {
    /// Corrects the entries of views by their queries, and notes those that could not be read.
    pub(super) fn read_views(
        &self,
        completed: &mut Self,
        schema: &Schema,
        read: ReadView<'_>,
        notes: &mut Vec<String>,
    ) {
        let is_ours = |view: &&Relation| {
            view.kinship == Kinship::View
                && self.table(Some(&view.schema), &view.name).is_none()
                && completed.table(Some(&view.schema), &view.name).is_some()
        };
        let views: BTreeMap<(&str, &str), &Relation> = schema
            .relations
            .iter()
            .filter(is_ours)
            .map(|view| ((&*view.schema, &*view.name), view))
            .collect();
        let mut unread = Vec::new();
        // What is found of a view may change what is found of a view of it.
        for _ in 0..=views.len() {
            unread.clear();
            let mut found = Vec::new();
            for view in views.values() {
                let query = view.query.as_deref();
                match query.and_then(|query| read(completed, query)) {
                    Some(settings) => found.push((*view, settings)),
                    None => unread.push(*view),
                }
            }
            let mut changed = false;
            for (view, settings) in found {
                if let Some(entry) = completed.exact_mut(Some(&view.schema), &view.name) {
                    changed |= entry.show(view, &settings);
                }
            }
            if !changed {
                break;
            }
        }
        for view in unread {
            self.note_hidden(completed, view, notes);
        }
    }

    /// Notes protected columns that a view reads and does not show under their names.
    fn note_hidden(&self, completed: &Self, view: &Relation, notes: &mut Vec<String>) {
        let Relation { schema, name, .. } = view;
        let (_, root) = &view.root;
        let entry = completed.table(Some(schema), name);
        let Some(table) = self.table(Some(&view.root.0), root) else {
            return;
        };
        for Setting { column, .. } in table.settings().map(|setting| &**setting) {
            let shown = entry.is_some_and(|entry| entry.setting(column).is_some());
            if view.reads.contains(column) && !shown {
                notes.push(format!(
                    "view \"{schema}.{name}\" reads column \"{column}\" of table \"{}\" and does not show it under its name: if it shows it under another one, comparisons with that are not recognised",
                    table.full_name()
                ));
            }
        }
    }
}

impl Table {
    /// An entry for a view, by the names of its columns.
    pub(super) fn view(&self, view: &Relation) -> Self {
        let names = view.columns.iter().map(|column| column.name.clone());
        let mut entry = Self::new(
            Some(view.schema.clone()),
            view.name.clone(),
            Some(names.collect()),
        );
        entry.is_view = true;
        for setting in self.settings() {
            let shown = |column: &super::schema::Column| column.name == setting.column;
            if view.columns.iter().any(shown) {
                entry.add(Arc::clone(setting));
            }
        }
        entry
    }

    /// Gives a view the protected columns that its query has; says whether that changed anything.
    fn show(&mut self, view: &Relation, settings: &[(usize, Arc<Setting>)]) -> bool {
        let mut shown = Self::new(self.schema.clone(), self.name.clone(), self.columns.clone());
        for (place, setting) in settings {
            if let Some(column) = view.columns.get(*place) {
                shown.add(match column.name == setting.column {
                    true => Arc::clone(setting),
                    false => Arc::new(Setting {
                        table: view.name.clone(),
                        column: column.name.clone(),
                        ..Setting::clone(setting)
                    }),
                });
            }
        }
        let changed = shown.settings != self.settings;
        self.settings = shown.settings;
        self.by_column = shown.by_column;
        changed
    }
}

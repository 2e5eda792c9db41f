//! The columns of what stands in `FROM`: tables, queries, functions and joins in parentheses.

use super::flow::PLAIN;
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{self, Column, Rel, Rows, Scope};
use crate::columns::Table;
use crate::sql::facts::tree::{Alias, Relation, TableName};
use std::borrow::Cow;
use std::rc::Rc;

impl<'a> Resolver<'a> {
    /// A base table: its columns, and its entry if it is protected.
    pub(super) fn base(&mut self, name: TableName) -> (Rows<'a>, Option<&'a Table>) {
        let table = self.schema.table(name, &self.source);
        if !table.is_some_and(Table::is_stored) {
            self.doubtful.push(name.table);
        }
        let Some(table) = table else {
            return (Rows::unknown(), None);
        };
        self.concerned = true;
        let known = self.schema.columns_of(table, name, &self.source);
        let mut rows = Rows {
            columns: Vec::new(),
            open: known.is_none().then_some(0),
        };
        match known {
            Some(listed) => {
                for column in listed {
                    let flow = match table.setting(column) {
                        Some(setting) => self.flows.column(setting),
                        None => PLAIN,
                    };
                    rows.columns.push(Column {
                        name: Some(Cow::Borrowed(column)),
                        flow,
                    });
                }
            }
            None => {
                for setting in table.settings() {
                    rows.columns.push(Column {
                        name: Some(Cow::Borrowed(&setting.column)),
                        flow: self.flows.column(setting),
                    });
                }
            }
        }
        (rows, Some(table))
    }

    /// The names that an alias gives to columns.
    pub(super) fn labels(&self, alias: &Alias) -> Vec<Cow<'a, str>> {
        alias.columns.iter().map(|name| self.name(*name)).collect()
    }

    pub(super) fn relation(
        &mut self,
        relation: &Relation,
        scope: &mut Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let (mut is_table, mut is_keyed) = (false, false);
        let (rows, alias, own_name) = match relation {
            Relation::Table(name, alias) => {
                let own = self.name(name.table);
                let cte = match name.schema {
                    None => scope.cte(&own),
                    Some(_) => None,
                };
                let rows = match cte {
                    Some(Some(rows)) => Rows::clone(&rows),
                    Some(None) => {
                        return Err(self.form("WITH RECURSIVE whose queries read later ones"));
                    }
                    None => {
                        let (rows, table) = self.base(*name);
                        let renamed = alias
                            .as_ref()
                            .is_some_and(|alias| !alias.columns.is_empty());
                        is_table = !renamed && table.is_some_and(|table| !table.is_view());
                        is_keyed = table.is_some_and(Table::is_keyed);
                        rows
                    }
                };
                (rows, alias, Some(own))
            }
            Relation::Derived {
                lateral,
                query,
                alias,
            } => {
                let rows = match lateral {
                    true => self.query(query, Some(scope))?,
                    false => self.query(query, scope.parent)?,
                };
                (rows, alias, None)
            }
            Relation::Function { operands, alias } => {
                self.operands(operands, scope)?;
                (Rows::unknown(), alias, None)
            }
            Relation::Unnest {
                elements,
                ordinality,
                alias,
            } => {
                // Without names of its own a single column has that of the relation.
                let name = match (alias, &**elements) {
                    (Some(alias), [_]) => self.name(alias.name),
                    _ => Cow::Borrowed("unnest"),
                };
                let mut rows = Rows::default();
                for element in elements {
                    let flow = self.flow(element, scope)?;
                    let name = Some(name.clone());
                    rows.columns.push(Column { name, flow });
                }
                rows.columns.extend(ordinality.then_some(Column {
                    name: Some(Cow::Borrowed("ordinality")),
                    flow: PLAIN,
                }));
                (rows, alias, Some(Cow::Borrowed("unnest")))
            }
            Relation::Joined(from, alias) => {
                let (start, split) = (scope.rels.len(), scope.split.len());
                self.from(std::slice::from_ref(from), scope)?;
                if alias.is_none() {
                    return Ok(());
                }
                if scope.split.len() > split {
                    return Err(scope::split("a join in parentheses with a name"));
                }
                let mut rows = Rows::default();
                for rel in scope.rels.drain(start..) {
                    rows.append(&rel.rows);
                }
                if scope.merges {
                    rows.open = Some(0);
                }
                (rows, alias, None)
            }
        };
        let mut rows = rows;
        let name = match alias {
            Some(alias) => {
                rows.rename(self.labels(alias), &mut self.flows);
                Some(self.name(alias.name))
            }
            None => own_name,
        };
        scope.rels.push(Rel {
            name,
            rows: Rc::new(rows),
            is_table,
            is_keyed,
        });
        Ok(())
    }
}

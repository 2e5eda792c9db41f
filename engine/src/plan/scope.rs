//! Which relations a name is looked for in, and what it may mean there.

use super::flow::{Flow, Flows, PLAIN};
use super::refusal::{Refusal, RefusalCode};
use crate::columns::{Likeness, Setting, Subject};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// A column of a relation; one without a name may have any.
#[derive(Debug, Clone)]
pub(super) struct Column<'a> {
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) flow: Flow,
}

/// The columns of a relation or result.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows<'a> {
    pub(super) columns: Vec<Column<'a>>,
    /// From this place on there may be other columns, of which only is known that they are not protected.
    pub(super) open: Option<usize>,
}

impl<'a> Rows<'a> {
    /// The columns of something of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            columns: Vec::new(),
            open: Some(0),
        }
    }

    pub(super) fn flows(&self) -> impl Iterator<Item = Flow> + '_ {
        self.columns.iter().map(|column| column.flow)
    }

    /// What any of the columns may be.
    pub(super) fn any(&self, flows: &mut Flows<'a>) -> Flow {
        let rest = self.open.map(|_| PLAIN);
        flows.any(self.flows().chain(rest))
    }

    pub(super) fn append(&mut self, other: &Self) {
        if let (None, Some(at)) = (self.open, other.open) {
            self.open = Some(self.columns.len() + at);
        }
        self.columns.extend_from_slice(&other.columns);
    }

    /// Gives names to the first columns.
    pub(super) fn rename(&mut self, names: Vec<Cow<'a, str>>, flows: &mut Flows<'a>) {
        if self.open.is_some_and(|open| open < names.len()) {
            // Which of them is which is not known.
            let any = self.any(flows);
            for column in &mut self.columns {
                column.flow = any;
            }
            self.columns.extend(names.into_iter().map(|name| Column {
                name: Some(name),
                flow: any,
            }));
            self.open = Some(0);
            return;
        }
        for (at, name) in names.into_iter().enumerate() {
            match self.columns.get_mut(at) {
                Some(column) => column.name = Some(name),
                None => self.columns.push(Column {
                    name: Some(name),
                    flow: PLAIN,
                }),
            }
        }
    }

    /// The flows of the columns that have this name.
    pub(super) fn named<'r>(&'r self, name: &'r str) -> impl Iterator<Item = Flow> + 'r {
        self.columns
            .iter()
            .filter(move |column| column.name.as_deref() == Some(name))
            .map(|column| column.flow)
    }

    /// The flows of columns that may have any name.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = Flow> + '_ {
        let columns = self.columns.iter().filter(|column| column.name.is_none());
        columns
            .map(|column| column.flow)
            .chain(self.open.map(|_| PLAIN))
    }
}

/// A relation under the name that it has in a query.
#[derive(Debug, Clone)]
pub(super) struct Rel<'a> {
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) rows: Rc<Rows<'a>>,
    /// It is a table with the names of its own columns, so that columns that the statement does not name are there too.
    pub(super) is_table: bool,
    /// It is one whose rows differ in other columns than protected ones, all of which `*` gives.
    pub(super) is_keyed: bool,
}

/// What is visible in a query, and around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'s, 'a> {
    pub(super) parent: Option<&'s Scope<'s, 'a>>,
    pub(super) rels: Vec<Rel<'a>>,
    /// Columns of equal names are one in `*`.
    pub(super) merges: bool,
    /// Columns of `USING` that are compared by their hashes, and so are not one.
    pub(super) split: Vec<Cow<'a, str>>,
    /// Queries of `WITH`; without rows those that are still to come.
    pub(super) ctes: Vec<(Cow<'a, str>, Option<Rc<Rows<'a>>>)>,
}

impl<'s, 'a> Scope<'s, 'a> {
    pub(super) fn inside(parent: Option<&'s Scope<'s, 'a>>) -> Self {
        Self {
            parent,
            ..Self::default()
        }
    }

    fn chain(&self) -> impl Iterator<Item = &Scope<'s, 'a>> {
        std::iter::successors(Some(self), |scope| scope.parent)
    }

    /// A query of `WITH`; the inner one hides the outer.
    pub(super) fn cte(&self, name: &str) -> Option<Option<Rc<Rows<'a>>>> {
        self.chain()
            .flat_map(|scope| scope.ctes.iter().rev())
            .find(|(known, _)| known == name)
            .map(|(_, rows)| rows.clone())
    }

    /// The relations that a qualifier may mean: those of the nearest query that has any.
    pub(super) fn qualified(&self, qualifier: &str) -> Vec<Rel<'a>> {
        let named = |rel: &&Rel<'a>| rel.name.as_deref() == Some(qualifier);
        self.chain()
            .map(|scope| scope.rels.iter().filter(named).cloned().collect::<Vec<_>>())
            .find(|rels| !rels.is_empty())
            .unwrap_or_default()
    }

    /// The relation that a column is of, if that is certain.
    pub(super) fn holder(&self, qualifier: Option<&str>, name: &str) -> Option<Rel<'a>> {
        let having = |rels: &[Rel<'a>]| -> Vec<Rel<'a>> {
            let has = |rel: &&Rel<'a>| rel.rows.named(name).next().is_some();
            rels.iter().filter(has).cloned().collect()
        };
        let rels = match qualifier {
            Some(qualifier) => having(&self.qualified(qualifier)),
            None => self
                .chain()
                .map(|scope| having(&scope.rels))
                .find(|rels| !rels.is_empty())?,
        };
        match <[Rel<'a>; 1]>::try_from(rels) {
            Ok([rel]) => Some(rel),
            Err(_) => None,
        }
    }

    /// Whether no other relation than one is visible.
    pub(super) fn has_one_relation(&self) -> bool {
        self.chain().map(|scope| scope.rels.len()).sum::<usize>() == 1
    }

    /// What a name may mean. A column hides relations of its name; the nearest query that has it for certain hides the
    /// queries around it.
    pub(super) fn column(
        &self,
        qualifier: Option<&str>,
        name: &str,
        flows: &mut Flows<'a>,
    ) -> Result<Flow, Refusal> {
        let mut may_be: Vec<Flow> = Vec::new();
        let rels = match qualifier {
            Some(qualifier) => self.qualified(qualifier),
            None => Vec::new(),
        };
        if !rels.is_empty() {
            for rel in &rels {
                let before = may_be.len();
                may_be.extend(rel.rows.named(name));
                if may_be.len() == before {
                    // A system column, if nothing else.
                    may_be.extend(rel.rows.unnamed());
                    may_be.push(PLAIN);
                }
            }
            return Ok(flows.any(may_be));
        }
        for scope in self.chain() {
            if qualifier.is_none() && scope.split.iter().any(|split| split == name) {
                return Err(split(&format!("column \"{name}\"")));
            }
            let before = may_be.len();
            for rel in &scope.rels {
                may_be.extend(rel.rows.named(name));
            }
            let certain = may_be.len() > before;
            for rel in &scope.rels {
                // Two columns of one name would be an error of the server.
                match certain {
                    true if rel.rows.named(name).next().is_some() => {}
                    true => may_be.extend(rel.rows.open.map(|_| PLAIN)),
                    false => may_be.extend(rel.rows.unnamed()),
                }
            }
            if certain && qualifier.is_none() {
                return Ok(flows.any(may_be));
            }
        }
        if qualifier.is_none() {
            for rel in self.chain().flat_map(|scope| &scope.rels) {
                if rel.name.as_deref() == Some(name) {
                    may_be.push(whole_row(rel, flows)?);
                }
            }
        }
        may_be.push(PLAIN);
        Ok(flows.any(may_be))
    }
}

/// What would need columns of `USING` to be one.
pub(super) fn split(what: &str) -> Refusal {
    let message = format!(
        "{what} is read where USING or NATURAL JOIN compares searchable columns, which stay two"
    );
    Refusal::new(RefusalCode::ColumnUse, message)
        .with_hint("Write the columns with their tables, or ON a.email = b.email.")
}

/// A relation used as a value.
fn whole_row<'a>(rel: &Rel<'a>, flows: &mut Flows<'a>) -> Result<Flow, Refusal> {
    for flow in rel.rows.flows() {
        if let Some(setting) = flows.settings(flow).first() {
            let message = format!(
                "protected table \"{}\" is used as a value: its whole row",
                setting.table
            );
            return Err(Refusal::new(RefusalCode::ColumnUse, message)
                .about(Subject::of_table(&setting.table)));
        }
        flows.see(flow);
    }
    Ok(PLAIN)
}

/// A protected column where its plain value would be needed.
pub(super) fn misused(setting: &Setting, how: &str) -> Refusal {
    let Setting { table, column, .. } = setting;
    let refusal = Refusal::new(
        RefusalCode::ColumnUse,
        format!("protected column \"{column}\" of table \"{table}\" {how}"),
    )
    .about(setting.subject());
    match setting.likeness() {
        None => refusal,
        Some(Likeness::Hash) => refusal.with_hint(
            "A searchable column can be compared for equality alone, with a value or a searchable column of the same client: \
             =, <>, IN, IS DISTINCT FROM, LIKE without wildcards; grouped, counted, or selected as it is.",
        ),
        Some(Likeness::Token) => refusal.with_hint(
            "A consistently tokenized column can be compared for equality alone, with a value or a column of the same tokens.",
        ),
    }
}

/// Refuses a flow that may be a protected column; its literals are seen.
pub(super) fn compare<'a>(flow: Flow, flows: &mut Flows<'a>, how: &str) -> Result<(), Refusal> {
    if let Some(setting) = flows.settings(flow).first() {
        let setting: &Arc<Setting> = setting;
        return Err(misused(setting, how));
    }
    flows.see(flow);
    Ok(())
}

//! Which columns a result has, and what they are (postgresql.md 10).
//!
//! A column is known by the relation and number that the server tells in RowDescription, or else by its place in the
//! statement that gives the rows, never by its name. Where neither would be known, we ask for the description ourselves.

use super::PgSession;
use super::ledger::Awaited;
use super::registry::Statement;
use crate::cell::{Kind, array};
use crate::columns::{Origin, Setting};
use crate::plan::{Plan, Results, RowsOf};
use crate::wire::cursor::Malformed;
use crate::wire::pg::row_description::{self, Field};
use crate::wire::pg::{Formats, Frame, parameter_description};
use std::sync::Arc;

/// The columns of a result as the server has described them.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) kinds: Box<[Kind]>,
    /// Settings of columns that are read in a way of their own; empty if no column is.
    pub(super) settings: Box<[Option<Arc<Setting>>]>,
    /// No column can hold a container.
    pub(super) never: bool,
}

impl PgSession {
    /// RowDescription: of a statement, of a portal, or in front of the rows of a simple query. Columns with a type of their
    /// own get it.
    pub(super) fn described(&mut self, body: &mut [u8]) -> Result<(), Malformed> {
        if self.is_plain_again() {
            self.ledger.complete();
            return Ok(());
        }
        let described = row_description::read(body)?;
        let fields = self.fields(&described);
        if !fields.settings.is_empty() {
            row_description::retype(body, |at| {
                let setting = fields.settings.get(at)?.as_ref()?;
                let kind = setting.shown_type()?;
                Some((kind.oid(), kind.size()))
            })?;
        }
        match self.ledger.head().map(|entry| &entry.awaited) {
            Some(Awaited::DescribeStatement(Some(statement)) | Awaited::OwnDescribe(statement)) => {
                let _ = statement.fields.set(fields);
            }
            Some(Awaited::DescribePortal(Some(portal))) => {
                let _ = portal.statement.fields.set(fields);
            }
            Some(Awaited::Query(_)) => {
                let formats = Formats::Each(described.iter().map(|field| field.format).collect());
                self.query_result = Some((fields, formats));
            }
            _ => {}
        }
        self.ledger.complete();
        Ok(())
    }

    /// Whether the columns have been described before and none of them is read in a way of its own: a statement's result
    /// does not change.
    fn is_plain_again(&mut self) -> bool {
        let statement = match self.ledger.head().map(|entry| &entry.awaited) {
            Some(Awaited::DescribeStatement(Some(statement))) => statement,
            Some(Awaited::DescribePortal(Some(portal))) => &portal.statement,
            _ => return false,
        };
        let fields = statement.fields.get();
        fields.is_some_and(|fields| fields.settings.is_empty())
    }

    fn fields(&mut self, described: &[Field]) -> Fields {
        let kinds: Box<[Kind]> = described
            .iter()
            .map(|field| Kind::of_type(field.type_oid))
            .collect();
        let producer = self.producer();
        let planned = producer
            .as_ref()
            .and_then(|(plan, statement)| plan.results(*statement));
        let settings = match planned {
            _ if self.openings.identity.is_ignored() => Box::default(),
            None if !self.planning.planner().maps_results() => Box::default(),
            planned => self.settings(described, planned),
        };
        Fields {
            never: kinds.iter().all(|kind| *kind == Kind::Never),
            kinds,
            settings,
        }
    }

    fn settings(
        &self,
        described: &[Field],
        planned: Option<&Results>,
    ) -> Box<[Option<Arc<Setting>>]> {
        let columns = self.planning.planner().columns();
        let setting = |(at, field): (usize, &Field)| {
            let setting = match columns.origin(field.relation, field.number) {
                Origin::Protected(setting) => Some(setting),
                Origin::Plain => None,
                Origin::Unknown => planned.and_then(|planned| planned.setting(at)),
            };
            // Neither containers nor plain values of the type are in a column of, say, numbers.
            let holds = |setting: &&Arc<Setting>| {
                setting.needs_mapping()
                    && (!setting.is_converted() || Kind::of_type(field.type_oid) != Kind::Never)
            };
            setting.filter(holds).cloned()
        };
        let settings: Box<[_]> = described.iter().enumerate().map(setting).collect();
        match settings.iter().all(Option::is_none) {
            true => Box::default(),
            false => settings,
        }
    }

    /// The plan of the statement whose rows the current entry gives, and the statement's number in its text.
    fn producer(&mut self) -> Option<(Arc<Plan>, usize)> {
        let entry = self.ledger.head()?;
        let number = entry.completed;
        let plan = match &entry.awaited {
            Awaited::DescribeStatement(Some(statement)) | Awaited::OwnDescribe(statement) => {
                &statement.plan
            }
            Awaited::DescribePortal(Some(portal)) => &portal.statement.plan,
            _ => entry.runs()?,
        };
        Some(match plan.rows_of(number) {
            None => (Arc::clone(plan), number),
            Some(RowsOf::Prepared(name)) => (Arc::clone(&self.registry.statement(name)?.plan), 0),
            Some(RowsOf::Cursor(name)) => {
                (Arc::clone(&self.registry.portal(name)?.statement.plan), 0)
            }
        })
    }

    /// The statement whose parameters the server describes, if some of them are protected.
    fn protected_parameters(&mut self) -> Option<Arc<Statement>> {
        if self.openings.identity.is_ignored() {
            return None;
        }
        match &self.ledger.head()?.awaited {
            Awaited::DescribeStatement(Some(statement)) | Awaited::OwnDescribe(statement) => {
                (!statement.plan.params.is_empty()).then(|| Arc::clone(statement))
            }
            _ => None,
        }
    }

    /// Whether ParameterDescription is looked into.
    pub(super) fn reads_parameters(&mut self) -> bool {
        self.protected_parameters().is_some()
    }

    /// ParameterDescription: parameters have the types that the client has declared, as the server would say, or else that of
    /// their column.
    pub(super) fn parameters_described(&mut self, body: &mut [u8]) -> Result<(), Malformed> {
        let Some(statement) = self.protected_parameters() else {
            return Ok(());
        };
        let stored = parameter_description::read(body)?;
        let _ = statement.stored_types.set(stored.into());
        parameter_description::retype(body, |number| {
            let mut params = statement.plan.params.iter();
            let action = params.find(|action| action.number == number)?;
            if let Some(declared) = statement.declared_oid(number) {
                return Some(declared);
            }
            let cast = action.cast.filter(|_| !action.elements);
            if let (None, Some(cast)) = (action.setting.tokenized(), cast) {
                return Some(cast.oid);
            }
            let kind = action.setting.shown_type()?;
            Some(match action.elements {
                true => array::oid_of(kind),
                false => kind.oid(),
            })
        });
        Ok(())
    }

    /// Whether this message answers a Describe of ours, which the client must not see.
    pub(super) fn answers_own_describe(&mut self, frame: &Frame) -> bool {
        matches!(frame.tag, b't' | b'T' | b'n')
            && matches!(
                self.ledger.head().map(|entry| &entry.awaited),
                Some(Awaited::OwnDescribe(_))
            )
    }
}

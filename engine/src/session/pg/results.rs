//! Which columns a result has, and what they are (postgresql.md 10).
//!
//! A column is known by the relation and number that the server tells in RowDescription, or else by its place in the
//! statement that gives the rows, never by its name. Where neither would be known, we ask for the description ourselves.

use super::PgSession;
use super::ledger::Awaited;
use crate::cell::Kind;
use crate::columns::{Origin, Setting};
use crate::plan::{Plan, Results, RowsOf};
use crate::wire::cursor::Malformed;
use crate::wire::pg::row_description::{self, Field};
use crate::wire::pg::{Formats, Frame};
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
    /// RowDescription: of a statement, of a portal, or in front of the rows of a simple query.
    pub(super) fn described(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let described = row_description::read(body)?;
        let fields = self.fields(&described);
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
            None if !self.planner.maps_results() => Box::default(),
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
        let columns = self.planner.columns();
        let setting = |(at, field): (usize, &Field)| {
            let setting = match columns.origin(field.relation, field.number) {
                Origin::Protected(setting) => Some(setting),
                Origin::Plain => None,
                Origin::Unknown => planned.and_then(|planned| planned.setting(at)),
            };
            setting.filter(|setting| setting.needs_mapping()).cloned()
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

    /// Whether this message answers a Describe of ours, which the client must not see.
    pub(super) fn answers_own_describe(&mut self, frame: &Frame) -> bool {
        matches!(frame.tag, b't' | b'T' | b'n')
            && matches!(
                self.ledger.head().map(|entry| &entry.awaited),
                Some(Awaited::OwnDescribe(_))
            )
    }
}

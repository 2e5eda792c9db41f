//! Poison records in results (containers.md 11, policy.md 3.8).
//!
//! The row with the record and all that follows of the same cycle is withheld.

use super::PgSession;
use super::ledger::Awaited;
use crate::plan::outline;
use crate::session::{Cx, Output, poison};

impl PgSession {
    /// A statement's text, if it may have to be told about.
    pub(super) fn kept_text(&self, text: &[u8]) -> Option<Box<[u8]>> {
        let may_be_told = poison::may_be_told(text.len(), self.context.poison.as_ref());
        may_be_told.then(|| text.into())
    }

    /// A prepared statement without its literals, if it may have to be told about.
    pub(super) fn kept_outline(&self, text: &[u8]) -> Option<Box<str>> {
        let text = self.kept_text(text)?;
        outline(&text, &self.lexical).map(Into::into)
    }

    /// A poison record was met in what the client is to get. Whether it is withheld.
    pub(super) fn met_poison(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) -> bool {
        let lexical = &self.lexical;
        let statement = self.ledger.head().and_then(|entry| match &entry.awaited {
            Awaited::Execute(Some(portal)) => portal.statement.outline.clone(),
            _ => entry
                .text
                .as_deref()
                .and_then(|text| outline(text, lexical).map(Into::into)),
        });
        let (identity, poison) = (&self.openings.identity, self.context.poison.as_ref());
        let instead = poison::met(identity, statement, poison, cx);
        if let Some(error) = &instead {
            self.withhold(error, out);
        }
        instead.is_some()
    }
}

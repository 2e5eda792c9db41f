//! Poison records in results (containers.md 11, policy.md 3.8).
//!
//! The row with the record and all that follows of the same cycle is withheld.

use super::PgSession;
use super::ledger::Awaited;
use crate::plan::outline;
use crate::session::{ClientError, Cx, Event, Output, PoisonReply};

/// Longest text of a statement that is kept to be told about, in bytes.
const MAX_TEXT: usize = 4 << 10;

impl PgSession {
    /// A statement's text, if it may have to be told about.
    pub(super) fn kept_text(&self, text: &[u8]) -> Option<Box<[u8]>> {
        (self.context.poison.is_some() && text.len() <= MAX_TEXT).then(|| text.into())
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
        cx.events.push(Event::Poison {
            session: self.number,
            client_id: self.openings.client_id.clone(),
            statement,
        });
        let withholds = self
            .context
            .poison
            .as_ref()
            .is_some_and(|poison| poison.reply == PoisonReply::Error);
        if withholds {
            let error = ClientError::error("XX001", "Row withheld: see the server's log");
            self.withhold(&error, out);
        }
        withholds
    }
}

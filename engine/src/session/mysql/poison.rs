//! Poison records in results (containers.md 11, policy.md 3.8).
//!
//! The row with the record and all that follows of the same command is withheld: the client gets an error in its place, and
//! the server's answers are followed and dropped up to their end.

use super::{MySqlSession, codes};
use crate::session::{ClientError, Cx, Event, Output, PoisonReply};

impl MySqlSession {
    /// A poison record was met in what the client is to get. Whether it is withheld.
    pub(super) fn met_poison(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) -> bool {
        cx.events.push(Event::Poison {
            session: self.number,
            client_id: self.openings.client_id.clone(),
            // Its literals could not be told from the rest of it.
            statement: None,
        });
        let reply = self.context.poison.as_ref().map(|poison| poison.reply);
        if reply != Some(PoisonReply::Error) {
            return false;
        }
        let Some(entry) = self.ledger.head() else {
            return false;
        };
        let error = ClientError::error("XX001", "Row withheld: see the server's log");
        out.to_client
            .push(codes::packet(&error, entry.numbers.client, true));
        entry.withheld = true;
        true
    }
}

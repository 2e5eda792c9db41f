//! Results that end with an error of ours.
//!
//! The client gets the error in the place of a row, and nothing more of the same command: the server's answers are followed and
//! dropped up to their end.

use super::{MySqlSession, codes};
use crate::columns::Setting;
use crate::session::{ClientError, Cx, Event, Output};
use crate::tokens::TokenFault;

impl MySqlSession {
    /// Ends the result with this error.
    pub(super) fn withhold(&mut self, error: &ClientError, out: &mut Output<'_>) {
        if let Some(entry) = self.ledger.head() {
            out.to_client
                .push(codes::packet(error, entry.numbers.client, true));
            entry.withheld = true;
        }
    }

    /// A value of this column can neither be opened nor shown otherwise.
    pub(super) fn fail_result(&mut self, setting: &Setting, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        let error = ClientError::cannot_show(setting);
        cx.events.push(Event::refused("encoding-error", &error));
        self.withhold(&error, out);
    }

    /// A token could not be looked up.
    pub(super) fn tokens_failed(&mut self, fault: TokenFault, out: &mut Output<'_>) {
        self.opened_tokens.clear();
        self.withhold(&ClientError::unknown_token(fault), out);
    }

    /// A row is too long to be held, and cannot pass as it is.
    pub(super) fn row_too_long(&mut self, out: &mut Output<'_>) {
        let error = ClientError::error(
            "54000",
            "a row with a column that has another type in the database is longer than the limit of acra-server",
        );
        self.withhold(&error, out);
    }
}

//! Results that end with an error of ours.
//!
//! The client gets the error in the place of a row, and nothing more of the same cycle: the server's answers are followed
//! and dropped up to ReadyForQuery. An open transaction is made to fail on the server too, as it would have by an error
//! of its own.

use super::PgSession;
use super::frontend::failing_query;
use super::ledger::Awaited;
use crate::columns::Setting;
use crate::session::{ClientError, Cx, Event, Output};
use crate::wire::pg::{Frame, write_cstr, write_frame};

impl PgSession {
    /// A value of this column can neither be opened nor shown otherwise.
    pub(super) fn fail_result(&mut self, setting: &Setting, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        let error = ClientError::cannot_show(setting);
        cx.events.push(Event::refused("encoding-error", &error));
        self.withhold(&error, out);
        self.fails_transaction = true;
    }

    /// Ends the result with this error.
    pub(super) fn withhold(&mut self, error: &ClientError, out: &mut Output<'_>) {
        out.to_client.push(error.to_pg());
        self.withholding = true;
        self.copy_out_ended();
        self.ledger.skip_rest_of_cycle();
    }

    /// Fails the transaction in which a result has ended with an error, before the client is told that it is its turn. Not
    /// if it has sent more already, which the server has or will run before that.
    pub(super) fn fail_transaction(&mut self, out: &mut Output<'_>) -> bool {
        let fails = std::mem::take(&mut self.fails_transaction)
            && self.transaction == b'T'
            && self.ledger.len() == 0;
        if fails {
            out.to_server.push(failing_query());
            self.ledger.push(Awaited::OwnFailure);
        }
        fails
    }

    /// Whether the server answers a statement of ours that fails on purpose.
    pub(super) fn answers_own_failure(&mut self) -> bool {
        matches!(
            self.ledger.head().map(|entry| &entry.awaited),
            Some(Awaited::OwnFailure)
        )
    }

    /// Whether this message is dropped as it arrives: rows and data of a COPY.
    pub(super) fn drops(&self, frame: &Frame) -> bool {
        self.withholding && matches!(frame.tag, b'D' | b'd')
    }

    /// Whether the client does not see this message, which is followed all the same.
    pub(super) fn withholds(&self, frame: &Frame) -> bool {
        // Settings, notices and notifications are not of the statement; ReadyForQuery ends it.
        self.withholding && !matches!(frame.tag, b'Z' | b'S' | b'N' | b'A')
    }

    /// A COPY that the client does not hear of would wait for its data for ever.
    pub(super) fn end_withheld_copy(&mut self, out: &mut Output<'_>) {
        let mut message = Vec::new();
        write_frame(&mut message, b'f', |out| {
            write_cstr(out, b"acra-server has withheld the results of this client");
        });
        out.to_server.push(message);
        self.ledger.copy_end();
    }
}

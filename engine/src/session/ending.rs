//! How sessions of any protocol end.

use super::{ClientError, Cx, Effect, Event, Output, Session, Side, Step};

/// Ends of a session that it brings about itself. The error has the form of the session's protocol.
pub(super) trait Ending: Session {
    /// Ends the session; the client is told why unless a message of the server is half sent.
    fn close(&mut self, error: ClientError, out: &mut Output<'_>) -> Step {
        self.abort(error, out);
        Step::Do(Effect::Close)
    }

    /// A peer sent what the protocol does not allow.
    fn violation(
        &mut self,
        side: Side,
        expected: &'static str,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        cx.events.push(Event::Protocol { side, expected });
        self.close(ClientError::malformed(side, expected), out)
    }
}

impl<S: Session> Ending for S {}

//! The empty session: a relay that passes everything. It is the baseline of every macro benchmark.

use super::{Activity, Answer, ClientError, Cx, Effect, Input, Output, Session, Step};
use crate::keys::ClientId;

/// Dials the database at the first byte and passes all bytes in both directions.
#[derive(Debug, Default)]
pub struct NullSession {
    dialled: bool,
    failed: bool,
}

impl Session for NullSession {
    fn from_client(&mut self, input: &mut Input<'_>, out: &mut Output<'_>, _: &mut Cx<'_>) -> Step {
        if self.failed {
            return Step::Do(Effect::Close);
        }
        if !self.dialled {
            return Step::Do(Effect::DialServer);
        }
        out.to_server.pass(input.bytes, input.at..input.bytes.len());
        input.at = input.bytes.len();
        Step::NeedMore { want: 1 }
    }

    fn from_server(&mut self, input: &mut Input<'_>, out: &mut Output<'_>, _: &mut Cx<'_>) -> Step {
        out.to_client.pass(input.bytes, input.at..input.bytes.len());
        input.at = input.bytes.len();
        Step::NeedMore { want: 1 }
    }

    fn resume(&mut self, _: Answer) {}

    fn client_secured(&mut self, _: Result<Option<ClientId>, ClientError>) {}

    fn server_dialled(&mut self, outcome: Result<(), String>, _: &mut Output<'_>) {
        self.dialled = outcome.is_ok();
        self.failed = outcome.is_err();
    }

    fn server_secured(&mut self, _: Result<(), String>, _: &mut Output<'_>) {}

    fn server_closed(&mut self, _: &mut Output<'_>, _: &mut Cx<'_>) {}

    fn abort(&mut self, _: ClientError, _: &mut Output<'_>) {
        self.failed = true;
    }

    /// It does not know, and is never in the way of an end.
    fn activity(&self) -> Activity {
        Activity::Idle
    }
}

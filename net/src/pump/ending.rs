//! Ends that a session does not bring about itself: time limits, the end of the process, and failures of reading.

use super::timer::Limit;
use super::{End, Halt, Pump, Services};
use crate::lifecycle::State;
use acra_engine::session::{Activity, ClientError, Event, Session, Side};
use acra_engine::wire::mysql::compressed::Fault;
use std::io;
use std::task::{Context, Poll};

impl<S: Session> Pump<S> {
    /// Ends the session if the process does or a time limit has passed. True: there are last words to write.
    pub(super) fn end_in_time(
        &mut self,
        progress: bool,
        cx: &mut Context<'_>,
    ) -> Result<bool, Halt> {
        let activity = self.session.activity();
        let ends = match self.lifecycle.state() {
            State::Running => false,
            State::Draining => matches!(activity, Activity::Idle | Activity::Starting),
            State::Ending => true,
        };
        if ends && self.closing.is_none() {
            let message = "terminating connection due to administrator command";
            self.last_words(ClientError::fatal("57P01", message), "the process ends");
            return Ok(true);
        }
        let limit = match activity {
            // A database may take its time, for instance with a lock in the way of a COPY.
            _ if !self.from_server.is_written() => Some(Limit::Write),
            Activity::Starting => Some(Limit::Startup),
            Activity::Idle => Some(Limit::Idle),
            Activity::IdleInTransaction | Activity::Busy => None,
        };
        match self.timer.poll(limit, progress, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Limit::Write) => Err(Halt::End(End::Ended(
                "the client does not take what is sent",
            ))),
            Poll::Ready(Limit::Startup) => {
                let error = ClientError::fatal("57014", "canceling authentication due to timeout");
                self.last_words(error, "startup took too long");
                Ok(true)
            }
            Poll::Ready(Limit::Idle) => {
                let error = ClientError::fatal(
                    "57P05",
                    "terminating connection due to idle-session timeout",
                );
                self.last_words(error, "the session was idle for too long");
                Ok(true)
            }
        }
    }

    fn last_words(&mut self, error: ClientError, why: &'static str) {
        self.with_output(|session, out| session.abort(error, out));
        self.closing = Some(End::Ended(why));
    }

    /// Ends the session for a failure of reading that the client can be told of.
    pub(super) fn has_last_words(
        &mut self,
        from: Side,
        error: &io::Error,
        services: &impl Services<S>,
    ) -> bool {
        let fault = error
            .get_ref()
            .and_then(|error| error.downcast_ref::<Fault>());
        if error.kind() == io::ErrorKind::OutOfMemory {
            let error = ClientError::fatal(
                "53200",
                "message too large for the memory that acra-server may use for buffers",
            );
            self.last_words(error, "out of memory for buffers");
        } else if let Some(fault) = fault {
            services.event(Event::Protocol {
                side: from,
                expected: fault.expected(),
            });
            let error = ClientError::malformed(from, fault.expected());
            self.last_words(error, "a compressed packet is malformed");
        } else {
            return false;
        }
        true
    }
}

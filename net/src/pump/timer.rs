//! Time limits of a session. A clock is read, and a timer set, only while a limit applies.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Time limits; `None` is without.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLimits {
    /// From the connection to the first ReadyForQuery.
    pub startup: Option<Duration>,
    /// Without a client's message while no transaction is open.
    pub idle: Option<Duration>,
    /// With bytes to write that the client does not take.
    pub write: Option<Duration>,
}

/// A limit that applies now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Startup,
    Idle,
    Write,
}

/// The timer of a session: at most one limit applies at a time.
pub(super) struct Timer {
    limits: TimeLimits,
    begin: Instant,
    running: Option<(Limit, Pin<Box<Sleep>>)>,
}

impl Timer {
    pub(super) fn new(limits: TimeLimits) -> Self {
        Self {
            limits,
            begin: Instant::now(),
            running: None,
        }
    }

    /// Applies a limit, from now on unless it applied already; `restart` lets it begin anew. Ready: it has passed.
    pub(super) fn poll(
        &mut self,
        limit: Option<Limit>,
        restart: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Limit> {
        let length = match limit {
            Some(Limit::Startup) => self.limits.startup,
            Some(Limit::Idle) => self.limits.idle,
            Some(Limit::Write) => self.limits.write,
            None => None,
        };
        let (Some(limit), Some(length)) = (limit, length) else {
            self.running = None;
            return Poll::Pending;
        };
        let from = || match limit {
            Limit::Startup => self.begin,
            Limit::Idle | Limit::Write => Instant::now(),
        };
        match &mut self.running {
            Some((same, timer)) if *same == limit => {
                if restart && limit != Limit::Startup {
                    timer.as_mut().reset(Instant::now() + length);
                }
            }
            _ => self.running = Some((limit, Box::pin(sleep_until(from() + length)))),
        }
        match &mut self.running {
            Some((_, timer)) => timer.as_mut().poll(cx).map(|()| limit),
            None => Poll::Pending,
        }
    }
}

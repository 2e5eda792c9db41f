//! Signals that the process reacts to, or is not to die of (cli.md 8).

use crate::settings::StartError;
use acra_telemetry::codes;
use std::io;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that are caught from now on.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// For the audit log, which does not exist yet; caught so that it does not end the process.
    _user: Signal,
}

impl Signals {
    /// Catches them, before there is anything that they could interrupt.
    pub(crate) fn catch() -> Result<Self, StartError> {
        Self::register().map_err(|error| {
            StartError::new(codes::SIGNALS, "Can' initialize signal handler for SIGTERM")
                .caused_by(error)
        })
    }

    fn register() -> io::Result<Self> {
        // Registering takes a runtime; what is registered outlives it and is heard by every other.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let _entered = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _user: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for SIGTERM or SIGINT.
    pub(crate) async fn end(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

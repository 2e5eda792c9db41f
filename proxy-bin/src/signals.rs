//! Signals: SIGTERM and SIGINT end the process, SIGHUP reloads.

use crate::service::Service;
use acra_telemetry::Logger;
use std::io;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, one after the other. SIGUSR1 is caught too: it is for the audit log and must not end the process.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    _user: Signal,
}

impl Stop {
    /// Catches them, before there is anything that they could interrupt.
    pub(crate) fn catch() -> io::Result<Self> {
        // Registering takes a runtime; what is registered outlives it and is heard by every other.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let _inside = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _user: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Reloads at every SIGHUP, on a thread of its own: reading files does not hold up sessions.
pub(crate) fn reload_on_hangup(service: Arc<Service>, logger: Logger) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut hangups = {
        let _inside = runtime.enter();
        signal(SignalKind::hangup())?
    };
    std::thread::Builder::new()
        .name("reload".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                while hangups.recv().await.is_some() {
                    logger.info("Received incoming SIGHUP signal", &[]);
                    service.reload();
                    service.lifecycle().wake();
                }
            });
        })?;
    Ok(())
}

//! Signals: SIGTERM and SIGINT end the process, SIGHUP reloads.

use crate::service::Service;
use acra_telemetry::Logger;
use std::io;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Stop(Option<(Signal, Signal)>);

impl Stop {
    /// Waits for the next one.
    pub(crate) async fn next(&mut self, logger: &Logger) {
        if self.0.is_none() {
            let signals = (
                signal(SignalKind::terminate()),
                signal(SignalKind::interrupt()),
            );
            if let (Ok(terminate), Ok(interrupt)) = signals {
                self.0 = Some((terminate, interrupt));
            }
        }
        let Some((terminate, interrupt)) = &mut self.0 else {
            // Without handlers the signals end the process as they do by default.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        logger.info("Received incoming SIGTERM or SIGINT signal", &[]);
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

//! Serves metrics by HTTP, on a thread of its own.

mod http;

use crate::address;
use crate::settings::StartError;
use acra_cli::Parsed;
use acra_telemetry::metrics::Metrics;
use acra_telemetry::{Logger, codes};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, oneshot};

/// The flag that turns it on.
const FLAG: &str = "incoming_connection_prometheus_metrics_string";

/// Longest time that one request may take, from its connection to the end of its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Requests at a time; more wait for their turn.
const REQUESTS: usize = 16;

/// Where metrics are to be served, if at all.
pub(crate) fn address(parsed: &Parsed) -> Result<Option<SocketAddr>, StartError> {
    let text = parsed.text(FLAG);
    if text.is_empty() {
        return Ok(None);
    }
    let resolved = address::resolve(text).map_err(|cause| refuse(text, cause))?;
    Ok(Some(resolved))
}

fn refuse(text: &str, cause: impl std::fmt::Display) -> StartError {
    StartError::new(codes::METRICS, format!("--{FLAG}: cannot listen at {text}")).caused_by(cause)
}

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    /// Dropped to end the serving.
    _stop: oneshot::Sender<()>,
}

impl Exporter {
    /// Starts serving where the flag says, if it says anything.
    pub(crate) fn start(
        parsed: &Parsed,
        metrics: Arc<Metrics>,
        logger: &Logger,
    ) -> Result<Option<Self>, StartError> {
        let Some(address) = address(parsed)? else {
            return Ok(None);
        };
        logger.info("Start prometheus http handler", &[]);
        let (stop, stopped) = oneshot::channel();
        serve(address, metrics, stopped).map_err(|error| refuse(parsed.text(FLAG), error))?;
        logger.info(
            "Configured to send metrics and stats to `incoming_connection_prometheus_metrics_string`",
            &[],
        );
        Ok(Some(Self { _stop: stop }))
    }

    /// Ends the serving and says so.
    pub(crate) fn stop(self, logger: &Logger) {
        logger.info("Stop prometheus HTTP exporter", &[]);
    }
}

fn serve(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind(address))?;
    std::thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, metrics) => {}
                }
            });
        })?;
    Ok(())
}

async fn accept(listener: TcpListener, metrics: Arc<Metrics>) {
    let free = Arc::new(Semaphore::new(REQUESTS));
    // Never closed, so there is always a permit to wait for.
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        match listener.accept().await {
            Ok((socket, _)) => {
                let metrics = Arc::clone(&metrics);
                tokio::spawn(async move {
                    let page = || metrics.page();
                    // Whoever asked has gone or is too slow: nobody else is concerned.
                    let _ = tokio::time::timeout(REQUEST_TIMEOUT, http::answer(socket, page)).await;
                    drop(permit);
                });
            }
            // Out of descriptors, or a client that went away: the next may be served.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

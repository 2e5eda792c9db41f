//! A listener and the threads that its connections live on.
//!
//! One acceptor hands each connection to the thread with the fewest; a session stays on its thread, so its two
//! sockets wake one event loop and no lock is shared between sessions. `SO_REUSEPORT` would spread few connections
//! unevenly and break a hand-over of the listener.

use crate::lifecycle::{Lifecycle, State};
use crate::listener::{Accepted, Listener, Peer};
use crate::transport::Transport;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// How long the end of sessions is waited for once they have been told.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Stack of a worker. A statement is parsed on it as long as this leaves 4 MiB and 2 KiB for each of its tokens; otherwise a stack is
/// made for it. What is not touched takes no memory.
const STACK: usize = 8 << 20;

/// How often the end of sessions is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What is done with a connection.
pub trait Handler: Send + Sync + 'static {
    /// Serves one client to its end; one above the number of connections is told so instead.
    fn serve(
        &self,
        client: Transport,
        from: Peer,
        is_above_limit: bool,
    ) -> impl Future<Output = ()> + Send;
}

/// How connections are served.
#[derive(Debug, Clone)]
pub struct Service {
    /// Number of threads.
    pub threads: usize,
    /// Number of connections at a time; as many again are told that there are too many.
    pub max_connections: usize,
    /// How long sessions that are not idle may go on when the process is to end.
    pub drain: Duration,
    /// How long a client may acknowledge nothing of what it was sent.
    pub patience: Option<Duration>,
    /// What sessions know of the end.
    pub lifecycle: Lifecycle,
}

struct Worker {
    connections: Arc<AtomicUsize>,
    queue: mpsc::UnboundedSender<(Accepted, Peer, bool)>,
}

impl Service {
    /// Accepts until `stop` is done once; then idle sessions end, and the others when they become idle, until
    /// [`Service::drain`] has passed or `stop` is done again.
    ///
    /// # Errors
    ///
    /// Those of the system calls that make threads and event loops.
    pub fn run<H: Handler>(
        &self,
        listener: Listener,
        handler: &Arc<H>,
        mut stop: impl AsyncFnMut(),
    ) -> io::Result<()> {
        let workers: Vec<Worker> = (0..self.threads.max(1))
            .map(|index| worker(index, self.patience, Arc::clone(handler)))
            .collect::<io::Result<_>>()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            self.accept(listener, &workers, &mut stop).await?;
            self.lifecycle.set(State::Draining);
            let deadline = Instant::now() + self.drain;
            tokio::select! {
                () = ended(&workers) => return Ok(()),
                () = sleep_until(deadline) => {}
                () = stop() => {}
            }
            self.lifecycle.set(State::Ending);
            tokio::select! {
                () = ended(&workers) => {}
                () = sleep(LAST_WORDS) => {}
            }
            Ok(())
        })
    }

    async fn accept(
        &self,
        listener: Listener,
        workers: &[Worker],
        stop: &mut impl AsyncFnMut(),
    ) -> io::Result<()> {
        let listener = listener.into_async()?;
        let mut stopped = std::pin::pin!(stop());
        loop {
            tokio::select! {
                () = &mut stopped => return Ok(()),
                accepted = listener.accept() => match accepted {
                    Ok((socket, from)) => self.hand_over(workers, socket, from),
                    // Out of descriptors, or a client that went away: the next may be served.
                    Err(_) => sleep(Duration::from_millis(10)).await,
                },
            }
        }
    }

    fn hand_over(&self, workers: &[Worker], socket: Accepted, from: Peer) {
        let open = connections(workers);
        if open >= self.max_connections.saturating_mul(2) {
            return;
        }
        let least = workers
            .iter()
            .min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        if let Some(worker) = least {
            worker.connections.fetch_add(1, Ordering::Relaxed);
            // A worker ends only with the process.
            let _ = worker
                .queue
                .send((socket, from, open >= self.max_connections));
        }
    }
}

fn connections(workers: &[Worker]) -> usize {
    workers
        .iter()
        .map(|worker| worker.connections.load(Ordering::Relaxed))
        .sum()
}

/// Done when there are no connections.
async fn ended(workers: &[Worker]) {
    while connections(workers) > 0 {
        sleep(LOOK).await;
    }
}

fn worker<H: Handler>(
    index: usize,
    patience: Option<Duration>,
    handler: Arc<H>,
) -> io::Result<Worker> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (queue, mut arriving) = mpsc::unbounded_channel::<(Accepted, Peer, bool)>();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    std::thread::Builder::new()
        .name(format!("worker-{index}"))
        .stack_size(STACK)
        .spawn(move || {
            runtime.block_on(async move {
                while let Some((socket, from, is_above_limit)) = arriving.recv().await {
                    let (handler, open) = (Arc::clone(&handler), Open(Arc::clone(&count)));
                    // A panic ends this task alone.
                    tokio::spawn(async move {
                        let _open = open;
                        if let Ok(client) = socket.into_transport(patience) {
                            handler.serve(client, from, is_above_limit).await;
                        }
                    });
                }
            });
        })?;
    Ok(Worker { connections, queue })
}

/// Counts a connection until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

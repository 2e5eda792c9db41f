//! A listener and the threads that its connections live on.
//!
//! One acceptor hands each connection to the thread with the fewest; a session stays on its thread, so its two
//! sockets wake one event loop and no lock is shared between sessions. `SO_REUSEPORT` would spread few connections
//! unevenly and break a hand-over of the listener.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

/// Connections waiting for the kernel's accept queue.
const BACKLOG: i32 = 1024;

/// What is done with a connection.
pub trait Handler: Send + Sync + 'static {
    /// Serves one client to its end.
    fn serve(&self, client: TcpStream, from: SocketAddr) -> impl Future<Output = ()> + Send;
}

/// A bound address.
#[derive(Debug)]
pub struct Listener(std::net::TcpListener);

struct Worker {
    connections: Arc<AtomicUsize>,
    queue: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
}

impl Listener {
    /// Binds an address.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self(socket.into()))
    }

    /// The bound address, with the port that the system chose if 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Accepts until `stop` is done, serving on `threads` threads. Open connections are closed on return.
    pub fn serve<H: Handler>(
        self,
        threads: usize,
        handler: Arc<H>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let workers: Vec<Worker> = (0..threads.max(1))
            .map(|index| worker(index, Arc::clone(&handler)))
            .collect::<io::Result<_>>()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(self.0)?;
            tokio::pin!(stop);
            loop {
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    accepted = listener.accept() => match accepted {
                        Ok((socket, from)) => hand_over(&workers, socket, from),
                        // Out of descriptors, or a client that went away: the next may be served.
                        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
                    },
                }
            }
        })
    }
}

fn hand_over(workers: &[Worker], socket: TcpStream, from: SocketAddr) {
    let Some(worker) = workers
        .iter()
        .min_by_key(|worker| worker.connections.load(Ordering::Relaxed))
    else {
        return;
    };
    if let Ok(socket) = socket.into_std() {
        worker.connections.fetch_add(1, Ordering::Relaxed);
        // A worker ends only with the process.
        let _ = worker.queue.send((socket, from));
    }
}

fn worker<H: Handler>(index: usize, handler: Arc<H>) -> io::Result<Worker> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (queue, mut arriving) = mpsc::unbounded_channel::<(std::net::TcpStream, SocketAddr)>();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    std::thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            runtime.block_on(async move {
                while let Some((socket, from)) = arriving.recv().await {
                    let (handler, open) = (Arc::clone(&handler), Open(Arc::clone(&count)));
                    // A panic ends this task alone.
                    tokio::spawn(async move {
                        let _open = open;
                        let _ = socket.set_nodelay(true);
                        if let Ok(socket) = TcpStream::from_std(socket) {
                            handler.serve(socket, from).await;
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

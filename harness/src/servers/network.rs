//! A network between two servers that a test can disturb: it cuts connections, holds their bytes, or is not there.

use crate::Result;
use crate::port::free_port;
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

/// How long a thread waits for bytes before it looks at what the test wants.
const LOOK: Duration = Duration::from_millis(10);

/// A relay before a server.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody is to listen.
    refuses: bool,
    /// Nobody listens.
    is_closed: bool,
    /// Bytes stay where they are.
    holds: bool,
    /// The test is over.
    ended: bool,
    links: Vec<Arc<Link>>,
}

/// A connection and the one behind it.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    end: Mutex<End>,
}

/// What becomes of a link.
#[derive(Debug, Default)]
struct End {
    /// Both connections are given up.
    is_cut: bool,
    /// It is cut after this many more bytes that go this way.
    after: Option<(Way, usize)>,
    /// Directions in which nothing will be carried any more.
    done: u8,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Network {
    /// A network that leads to a server.
    pub fn to(upstream: SocketAddr) -> Result<Self> {
        let address = free_port()?;
        let listener = TcpListener::bind(address)?;
        let shared = Arc::new(Shared {
            upstream,
            state: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(listener, address));
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether connections are refused. Those that there are stay.
    pub fn refuse(&self, refuses: bool) -> Result<()> {
        locked(&self.shared.state).refuses = refuses;
        crate::scene::eventually("the network has changed", || {
            Ok(locked(&self.shared.state).is_closed == refuses)
        })
    }

    /// Whether bytes are held: nothing arrives, and nothing is closed.
    pub fn hold(&self, holds: bool) {
        locked(&self.shared.state).holds = holds;
    }

    /// Cuts all connections by a reset of both sides.
    pub fn cut(&self) {
        for link in self.links() {
            link.cut();
        }
    }

    /// The same for the connection that was made last.
    pub fn cut_last(&self) {
        if let Some(link) = self.links().last() {
            link.cut();
        }
    }

    /// Cuts the connection that was made last once so many more bytes have gone one way; those arrive.
    pub fn cut_after(&self, way: Way, bytes: usize) {
        if let Some(link) = self.links().last() {
            locked(&link.end).after = Some((way, bytes));
        }
    }

    fn links(&self) -> Vec<Arc<Link>> {
        locked(&self.shared.state).links.clone()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        locked(&self.shared.state).ended = true;
        self.cut();
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: TcpListener, address: SocketAddr) {
        let mut listener = Some(listener);
        loop {
            let (refuses, ended) = {
                let state = locked(&self.state);
                (state.refuses, state.ended)
            };
            if ended {
                return;
            }
            listener = match listener {
                _ if refuses => None,
                None => TcpListener::bind(address).ok(),
                some => some,
            };
            locked(&self.state).is_closed = listener.is_none();
            let accepted = listener.as_ref().map(|listener| {
                listener.set_nonblocking(true)?;
                listener.accept()
            });
            match accepted {
                Some(Ok((client, _))) => {
                    // A server that is down: the client sees the connection end.
                    let _ = self.connect(client);
                }
                Some(Err(_)) | None => sleep(LOOK),
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.upstream)?;
        client.set_nonblocking(false)?;
        for socket in [&client, &server] {
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(LOOK))?;
            socket.set_write_timeout(Some(LOOK))?;
        }
        let link = Arc::new(Link {
            client,
            server,
            end: Mutex::default(),
        });
        for way in [Way::ToServer, Way::ToClient] {
            let (shared, link) = (Arc::clone(self), Arc::clone(&link));
            thread::spawn(move || shared.carry(&link, way));
        }
        locked(&self.state).links.push(link);
        Ok(())
    }

    /// Carries bytes one way until one side closes or the link is cut.
    fn carry(&self, link: &Arc<Link>, way: Way) {
        let (mut from, to) = match way {
            Way::ToServer => (&link.client, &link.server),
            Way::ToClient => (&link.server, &link.client),
        };
        let mut buffer = vec![0; 1 << 16];
        let outcome = loop {
            if locked(&link.end).is_cut {
                break Ok(());
            }
            match from.read(&mut buffer) {
                Ok(0) => break to.shutdown(Shutdown::Write),
                Ok(count) => {
                    let allowed = link.allowed(way, count);
                    if let Err(error) = self.pass(link, to, &buffer[..allowed]) {
                        break Err(error);
                    }
                    if allowed < count {
                        link.cut();
                    }
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => break Err(error),
            }
        };
        if outcome.is_err() {
            link.cut();
        }
        let mut end = locked(&link.end);
        end.done += 1;
        // The sockets close with the last of the link's owners.
        if end.is_cut || end.done == 2 {
            drop(end);
            let links = &mut locked(&self.state).links;
            links.retain(|other| !Arc::ptr_eq(other, link));
        }
    }

    /// Writes all of it, when bytes are not held.
    fn pass(&self, link: &Link, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if locked(&link.end).is_cut {
                return Err(ErrorKind::ConnectionReset.into());
            }
            if locked(&self.state).holds {
                sleep(LOOK);
                continue;
            }
            match to.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Link {
    /// How many of these bytes may pass before the link is cut.
    fn allowed(&self, way: Way, count: usize) -> usize {
        match &mut locked(&self.end).after {
            Some((of, left)) if *of == way => {
                let allowed = count.min(*left);
                *left -= allowed;
                allowed
            }
            _ => count,
        }
    }

    /// Gives both connections up; they are reset when their threads have seen it.
    fn cut(&self) {
        for socket in [&self.client, &self.server] {
            // A socket that is closed already needs no reset.
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        locked(&self.end).is_cut = true;
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

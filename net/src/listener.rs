//! Where clients connect: a TCP port or a UNIX socket.

use crate::transport::Transport;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Connections waiting for the kernel's accept queue.
const BACKLOG: i32 = 1024;

/// An address that is listened at.
#[derive(Debug)]
pub enum Listener {
    /// A TCP port.
    Tcp(std::net::TcpListener),
    /// A UNIX socket, which is removed when this is dropped.
    Unix(std::os::unix::net::UnixListener, SocketFile),
}

/// The file of a UNIX socket.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it is gone already, that is what was wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// From this address.
    Tcp(SocketAddr),
    /// Through the UNIX socket.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix socket"),
        }
    }
}

impl Listener {
    /// Listens at a TCP address.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self::Tcp(socket.into()))
    }

    /// Listens at a UNIX socket. A socket that nobody listens at any more is replaced.
    ///
    /// # Errors
    ///
    /// Those of the system calls; `AddrInUse` if somebody listens there, or it is a file of another kind.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let is_socket =
            std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket && StdUnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = std::os::unix::net::UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Unix(listener, SocketFile(path.to_owned())))
    }

    /// What a client is to connect to, with the port that the system chose if 0 was asked for.
    pub fn connection_string(&self) -> String {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("tcp://{address}/"),
                Err(_) => "tcp://".to_owned(),
            },
            Self::Unix(_, file) => format!("unix://{}", file.0.display()),
        }
    }

    pub(crate) fn into_async(self) -> io::Result<AsyncListener> {
        Ok(match self {
            Self::Tcp(listener) => AsyncListener::Tcp(TcpListener::from_std(listener)?),
            Self::Unix(listener, file) => {
                AsyncListener::Unix(UnixListener::from_std(listener)?, file)
            }
        })
    }
}

pub(crate) enum AsyncListener {
    Tcp(TcpListener),
    Unix(
        UnixListener,
        #[allow(dead_code, reason = "removed with it")] SocketFile,
    ),
}

impl AsyncListener {
    pub(crate) async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Accepted::Tcp(stream.into_std()?), Peer::Tcp(address)))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Unix(stream.into_std()?), Peer::Unix))
            }
        }
    }
}

/// An accepted connection that belongs to no event loop yet.
pub(crate) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(StdUnixStream),
}

impl Accepted {
    /// Gives it to the event loop of this thread.
    pub(crate) fn into_transport(self, patience: Option<Duration>) -> io::Result<Transport> {
        match self {
            Self::Tcp(stream) => Transport::tcp(TcpStream::from_std(stream)?, patience),
            Self::Unix(stream) => Ok(Transport::Unix(UnixStream::from_std(stream)?)),
        }
    }
}

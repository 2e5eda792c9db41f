//! Where the database is, and how it is reached.

use crate::settings::Protocol;
use acra_net::Transport;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// Longest wait for the database to accept a connection.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of the database.
#[derive(Debug, Clone)]
pub(crate) enum Upstream {
    /// A host, of which every address is tried, and a port.
    Tcp(String, u16),
    /// A socket: PostgreSQL's in a directory, as libpq has it, or the path of MySQL's.
    Unix(PathBuf),
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

impl Upstream {
    /// A host that begins with a slash is a UNIX socket, or the directory of PostgreSQL's.
    pub(crate) fn new(host: String, port: u16, protocol: Protocol) -> Self {
        match (host.starts_with('/'), protocol) {
            (true, Protocol::PostgreSql) => {
                Self::Unix(PathBuf::from(host).join(format!(".s.PGSQL.{port}")))
            }
            (true, Protocol::MySql) => Self::Unix(PathBuf::from(host)),
            (false, _) => Self::Tcp(host, port),
        }
    }

    /// Whether it does not leave this machine by its nature.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Connects; `patience` is how long the database may acknowledge nothing of what it was sent.
    pub(crate) async fn dial(&self, patience: Option<Duration>) -> io::Result<Transport> {
        let connecting = async {
            match self {
                Self::Tcp(host, port) => {
                    Transport::tcp(TcpStream::connect((&**host, *port)).await?, patience)
                }
                Self::Unix(path) => Ok(Transport::Unix(UnixStream::connect(path).await?)),
            }
        };
        match tokio::time::timeout(DIAL_TIMEOUT, connecting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

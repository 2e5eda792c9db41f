//! Ports for the servers of tests. Packages that may not depend on this one take the file as a module of their tests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpSocket;

/// A port of the loopback address that is this process's until it ends: for a server that it starts, and starts again, or for
/// an address at which nobody listens.
///
/// A socket that is bound and does not listen keeps it. The kernel gives such a port to nobody who asks for any, and to no
/// connection; it lets a server listen there that allows for reuse (`SO_REUSEADDR`), as all do.
pub fn free_port() -> io::Result<SocketAddr> {
    static KEPT: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = socket.local_addr()?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push(socket);
    Ok(address)
}

//! The metrics page of a server.

use crate::{Error, Result};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The page that a server shows at an address.
pub fn page(address: SocketAddr) -> Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    Ok(text)
}

/// One metric without labels.
pub fn metric(address: SocketAddr, name: &str) -> Result<f64> {
    let page = page(address)?;
    page.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .ok_or_else(|| Error::new(format!("no {name} in:\n{page}")))
}

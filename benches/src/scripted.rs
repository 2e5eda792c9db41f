//! A peer in the place of a database, where only what is before it counts; and clients of it.

use crate::client::Stream;
use crate::tls;
use acra_harness::raw::frontend::{VERSION_3_0, startup};
use acra_harness::{Context as _, Result};
use rustls::ClientConfig;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Stands for a database: lets everybody in, and answers everything with ReadyForQuery.
pub(crate) fn database() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serve = |mut client: TcpStream| {
        let mut buffer = [0; 1024];
        let mut answer: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        while client.read(&mut buffer).is_ok_and(|count| count > 0) {
            if client.write_all(answer).is_err() {
                return;
            }
            answer = b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I";
        }
    };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A small stack is enough, and there are many.
            let thread = std::thread::Builder::new().stack_size(1 << 16);
            if thread.spawn(move || serve(client)).is_err() {
                return;
            }
        }
    });
    Ok(address)
}

/// Connects and is let in.
pub(crate) fn login(
    address: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(address)
        .context(|| "connecting (is `ulimit -n` high enough?)".into())?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut client: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => Box::new(tls::connect(config, stream)?),
    };
    client.write_all(&startup(VERSION_3_0, &[("user", "u")]))?;
    client.read_exact(&mut [0; 15])?;
    Ok(client)
}

//! Addresses to listen at, as flags give them.

use std::net::{SocketAddr, ToSocketAddrs};

/// The address of `tcp://host:port/`, names resolved. The error says what is wrong with it.
pub(crate) fn resolve(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .strip_prefix("tcp://")
        .map(|rest| rest.trim_end_matches('/'))
        .ok_or("expected tcp://host:port")?;
    let mut resolved = address
        .to_socket_addrs()
        .map_err(|error| error.to_string())?;
    resolved
        .next()
        .ok_or_else(|| "the host has no address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["tcp://127.0.0.1:9393/", "tcp://127.0.0.1:9393"] {
            assert_eq!(resolve(text), Ok(([127, 0, 0, 1], 9393).into()));
        }
        assert!(resolve("tcp://[::1]:1/").is_ok());
        for text in [
            "",
            "127.0.0.1:1",
            "unix:///x",
            "tcp://",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:x",
        ] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }
}

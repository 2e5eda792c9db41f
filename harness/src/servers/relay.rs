//! The pump without a session of its own.

use crate::process::{Daemon, End, free_port};
use crate::{Result, paths};
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

/// `acra-null-relay` before a server.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which writes there.
    _folder: TempDir,
}

impl Relay {
    /// Starts it before this server.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_port()?;
        let mut command = Command::new(paths::binary("acra-null-relay")?);
        command.args(["--listen", &address.to_string()]);
        command.args(["--upstream", &upstream.to_string()]);
        let mut daemon = Daemon::start(&command, &folder.path().join("log"), &End::default())?;
        daemon.wait_listening(address)?;
        Ok(Self {
            address,
            daemon,
            _folder: folder,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.daemon.id()
    }

    /// What it printed.
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

//! A Redis server, for tokens.

use crate::process::{Daemon, End, free_port};
use crate::{Error, Result};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

/// A running Redis server that keeps nothing on the disk.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which writes there.
    folder: TempDir,
}

impl Redis {
    /// Starts one on a free port.
    pub fn start() -> Result<Self> {
        let (folder, address) = (tempfile::tempdir()?, free_port()?);
        let daemon = serve(&folder, address)?;
        Ok(Self {
            address,
            daemon,
            folder,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it; what was in it is lost.
    pub fn stop(&mut self) -> Result<()> {
        self.daemon.signal(Signal::KILL)?;
        self.daemon.wait().map(drop)
    }

    /// Starts it again at the same address.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon = serve(&self.folder, self.address)?;
        Ok(())
    }
}

fn serve(folder: &TempDir, address: SocketAddr) -> Result<Daemon> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", &address.ip().to_string()]);
    command.args(["--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--dir"]);
    command.arg(folder.path());
    let log = folder.path().join("log");
    let mut daemon = Daemon::start(&command, &log, &End::default())?;
    daemon.wait_listening(address).map_err(|error| {
        Error::new(format!(
            "{error}; if redis-server is not installed, run: scripts/setup.sh redis"
        ))
    })?;
    Ok(daemon)
}

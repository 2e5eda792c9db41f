//! A Redis server, for tokens: a process, or a container of the image in `ACRA_TEST_REDIS_IMAGE`.

use super::Paused;
#[cfg(feature = "containers")]
use super::container::{Container, request};
use crate::port::free_port;
use crate::process::{Daemon, End};
#[cfg(feature = "containers")]
use crate::scene::eventually;
use crate::{Error, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
#[cfg(feature = "containers")]
use testcontainers::ImageExt as _;

/// It keeps nothing on the disk.
const VOLATILE: [&str; 4] = ["--save", "", "--appendonly", "no"];

/// A running Redis server that keeps nothing on the disk.
pub struct Redis {
    address: SocketAddr,
    own: Own,
}

enum Own {
    Process {
        daemon: Daemon,
        // After the daemon, which writes there.
        folder: TempDir,
    },
    #[cfg(feature = "containers")]
    Container(Container),
}

impl Redis {
    /// Starts one on a free port.
    pub fn start() -> Result<Self> {
        let address = free_port()?;
        #[cfg(feature = "containers")]
        if let Ok(image) = std::env::var("ACRA_TEST_REDIS_IMAGE") {
            let open = ["--bind", "0.0.0.0", "--protected-mode", "no"];
            let request =
                request(&image, 6379, address, None).with_cmd(open.into_iter().chain(VOLATILE));
            let container = Container::start(request)?;
            wait(address)?;
            return Ok(Self {
                address,
                own: Own::Container(container),
            });
        }
        Self::process(address, &[])
    }

    /// Starts one on a free port that speaks TLS with this certificate and key, and asks for no certificate.
    pub fn start_tls(cert: &Path, key: &Path) -> Result<Self> {
        let address = free_port()?;
        let (port, cert, key) = (address.port(), cert.display(), key.display());
        let arguments = format!(
            "--port 0 --tls-port {port} --tls-cert-file {cert} --tls-key-file {key} --tls-auth-clients no \
             --tls-ca-cert-file {cert}"
        );
        Self::process(address, &arguments.split(' ').collect::<Vec<_>>())
    }

    fn process(address: SocketAddr, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let daemon = serve(&folder, address, arguments)?;
        Ok(Self {
            address,
            own: Own::Process { daemon, folder },
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it; what was in it is lost.
    pub fn stop(&mut self) -> Result<()> {
        match &mut self.own {
            Own::Process { daemon, .. } => {
                daemon.signal(Signal::KILL)?;
                daemon.wait().map(drop)
            }
            #[cfg(feature = "containers")]
            Own::Container(container) => container.kill(),
        }
    }

    /// Starts it again at the same address.
    pub fn restart(&mut self) -> Result<()> {
        match &mut self.own {
            Own::Process { daemon, folder } => {
                *daemon = serve(folder, self.address, &[])?;
                Ok(())
            }
            #[cfg(feature = "containers")]
            Own::Container(container) => {
                container.start_again()?;
                wait(self.address)
            }
        }
    }

    /// Stops it until what is returned is dropped: it neither answers nor closes anything.
    pub fn pause(&self) -> Result<Paused> {
        match &self.own {
            Own::Process { daemon, .. } => {
                daemon.signal(Signal::STOP)?;
                let process = Pid::from_raw(i32::try_from(daemon.id())?);
                Ok(Paused::new(move || {
                    // One that was killed meanwhile needs nothing.
                    let _ = process.map(|process| kill_process(process, Signal::CONT));
                }))
            }
            #[cfg(feature = "containers")]
            Own::Container(container) => container.pause(),
        }
    }
}

/// Waits until it answers: that the port is open says nothing of what is behind it.
#[cfg(feature = "containers")]
fn wait(address: SocketAddr) -> Result<()> {
    use std::io::{Read as _, Write as _};
    let ping = || -> std::io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b"+PONG\r\n")
    };
    eventually("Redis answers", || Ok(ping().unwrap_or(false)))
}

/// Starts a process, with these arguments too.
pub(super) fn serve(folder: &TempDir, address: SocketAddr, more: &[&str]) -> Result<Daemon> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", &address.ip().to_string()]);
    command.args(["--port", &address.port().to_string()]);
    command.args(VOLATILE).arg("--dir").arg(folder.path());
    command.args(more);
    let log = folder.path().join("log");
    let mut daemon = Daemon::start(&command, &log, &End::default())?;
    daemon.wait_listening(address).map_err(|error| {
        Error::new(format!(
            "{error}; if redis-server is not installed, run: scripts/setup.sh redis"
        ))
    })?;
    Ok(daemon)
}

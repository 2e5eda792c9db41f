//! HAProxy in TCP mode: a relay that knows nothing of what it passes.

use crate::process::{Daemon, End, free_port};
use crate::{Error, Result};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A running HAProxy before a server.
#[derive(Debug)]
pub struct Haproxy {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which reads there.
    _folder: TempDir,
}

impl Haproxy {
    /// Starts it before this server, with this number of threads.
    pub fn start(upstream: SocketAddr, threads: usize) -> Result<Self> {
        Self::with(upstream, threads, "", "")
    }

    /// The same with TLS on both sides, begun directly as PostgreSQL 17 and later allow. The file has a certificate and
    /// its key.
    pub fn with_tls(upstream: SocketAddr, threads: usize, certificate: &Path) -> Result<Self> {
        let bind = format!("ssl crt {} alpn postgresql", certificate.display());
        Self::with(upstream, threads, &bind, "ssl verify none alpn postgresql")
    }

    fn with(upstream: SocketAddr, threads: usize, bind: &str, server: &str) -> Result<Self> {
        let program = installed("/usr/sbin/haproxy", "haproxy")?;
        let folder = tempfile::tempdir()?;
        let address = free_port()?;
        let file = folder.path().join("haproxy.cfg");
        fs::write(
            &file,
            format!(
                "global\n  nbthread {threads}\n  maxconn 1000\n\
                 defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n  option clitcpka\n\
                 listen database\n  bind {address} {bind}\n  server database {upstream} {server}\n"
            ),
        )?;
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&file);
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
}

/// The place of an installed program, or which package to install.
pub(super) fn installed(path: &str, package: &str) -> Result<PathBuf> {
    let path = PathBuf::from(path);
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::new(format!(
            "{} is not installed; run: apt-get install {package}",
            path.display()
        ))),
    }
}

//! What else can stand between a client and a server: the pump alone, HAProxy, PgBouncer.

use super::postgres::{give_away, unprivileged};
use crate::port::free_port;
use crate::process::{Daemon, End};
use crate::{Error, Result, paths};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A running proxy before a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which reads and writes there.
    _folder: TempDir,
}

impl Proxy {
    /// `acra-null-relay`: the pump without a session of its own.
    pub fn null_relay(upstream: SocketAddr) -> Result<Self> {
        Self::start(|_, address| {
            let mut command = Command::new(paths::binary("acra-null-relay")?);
            command.args(["--listen", &address.to_string()]);
            command.args(["--upstream", &upstream.to_string()]);
            Ok(command)
        })
    }

    /// HAProxy in TCP mode with this number of threads: a relay that knows nothing of what it passes.
    pub fn haproxy(upstream: SocketAddr, threads: usize) -> Result<Self> {
        Self::haproxy_with(upstream, threads, "", "")
    }

    /// The same with TLS on both sides, begun directly as PostgreSQL 17 and later allow. The file has a certificate and
    /// its key.
    pub fn haproxy_with_tls(
        upstream: SocketAddr,
        threads: usize,
        certificate: &Path,
    ) -> Result<Self> {
        let bind = format!("ssl crt {} alpn postgresql", certificate.display());
        Self::haproxy_with(upstream, threads, &bind, "ssl verify none alpn postgresql")
    }

    fn haproxy_with(
        upstream: SocketAddr,
        threads: usize,
        bind: &str,
        server: &str,
    ) -> Result<Self> {
        let program = installed("/usr/sbin/haproxy", "haproxy")?;
        Self::start(|folder, address| {
            let file = folder.join("haproxy.cfg");
            fs::write(
                &file,
                format!(
                    "global\n  nbthread {threads}\n  maxconn 1000\n\
                     defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n\
                     listen database\n  bind {address} {bind}\n  server database {upstream} {server}\n"
                ),
            )?;
            let mut command = Command::new(program);
            command.arg("-db").arg("-f").arg(&file);
            Ok(command)
        })
    }

    /// PgBouncer, which reads the protocol's messages but not SQL, in session mode: each client has a server connection of
    /// its own.
    pub fn pgbouncer(upstream: SocketAddr) -> Result<Self> {
        let program = installed("/usr/sbin/pgbouncer", "pgbouncer")?;
        Self::start(|folder, address| {
            let (file, users) = (folder.join("pgbouncer.ini"), folder.join("users"));
            fs::write(&users, "\"postgres\" \"\"\n")?;
            let (host, port) = (upstream.ip(), upstream.port());
            fs::write(
                &file,
                format!(
                    "[databases]\n* = host={host} port={port}\n\
                     [pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
                     pool_mode = session\nmax_client_conn = 200\ndefault_pool_size = 200\n\
                     ignore_startup_parameters = extra_float_digits\n",
                    address.ip(),
                    address.port(),
                    users.display()
                ),
            )?;
            give_away(folder)?;
            let mut command = unprivileged(&program)?;
            command.arg(&file);
            Ok(command)
        })
    }

    /// Starts what `command` says for a folder of its own and an address to listen at.
    fn start(command: impl FnOnce(&Path, SocketAddr) -> Result<Command>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_port()?;
        let command = command(folder.path(), address)?;
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

/// The place of an installed program, or which package to install.
fn installed(path: &str, package: &str) -> Result<PathBuf> {
    let path = PathBuf::from(path);
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::new(format!(
            "{} is not installed; run: apt-get install {package}",
            path.display()
        ))),
    }
}

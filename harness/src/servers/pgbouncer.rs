//! PgBouncer: a pooler that reads the protocol's messages but not SQL.

use super::haproxy::installed;
use super::postgres::{give_away, unprivileged};
use crate::Result;
use crate::process::{Daemon, End, free_port};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;

/// A running PgBouncer before a server, in session mode: each client has a server connection of its own.
#[derive(Debug)]
pub struct Pgbouncer {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which reads there.
    _folder: TempDir,
}

impl Pgbouncer {
    /// Starts it before this server.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let program = installed("/usr/sbin/pgbouncer", "pgbouncer")?;
        let folder = tempfile::tempdir()?;
        let address = free_port()?;
        let (file, users) = (
            folder.path().join("pgbouncer.ini"),
            folder.path().join("users"),
        );
        fs::write(&users, "\"postgres\" \"\"\n")?;
        fs::write(&file, settings(upstream, address, &users))?;
        give_away(folder.path())?;
        let mut command = unprivileged(&program)?;
        command.arg(&file);
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

fn settings(upstream: SocketAddr, address: SocketAddr, users: &Path) -> String {
    let (host, port) = (upstream.ip(), upstream.port());
    format!(
        "[databases]\n* = host={host} port={port}\n\
         [pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
         pool_mode = session\nmax_client_conn = 200\ndefault_pool_size = 200\nignore_startup_parameters = extra_float_digits\n",
        address.ip(),
        address.port(),
        users.display()
    )
}

//! PostgreSQL as processes of this machine.

use super::{Own, Paused, give_away, postgres_user, unprivileged};
use crate::port::free_port;
use crate::process::{Daemon, End};
use crate::raw::Connection;
use crate::{Context, Error, Result, paths};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

pub(super) const SETTINGS: &str = include_str!("../../../postgres/postgresql.conf");
pub(super) const ACCESS: &str = include_str!("../../../postgres/pg_hba.conf");

/// Name of the folder that is a file system of its own.
pub(super) const SMALL_DISK: &str = "small";

/// A server in a folder of its own.
pub(super) struct Local {
    address: SocketAddr,
    daemon: Mutex<Daemon>,
    command: Command,
    // After the daemon, which writes there.
    folder: TempDir,
}

impl Local {
    /// Starts one with further settings, and a small disk of this many MiB.
    pub(super) fn start(
        version: u32,
        settings: &[&str],
        small_disk: Option<usize>,
    ) -> Result<Self> {
        let bin = paths::postgres_bin(version)?;
        let folder = tempfile::Builder::new()
            .prefix("acra-postgres-")
            .tempdir()?;
        give_away(folder.path())?;
        let data = folder.path().join("data");
        initialise(&bin, &data)?;
        let address = free_port()?;
        let mut command = unprivileged(&bin.join("postgres"))?;
        command.arg("-D").arg(&data).arg("-k").arg(folder.path());
        command.args(["-p", &address.port().to_string()]);
        command.args(settings.iter().flat_map(|setting| ["-c", *setting]));
        if let Some(mebibytes) = small_disk {
            command = with_small_disk(&command, &folder.path().join(SMALL_DISK), mebibytes)?;
        }
        Ok(Self {
            address,
            daemon: Mutex::new(launch(&command, folder.path(), address)?),
            command,
            folder,
        })
    }

    fn daemon(&self) -> MutexGuard<'_, Daemon> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the server's first process, so that it makes no more of them, and then those that it made.
    fn freeze(&self) -> Result<Vec<Pid>> {
        let daemon = self.daemon();
        daemon.signal(Signal::STOP)?;
        let mut frozen = Vec::new();
        let first = i32::try_from(daemon.id())?;
        for process in [first].into_iter().chain(children(first)?) {
            let Some(process) = Pid::from_raw(process) else {
                continue;
            };
            // One that ended meanwhile needs no signal.
            if kill_process(process, Signal::STOP).is_ok() {
                frozen.push(process);
            }
        }
        Ok(frozen)
    }
}

impl Own for Local {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        self.daemon().log()
    }

    fn launch(&self) -> Result<()> {
        *self.daemon() = launch(&self.command, self.folder.path(), self.address)?;
        Ok(())
    }

    fn stop(&self) -> Result<()> {
        let mut daemon = self.daemon();
        // Fast: without waiting for clients.
        daemon.signal(Signal::INT)?;
        daemon.wait().map(|_| ())
    }

    fn kill(&self) -> Result<()> {
        // Frozen first: none of them learns of the end of another.
        for process in self.freeze()? {
            kill_process(process, Signal::KILL)?;
        }
        self.daemon().wait().map(|_| ())
    }

    fn pause(&self) -> Result<Paused> {
        let frozen = self.freeze()?;
        Ok(Paused::new(move || {
            for process in frozen {
                // One that was killed meanwhile needs nothing.
                let _ = kill_process(process, Signal::CONT);
            }
        }))
    }
}

fn launch(command: &Command, folder: &Path, address: SocketAddr) -> Result<Daemon> {
    let end = End {
        // Immediate: the data is not needed any more.
        signal: Signal::QUIT,
        remove: Some(folder.to_owned()),
    };
    let mut daemon = Daemon::start(command, &folder.join("log"), &end)?;
    let ready = || Connection::login(address, "postgres", "postgres").is_ok();
    daemon.wait_until("answer", ready)?;
    Ok(daemon)
}

/// The processes that a process made.
fn children(of: i32) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // After the name, which is in parentheses and can hold anything: state and parent.
        let line = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = line
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if parent == Some(&*of.to_string()) {
            found.push(process);
        }
    }
    Ok(found)
}

/// A command that finds a file system in memory at a folder. Nobody else sees it, and it goes away with the process.
fn with_small_disk(command: &Command, folder: &Path, mebibytes: usize) -> Result<Command> {
    const MOUNT: &str = "mount -t tmpfs -o \"$1\" small \"$2\" && shift 2 && exec \"$@\"";
    let Some((user, group)) = postgres_user()? else {
        return Err(Error::new("only root can mount a small disk"));
    };
    fs::create_dir_all(folder)?;
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--mount", "/bin/sh", "-c", MOUNT, "sh"]);
    wrapped.arg(format!(
        "size={mebibytes}m,mode=0700,uid={user},gid={group}"
    ));
    wrapped.arg(folder);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped.current_dir("/");
    Ok(wrapped)
}

fn initialise(bin: &Path, data: &Path) -> Result<()> {
    let mut command = unprivileged(&bin.join("initdb"))?;
    command.arg("-D").arg(data);
    command.args("-U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync".split(' '));
    let output = command.output().context(|| "running initdb".into())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::new(format!("initdb failed: {text}")));
    }
    let mut file = OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))?;
    file.write_all(SETTINGS.as_bytes())?;
    Ok(fs::write(data.join("pg_hba.conf"), ACCESS)?)
}

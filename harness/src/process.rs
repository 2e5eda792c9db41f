//! Child processes that end with the test, whatever becomes of it.

use crate::{Context, Error, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Becomes the program (`exec`), beside a guard that waits for the end of its input, which is the test's end even if
/// that was killed. Then the guard signals the group and removes what is to be removed.
const GUARDED: &str = r#"
signal=$1 remove=$2; shift 2
exec 3<&0
(
    trap '' TERM INT QUIT HUP
    read -r _ <&3
    kill -s "$signal" 0
    if [ -n "$remove" ]; then sleep 1; rm -rf "$remove"; fi
) >/dev/null 2>&1 &
exec 3<&- "$@" </dev/null
"#;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(120);

/// How long a process may take to end when told to.
const STOP: Duration = Duration::from_secs(60);

/// A process that runs beside a test. Its group is ended when this is dropped or the test's process is gone.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    name: String,
    log: PathBuf,
    signal: Signal,
    // Closed when the test's process ends: what the guard waits for.
    _alive: Option<ChildStdin>,
}

/// How a daemon is ended.
#[derive(Clone, Debug)]
pub struct End {
    /// The signal its group gets.
    pub signal: Signal,
    /// What is removed if the test ends without dropping it.
    pub remove: Option<PathBuf>,
}

impl Default for End {
    fn default() -> Self {
        Self {
            signal: Signal::TERM,
            remove: None,
        }
    }
}

impl Daemon {
    /// Starts a command; what it prints goes to the file `log`.
    pub fn start(command: &Command, log: &Path, end: &End) -> Result<Self> {
        let program = Path::new(command.get_program());
        let name = program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy()
            .into_owned();
        let output = File::options().create(true).append(true).open(log)?;
        let signal = match end.signal {
            Signal::QUIT => "QUIT",
            Signal::KILL => "KILL",
            _ => "TERM",
        };
        let mut guarded = Command::new("/bin/sh");
        guarded.args(["-c", GUARDED, "sh", signal]);
        guarded.arg(end.remove.as_deref().unwrap_or(Path::new("")));
        guarded.arg(program).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(key, value),
                None => guarded.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            guarded.current_dir(folder);
        }
        guarded
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        let mut child = guarded.spawn().context(|| format!("starting {name}"))?;
        let alive = child.stdin.take();
        Ok(Self {
            child,
            name,
            log: log.to_owned(),
            signal: end.signal,
            _alive: alive,
        })
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it, not its group, a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Whether it ended, and how.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it listens at a port of this machine.
    pub fn wait_listening(&mut self, address: SocketAddr) -> Result<()> {
        self.wait_until(&format!("listen at {address}"), || listens(address))
    }

    /// Waits until something holds of it.
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
        let begin = Instant::now();
        while !holds() {
            if let Some(status) = self.ended()? {
                let (name, log) = (&self.name, self.log());
                return Err(Error::new(format!(
                    "{name} ended ({status}) before it could {what}; it printed:\n{log}"
                )));
            }
            if begin.elapsed() > START {
                let (name, log) = (&self.name, self.log());
                return Err(Error::new(format!(
                    "{name} did not {what} within {START:?}; it printed:\n{log}"
                )));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until it has ended by itself or by a signal sent before.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < STOP {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(10));
        }
        Err(Error::new(format!(
            "{} did not end within {STOP:?}",
            self.name
        )))
    }

    /// Ends it by its signal, and says how it ended.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.signal(self.signal)?;
        self.wait()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.stop().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // The guard, and whatever the process left behind.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }
}

/// Whether somebody listens there; without connecting where the kernel tells, so that no log mentions it.
pub fn listens(address: SocketAddr) -> bool {
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else {
        return TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
    };
    let port = format!(":{:04X}", address.port());
    table.lines().skip(1).any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().is_some_and(|local| local.ends_with(&port));
        // 0A is LISTEN.
        local && columns.nth(1) == Some("0A")
    })
}

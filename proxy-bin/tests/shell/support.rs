//! A folder with a key store, and runs of the binary in it.

use acra_engine::keys::{ClientId, KeyKind};
use acra_stores::{KeyStore, Version, generate_master_key, generate_master_keys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Longest time that a run may take that ends by itself.
const LIMIT: Duration = Duration::from_secs(120);

/// The client that has a key.
pub(crate) const CLIENT: &str = "test-client";

/// An encryptor configuration with one protected column.
pub(crate) const PROTECTS: &str = "schemas:\n  - table: vault\n    columns: [id, secret]\n    encrypted:\n      - column: secret\n";

/// A folder to run in, with a key store.
pub(crate) struct Place {
    folder: TempDir,
    master_key: String,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        Self::with_key_store(Version::V1)
    }

    pub(crate) fn with_key_store(version: Version) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("master.key");
        match version {
            Version::V2 => generate_master_keys(&key)?,
            _ => generate_master_key(&key)?,
        };
        let master_key = STANDARD.encode(std::fs::read(key)?);
        let keys = folder.path().join("keys");
        let store = KeyStore::create(version, &keys, None, Some(&master_key))?;
        store.generate(&KeyKind::StorageSymmetric(ClientId::new(CLIENT)?))?;
        Ok(Self { folder, master_key })
    }

    /// Makes a key.
    pub(crate) fn generate(&self, kind: &KeyKind) -> Result {
        let store = KeyStore::open(&self.path("keys"), None, Some(&self.master_key))?;
        Ok(store.generate(kind)?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; gives its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> Result<String> {
        let path = self.path(name);
        std::fs::write(&path, content)?;
        Ok(path.display().to_string())
    }

    /// The binary with nothing but these arguments, in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acra-server"));
        command
            .current_dir(self.folder.path())
            .env("ACRA_MASTER_KEY", &self.master_key)
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// Runs the binary to its end with nothing but these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Done> {
        finish(&mut self.command(arguments))
    }

    /// Runs it with what a start needs, and these arguments.
    pub(crate) fn run_with_keys(&self, arguments: &[&str]) -> Result<Done> {
        finish(&mut self.with_keys(arguments))
    }

    /// Starts a server that has to come up.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Server> {
        let mut child = self.with_keys(arguments).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let mut server = Server {
            child,
            stderr: BufReader::new(stderr),
            log: String::new(),
        };
        server.wait_for("Start listening to connections")?;
        Ok(server)
    }

    fn with_keys(&self, arguments: &[&str]) -> Command {
        let own = [
            "--db_host=127.0.0.1",
            // Nobody is there.
            "--db_port=1",
            "--client_id=test-client",
            "--keys_dir=keys",
            "--incoming_connection_string=tcp://127.0.0.1:0/",
        ];
        self.command(&[&own, arguments].concat())
    }
}

/// Runs a program that has to end by itself.
fn finish(command: &mut Command) -> Result<Done> {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn()?;
    let pid = pid_of(&child)?;
    let (ended, end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
        late && kill_process(pid, Signal::KILL).is_ok()
    });
    let output = child.wait_with_output()?;
    drop(ended);
    match watch.join() {
        Ok(false) => Ok(output.into()),
        _ => Err(format!("it does not end: {:?}", Done::from(output)).into()),
    }
}

fn pid_of(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?).ok_or("no process")?)
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// A running server. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    log: String,
}

impl Server {
    /// Reads the log up to a line that holds this text; gives the line.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        loop {
            let mut line = String::new();
            if self.stderr.read_line(&mut line)? == 0 {
                return Err(format!("ended before \"{text}\":\n{}", self.log).into());
            }
            self.log.push_str(&line);
            if line.contains(text) {
                return Ok(line);
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result {
        Ok(kill_process(pid_of(&self.child)?, signal)?)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it by a signal; gives its exit code and the whole log.
    pub(crate) fn stop(mut self, signal: Signal) -> Result<(Option<i32>, String)> {
        self.signal(signal)?;
        self.stderr.read_to_string(&mut self.log)?;
        let status = self.child.wait()?;
        Ok((status.code(), std::mem::take(&mut self.log)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line of the log.
pub(crate) fn address_in(line: &str) -> Result<String> {
    let start = line.find("127.0.0.1:").ok_or("no address")?;
    let rest = line.get(start..).unwrap_or_default();
    let end = rest.find(|character: char| !character.is_ascii_digit() && !".:".contains(character));
    Ok(rest
        .get(..end.unwrap_or(rest.len()))
        .unwrap_or_default()
        .to_owned())
}

pub(crate) fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}

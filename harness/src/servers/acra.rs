//! `acra-server` with a key store of its own.

use crate::port::free_port;
use crate::process::{Daemon, End};
use crate::{Context, Error, Result, paths};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use tempfile::TempDir;
use tokio_postgres::Client;

/// Name of the encryptor configuration's file.
const ENCRYPTOR_CONFIG: &str = "encryptor_config.yaml";

/// How to start `acra-server`.
#[derive(Clone, Debug)]
pub struct AcraConfig {
    /// The database's address.
    pub database: SocketAddr,
    /// The encryptor configuration; empty for none.
    pub encryptor_yaml: String,
    /// The client id of every connection.
    pub client_id: String,
    /// The version of the key store: `v1` or `v2`.
    pub key_store: &'static str,
    /// Client ids that have keys too.
    pub more_client_ids: Vec<String>,
    /// Whether clients have keys for searchable encryption.
    pub search_keys: bool,
    /// Whether there are keys of poison records.
    pub poison_keys: bool,
    /// The UNIX socket to listen at, instead of a TCP port.
    pub unix_socket: Option<PathBuf>,
    /// Further flags, as `--name=value`.
    pub flags: Vec<String>,
    /// Further environment variables.
    pub environment: Vec<(String, String)>,
}

impl AcraConfig {
    /// No encryptor configuration, and one client id.
    pub fn new(database: SocketAddr) -> Self {
        Self {
            database,
            encryptor_yaml: String::new(),
            client_id: "test-client".into(),
            key_store: "v1",
            more_client_ids: Vec::new(),
            search_keys: false,
            poison_keys: false,
            unix_socket: None,
            flags: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// With this encryptor configuration.
    pub fn encryptor_yaml(mut self, yaml: &str) -> Self {
        self.encryptor_yaml = yaml.into();
        self
    }

    /// With a key store of this version.
    pub fn key_store(mut self, version: &'static str) -> Self {
        self.key_store = version;
        self
    }

    /// With this flag, `--name=value`.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.into());
        self
    }
}

/// A running `acra-server`.
#[derive(Debug)]
pub struct AcraServer {
    address: SocketAddr,
    daemon: Daemon,
    keys: KeyStore,
    // After the daemon, which reads and writes there.
    folder: TempDir,
}

impl AcraServer {
    /// Makes keys, writes the configuration and starts it.
    pub fn start(config: &AcraConfig) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = KeyStore::generate(folder.path(), config.key_store)?;
        for id in config.more_client_ids.iter().chain([&config.client_id]) {
            keys.add_client(id)?;
            if config.search_keys {
                keys.add_search(id)?;
            }
        }
        if config.poison_keys {
            keys.add_poison()?;
        }
        Self::serve(config, folder, keys)
    }

    /// Ends it by this signal and starts another one with the same keys.
    pub fn restart(mut self, config: &AcraConfig, signal: Signal) -> Result<Self> {
        self.daemon.signal(signal)?;
        self.daemon.wait()?;
        let Self { keys, folder, .. } = self;
        Self::serve(config, folder, keys)
    }

    fn serve(config: &AcraConfig, folder: TempDir, keys: KeyStore) -> Result<Self> {
        let (binary, address) = (paths::binary("acra-server")?, free_port()?);
        let command = command(&binary, config, &keys, folder.path(), address)?;
        let mut daemon = Daemon::start(&command, &folder.path().join("log"), &End::default())?;
        match &config.unix_socket {
            None => daemon.wait_listening(address),
            Some(path) => daemon.wait_until(&format!("listen at {}", path.display()), || {
                UnixStream::connect(path).is_ok()
            }),
        }?;
        Ok(Self {
            address,
            daemon,
            keys,
            folder,
        })
    }

    /// Where it listens, unless that is a UNIX socket.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces the encryptor configuration, which it reads at its next reload.
    pub fn write_encryptor_yaml(&self, yaml: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join(ENCRYPTOR_CONFIG), yaml)?)
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Its key store.
    pub fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// Its process.
    pub fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    /// Connects through it to a database, as the database's superuser.
    pub async fn connect(&self, database: &str) -> Result<Client> {
        super::postgres::connect(self.address, database).await
    }

    /// Sends it a signal, such as SIGHUP.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.daemon.signal(signal)
    }

    /// Ends it by SIGTERM; gives how it ended, and its whole log.
    pub fn stop(mut self) -> Result<(ExitStatus, String)> {
        let status = self.daemon.stop()?;
        Ok((status, self.daemon.log()))
    }
}

fn command(
    binary: &Path,
    config: &AcraConfig,
    keys: &KeyStore,
    folder: &Path,
    address: SocketAddr,
) -> Result<Command> {
    let mut command = Command::new(binary);
    command.env("ACRA_MASTER_KEY", &keys.master_key);
    command.envs(config.environment.iter().map(|(name, value)| (name, value)));
    command.args([
        format!("--db_host={}", config.database.ip()),
        format!("--db_port={}", config.database.port()),
        format!("--client_id={}", config.client_id),
        format!("--keys_dir={}", keys.folder.display()),
        match &config.unix_socket {
            None => format!("--incoming_connection_string=tcp://{address}/"),
            Some(path) => format!("--incoming_connection_string=unix://{}", path.display()),
        },
    ]);
    if !config.encryptor_yaml.is_empty() {
        let file = folder.join(ENCRYPTOR_CONFIG);
        fs::write(&file, &config.encryptor_yaml)?;
        command.arg(format!("--encryptor_config_file={}", file.display()));
    }
    command.args(&config.flags);
    Ok(command)
}

/// A key store in files, made by `acra-keymaker`.
#[derive(Debug)]
pub struct KeyStore {
    version: &'static str,
    folder: PathBuf,
    master_key: String,
}

impl KeyStore {
    /// Makes a master key and an empty key store of a version below a folder.
    pub fn generate(below: &Path, version: &'static str) -> Result<Self> {
        let (file, folder) = (below.join("master.key"), below.join("keys"));
        let argument = format!("--generate_master_key={}", file.display());
        keymaker(version, &[argument], None)?;
        let key = fs::read(&file).context(|| {
            format!(
                "acra-keymaker ended well but did not write {}",
                file.display()
            )
        })?;
        Ok(Self {
            version,
            folder,
            master_key: STANDARD.encode(key),
        })
    }

    /// Makes the symmetric key of a client id, also while a server uses the store.
    pub fn add_client(&self, client_id: &str) -> Result<()> {
        self.make(client_id, "--generate_symmetric_storage_key")
    }

    /// Makes a key pair for AcraStructs of a client id, also while a server uses the store.
    pub fn add_pair(&self, client_id: &str) -> Result<()> {
        self.make(client_id, "--generate_acrawriter_keys")
    }

    /// Makes a key for searchable encryption for a client id; a former one becomes a rotated one.
    pub fn add_search(&self, client_id: &str) -> Result<()> {
        self.make(client_id, "--generate_hmac_key")
    }

    /// Makes the keys of poison records.
    pub fn add_poison(&self) -> Result<()> {
        self.make("nobody", "--generate_poisonrecord_keys")
    }

    fn make(&self, client_id: &str, what: &str) -> Result<()> {
        let folder = self.folder.display();
        let arguments = [
            format!("--client_id={client_id}"),
            what.to_owned(),
            format!("--keys_output_dir={folder}"),
            format!("--keys_public_output_dir={folder}"),
        ];
        keymaker(self.version, &arguments, Some(&self.master_key))
    }

    /// The folder of the keys.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The master key in base64, as `ACRA_MASTER_KEY` takes it.
    pub fn master_key(&self) -> &str {
        &self.master_key
    }
}

fn keymaker(version: &str, arguments: &[String], master_key: Option<&str>) -> Result<()> {
    let mut command = Command::new(paths::binary("acra-keymaker")?);
    command.arg(format!("--keystore={version}")).args(arguments);
    command.env_remove("ACRA_MASTER_KEY");
    command.envs(master_key.map(|key| ("ACRA_MASTER_KEY", key)));
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::new(format!(
        "acra-keymaker {} failed ({}): {text}",
        arguments.join(" "),
        output.status
    )))
}

//! PostgreSQL: a server shared by all tests, or a test's own.

#[cfg(feature = "containers")]
mod container;
mod process;

use super::Paused;
use crate::raw::Connection;
use crate::{Context, Error, Result};
use process::Local;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fmt};
use tokio_postgres::{Client, NoTls};

const SETUP: &str = include_str!("../../postgres/setup.sql");

/// A running PostgreSQL server. Its superuser is `postgres`, without a password; see `harness/postgres/setup.sql` for
/// users with one.
pub struct Postgres {
    version: u32,
    address: SocketAddr,
    data: Option<PathBuf>,
    own: Option<Box<dyn Own>>,
}

/// A server of a test's own, whatever it is.
trait Own: Send + Sync {
    fn address(&self) -> SocketAddr;
    fn data(&self) -> PathBuf;
    fn log(&self) -> String;
    /// Starts it again, with its data and at the same address.
    fn launch(&self) -> Result<()>;
    /// Ends it in order.
    fn stop(&self) -> Result<()>;
    /// As if the machine lost its power.
    fn kill(&self) -> Result<()>;
    fn pause(&self) -> Result<Paused>;
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL {} at {}", self.version, self.address)
    }
}

impl Postgres {
    /// The server of `ACRA_TEST_POSTGRES_{version}` (host:port, as `scripts/with-postgres.sh` sets it), else one that
    /// is started once per process and lives as long.
    pub fn shared(version: u32) -> Result<&'static Self> {
        static SERVERS: Mutex<BTreeMap<u32, &'static Postgres>> = Mutex::new(BTreeMap::new());
        let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(&version) {
            return Ok(server);
        }
        let variable = format!("ACRA_TEST_POSTGRES_{version}");
        let server = match env::var(&variable) {
            Ok(address) => Self {
                version,
                address: address
                    .parse()
                    .context(|| format!("{variable}={address}, which should be an IP:port"))?,
                data: env::var_os(format!("{variable}_DATA")).map(PathBuf::from),
                own: None,
            },
            Err(_) => Self::start(version, &[])?,
        };
        let server = Box::leak(Box::new(server));
        servers.insert(version, server);
        Ok(server)
    }

    /// Starts a server of a test's own, with further settings (`name=value`).
    pub fn start(version: u32, settings: &[&str]) -> Result<Self> {
        Self::of_ones_own(version, settings, None)
    }

    /// The same with a file system of its own, of this size, for the tablespace `small`; needs root.
    pub fn with_small_disk(version: u32, mebibytes: usize) -> Result<Self> {
        let server = Self::of_ones_own(version, &[], Some(mebibytes))?;
        let folder = server.socket_folder()?.join(process::SMALL_DISK);
        server.run(
            "postgres",
            &format!("CREATE TABLESPACE small LOCATION '{}'", folder.display()),
        )?;
        Ok(server)
    }

    /// A container if there is an image for it, else processes.
    fn of_ones_own(version: u32, settings: &[&str], small_disk: Option<usize>) -> Result<Self> {
        let image = env::var(format!("ACRA_TEST_POSTGRES_{version}_IMAGE"));
        let own: Box<dyn Own> = match image {
            Err(_) => Box::new(Local::start(version, settings, small_disk)?),
            #[cfg(feature = "containers")]
            Ok(image) => Box::new(container::Contained::start(&image, settings, small_disk)?),
            #[cfg(not(feature = "containers"))]
            Ok(image) => {
                return Err(Error::new(format!(
                    "{image} is to be started, but this was built without --features containers; see scripts/test-containers.sh"
                )));
            }
        };
        let server = Self {
            version,
            address: own.address(),
            data: Some(own.data()),
            own: Some(own),
        };
        server.run("postgres", SETUP)?;
        Ok(server)
    }

    /// Stops all of its processes until what is returned is dropped: it neither answers nor closes anything.
    pub fn pause(&self) -> Result<Paused> {
        self.own()?.pause()
    }

    /// Kills all of its processes at once.
    pub fn kill(&self) -> Result<()> {
        self.own()?.kill()
    }

    /// Ends it in order, sessions included.
    pub fn stop(&self) -> Result<()> {
        self.own()?.stop()
    }

    /// Starts it again, with its data and at the same address.
    pub fn start_again(&self) -> Result<()> {
        self.own()?.launch()
    }

    fn own(&self) -> Result<&dyn Own> {
        self.own.as_deref().ok_or_else(not_own)
    }

    /// The major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it printed, if this process started it.
    pub fn log(&self) -> Option<String> {
        self.own.as_ref().map(|own| own.log())
    }

    /// The folder of its data.
    pub fn data_dir(&self) -> Result<&Path> {
        let missing = || {
            let version = self.version;
            Error::new(format!(
                "ACRA_TEST_POSTGRES_{version}_DATA is not set though ACRA_TEST_POSTGRES_{version} is; \
                 run the tests by scripts/with-postgres.sh, which sets both"
            ))
        };
        self.data.as_deref().ok_or_else(missing)
    }

    /// The folder of its UNIX socket.
    pub fn socket_folder(&self) -> Result<&Path> {
        let data = self.data_dir()?;
        Ok(data.parent().unwrap_or(data))
    }

    /// Connects to a database as the superuser.
    pub async fn connect(&self, database: &str) -> Result<Client> {
        connect(self.address, database).await
    }

    /// Makes an empty database with a name of its own.
    pub fn fresh_database(&self) -> Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Fixed width: a script's answers have the same length in every database.
        let name = format!("t{:010}_{now:09}_{number:04}", std::process::id());
        self.run(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )?;
        Ok(name)
    }

    /// Writes everything to the data files.
    pub fn checkpoint(&self) -> Result<()> {
        self.run("postgres", "CHECKPOINT")
    }

    /// Runs SQL as the superuser.
    pub fn run(&self, database: &str, sql: &str) -> Result<()> {
        Connection::login(self.address, "postgres", database)?.run(sql)
    }
}

/// Connects as `postgres` without a password, to a server or to what stands before one.
pub(crate) async fn connect(address: SocketAddr, database: &str) -> Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config
        .host(address.ip().to_string())
        .port(address.port())
        .user("postgres")
        .dbname(database);
    let (client, connection) = config
        .connect(NoTls)
        .await
        .context(|| format!("connecting to {address}"))?;
    tokio::spawn(connection);
    Ok(client)
}

fn not_own() -> Error {
    Error::new("a server that tests share is not stopped")
}

/// A command that does not run as root, as PostgreSQL refuses to.
pub(super) fn unprivileged(program: &Path) -> Result<Command> {
    let Some((user, group)) = postgres_user()? else {
        return Ok(Command::new(program));
    };
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={group}"),
        "--clear-groups".into(),
        "--".into(),
    ]);
    // A folder that user may not enter is no place to start in.
    command.arg(program).current_dir("/");
    Ok(command)
}

/// Lets the user of [`unprivileged`] write to a folder.
pub(super) fn give_away(folder: &Path) -> Result<()> {
    match postgres_user()? {
        Some((user, group)) => Ok(chown(folder, Some(user), Some(group))?),
        None => Ok(()),
    }
}

/// The user and group that servers run as if the caller is root, as PostgreSQL refuses to: `postgres` or `nobody`.
pub fn postgres_user() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let user = ids("postgres").or_else(|| ids("nobody"));
    let missing =
        || Error::new("PostgreSQL does not run as root, and there is no user postgres or nobody");
    user.map(Some).ok_or_else(missing)
}

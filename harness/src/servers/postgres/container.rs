//! PostgreSQL as a container. Its data lie in a folder of this machine, so that tests find them where they find those of
//! processes; the folder of temporary files is there under its own name, for certificates.

use super::process::{ACCESS, SETTINGS, SMALL_DISK};
use super::{Own, Paused, give_away, postgres_user};
use crate::port::free_port;
use crate::raw::Connection;
use crate::scene::eventually;
use crate::servers::container::{self, Container};
use crate::{Context, Result};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs};
use tempfile::TempDir;
use testcontainers::core::Mount;
use testcontainers::{ContainerRequest, GenericImage, ImageExt as _};

/// A server in a container of its own.
pub(super) struct Contained {
    address: SocketAddr,
    // Dropped in this order: the container goes before what it writes to.
    container: Container,
    folder: TempDir,
}

impl Contained {
    /// Starts one with further settings, and a small disk of this many MiB.
    pub(super) fn start(image: &str, settings: &[&str], small_disk: Option<usize>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("acra-postgres-")
            .tempdir()?;
        let access = folder.path().join("pg_hba.conf");
        // Clients do not come from the loopback address there.
        fs::write(&access, ACCESS.replace("127.0.0.1/32", "all"))?;
        give_away(folder.path())?;
        let address = free_port()?;
        let request = request(image, folder.path(), address, settings, small_disk)?;
        let server = Self {
            address,
            container: Container::start(request)?,
            folder,
        };
        server.wait()?;
        Ok(server)
    }

    /// Waits until it answers: that the port is open says nothing of what is behind it.
    fn wait(&self) -> Result<()> {
        let answers = || Ok(Connection::login(self.address, "postgres", "postgres").is_ok());
        eventually("the container answers", answers).context(|| self.log())
    }
}

impl Own for Contained {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        self.container.log()
    }

    fn launch(&self) -> Result<()> {
        self.container.start_again()?;
        self.wait()
    }

    fn stop(&self) -> Result<()> {
        // The image's signal is the one of a fast shutdown.
        self.container.stop()
    }

    fn kill(&self) -> Result<()> {
        self.container.kill()
    }

    fn pause(&self) -> Result<Paused> {
        self.container.pause()
    }
}

fn request(
    image: &str,
    folder: &Path,
    address: SocketAddr,
    settings: &[&str],
    small_disk: Option<usize>,
) -> Result<ContainerRequest<GenericImage>> {
    let temporary = env::temp_dir().display().to_string();
    let mut arguments = vec![
        "postgres".to_owned(),
        "-k".into(),
        folder.display().to_string(),
    ];
    let hba = format!("hba_file={}/pg_hba.conf", folder.display());
    // The same inside, as the UNIX socket's name has it.
    let port = address.port();
    let common = SETTINGS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("listen_addresses"))
        .map(|line| line.replacen(" = ", "=", 1).replace('\'', ""));
    let all = common
        .chain([hba, format!("port={port}")])
        .chain(settings.iter().map(|setting| (*setting).to_owned()));
    arguments.extend(all.flat_map(|setting| ["-c".to_owned(), setting]));
    let user = postgres_user()?;
    let small = small_disk.zip(user).map(|(mebibytes, (user, group))| {
        HashMap::from([(
            folder.join(SMALL_DISK).display().to_string(),
            format!("size={mebibytes}m,mode=0700,uid={user},gid={group}"),
        )])
    });
    let mut request = container::request(image, port, address, small)
        .with_cmd(arguments)
        .with_env_var("PGDATA", folder.join("data").display().to_string())
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_env_var("POSTGRES_INITDB_ARGS", "--locale=C.UTF-8 --no-sync")
        .with_mount(Mount::bind_mount(temporary.clone(), temporary))
        // initdb asks for the name of its user.
        .with_mount(Mount::bind_mount("/etc/passwd", "/etc/passwd"));
    // As processes do, so that the files are readable for tests.
    if let Some((user, group)) = user {
        request = request.with_user(format!("{user}:{group}"));
    }
    Ok(request)
}

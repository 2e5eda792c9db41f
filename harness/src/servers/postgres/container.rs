//! PostgreSQL as a container. Its data lie in a folder of this machine, so that tests find them where they find those of
//! processes; the folder of temporary files is there under its own name, for certificates.

use super::process::{ACCESS, SETTINGS, SMALL_DISK};
use super::{Own, Paused, give_away, postgres_user};
use crate::process::free_port;
use crate::raw::Connection;
use crate::scene::eventually;
use crate::{Context, Error, Result};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, thread};
use tempfile::TempDir;
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{IntoContainerPort as _, Mount};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::runtime::{Builder, Runtime};

/// The label by which scripts/test-containers.sh finds what a killed test has left.
const LABEL: &str = "acra-rs.test";

/// A server in a container of its own.
pub(super) struct Container {
    address: SocketAddr,
    // Dropped in this order: the container goes before what it writes to.
    inside: Arc<Inside>,
    folder: TempDir,
}

/// The container, and a runtime of its own, as callers may be inside of one.
struct Inside(Option<(ContainerAsync<GenericImage>, Runtime)>);

impl Drop for Inside {
    fn drop(&mut self) {
        let running = self.0.take();
        // One that is left is swept by its label.
        let _ = beside(|| match running {
            Some((container, runtime)) => Ok(runtime.block_on(container.rm())?),
            None => Ok(()),
        });
    }
}

impl Inside {
    /// Does something with the container.
    fn run<T: Send>(
        &self,
        what: impl AsyncFnOnce(&ContainerAsync<GenericImage>) -> Result<T> + Send,
    ) -> Result<T> {
        let running = self.0.as_ref();
        let (container, runtime) = running.ok_or_else(|| Error::new("the container is gone"))?;
        beside(|| runtime.block_on(what(container)))
    }
}

/// Runs on a thread of its own, which is inside of no runtime.
fn beside<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let outcome = thread::scope(|scope| scope.spawn(work).join());
    outcome.map_err(|_| Error::new("a call of the Docker engine panicked"))?
}

impl Container {
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
        let inside = beside(|| {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            let container = runtime.block_on(request.start()).context(|| {
                format!("starting a container of {image}, which scripts/images.sh makes")
            })?;
            Ok(Inside(Some((container, runtime))))
        })?;
        let server = Self {
            address,
            inside: Arc::new(inside),
            folder,
        };
        server.wait()?;
        Ok(server)
    }

    /// Waits until it answers: that the port is open says nothing of what is behind it.
    fn wait(&self) -> Result<()> {
        let answers = || Ok(Connection::login(self.address, "postgres", "postgres").is_ok());
        eventually("the container answers", answers)
            .or_else(|_| eventually("the container answers", answers))
            .context(|| self.log())
    }
}

impl Own for Container {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        let log = async |container: &ContainerAsync<_>| Ok(container.stderr_to_vec().await?);
        match self.inside.run(log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("no log: {error}"),
        }
    }

    fn launch(&self) -> Result<()> {
        self.inside
            .run(async |container| Ok(container.start().await?))?;
        self.wait()
    }

    fn stop(&self) -> Result<()> {
        // By the image's signal, which is the one of a fast shutdown.
        self.inside
            .run(async |container| Ok(container.stop_with_timeout(Some(20)).await?))
    }

    fn kill(&self) -> Result<()> {
        self.inside.run(async |container| {
            let engine = docker_client_instance().await?;
            Ok(engine.kill_container(container.id(), None).await?)
        })
    }

    fn pause(&self) -> Result<Paused> {
        self.inside
            .run(async |container| Ok(container.pause().await?))?;
        let inside = Arc::clone(&self.inside);
        Ok(Paused::new(move || {
            // A container that is gone needs nothing.
            let _ = inside.run(async |container| Ok(container.unpause().await?));
        }))
    }
}

fn request(
    image: &str,
    folder: &Path,
    address: SocketAddr,
    settings: &[&str],
    small_disk: Option<usize>,
) -> Result<testcontainers::ContainerRequest<GenericImage>> {
    // The host's name may have a port.
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
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
    let mut request = GenericImage::new(name, tag)
        .with_exposed_port(port.tcp())
        .with_cmd(arguments)
        .with_env_var("PGDATA", folder.join("data").display().to_string())
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_env_var("POSTGRES_INITDB_ARGS", "--locale=C.UTF-8 --no-sync")
        .with_label(LABEL, env::var("ACRA_TEST_RUN").unwrap_or_default())
        .with_mount(Mount::bind_mount(temporary.clone(), temporary))
        // initdb asks for the name of its user.
        .with_mount(Mount::bind_mount("/etc/passwd", "/etc/passwd"))
        .with_host_config_modifier(move |config| {
            let binding = PortBinding {
                host_ip: Some(address.ip().to_string()),
                host_port: Some(address.port().to_string()),
            };
            config.publish_all_ports = Some(false);
            config.port_bindings = Some(HashMap::from([(
                port.tcp().to_string(),
                Some(vec![binding]),
            )]));
            config.tmpfs.clone_from(&small);
        });
    // As processes do, so that the files are readable for tests.
    if let Some((user, group)) = user {
        request = request.with_user(format!("{user}:{group}"));
    }
    Ok(request)
}

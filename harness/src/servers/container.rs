//! A server in a container of its own.

use super::Paused;
use crate::{Context, Error, Result};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::{env, thread};
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::IntoContainerPort as _;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt as _};
use tokio::runtime::{Builder, Runtime};

/// The label by which scripts/test-containers.sh finds what a killed test has left.
const LABEL: &str = "acra-rs.test";

/// A container, which is removed with the last of its owners.
#[derive(Clone)]
pub(super) struct Container(Arc<Inside>);

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

impl Container {
    /// Starts what a request describes; that it answers is not waited for.
    pub(super) fn start(request: ContainerRequest<GenericImage>) -> Result<Self> {
        let inside = beside(|| {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            let container = runtime
                .block_on(request.start())
                .context(|| "starting a container; scripts/images.sh makes the images".into())?;
            Ok(Inside(Some((container, runtime))))
        })?;
        Ok(Self(Arc::new(inside)))
    }

    /// Does something with the container.
    fn run<T: Send>(
        &self,
        what: impl AsyncFnOnce(&ContainerAsync<GenericImage>) -> Result<T> + Send,
    ) -> Result<T> {
        let running = self.0.0.as_ref();
        let (container, runtime) = running.ok_or_else(|| Error::new("the container is gone"))?;
        beside(|| runtime.block_on(what(container)))
    }

    /// What it printed as errors.
    pub(super) fn log(&self) -> String {
        let log = async |container: &ContainerAsync<_>| Ok(container.stderr_to_vec().await?);
        match self.run(log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("no log: {error}"),
        }
    }

    /// Starts it again, with its data and at the same address.
    pub(super) fn start_again(&self) -> Result<()> {
        self.run(async |container| Ok(container.start().await?))
    }

    /// Ends it by the image's signal.
    pub(super) fn stop(&self) -> Result<()> {
        self.run(async |container| Ok(container.stop_with_timeout(Some(20)).await?))
    }

    /// As if the machine lost its power.
    pub(super) fn kill(&self) -> Result<()> {
        self.run(async |container| {
            let engine = docker_client_instance().await?;
            Ok(engine.kill_container(container.id(), None).await?)
        })
    }

    /// Stops all of its processes until what is returned is dropped.
    pub(super) fn pause(&self) -> Result<Paused> {
        self.run(async |container| Ok(container.pause().await?))?;
        let paused = self.clone();
        Ok(Paused::new(move || {
            // A container that is gone needs nothing.
            let _ = paused.run(async |container| Ok(container.unpause().await?));
        }))
    }
}

/// Runs on a thread of its own, which is inside of no runtime.
fn beside<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let outcome = thread::scope(|scope| scope.spawn(work).join());
    outcome.map_err(|_| Error::new("a call of the Docker engine panicked"))?
}

/// A container of an image whose port is this address here, with file systems in memory.
pub(super) fn request(
    image: &str,
    port: u16,
    address: SocketAddr,
    in_memory: Option<HashMap<String, String>>,
) -> ContainerRequest<GenericImage> {
    // The host's name may have a port.
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    GenericImage::new(name, tag)
        .with_exposed_port(port.tcp())
        .with_label(LABEL, env::var("ACRA_TEST_RUN").unwrap_or_default())
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
            config.tmpfs.clone_from(&in_memory);
        })
}

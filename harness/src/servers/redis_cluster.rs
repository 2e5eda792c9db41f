//! A cluster of Redis servers, for tokens: processes, also where other servers are containers.

use super::redis::serve;
use crate::port::free_port;
use crate::process::Daemon;
use crate::scene::eventually;
use crate::{Context, Error, Result};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

/// The number of slots.
const SLOTS: usize = 16384;

/// Masters that share the slots and keep nothing on the disk.
pub struct RedisCluster {
    nodes: Vec<Node>,
}

struct Node {
    address: SocketAddr,
    daemon: Daemon,
    // After the daemon, which writes there.
    _folder: TempDir,
}

impl RedisCluster {
    /// Starts so many masters. A slot whose master is away does not stop the others.
    pub fn start(masters: usize) -> Result<Self> {
        let mut nodes = Vec::new();
        for _ in 0..masters {
            let (address, bus) = (free_port()?, free_port()?);
            let folder = tempfile::tempdir()?;
            let daemon = serve(
                &folder,
                address,
                &[
                    "--cluster-enabled",
                    "yes",
                    // None is taken for lost because the machine is slow.
                    "--cluster-node-timeout",
                    "60000",
                    "--cluster-port",
                    &bus.port().to_string(),
                    "--cluster-require-full-coverage",
                    "no",
                ],
            )?;
            let node = Node {
                address,
                daemon,
                _folder: folder,
            };
            nodes.push((node, bus));
        }
        let cluster = |node: &Node, words: &[&str]| node.ask(&[&["CLUSTER"], words].concat());
        for (number, (node, _)) in nodes.iter().enumerate() {
            let first = number * SLOTS / masters;
            let last = (number + 1) * SLOTS / masters - 1;
            cluster(
                node,
                &["ADDSLOTSRANGE", &first.to_string(), &last.to_string()],
            )?;
            // Those who have all met one know each other soon.
            if let Some((other, bus)) = nodes.first() {
                let (port, bus) = (other.address.port().to_string(), bus.port().to_string());
                cluster(node, &["MEET", "127.0.0.1", &port, &bus])?;
            }
        }
        let whole = format!("cluster_size:{masters}");
        for (node, _) in &nodes {
            eventually("the cluster comes up", || {
                let info = cluster(node, &["INFO"])?;
                Ok(info.contains("cluster_state:ok") && info.contains(&whole))
            })?;
        }
        Ok(Self {
            nodes: nodes.into_iter().map(|(node, _)| node).collect(),
        })
    }

    /// Where the nodes listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// What each node answers to a command.
    pub fn ask_all(&self, words: &[&str]) -> Result<Vec<String>> {
        self.nodes.iter().map(|node| node.ask(words)).collect()
    }

    /// Ends a node; what was in it is lost.
    pub fn stop(&mut self, number: usize) -> Result<()> {
        let node = self.nodes.get_mut(number);
        let node = node.ok_or_else(|| Error::new(format!("there is no node {number}")))?;
        node.daemon.signal(Signal::KILL)?;
        node.daemon.wait().map(drop)
    }
}

impl Node {
    /// Asks by redis-cli; what it prints.
    fn ask(&self, words: &[&str]) -> Result<String> {
        let output = Command::new("redis-cli")
            .args(["-p", &self.address.port().to_string()])
            .args(words)
            .output()
            .context(|| "redis-cli".to_owned())?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

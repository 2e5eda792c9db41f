//! A Redis server for one test.

use super::port::free_port;
use acra_engine::crypto::Secret;
use acra_stores::tokens::RedisPlace;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node of a cluster; it is not taken for lost because the machine is slow.
const NODE: [&str; 4] = [
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "60000",
];

/// It ends with the test.
pub(crate) struct RedisServer {
    process: Child,
    arguments: Vec<String>,
    pub(crate) port: u16,
    pub(crate) directory: TempDir,
}

impl RedisServer {
    /// Starts one with these arguments. `None`: there is no redis-server, and the test passes without.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        let is_there = Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if is_there.is_err() {
            let must = std::env::var_os("ACRA_TEST_REQUIRE_ALL").is_some();
            assert!(
                !must,
                "redis-server is not installed; run scripts/setup.sh redis"
            );
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| argument.replace("DIRECTORY", directory.path().to_str().unwrap()))
            .collect();
        let port = own_port();
        let process = spawn(&directory, port, &arguments);
        Some(Self {
            process,
            arguments,
            port,
            directory,
        })
    }

    /// Starts a replica of a master of a cluster.
    pub(crate) fn start_in_cluster(master: &Self) -> Option<Self> {
        let bus = own_port().to_string();
        let replica = Self::start(&[&NODE[..], &["--cluster-port", &bus]].concat())?;
        master.cli(&[
            "CLUSTER",
            "MEET",
            "127.0.0.1",
            &replica.port.to_string(),
            &bus,
        ]);
        let id = master.cli(&["CLUSTER", "MYID"]);
        replica.until("it is a replica", |replica| {
            replica.cli(&["CLUSTER", "REPLICATE", &id]) == "OK"
        });
        replica.until("it has what its master has", |replica| {
            replica
                .cli(&["INFO", "replication"])
                .contains("master_link_status:up")
        });
        replica.until("it belongs to the cluster", |replica| {
            replica
                .cli(&["CLUSTER", "INFO"])
                .contains("cluster_state:ok")
        });
        Some(replica)
    }

    /// Waits for something.
    pub(crate) fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < until, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where it is, without TLS or password.
    pub(crate) fn place(&self) -> RedisPlace {
        RedisPlace {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: None,
            password: None,
            database: 0,
            tls: None,
        }
    }

    /// The same with a user and a password.
    pub(crate) fn place_of(&self, user: Option<&str>, password: &str) -> RedisPlace {
        RedisPlace {
            user: user.map(str::to_owned),
            password: Some(Secret::from(password.as_bytes().to_vec())),
            ..self.place()
        }
    }

    /// Asks by redis-cli; what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]);
        for (setting, option) in [
            ("--tls-ca-cert-file", "--cacert"),
            ("--tls-cert-file", "--cert"),
            ("--tls-key-file", "--key"),
            ("--requirepass", "-a"),
        ] {
            let at = self.arguments.iter().position(|word| word == setting);
            if let Some(at) = at {
                command.args([option, &*self.arguments[at + 1]]);
            }
        }
        if self.arguments.iter().any(|word| word == "--tls-port") {
            command.arg("--tls");
        }
        let output = command.args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub(crate) fn restart(&mut self) {
        self.process = spawn(&self.directory, self.port, &self.arguments);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A cluster of masters that share the slots; each has these arguments.
pub(crate) fn cluster(masters: u16, arguments: &[&str]) -> Option<Vec<RedisServer>> {
    let mut servers = Vec::new();
    for _ in 0..masters {
        let bus = own_port().to_string();
        let cluster = [&NODE[..], &["--cluster-port", &bus], arguments];
        let server = RedisServer::start(&cluster.concat())?;
        servers.push((server, bus));
    }
    let share = 16384 / masters;
    for (number, (server, _)) in (0..masters).zip(&servers) {
        let first = number * share;
        let last = if number + 1 == masters {
            16383
        } else {
            first + share - 1
        };
        server.cli(&[
            "CLUSTER",
            "ADDSLOTSRANGE",
            &first.to_string(),
            &last.to_string(),
        ]);
        server.cli(&["CONFIG", "SET", "cluster-announce-ip", "127.0.0.1"]);
        // Who all have met one know each other soon.
        let (other, bus) = &servers[0];
        server.cli(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string(), bus]);
    }
    let whole = format!("cluster_size:{masters}");
    for (server, _) in &servers {
        server.until("the cluster comes up", |server| {
            let info = server.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains(&whole)
        });
    }
    Some(servers.into_iter().map(|(server, _)| server).collect())
}

fn own_port() -> u16 {
    free_port().unwrap().port()
}

fn spawn(directory: &TempDir, port: u16, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(directory.path());
    if !arguments.iter().any(|argument| argument == "--tls-port") {
        command.args(["--port", &port.to_string()]);
    }
    let arguments = arguments
        .iter()
        .map(|argument| argument.replace("PORT", &port.to_string()));
    let process = command
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < until, "redis-server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

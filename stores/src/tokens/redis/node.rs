//! One Redis server, and the connection that all sessions share.

use super::super::error::TokenStoreError;
use super::super::redis_place::{RedisPlace, RedisTls};
use super::slots::{Address, SlotRange, slot_ranges};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo as _, Pipeline, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates, Value,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A server with a connection that is made when it is needed.
pub(super) struct Node {
    pub(super) address: Address,
    client: Client,
    connection: Mutex<Connection>,
}

/// What all sessions share.
#[derive(Default)]
struct Connection {
    open: Option<MultiplexedConnection>,
    /// When it could not be made, and why.
    failure: Option<(Instant, RedisError)>,
}

/// What a server is.
pub(super) enum Kind {
    /// It has all keys itself.
    Alone,
    /// It belongs to a cluster whose slots are laid out like this.
    Cluster(Vec<SlotRange>),
}

/// A server could not be asked.
#[derive(Clone)]
pub(super) struct Fault {
    pub(super) address: Address,
    error: RedisError,
}

impl Fault {
    /// It was not reached, or the connection broke; another one may have taken its place.
    pub(super) fn is_loss(&self) -> bool {
        self.error.is_io_error()
    }

    /// It did not answer in time.
    pub(super) fn is_timeout(&self) -> bool {
        self.error.is_timeout()
    }
}

impl From<Fault> for TokenStoreError {
    fn from(Fault { address, error }: Fault) -> Self {
        Self::Redis {
            address: address.to_string(),
            error: error.to_string(),
        }
    }
}

impl Node {
    pub(super) fn new(place: &RedisPlace) -> Result<Self, Fault> {
        let address = Address {
            host: place.host.clone(),
            port: place.port,
        };
        match client(place) {
            Ok(client) => Ok(Self::of(client, address)),
            Err(error) => Err(Fault { address, error }),
        }
    }

    /// Another one with the same ways in.
    pub(super) fn beside(&self, address: Address) -> Result<Self, Fault> {
        let info = self.client.get_connection_info().clone();
        let Address { host, port } = address.clone();
        let place = match info.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        match Client::open(info.set_addr(place)) {
            Ok(client) => Ok(Self::of(client, address)),
            Err(error) => Err(Fault { address, error }),
        }
    }

    fn of(client: Client, address: Address) -> Self {
        Self {
            address,
            client,
            connection: Mutex::default(),
        }
    }

    /// What it is. A server that has all keys itself refuses to tell of slots.
    pub(super) async fn kind(&self) -> Result<Kind, Fault> {
        let mut questions = redis::pipe();
        // HELLO may be asked by every user.
        questions.cmd("HELLO").cmd("CLUSTER").arg("SLOTS");
        let answers = self.send(&questions).await?;
        let (mode, slots) = match &*answers {
            [hello, slots] => (mode(hello), slots),
            _ => (None, &Value::Nil),
        };
        match slots {
            Value::ServerError(error) if mode.as_deref() == Some("cluster") => {
                Err(self.fault(error.clone()))
            }
            Value::ServerError(_) => Ok(Kind::Alone),
            slots => slot_ranges(slots, &self.address)
                .map(Kind::Cluster)
                .ok_or_else(|| self.fault_of_answer()),
        }
    }

    /// Sends a pipeline over the connection, and over a new one if that has broken.
    pub(super) async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Fault> {
        let mut is_new = false;
        loop {
            let mut connection = self
                .connected(&mut is_new)
                .await
                .map_err(|error| self.fault(error))?;
            let answer = connection
                .send_packed_commands(pipeline, 0, pipeline.len())
                .await;
            match answer {
                Ok(values) => return Ok(values),
                Err(error) => {
                    let has_broken = error.is_unrecoverable_error() || error.is_timeout();
                    if has_broken {
                        self.connection.lock().await.open = None;
                    }
                    // What was not answered in time will not be for having been asked twice.
                    if !has_broken || is_new || error.is_timeout() {
                        return Err(self.fault(error));
                    }
                }
            }
        }
    }

    /// The connection that all share; `is_new` is set if it had to be made.
    async fn connected(&self, is_new: &mut bool) -> RedisResult<MultiplexedConnection> {
        let since = Instant::now();
        let mut shared = self.connection.lock().await;
        if let Some(connection) = &shared.open {
            return Ok(connection.clone());
        }
        // Whoever has waited for somebody else's attempt does not make another one.
        if let Some((when, error)) = &shared.failure
            && *when >= since
        {
            return Err(error.clone());
        }
        *is_new = true;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let opened = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await;
        match opened {
            Ok(connection) => Ok(shared.open.insert(connection).clone()),
            Err(error) => {
                shared.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    pub(super) fn fault(&self, error: impl Into<RedisError>) -> Fault {
        Fault {
            address: self.address.clone(),
            error: error.into(),
        }
    }

    /// It has answered something else than it was asked for.
    pub(super) fn fault_of_answer(&self) -> Fault {
        self.fault((
            redis::ErrorKind::UnexpectedReturnType,
            "an answer of another kind than was asked for",
        ))
    }
}

/// What HELLO says of the server: `standalone`, `sentinel` or `cluster`. Redis 5 does not know it.
fn mode(hello: &Value) -> Option<String> {
    let said: HashMap<String, Value> = redis::from_redis_value_ref(hello).ok()?;
    redis::from_redis_value_ref(said.get("mode")?).ok()
}

fn client(place: &RedisPlace) -> RedisResult<Client> {
    let mut settings = RedisConnectionInfo::default().set_db(place.database);
    if let Some(user) = &place.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &place.password {
        settings = settings.set_password(String::from_utf8_lossy(password.as_bytes()));
    }
    let (host, port) = (place.host.clone(), place.port);
    let address = match &place.tls {
        None => ConnectionAddr::Tcp(host, port),
        Some(_) => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        },
    };
    let info: ConnectionInfo = address.into_connection_info()?.set_redis_settings(settings);
    let Some(RedisTls {
        authorities,
        identity,
    }) = &place.tls
    else {
        return Client::open(info);
    };
    let client_tls = identity
        .as_ref()
        .map(|(certificates, key)| ClientTlsConfig {
            client_cert: certificates.clone(),
            client_key: key.as_bytes().to_vec(),
        });
    let certificates = TlsCertificates {
        client_tls,
        root_cert: authorities.clone(),
    };
    Client::build_with_tls(info, certificates)
}

//! One Redis server, and the connection that all sessions share.

use super::super::error::TokenStoreError;
use super::super::redis_place::RedisPlace;
use super::super::redis_tls::RedisTls;
use super::slots::{Address, SlotRange, slot_ranges};
use acra_net::tls::Secured;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisConnectionInfo, RedisError, RedisResult, Value};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Longest wait for a step of making a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A server with a connection that is made when it is needed.
pub(super) struct Node {
    pub(super) address: Address,
    entrance: Arc<Entrance>,
    connection: Mutex<Connection>,
}

/// How to get in; it is the same for all servers of a cluster.
struct Entrance {
    settings: RedisConnectionInfo,
    tls: Option<Arc<RedisTls>>,
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
    pub(super) fn new(place: &RedisPlace) -> Self {
        let mut settings = RedisConnectionInfo::default().set_db(place.database);
        if let Some(user) = &place.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &place.password {
            settings = settings.set_password(String::from_utf8_lossy(password.as_bytes()));
        }
        let address = Address {
            host: place.host.clone(),
            port: place.port,
        };
        let entrance = Entrance {
            settings,
            tls: place.tls.clone(),
        };
        Self::of(address, Arc::new(entrance))
    }

    /// Another one with the same ways in.
    pub(super) fn beside(&self, address: Address) -> Self {
        Self::of(address, Arc::clone(&self.entrance))
    }

    fn of(address: Address, entrance: Arc<Entrance>) -> Self {
        Self {
            address,
            entrance,
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
        let opened = self.entrance.open(&self.address).await;
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

impl Entrance {
    /// Makes a connection.
    async fn open(&self, address: &Address) -> RedisResult<MultiplexedConnection> {
        let Some(tls) = &self.tls else {
            let stream = in_time(dial(address)).await?;
            return in_time(self.enter(stream)).await;
        };
        let secured = in_time(async {
            let stream = dial(address).await?;
            let secured = tls.secure(stream, &address.host).await;
            secured.map_err(refusal)
        })
        .await?;
        // Which has a limit of its own.
        tls.check(&secured).await.map_err(refusal)?;
        match secured {
            Secured::Tls(stream) => in_time(self.enter(*stream)).await,
            Secured::Plain(_) => Err(refusal("the connection is not encrypted".to_owned())),
        }
    }

    /// Logs in.
    async fn enter(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER));
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&self.settings, stream, config).await?;
        // It ends with the last user of the connection.
        tokio::spawn(driver);
        Ok(connection)
    }
}

async fn dial(Address { host, port }: &Address) -> RedisResult<TcpStream> {
    let stream = TcpStream::connect((&**host, *port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn in_time<T>(step: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(CONNECT, step).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// The server is not one to talk to.
fn refusal(text: String) -> RedisError {
    io::Error::other(text).into()
}

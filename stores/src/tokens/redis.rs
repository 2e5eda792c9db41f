//! Tokens in Redis, in the form in which Acra keeps them (tokens.md 6.1), so that both can share them.
//!
//! ```text
//! key    tokens/<hex of the owner's digest>/<hex of the record's name>
//! value  hex of a Metadata message
//! ```
//!
//! One connection serves all sessions, each batch is one pipeline. A connection that has broken is made anew, once per
//! batch: every call may be repeated. The time of access is written with SET XX, as Acra does, which may undo what
//! `acra-tokens` does to the record in the same moment.

use super::error::TokenStoreError;
use super::redis_place::{RedisPlace, RedisTls};
use super::visit::{Action, Change, VisitSummary, Visited, judged};
use acra_engine::tokens::{EntryKey, Reply, StoreCall};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo as _, Pipeline, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates, Value,
};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;
use tokio::sync::Mutex;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// What keys begin with.
const PREFIX: &str = "tokens/";
/// Keys that are asked for at once on a visit.
const VISITED_AT_ONCE: usize = 1000;

/// A connection that is made when it is needed.
pub(super) struct Redis {
    client: Client,
    address: String,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Redis {
    pub(super) fn new(place: &RedisPlace) -> Result<Self, TokenStoreError> {
        let address = format!("{}:{}", place.host, place.port);
        let client = client(place).map_err(failed(&address))?;
        Ok(Self {
            client,
            address,
            connection: Mutex::new(None),
        })
    }

    pub(super) async fn run(&self, calls: &[StoreCall]) -> Result<Vec<Reply>, TokenStoreError> {
        let mut pipeline = redis::pipe();
        for call in calls {
            match call {
                StoreCall::Get(key) => pipeline.cmd("GET").arg(name(key)),
                StoreCall::Save(key, record) => {
                    pipeline.cmd("SETNX").arg(name(key)).arg(hex(record))
                }
                StoreCall::Touch { key, record, .. } => pipeline
                    .cmd("SET")
                    .arg(name(key))
                    .arg(hex(record))
                    .arg("XX"),
            };
        }
        let values = self.pipelined(&pipeline).await?;
        let replies = calls.iter().zip(values);
        replies
            .map(|(call, value)| self.reply(call, value))
            .collect()
    }

    fn reply(&self, call: &StoreCall, value: Value) -> Result<Reply, TokenStoreError> {
        match (call, value) {
            (StoreCall::Touch { .. }, _) => Ok(Reply::Touched),
            (StoreCall::Save(..), Value::Int(written)) => Ok(Reply::Saved(written == 1)),
            (StoreCall::Get(_), Value::Nil) => Ok(Reply::Record(None)),
            // One that is no hex is none of Acra's; it does not open.
            (StoreCall::Get(_), Value::BulkString(text)) => {
                Ok(Reply::Record(Some(unhex(&text).unwrap_or_default())))
            }
            (_, Value::ServerError(error)) => Err(failed(&self.address)(error.into())),
            _ => Err(TokenStoreError::Redis {
                address: self.address.clone(),
                error: "an answer of another kind than was asked for".to_owned(),
            }),
        }
    }

    pub(super) async fn visit(
        &self,
        judge: &mut dyn FnMut(&Visited<'_>) -> Action,
    ) -> Result<VisitSummary, TokenStoreError> {
        let mut summary = VisitSummary::default();
        // A scan may show a key twice. Half of a SHA-256, which is of the owner too, tells records apart.
        let mut seen = HashSet::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut scan = redis::pipe();
            scan.cmd("SCAN")
                .arg(&cursor)
                .arg("MATCH")
                .arg(format!("{PREFIX}*"))
                .arg("COUNT")
                .arg(VISITED_AT_ONCE);
            let (next, names) = self.scanned(self.pipelined(&scan).await?)?;
            let mut keys = Vec::new();
            for name in names {
                match entry_key(&name) {
                    None => summary.unreadable += 1,
                    Some(key) if seen.insert(half(&key)) => keys.push(key),
                    Some(_) => {}
                }
            }
            self.visit_some(&keys, &mut summary, judge).await?;
            if next == b"0" {
                return Ok(summary);
            }
            cursor = next;
        }
    }

    async fn visit_some(
        &self,
        keys: &[EntryKey],
        summary: &mut VisitSummary,
        judge: &mut dyn FnMut(&Visited<'_>) -> Action,
    ) -> Result<(), TokenStoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let gets = keys
            .iter()
            .map(|key| StoreCall::Get(*key))
            .collect::<Vec<_>>();
        let records = self.run(&gets).await?;
        let mut changes = redis::pipe();
        for (key, record) in keys.iter().zip(records) {
            // Removed meanwhile.
            let Reply::Record(Some(record)) = record else {
                continue;
            };
            match judged(*key, &record, summary, judge) {
                Change::None => {}
                // Not one that has been removed meanwhile.
                Change::Write(record) => {
                    changes
                        .cmd("SET")
                        .arg(name(key))
                        .arg(hex(&record))
                        .arg("XX");
                }
                Change::Remove => {
                    changes.cmd("DEL").arg(name(key));
                }
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let mut values = self.pipelined(&changes).await?.into_iter();
        let error = values.find_map(|value| match value {
            Value::ServerError(error) => Some(error),
            _ => None,
        });
        error.map_or(Ok(()), |error| Err(failed(&self.address)(error.into())))
    }

    /// The cursor to go on with, and keys.
    fn scanned(&self, values: Vec<Value>) -> Result<(Vec<u8>, Vec<Vec<u8>>), TokenStoreError> {
        let value = values.into_iter().next().unwrap_or(Value::Nil);
        value
            .extract_error()
            .and_then(|value| Ok(redis::from_redis_value(value)?))
            .map_err(failed(&self.address))
    }

    /// Sends a pipeline over the connection, and over a new one if that has broken.
    async fn pipelined(&self, pipeline: &Pipeline) -> Result<Vec<Value>, TokenStoreError> {
        let mut is_new = false;
        loop {
            let mut connection = self
                .connected(&mut is_new)
                .await
                .map_err(failed(&self.address))?;
            let answer = connection
                .send_packed_commands(pipeline, 0, pipeline.len())
                .await;
            match answer {
                Ok(values) => return Ok(values),
                Err(error) => {
                    let has_broken = error.is_unrecoverable_error() || error.is_timeout();
                    if has_broken {
                        *self.connection.lock().await = None;
                    }
                    // What was not answered in time will not be for having been asked twice.
                    if !has_broken || is_new || error.is_timeout() {
                        return Err(failed(&self.address)(error));
                    }
                }
            }
        }
    }

    /// The connection that all share; `is_new` is set if it had to be made.
    async fn connected(&self, is_new: &mut bool) -> RedisResult<MultiplexedConnection> {
        let mut shared = self.connection.lock().await;
        if let Some(connection) = &*shared {
            return Ok(connection.clone());
        }
        *is_new = true;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(shared.insert(connection).clone())
    }
}

fn client(place: &RedisPlace) -> RedisResult<Client> {
    let mut settings = RedisConnectionInfo::default().set_db(place.database);
    if let Some(user) = &place.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &place.password {
        settings = settings.set_password(String::from_utf8_lossy(password.as_bytes()));
    }
    let address = match &place.tls {
        None => ConnectionAddr::Tcp(place.host.clone(), place.port),
        Some(_) => ConnectionAddr::TcpTls {
            host: place.host.clone(),
            port: place.port,
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

fn failed(address: &str) -> impl Fn(RedisError) -> TokenStoreError {
    move |error| TokenStoreError::Redis {
        address: address.to_owned(),
        error: error.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    const_hex::encode(bytes)
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    const_hex::decode(text)
        .ok()
        // The crate takes a prefix that Acra does not write.
        .filter(|_| !text.starts_with(b"0x"))
}

fn name(key: &EntryKey) -> String {
    format!("{PREFIX}{}/{}", hex(&key.context), hex(&key.entry))
}

fn entry_key(name: &[u8]) -> Option<EntryKey> {
    let name = name.strip_prefix(PREFIX.as_bytes())?;
    let (context, entry) = name.split_at_checked(64)?;
    Some(EntryKey {
        context: unhex(context)?.try_into().ok()?,
        entry: unhex(entry.strip_prefix(b"/")?)?.try_into().ok()?,
    })
}

/// Half of the digest in the name of a record.
fn half(key: &EntryKey) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&key.entry[2..18]);
    half
}

#[cfg(test)]
mod tests {
    use super::{entry_key, name};
    use acra_engine::tokens::EntryKey;

    #[test]
    fn names_are_those_of_acra_and_are_read_back() {
        let key = EntryKey {
            context: [0xab; 32],
            entry: *b"t.0123456789012345678901234567890!",
        };
        let text = name(&key);
        assert_eq!(text.len(), 7 + 64 + 1 + 68);
        assert!(text.starts_with("tokens/abab"), "{text}");
        assert!(text.contains("/742e30"), "{text}");
        assert_eq!(entry_key(text.as_bytes()), Some(key));
        for other in [
            "",
            "tokens/",
            &text[..text.len() - 1],
            &text[1..],
            &text.replace('/', "-"),
            &format!("{text}00"),
        ] {
            assert_eq!(entry_key(other.as_bytes()), None, "{other}");
        }
    }
}

//! Tokenization of many values at once, as a state machine without a store (tokens.md 5).
//!
//! A [`Batch`] takes requests and gives rounds of [`StoreCall`]s; whoever has a store carries out a round as one exchange,
//! puts the replies in, and asks for the next. Values that are known take one round; a new random token takes one more per collision,
//! a new consistent one three. Equal requests share one answer, but for those of random tokens.
//!
//! Where this differs from Acra: a value whose token is disabled or does not open is refused at once, and leaves no
//! orphans; a comparison never makes a token.

use super::error::TokenFault;
use super::generate::{generate, unlike};
use super::ids::{EntryKey, Owner};
use super::message::Metadata;
use super::record::{open_hash, open_token, seal_hash, seal_token};
use super::value::{decode, encode};
use crate::columns::TokenType;
use crate::keys::{ClientId, ClientKeys};
use foldhash::{HashMap, HashMapExt as _};
use rand::CryptoRng;
use std::fmt;
use std::sync::Arc;

/// How often a token is drawn anew that is in use.
const ATTEMPTS: u32 = 10;

/// Seconds after which the time of the last access is written anew.
const ACCESS_GRANULARITY: i64 = 24 * 60 * 60;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A new token for a value.
    Random,
    /// The token of a value, which is made if there is none.
    Consistent,
    /// What to compare with consistent tokens: that of the value, or else what is equal to no token. None is made.
    Compare,
    /// The value of a token.
    Open,
}

/// A request. Its value has no text form: it is plaintext.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Whose token.
    pub client_id: ClientId,
    /// Of which type.
    pub token_type: TokenType,
    /// What is asked for.
    pub operation: Operation,
    /// The value, or the token, as text: [`encode`].
    pub value: Vec<u8>,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("client_id", &self.client_id)
            .field("token_type", &self.token_type)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// The answer to a request, as text; `None` to a token: it is none that this client may see.
pub type Outcome = Result<Option<Vec<u8>>, TokenFault>;

/// The keys of the clients of a batch, or why there are none.
pub type ClientKeyring = Vec<(ClientId, Result<Arc<ClientKeys>, TokenFault>)>;

/// What a store is asked to do. Records are [`Metadata`] messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// Read a record.
    Get(EntryKey),
    /// Write a record unless there is one of this name.
    Save(EntryKey, Vec<u8>),
    /// Replace a record that was read, if it is still there; whether it worked does not matter.
    Touch {
        /// Its name.
        key: EntryKey,
        /// What was read.
        read: Vec<u8>,
        /// What takes its place: the same with another time of access.
        record: Vec<u8>,
    },
}

/// What a store replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`StoreCall::Get`].
    Record(Option<Vec<u8>>),
    /// To [`StoreCall::Save`]: whether it was written.
    Saved(bool),
    /// To [`StoreCall::Touch`].
    Touched,
}

/// Requests on their way.
#[derive(Debug)]
pub struct Batch {
    jobs: Vec<Job>,
    /// The job of each request.
    of_request: Vec<usize>,
    keys: ClientKeyring,
    /// The jobs whose calls are under way, in their order; touches come behind them.
    asked: Vec<usize>,
    touches: Vec<StoreCall>,
    now: i64,
}

struct Job {
    client_id: ClientId,
    token_type: TokenType,
    operation: Operation,
    /// The bytes of the value, or of the token.
    value: Vec<u8>,
    state: State,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// What a job waits for.
enum State {
    /// A record that is read; how often that was so before.
    Reading {
        times: u32,
    },
    /// A token must be made.
    Making {
        attempts: u32,
        times: u32,
    },
    /// A token that is saved with its value.
    Saving {
        token: Vec<u8>,
        attempts: u32,
        times: u32,
    },
    /// A token that is saved as that of its value.
    Linking {
        token: Vec<u8>,
        times: u32,
    },
    /// Something that is equal to no token must be found.
    Missing {
        attempts: u32,
    },
    /// A token of which it must be known that it is not in use.
    Checking {
        token: Vec<u8>,
        attempts: u32,
    },
    Done(Outcome),
}

impl Batch {
    /// Takes requests. `keys` has an entry for each of their clients; `now` is in Unix seconds.
    pub fn new(requests: &[TokenRequest], keys: ClientKeyring, now: i64) -> Self {
        let mut batch = Self {
            jobs: Vec::with_capacity(requests.len()),
            of_request: Vec::with_capacity(requests.len()),
            keys,
            asked: Vec::new(),
            touches: Vec::new(),
            now,
        };
        let mut known = HashMap::new();
        for request in requests {
            let next = batch.jobs.len();
            let at = match request.operation {
                // Each gets a token of its own.
                Operation::Random => next,
                operation => {
                    let TokenRequest {
                        client_id,
                        token_type,
                        value,
                        ..
                    } = request;
                    let same = (client_id, *token_type, operation, value);
                    *known.entry(same).or_insert(next)
                }
            };
            batch.of_request.push(at);
            if at == next {
                batch.jobs.push(Job::new(request));
            }
        }
        batch
    }

    /// The next calls; when there are none, the answers are complete.
    pub fn calls(&mut self, rng: &mut dyn CryptoRng) -> Vec<StoreCall> {
        let mut calls = Vec::new();
        self.asked.clear();
        for (at, job) in self.jobs.iter_mut().enumerate() {
            let keys = self.keys.iter().find(|(id, _)| *id == job.client_id);
            let keys = match keys {
                Some((_, Ok(keys))) => Ok(&**keys),
                Some((_, Err(fault))) => Err(*fault),
                None => Err(TokenFault::NoKey),
            };
            match job.call(keys, self.now, rng) {
                Ok(Some(call)) => {
                    self.asked.push(at);
                    calls.push(call);
                }
                Ok(None) => {}
                Err(fault) => job.state = State::Done(Err(fault)),
            }
        }
        calls.append(&mut self.touches);
        calls
    }

    /// Takes the replies to the last calls, in their order.
    pub fn replies(&mut self, replies: Vec<Reply>) {
        let mut replies = replies.into_iter();
        for at in &self.asked {
            let Some(job) = self.jobs.get_mut(*at) else {
                continue;
            };
            match replies.next() {
                None => job.state = State::Done(Err(TokenFault::StoreUnavailable)),
                Some(Reply::Record(record)) => {
                    let keys = self.keys.iter().find(|(id, _)| *id == job.client_id);
                    let keys = keys.and_then(|(_, keys)| keys.as_deref().ok());
                    job.read(
                        record,
                        keys.unwrap_or_else(ClientKeys::none),
                        self.now,
                        &mut self.touches,
                    );
                }
                Some(Reply::Saved(saved)) => job.saved(saved),
                // Not to what was asked: to ask again could have no end.
                Some(Reply::Touched) => job.state = State::Done(Err(TokenFault::StoreUnavailable)),
            }
        }
        self.asked.clear();
    }

    /// The answers, in the order of the requests. To those that are not complete it is that the store is not
    /// available.
    pub fn outcomes(self) -> Vec<Outcome> {
        let mut made = HashMap::new();
        for job in &self.jobs {
            if let (Operation::Consistent, State::Done(Ok(Some(token)))) =
                (job.operation, &job.state)
            {
                made.insert((&job.client_id, job.token_type, &*job.value), token);
            }
        }
        let outcome = |at: &usize| {
            let job = self.jobs.get(*at).ok_or(TokenFault::StoreUnavailable)?;
            // What one statement stores, another one of the same batch may look for.
            let token = made.get(&(&job.client_id, job.token_type, &*job.value));
            match (&job.state, token) {
                (State::Done(_), Some(token)) if job.operation == Operation::Compare => {
                    Ok(Some((*token).clone()))
                }
                (State::Done(outcome), _) => outcome.clone(),
                _ => Err(TokenFault::StoreUnavailable),
            }
        };
        self.of_request.iter().map(outcome).collect()
    }
}

impl Job {
    fn new(request: &TokenRequest) -> Self {
        let TokenRequest {
            client_id,
            token_type,
            operation,
            value,
        } = request;
        let encoded = encode(*token_type, value);
        let state = match (&encoded, operation) {
            (Ok(_), Operation::Random) => State::Making {
                attempts: 0,
                times: 0,
            },
            (Ok(value), Operation::Consistent) if value.is_empty() => {
                State::Done(Err(TokenFault::Empty))
            }
            (Ok(_), _) => State::Reading { times: 0 },
            // What cannot be a value is not the token of one, and has none.
            (Err(_), Operation::Open) => State::Done(Ok(None)),
            (Err(fault), Operation::Compare) if !is_no_number(*token_type, *fault) => {
                State::Missing { attempts: 0 }
            }
            (Err(fault), _) => State::Done(Err(*fault)),
        };
        Self {
            client_id: client_id.clone(),
            token_type: *token_type,
            operation: *operation,
            value: encoded.unwrap_or_default(),
            state,
        }
    }

    fn owner(&self) -> Owner<'_> {
        Owner::Client(self.client_id.as_str())
    }

    /// The name of the record that is looked for.
    fn sought(&self) -> EntryKey {
        match self.operation {
            Operation::Open => EntryKey::of_token(&self.value, self.owner(), self.token_type),
            _ => EntryKey::of_value(&self.value, self.owner(), self.token_type),
        }
    }

    /// What it needs from the store now.
    fn call(
        &mut self,
        keys: Result<&ClientKeys, TokenFault>,
        now: i64,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<StoreCall>, TokenFault> {
        let record = |data: &[u8]| {
            Metadata {
                data,
                created: now,
                accessed: now,
                disabled: false,
            }
            .to_bytes()
        };
        match &self.state {
            State::Done(_) => Ok(None),
            State::Reading { .. } => match keys {
                // Whoever has no keys has no tokens, and may see none of others.
                Err(TokenFault::NoKey) if self.operation == Operation::Open => {
                    self.state = State::Done(Ok(None));
                    Ok(None)
                }
                Err(TokenFault::NoKey) if self.operation == Operation::Compare => {
                    self.missing(0, rng)
                }
                Err(fault) => Err(fault),
                Ok(_) => Ok(Some(StoreCall::Get(self.sought()))),
            },
            State::Making { attempts, times } => {
                let (attempts, times) = (attempts + 1, *times);
                let key = keys?.current().ok_or(TokenFault::NoKey)?;
                let token = generate(self.token_type, self.value.len(), rng)?;
                let data = seal_token(&self.value, self.token_type, key, &self.client_id, rng)?;
                let name = EntryKey::of_token(&token, self.owner(), self.token_type);
                self.state = State::Saving {
                    token,
                    attempts,
                    times,
                };
                Ok(Some(StoreCall::Save(name, record(&data))))
            }
            State::Linking { token, .. } => {
                let key = keys?.current().ok_or(TokenFault::NoKey)?;
                let data = seal_hash(token, key, &self.client_id, rng)?;
                Ok(Some(StoreCall::Save(self.sought(), record(&data))))
            }
            State::Missing { attempts } => {
                let attempts = *attempts;
                self.missing(attempts, rng)
            }
            // A reply that was not to what was asked.
            State::Saving { .. } | State::Checking { .. } => Err(TokenFault::StoreUnavailable),
        }
    }

    /// Finds something that is equal to no token.
    fn missing(
        &mut self,
        attempts: u32,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<StoreCall>, TokenFault> {
        if attempts >= ATTEMPTS {
            return Err(TokenFault::Exhausted);
        }
        if let Some(other) = unlike(self.token_type, rng) {
            self.state = State::Done(Ok(Some(other)));
            return Ok(None);
        }
        let token = generate(self.token_type, self.value.len(), rng)?;
        let name = EntryKey::of_token(&token, self.owner(), self.token_type);
        self.state = State::Checking {
            token,
            attempts: attempts + 1,
        };
        Ok(Some(StoreCall::Get(name)))
    }

    /// Takes the record that was looked for.
    fn read(
        &mut self,
        record: Option<Vec<u8>>,
        keys: &ClientKeys,
        now: i64,
        touches: &mut Vec<StoreCall>,
    ) {
        let times = match &self.state {
            State::Reading { times } => *times,
            State::Checking { token, attempts } => {
                self.state = match record {
                    None => State::Done(Ok(decode(self.token_type, token))),
                    Some(_) => State::Missing {
                        attempts: *attempts,
                    },
                };
                return;
            }
            _ => {
                self.state = State::Done(Err(TokenFault::StoreUnavailable));
                return;
            }
        };
        let Some(record) = record else {
            self.state = match self.operation {
                Operation::Consistent => State::Making { attempts: 0, times },
                Operation::Compare => State::Missing { attempts: 0 },
                Operation::Open | Operation::Random => State::Done(Ok(None)),
            };
            return;
        };
        let metadata = Metadata::read(&record).ok();
        if metadata.is_some_and(|metadata| metadata.disabled) {
            self.state = match self.operation {
                Operation::Consistent => State::Done(Err(TokenFault::Disabled)),
                Operation::Compare => State::Missing { attempts: 0 },
                Operation::Open | Operation::Random => State::Done(Ok(None)),
            };
            return;
        }
        let open = match self.operation {
            Operation::Open => open_token,
            _ => open_hash,
        };
        let opened = metadata.and_then(|metadata| {
            open(
                metadata.data,
                self.token_type,
                &keys.symmetric,
                &self.client_id,
            )
        });
        if let (Some(metadata), Some(_)) = (metadata, &opened)
            && metadata.accessed < now.saturating_sub(ACCESS_GRANULARITY)
        {
            let accessed = now;
            touches.push(StoreCall::Touch {
                key: self.sought(),
                record: Metadata {
                    accessed,
                    ..metadata
                }
                .to_bytes(),
                read: record,
            });
        }
        self.state = State::Done(match opened {
            None if self.operation != Operation::Open => Err(TokenFault::Unopened),
            opened => Ok(opened),
        });
    }

    /// Takes whether a record was written.
    fn saved(&mut self, saved: bool) {
        let state = std::mem::replace(&mut self.state, State::Done(Ok(None)));
        self.state = match state {
            State::Saving { token, times, .. } if saved => match self.operation {
                Operation::Consistent => State::Linking { token, times },
                _ => State::Done(Ok(decode(self.token_type, &token))),
            },
            State::Saving { attempts, .. } if attempts >= ATTEMPTS => {
                State::Done(Err(TokenFault::Exhausted))
            }
            State::Saving {
                attempts, times, ..
            } => State::Making { attempts, times },
            State::Linking { token, .. } if saved => {
                State::Done(Ok(decode(self.token_type, &token)))
            }
            State::Linking { times: 0, .. } => State::Reading { times: 1 },
            State::Linking { .. } => State::Done(Err(TokenFault::Exists)),
            _ => State::Done(Err(TokenFault::StoreUnavailable)),
        };
    }
}

/// Whether a fault says that the value is none of the column, which the server would say too.
fn is_no_number(token_type: TokenType, fault: TokenFault) -> bool {
    matches!(token_type, TokenType::Int32 | TokenType::Int64) && fault == TokenFault::NotANumber
}

#[cfg(test)]
mod tests;

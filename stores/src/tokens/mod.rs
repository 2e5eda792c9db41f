//! Where tokens live: in memory, in a file of our own, or in Redis (tokens.md 6).
//!
//! A store carries out the calls of a [`Batch`] and knows nothing of keys or values. All of a batch is one exchange: one
//! transaction of the file, one pipeline of Redis. A store that cannot be reached is an error, never a record that is
//! not there.

mod batches;
mod bolt;
mod embedded;
mod error;
mod memory;
mod redis;
mod redis_place;
mod redis_tls;
mod visit;

pub use bolt::{BoltEntry, read_bolt};
pub use error::TokenStoreError;
pub use redis_place::{RedisFlags, RedisPlace};
pub use redis_tls::RedisTls;
pub use visit::{Action, VisitSummary, Visited};

use crate::clock;
use acra_engine::tokens::{
    Batch, ClientKeyring, EntryKey, Outcome, Reply, StoreCall, TokenRequest,
};
use std::path::Path;
use std::time::Duration;

/// A token store, wherever it is.
#[derive(Debug)]
pub struct TokenStore {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(memory::Memory),
    File(embedded::Embedded),
    Redis(Box<redis::Redis>),
}

impl TokenStore {
    /// A store that is lost when the process ends.
    pub fn in_memory() -> Self {
        Self {
            place: Place::Memory(memory::Memory::default()),
        }
    }

    /// Opens a file, which is made with mode 0600 if it does not exist. Waits so long for another process that has it open.
    ///
    /// # Errors
    ///
    /// The file is not one of ours, above all a Bolt file of Acra ([`read_bolt`] reads those); it stays in use; the system
    /// refuses.
    pub fn open_file(path: &Path, patience: Duration) -> Result<Self, TokenStoreError> {
        Ok(Self {
            place: Place::File(embedded::Embedded::open(path, patience)?),
        })
    }

    /// A store in Redis, which is not connected to yet.
    pub fn in_redis(place: &RedisPlace) -> Self {
        Self {
            place: Place::Redis(Box::new(redis::Redis::new(place))),
        }
    }

    /// What the operator should be told since the last time, each a whole sentence for the log.
    pub fn take_warnings(&self) -> Vec<String> {
        match &self.place {
            Place::Memory(_) | Place::File(_) => Vec::new(),
            Place::Redis(redis) => redis.take_warnings(),
        }
    }

    /// Whether the store ends with the process.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }

    /// Carries out calls; the replies are in their order.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses. Some of the calls may then have been carried out.
    pub async fn run(&self, calls: Vec<StoreCall>) -> Result<Vec<Reply>, TokenStoreError> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.run(calls)),
            Place::File(file) => file.run(calls).await,
            Place::Redis(redis) => redis.run(&calls).await,
        }
    }

    /// Answers requests; if the store fails on the way, also says why. `keys` has an entry for each of their clients.
    pub async fn answer(
        &self,
        requests: &[TokenRequest],
        keys: ClientKeyring,
    ) -> (Vec<Outcome>, Option<TokenStoreError>) {
        let mut batch = Batch::new(requests, keys, clock::unix_seconds());
        loop {
            let calls = batch.calls(&mut rand::rng());
            if calls.is_empty() {
                return (batch.outcomes(), None);
            }
            match self.run(calls).await {
                Ok(replies) => batch.replies(replies),
                Err(error) => return (batch.outcomes(), Some(error)),
            }
        }
    }

    /// Asks the store for something, to learn whether it can be used; and tries what it depends on.
    ///
    /// # Errors
    ///
    /// It cannot.
    pub async fn probe(&self) -> Result<(), TokenStoreError> {
        let nothing = EntryKey {
            context: [0; 32],
            entry: [0; 34],
        };
        if let Place::Redis(redis) = &self.place {
            redis.probe().await;
        }
        self.run(vec![StoreCall::Get(nothing)]).await.map(drop)
    }

    /// Shows every record of every owner, in no order, and does with it what `judge` says.
    ///
    /// In a file all changes are made or none. In Redis they are made in batches, and records that are written
    /// meanwhile may be missed.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses.
    pub async fn visit(
        &self,
        judge: &mut dyn FnMut(&Visited<'_>) -> Action,
    ) -> Result<VisitSummary, TokenStoreError> {
        match &self.place {
            Place::Memory(memory) => Ok(memory.visit(judge)),
            Place::File(file) => file.visit(judge),
            Place::Redis(redis) => redis.visit(judge).await,
        }
    }
}

//! Token stores: that all of them do the same, and what is special to each.

mod bolt;
mod cluster;
mod file;
mod places;
#[path = "../../../harness/src/port.rs"]
pub mod port;
mod redis;
mod redis_tls;
mod server;

use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::tokens::{
    ClientKeyring, EntryKey, Metadata, Operation, Outcome, TokenRequest, TokenType,
};
use acra_stores::tokens::{Action, TokenStore, TokenStoreError, VisitSummary};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn client() -> ClientId {
    ClientId::new("client-alpha").unwrap()
}

fn keyring() -> ClientKeyring {
    let keys = ClientKeys {
        symmetric: vec![BlockKey::new(Secret::from(vec![7; 32])).unwrap()],
        ..ClientKeys::default()
    };
    vec![(client(), Ok(Arc::new(keys)))]
}

fn request(operation: Operation, value: &[u8]) -> TokenRequest {
    TokenRequest {
        client_id: client(),
        token_type: TokenType::Str,
        operation,
        value: value.to_vec(),
    }
}

/// One request; also why the store failed.
async fn ask(
    store: &TokenStore,
    operation: Operation,
    value: &[u8],
) -> (Outcome, Option<TokenStoreError>) {
    let (mut outcomes, error) = store.answer(&[request(operation, value)], keyring()).await;
    (outcomes.remove(0), error)
}

/// A record's name that stands for a number.
fn key(owner: u8, number: u8) -> EntryKey {
    EntryKey {
        context: [owner; 32],
        entry: [number; 34],
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    Metadata {
        data,
        created: 1,
        accessed: 2,
        disabled: false,
    }
    .to_bytes()
}

/// All records of a store, in order: name, data, whether it is disabled.
async fn listed(store: &TokenStore) -> (Vec<(EntryKey, Vec<u8>, bool)>, VisitSummary) {
    let mut all = Vec::new();
    let summary = store
        .visit(&mut |visited| {
            let metadata = visited.metadata;
            all.push((visited.key, metadata.data.to_vec(), metadata.disabled));
            Action::Keep
        })
        .await
        .unwrap();
    all.sort();
    (all, summary)
}

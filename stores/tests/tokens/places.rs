//! What every token store does, wherever it is.

use super::{ask, key, keyring, listed, record, request, runtime};
use crate::server::{RedisServer, cluster};
use acra_engine::tokens::{Operation, Reply, StoreCall};
use acra_stores::tokens::{Action, TokenStore, VisitSummary};
use std::sync::Arc;
use std::time::Duration;

/// Runs a test in each place.
fn everywhere(test: impl AsyncFn(TokenStore)) {
    let runtime = runtime();
    runtime.block_on(test(TokenStore::in_memory()));
    let directory = tempfile::tempdir().unwrap();
    let file = TokenStore::open_file(&directory.path().join("tokens"), Duration::ZERO);
    runtime.block_on(test(file.unwrap()));
    if let Some(server) = RedisServer::start(&[]) {
        let store = TokenStore::in_redis(&server.place());
        runtime.block_on(test(store));
    }
    if let Some(servers) = cluster(2, &[]) {
        let store = TokenStore::in_redis(&servers[1].place());
        runtime.block_on(test(store));
    }
}

#[test]
fn a_record_is_written_once_and_replaced_only_if_it_is_what_was_read() {
    everywhere(async |store| {
        let (first, second) = (record(b"first"), record(b"second"));
        let get = StoreCall::Get(key(1, 1));
        let replies = store
            .run(vec![
                get.clone(),
                StoreCall::Save(key(1, 1), first.clone()),
                StoreCall::Save(key(1, 1), second.clone()),
                StoreCall::Save(key(2, 1), second.clone()),
                get.clone(),
            ])
            .await
            .unwrap();
        let expected = [
            Reply::Record(None),
            Reply::Saved(true),
            Reply::Saved(false),
            Reply::Saved(true),
            Reply::Record(Some(first.clone())),
        ];
        assert_eq!(replies, expected);
        let touch = |number, read: &[u8]| StoreCall::Touch {
            key: key(1, number),
            read: read.to_vec(),
            record: second.clone(),
        };
        // One that is gone is not brought back.
        let calls = vec![touch(9, &first), StoreCall::Get(key(1, 9))];
        let replies = store.run(calls).await.unwrap();
        assert_eq!(replies, [Reply::Touched, Reply::Record(None)]);
        let calls = vec![touch(1, &first), get];
        let replies = store.run(calls).await.unwrap();
        assert_eq!(replies, [Reply::Touched, Reply::Record(Some(second))]);
        store.probe().await.unwrap();
    });
}

#[test]
fn all_records_of_all_owners_are_visited_and_changed() {
    everywhere(async |store| {
        let calls = (0..100).map(|number| {
            let owner = number % 3;
            StoreCall::Save(key(owner, number), record(&[number; 5]))
        });
        store.run(calls.collect()).await.unwrap();
        let (all, summary) = listed(&store).await;
        assert_eq!((all.len(), summary), (100, VisitSummary::default()));
        assert!(all.iter().all(|(key, data, _)| key.entry[0] == data[0]));
        let judge = |number: u8| match number {
            0..10 => Action::Remove,
            10..20 => Action::Disable,
            _ => Action::Keep,
        };
        store
            .visit(&mut |visited| judge(visited.key.entry[0]))
            .await
            .unwrap();
        let (all, _) = listed(&store).await;
        let disabled =
            |all: &[(_, Vec<u8>, bool)]| all.iter().filter(|(.., disabled)| *disabled).count();
        assert_eq!((all.len(), disabled(&all)), (90, 10));
        store.visit(&mut |_| Action::Enable).await.unwrap();
        let (all, _) = listed(&store).await;
        assert_eq!((all.len(), disabled(&all)), (90, 0));
    });
}

#[test]
fn writers_of_one_value_all_get_one_token() {
    everywhere(async |store| {
        let store = Arc::new(store);
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let requests = [
                        request(Operation::Consistent, b"a value"),
                        request(Operation::Random, b"a value"),
                    ];
                    store.answer(&requests, keyring()).await.0
                })
            })
            .collect();
        let mut random = std::collections::BTreeSet::new();
        let mut consistent = std::collections::BTreeSet::new();
        for writer in writers {
            let outcomes = writer.await.unwrap();
            consistent.insert(outcomes[0].clone().unwrap().unwrap());
            random.insert(outcomes[1].clone().unwrap().unwrap());
        }
        assert_eq!((consistent.len(), random.len()), (1, 20));
        let token = consistent.pop_first().unwrap();
        let (value, error) = ask(&store, Operation::Open, &token).await;
        assert_eq!(value, Ok(Some(b"a value".to_vec())));
        assert!(error.is_none());
    });
}

//! Redis: the form of records, ways in, and outages.

use super::server::RedisServer;
use super::{ask, key, keyring, listed, record, request, runtime};
use acra_engine::crypto::Secret;
use acra_engine::tokens::{Operation, StoreCall, TokenFault};
use acra_stores::tokens::{Action, RedisPlace, TokenStore};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

fn store(place: &RedisPlace) -> TokenStore {
    TokenStore::in_redis(place)
}

#[test]
fn records_are_where_and_what_acra_writes() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let store = store(&RedisPlace {
        database: 3,
        ..server.place()
    });
    let runtime = runtime();
    let call = StoreCall::Save(key(0xab, 0x74), record(b"\x01\x02"));
    runtime.block_on(store.run(vec![call])).unwrap();
    let name = format!("tokens/{}/{}", "ab".repeat(32), "74".repeat(34));
    assert_eq!(server.cli(&["-n", "3", "KEYS", "*"]), name);
    assert_eq!(server.cli(&["-n", "3", "GET", &name]), "0a02010210011802");
    assert_eq!(server.cli(&["-n", "3", "TTL", &name]), "-1");

    // What others left there is passed over and stays.
    let other = name.replace("74", "68");
    for (name, value) in [("tokens/x", "1"), (&*other, "no hex"), ("another", "1")] {
        server.cli(&["-n", "3", "SET", name, value]);
    }
    let (all, summary) = runtime.block_on(listed(&store));
    assert_eq!((all.len(), summary.unreadable), (1, 2));
    let removed = runtime.block_on(store.visit(&mut |_| Action::Remove));
    removed.unwrap();
    assert_eq!(server.cli(&["-n", "3", "DBSIZE"]), "3");
}

#[test]
fn a_batch_is_one_round_trip() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let (store, runtime) = (store(&server.place()), runtime());
    runtime.block_on(store.probe()).unwrap();
    let reads = |server: &RedisServer| -> u64 {
        let stats = server.cli(&["INFO", "stats"]);
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("total_reads_processed:"));
        line.unwrap().trim().parse().unwrap()
    };
    let requests: Vec<_> = (0..50_u8)
        .map(|number| request(Operation::Open, &[number]))
        .collect();
    let before = reads(&server);
    let (outcomes, error) = runtime.block_on(store.answer(&requests, keyring()));
    assert!(error.is_none() && outcomes.iter().all(|outcome| *outcome == Ok(None)));
    // A few for redis-cli itself.
    let after = reads(&server) - before;
    assert!(after < 10, "{after} reads");
}

#[test]
fn passwords_and_users() {
    let Some(server) = RedisServer::start(&["--requirepass", "default secret"]) else {
        return;
    };
    let user = "ACL SETUSER worker on >secret ~tokens/* +@all";
    let as_default = ["--no-auth-warning", "-a", "default secret"];
    let done = server.cli(&[&as_default[..], &user.split(' ').collect::<Vec<_>>()].concat());
    assert_eq!(done, "OK");
    let runtime = runtime();
    let probe = |place: &RedisPlace| {
        let outcome = runtime.block_on(async { store(place).probe().await });
        outcome.map_err(|error| error.to_string())
    };
    let without = probe(&server.place()).unwrap_err();
    assert!(without.contains("NOAUTH"), "{without}");
    let wrong = probe(&server.place_of(None, "wrong")).unwrap_err();
    assert!(!wrong.contains("wrong\""), "{wrong}");
    probe(&server.place_of(None, "default secret")).unwrap();
    probe(&server.place_of(Some("worker"), "secret")).unwrap();
    assert!(probe(&server.place_of(Some("worker"), "default secret")).is_err());
}

#[test]
fn an_outage_is_an_error_and_ends_with_it() {
    let Some(mut server) = RedisServer::start(&[]) else {
        return;
    };
    let (store, runtime) = (store(&server.place()), runtime());
    runtime.block_on(async {
        let (token, _) = ask(&store, Operation::Consistent, b"a value").await;
        assert!(token.unwrap().is_some());
        server.stop();
        for operation in [
            Operation::Consistent,
            Operation::Random,
            Operation::Compare,
            Operation::Open,
        ] {
            let (outcome, error) = ask(&store, operation, b"a value").await;
            assert_eq!(outcome, Err(TokenFault::StoreUnavailable));
            let error = error.unwrap().to_string();
            assert!(
                error.contains(&format!("127.0.0.1:{}", server.port)),
                "{error}"
            );
        }
        // The broken connection is noticed and made anew within one request.
        server.restart();
        let (token, error) = ask(&store, Operation::Consistent, b"a value").await;
        assert!(token.unwrap().is_some() && error.is_none());
        server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        let (token, error) = ask(&store, Operation::Compare, b"a value").await;
        assert!(token.unwrap().is_some() && error.is_none());
    });
}

#[test]
fn all_who_wait_for_a_silent_server_wait_for_one_attempt() {
    // Connections are taken, and nobody answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = RedisPlace {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
        user: None,
        password: Some(Secret::from(b"secret".to_vec())),
        database: 0,
        tls: None,
    };
    let store = Arc::new(store(&place));
    runtime().block_on(async {
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.probe().await })
            })
            .collect();
        for outcome in waiting {
            assert!(outcome.await.unwrap().is_err());
        }
    });
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.incoming().take_while(Result::is_ok).count(), 1);
}

#[test]
fn a_full_server_refuses_and_gives_no_token() {
    let Some(server) =
        RedisServer::start(&["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"])
    else {
        return;
    };
    let (store, runtime) = (store(&server.place()), runtime());
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let (outcome, error) = runtime.block_on(ask(&store, Operation::Random, b"a value"));
    assert_eq!(outcome, Err(TokenFault::StoreUnavailable));
    assert!(error.unwrap().to_string().contains("OOM"));
}

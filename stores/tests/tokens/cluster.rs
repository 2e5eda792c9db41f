//! A cluster of Redis: where records are, and what happens while slots move and nodes go.

use super::server::{RedisServer, cluster};
use super::{ask, key, keyring, listed, record, request, runtime};
use acra_engine::tokens::{EntryKey, Operation, Reply, StoreCall, TokenFault};
use acra_stores::tokens::{Action, RedisPlace, TokenStore};

fn store(server: &RedisServer) -> TokenStore {
    TokenStore::in_redis(&server.place())
}

fn name(key: &EntryKey) -> String {
    let hex = |bytes: &[u8]| const_hex::encode(bytes);
    format!("tokens/{}/{}", hex(&key.context), hex(&key.entry))
}

/// The number of the server that has a record.
fn home(servers: &[RedisServer], key: &EntryKey) -> Option<usize> {
    let has = |server: &RedisServer| server.cli(&["KEYS", "*"]).contains(&name(key));
    servers.iter().position(has)
}

#[test]
fn records_are_spread_over_the_nodes_under_the_names_of_acra() {
    let Some(servers) = cluster(3, &[]) else {
        return;
    };
    let (store, runtime) = (store(&servers[0]), runtime());
    let calls = (0..100).map(|number| StoreCall::Save(key(number, 1), record(&[number; 5])));
    let replies = runtime.block_on(store.run(calls.collect())).unwrap();
    assert_eq!(replies, vec![Reply::Saved(true); 100]);
    let sizes: Vec<u32> = servers
        .iter()
        .map(|server| server.cli(&["DBSIZE"]).parse().unwrap())
        .collect();
    assert_eq!(sizes.iter().sum::<u32>(), 100);
    assert!(sizes.iter().all(|size| *size > 10), "{sizes:?}");
    for number in 0..100 {
        // Each node refuses keys of others.
        assert!(home(&servers, &key(number, 1)).is_some());
    }
    let calls = (0..100).map(|number| StoreCall::Get(key(number, 1)));
    let replies = runtime.block_on(store.run(calls.collect())).unwrap();
    for (number, reply) in (0..100).zip(replies) {
        assert_eq!(reply, Reply::Record(Some(record(&[number; 5]))));
    }
}

#[test]
fn a_batch_is_one_pipeline_per_node() {
    let Some(servers) = cluster(3, &[]) else {
        return;
    };
    let (store, runtime) = (store(&servers[0]), runtime());
    let requests: Vec<_> = (0..200_u8)
        .map(|number| request(Operation::Open, &[number]))
        .collect();
    let ask = || {
        let (outcomes, error) = runtime.block_on(store.answer(&requests, keyring()));
        assert!(error.is_none() && outcomes.iter().all(|outcome| *outcome == Ok(None)));
    };
    let stat = |server: &RedisServer, stats: &str, name: &str| -> u64 {
        let stats = server.cli(&["INFO", stats]);
        let line = stats.lines().find_map(|line| line.strip_prefix(name));
        let digits = line
            .unwrap_or("0")
            .split(|sign: char| !sign.is_ascii_digit());
        digits.into_iter().next().unwrap().parse().unwrap()
    };
    ask();
    let before: Vec<_> = servers
        .iter()
        .map(|server| stat(server, "stats", "total_reads_processed:"))
        .collect();
    ask();
    let mut asked = 0;
    for (server, before) in servers.iter().zip(before) {
        // Some for redis-cli itself, and for what nodes tell each other.
        let reads = stat(server, "stats", "total_reads_processed:") - before;
        assert!(reads < 10, "{reads} reads");
        asked += stat(server, "commandstats", "cmdstat_get:calls=");
        assert_eq!(stat(server, "errorstats", "errorstat_MOVED:count="), 0);
    }
    assert_eq!(asked, 400);
}

#[test]
fn slots_that_move_are_followed() {
    let Some(servers) = cluster(2, &[]) else {
        return;
    };
    let (store, runtime) = (store(&servers[0]), runtime());
    let run = |calls: Vec<StoreCall>| runtime.block_on(store.run(calls)).unwrap();
    let moved = key(1, 1);
    assert_eq!(
        run(vec![StoreCall::Save(moved, record(b"first"))]),
        [Reply::Saved(true)]
    );
    let from = home(&servers, &moved).unwrap();
    let to = 1 - from;
    let slot = servers[0].cli(&["CLUSTER", "KEYSLOT", &name(&moved)]);
    let ids: Vec<_> = servers
        .iter()
        .map(|server| server.cli(&["CLUSTER", "MYID"]))
        .collect();
    let set = |at: usize, state: &[&str]| {
        let done = servers[at].cli(&[&["CLUSTER", "SETSLOT", &*slot], state].concat());
        assert_eq!(done, "OK");
    };

    // On its way: the old node asks for the new one once the key is there.
    set(to, &["IMPORTING", &ids[from]]);
    set(from, &["MIGRATING", &ids[to]]);
    let get = || StoreCall::Get(moved);
    assert_eq!(run(vec![get()]), [Reply::Record(Some(record(b"first")))]);
    let port = servers[to].port.to_string();
    let migrated = servers[from].cli(&["MIGRATE", "127.0.0.1", &port, &name(&moved), "0", "60000"]);
    assert_eq!(migrated, "OK");
    assert_eq!(
        run(vec![
            get(),
            StoreCall::Save(moved, record(b"second")),
            StoreCall::Touch {
                key: moved,
                read: record(b"first"),
                record: record(b"third"),
            },
            get(),
        ]),
        [
            Reply::Record(Some(record(b"first"))),
            Reply::Saved(false),
            Reply::Touched,
            Reply::Record(Some(record(b"third"))),
        ]
    );

    // It has moved: the old node says so, once.
    set(to, &["NODE", &ids[to]]);
    set(from, &["NODE", &ids[to]]);
    for _ in 0..3 {
        assert_eq!(run(vec![get()]), [Reply::Record(Some(record(b"third")))]);
    }
    let errors = servers[from].cli(&["INFO", "errorstats"]);
    for expected in ["errorstat_MOVED:count=1", "errorstat_ASK:count=4"] {
        assert!(errors.lines().any(|line| line == expected), "{errors}");
    }
}

#[test]
fn a_visit_sees_all_nodes_and_says_if_it_cannot() {
    let Some(mut servers) = cluster(3, &[]) else {
        return;
    };
    let (store, runtime) = (store(&servers[0]), runtime());
    let calls = (0..60).map(|number| StoreCall::Save(key(number, number), record(&[number; 5])));
    runtime.block_on(store.run(calls.collect())).unwrap();
    let (all, summary) = runtime.block_on(listed(&store));
    assert_eq!((all.len(), summary.unreadable), (60, 0));
    runtime
        .block_on(store.visit(&mut |visited| match visited.key.context[0] {
            0..30 => Action::Remove,
            _ => Action::Disable,
        }))
        .unwrap();
    let (all, _) = runtime.block_on(listed(&store));
    assert_eq!(all.len(), 30);
    assert!(all.iter().all(|(.., disabled)| *disabled));

    let port = servers[2].port;
    servers[2].stop();
    let mut seen = 0;
    let error = runtime.block_on(store.visit(&mut |_| {
        seen += 1;
        Action::Remove
    }));
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[test]
fn a_lost_node_is_an_error_for_its_values_and_for_no_others() {
    let arguments = ["--cluster-require-full-coverage", "no"];
    let Some(mut servers) = cluster(3, &arguments) else {
        return;
    };
    let (store, runtime) = (store(&servers[0]), runtime());
    runtime.block_on(async {
        let mut tokens = Vec::new();
        // Where a record goes is for its random token to say: more of them until no node is
        // without some.
        let held = loop {
            let held: Vec<usize> = servers
                .iter()
                .map(|server| server.cli(&["DBSIZE"]).parse().unwrap())
                .collect();
            if held.iter().all(|records| *records > 3) {
                break held;
            }
            let (token, _) = ask(&store, Operation::Random, &tokens.len().to_be_bytes()).await;
            tokens.push(token.unwrap().unwrap());
        };
        servers[1].stop();
        let (mut lost, mut found) = (0, 0);
        for (number, token) in tokens.iter().enumerate() {
            match ask(&store, Operation::Open, token).await {
                (Ok(value), None) => {
                    assert_eq!(value, Some(number.to_be_bytes().to_vec()));
                    found += 1;
                }
                (Err(fault), Some(_)) => {
                    assert_eq!(fault, TokenFault::StoreUnavailable);
                    lost += 1;
                }
                // Above all not that there is no such token.
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((lost, found), (held[1], held[0] + held[2]));

        // All of them in one batch: none, rather than some.
        let requests: Vec<_> = tokens
            .iter()
            .map(|token| request(Operation::Open, token))
            .collect();
        let (outcomes, error) = store.answer(&requests, keyring()).await;
        assert!(error.is_some());
        let unavailable = Err(TokenFault::StoreUnavailable);
        assert!(outcomes.iter().all(|outcome| *outcome == unavailable));
    });
}

#[test]
fn a_replica_that_takes_over_is_found() {
    let Some(mut servers) = cluster(3, &[]) else {
        return;
    };
    let Some(replica) = RedisServer::start_in_cluster(&servers[1]) else {
        return;
    };
    let (store, runtime) = (store(&servers[1]), runtime());
    runtime.block_on(async {
        let mut tokens = Vec::new();
        for number in 0..20_u8 {
            let (token, _) = ask(&store, Operation::Consistent, &[b'v', number]).await;
            tokens.push(token.unwrap().unwrap());
        }
        // WAIT would not do: it counts from what its own connection wrote.
        let all = servers[1].cli(&["DBSIZE"]);
        replica.until("it has all", |replica| replica.cli(&["DBSIZE"]) == all);
        // The node of the flags at that. Who takes over is said, not voted for: a vote goes by
        // timeouts, and on a slow machine they pass while all are still there.
        servers[1].stop();
        assert_eq!(replica.cli(&["CLUSTER", "FAILOVER", "TAKEOVER"]), "OK");
        let (gone, new) = (servers[1].port.to_string(), replica.port.to_string());
        for server in [&servers[0], &servers[2], &replica] {
            server.until("all know it", |server| {
                let slots = server.cli(&["CLUSTER", "SLOTS"]);
                let named = |port: &str| slots.lines().any(|line| line == port);
                named(&new) && !named(&gone)
            });
        }
        for (number, token) in (0..20).zip(&tokens) {
            let (value, error) = ask(&store, Operation::Open, token).await;
            assert_eq!(value, Ok(Some(vec![b'v', number])), "{error:?}");
            let (again, _) = ask(&store, Operation::Consistent, &[b'v', number]).await;
            assert_eq!(again.unwrap().as_ref(), Some(token));
        }
    });
}

#[test]
fn a_cluster_has_one_database() {
    let Some(servers) = cluster(1, &[]) else {
        return;
    };
    let place = RedisPlace {
        database: 1,
        ..servers[0].place()
    };
    let store = TokenStore::in_redis(&place);
    let error = runtime().block_on(store.probe()).unwrap_err().to_string();
    assert!(
        error.contains("SELECT is not allowed in cluster mode"),
        "{error}"
    );
}

#[test]
fn a_user_who_may_not_ask_for_slots_is_told() {
    let Some(servers) = cluster(1, &[]) else {
        return;
    };
    let server = &servers[0];
    let probe = |right: &str| {
        let user = "ACL SETUSER worker reset on >secret ~tokens/* +get +set +setnx +ping";
        let user: Vec<_> = user.split(' ').chain(right.split(' ')).collect();
        assert_eq!(server.cli(&user), "OK");
        let store = TokenStore::in_redis(&server.place_of(Some("worker"), "secret"));
        let outcome = runtime().block_on(store.probe());
        outcome.map_err(|error| error.to_string())
    };
    let error = probe("-cluster").unwrap_err();
    assert!(error.contains("cluster|slots"), "{error}");
    probe("+cluster|slots").unwrap();
}

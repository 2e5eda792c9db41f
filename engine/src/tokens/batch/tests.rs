//! Tokenization over a store that is a map.

use super::*;
use crate::crypto::{BlockKey, Secret};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// A time of which the tests begin.
const NOW: i64 = 1_700_000_000;

#[derive(Default)]
struct Store(BTreeMap<EntryKey, Vec<u8>>);

impl Store {
    fn call(&mut self, call: StoreCall) -> Reply {
        match call {
            StoreCall::Get(key) => Reply::Record(self.0.get(&key).cloned()),
            StoreCall::Save(key, record) => {
                let is_new = !self.0.contains_key(&key);
                self.0.entry(key).or_insert(record);
                Reply::Saved(is_new)
            }
            StoreCall::Touch { key, read, record } => {
                if let Some(stored) = self.0.get_mut(&key)
                    && *stored == read
                {
                    *stored = record;
                }
                Reply::Touched
            }
        }
    }

    /// Runs a batch; also the number of rounds.
    fn run(&mut self, requests: &[TokenRequest], now: i64, seed: u64) -> (Vec<Outcome>, usize) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut batch = Batch::new(requests, keyring(), now);
        let mut rounds = 0;
        loop {
            let calls = batch.calls(&mut rng);
            if calls.is_empty() {
                return (batch.outcomes(), rounds);
            }
            batch.replies(calls.into_iter().map(|call| self.call(call)).collect());
            rounds += 1;
        }
    }

    fn one(&mut self, request: TokenRequest) -> Outcome {
        let (mut outcomes, _) = self.run(&[request], NOW, 1);
        outcomes.remove(0)
    }

    /// Changes what is known of every record without a key.
    fn set(&mut self, change: impl Fn(Metadata<'_>) -> Metadata<'_>) {
        for record in self.0.values_mut() {
            *record = change(Metadata::read(record).unwrap()).to_bytes();
        }
    }
}

fn client(id: &str) -> ClientId {
    ClientId::new(id).unwrap()
}

/// Of two clients with keys, one without, and one whose keys cannot be had.
fn keyring() -> ClientKeyring {
    let keys = |byte| {
        Ok(Arc::new(ClientKeys {
            symmetric: vec![BlockKey::new(Secret::from(vec![byte; 32])).unwrap()],
            ..ClientKeys::default()
        }))
    };
    vec![
        (client("client-a"), keys(1)),
        // The same key: what parts them is the context alone.
        (client("client-b"), keys(1)),
        (client("keyless"), Err(TokenFault::NoKey)),
        (client("unlucky"), Err(TokenFault::KeysUnavailable)),
    ]
}

fn request(id: &str, token_type: TokenType, operation: Operation, value: &[u8]) -> TokenRequest {
    TokenRequest {
        client_id: client(id),
        token_type,
        operation,
        value: value.to_vec(),
    }
}

fn str_of_a(operation: Operation, value: &[u8]) -> TokenRequest {
    request("client-a", TokenType::Str, operation, value)
}

const ALL: [(TokenType, &str); 7] = [
    (TokenType::Int32, "-42"),
    (TokenType::Int64, "9000000000"),
    (TokenType::Int32String, "42"),
    (TokenType::Int64String, "-9000000000"),
    (TokenType::Str, "a value"),
    (TokenType::Bytes, "\0ytes"),
    (TokenType::Email, "alice@example.com"),
];

#[test]
fn a_reply_to_something_else_is_an_error_at_once() {
    for operation in [
        Operation::Random,
        Operation::Consistent,
        Operation::Compare,
        Operation::Open,
    ] {
        let asks_first = operation != Operation::Random;
        let wrong = if asks_first {
            Reply::Saved(true)
        } else {
            Reply::Record(None)
        };
        for reply in [Reply::Touched, wrong] {
            let mut rng = StdRng::seed_from_u64(1);
            let mut batch = Batch::new(&[str_of_a(operation, b"value")], keyring(), NOW);
            assert_eq!(batch.calls(&mut rng).len(), 1);
            batch.replies(vec![reply]);
            assert!(batch.calls(&mut rng).is_empty());
            assert_eq!(batch.outcomes(), [Err(TokenFault::StoreUnavailable)]);
        }
    }
}

#[test]
fn what_is_stored_and_looked_for_in_one_batch_is_found() {
    let mut store = Store::default();
    for token_type in [TokenType::Str, TokenType::Int32, TokenType::Email] {
        let value: &[u8] = match token_type {
            TokenType::Int32 => b"77",
            _ => b"some@value",
        };
        let of = |operation| request("client-a", token_type, operation, value);
        let requests = [
            of(Operation::Compare),
            of(Operation::Consistent),
            of(Operation::Compare),
            request("client-b", token_type, Operation::Compare, value),
        ];
        let (outcomes, _) = store.run(&requests, NOW, 1);
        let [first, token, last, other] = &*outcomes else {
            panic!("{outcomes:?}");
        };
        assert_eq!([first, last], [token, token]);
        assert_ne!(other, token);
    }
}

#[test]
fn every_type_comes_back_and_only_to_its_client() {
    let mut store = Store::default();
    for (token_type, value) in ALL {
        for operation in [Operation::Random, Operation::Consistent] {
            let value = value.as_bytes();
            let token = store.one(request("client-a", token_type, operation, value));
            let token = token.unwrap().unwrap();
            assert_ne!(token, value);
            let open = |id| request(id, token_type, Operation::Open, &token);
            assert_eq!(store.one(open("client-a")), Ok(Some(value.to_vec())));
            for other in ["client-b", "keyless"] {
                assert_eq!(store.one(open(other)), Ok(None));
            }
            let unlucky = store.one(open("unlucky"));
            assert_eq!(unlucky, Err(TokenFault::KeysUnavailable));
        }
    }
}

#[test]
fn equal_values_have_equal_tokens_where_they_should() {
    let mut store = Store::default();
    let consistent = || str_of_a(Operation::Consistent, b"a value");
    let random = || str_of_a(Operation::Random, b"a value");
    let requests = [consistent(), random(), consistent(), random()];
    let (outcomes, rounds) = store.run(&requests, NOW, 1);
    assert_eq!(outcomes[0], outcomes[2]);
    assert_ne!(outcomes[1], outcomes[3]);
    assert_eq!(rounds, 3);
    let (again, rounds) = store.run(&requests[..1], NOW, 2);
    assert_eq!((&again[0], rounds), (&outcomes[0], 1));
    // Each type and each client has tokens of its own.
    let email = request("client-a", TokenType::Email, Operation::Compare, b"a value");
    let other = request("client-b", TokenType::Str, Operation::Compare, b"a value");
    for request in [email, other] {
        assert_ne!(store.one(request), outcomes[0]);
    }
    // No orphans: a token and its value, twice a token.
    assert_eq!(store.0.len(), 4);
}

#[test]
fn a_comparison_makes_no_token_and_is_equal_to_none() {
    let mut store = Store::default();
    for (token_type, value) in ALL {
        let compare = |id| request(id, token_type, Operation::Compare, value.as_bytes());
        for id in ["client-a", "keyless"] {
            let other = store.one(compare(id)).unwrap().unwrap();
            assert_ne!(other, value.as_bytes(), "{token_type:?}");
            let is_number = matches!(token_type, TokenType::Int32 | TokenType::Int64);
            let form = encode(token_type, &other);
            assert!(form.is_ok() || !is_number, "{token_type:?}");
            let written = is_number || token_type == TokenType::Bytes || other.starts_with(b"~");
            assert!(written, "{token_type:?}");
        }
        assert!(store.0.is_empty());
        let consistent = request(
            "client-a",
            token_type,
            Operation::Consistent,
            value.as_bytes(),
        );
        let token = store.one(consistent);
        assert_eq!(store.one(compare("client-a")), token);
        store.0.clear();
    }
    // One that cannot be a value has no token; one that is no number is an error of the client.
    let int = |value| request("client-a", TokenType::Int32, Operation::Compare, value);
    assert!(store.one(int(b"2147483648")).unwrap().is_some());
    assert_eq!(store.one(int(b"x")), Err(TokenFault::NotANumber));
    let email = request("client-a", TokenType::Email, Operation::Compare, b"ab");
    assert!(store.one(email).unwrap().is_some());
}

#[test]
fn numbers_that_are_tokens_are_not_what_a_missing_one_is_compared_with() {
    let mut batch = Batch::new(
        &[request(
            "client-a",
            TokenType::Int32,
            Operation::Compare,
            b"5",
        )],
        keyring(),
        NOW,
    );
    let mut rng = StdRng::seed_from_u64(1);
    // The value has no token, and what is tried is in use twice.
    for (round, record) in [None, Some(b"x".to_vec()), Some(b"x".to_vec()), None]
        .into_iter()
        .enumerate()
    {
        let calls = batch.calls(&mut rng);
        assert!(matches!(&*calls, [StoreCall::Get(_)]), "{round}");
        batch.replies(vec![Reply::Record(record)]);
    }
    assert!(batch.calls(&mut rng).is_empty());
    assert!(batch.outcomes()[0].clone().unwrap().is_some());
}

#[test]
fn of_two_writers_both_get_the_token_of_the_first() {
    let mut store = Store::default();
    let requests = [str_of_a(Operation::Consistent, b"a value")];
    let mut batches = [1, 2].map(|seed| {
        let batch = Batch::new(&requests, keyring(), NOW);
        (batch, StdRng::seed_from_u64(seed))
    });
    // In step: both read before either writes.
    for _ in 0..6 {
        let calls: Vec<_> = batches
            .iter_mut()
            .map(|(batch, rng)| batch.calls(rng))
            .collect();
        for ((batch, _), calls) in batches.iter_mut().zip(calls) {
            batch.replies(calls.into_iter().map(|call| store.call(call)).collect());
        }
    }
    let [first, second] = batches.map(|(batch, _)| batch.outcomes().remove(0));
    assert!(first.as_ref().unwrap().is_some());
    assert_eq!(first, second);
}

#[test]
fn an_empty_value_has_one_random_token_and_no_consistent_one() {
    let mut store = Store::default();
    assert_eq!(
        store.one(str_of_a(Operation::Random, b"")),
        Ok(Some(Vec::new()))
    );
    assert_eq!(
        store.one(str_of_a(Operation::Random, b"")),
        Err(TokenFault::Exhausted)
    );
    let consistent = store.one(str_of_a(Operation::Consistent, b""));
    assert_eq!(consistent, Err(TokenFault::Empty));
    assert_eq!(store.0.len(), 1);
}

#[test]
fn few_tokens_are_given_out_before_it_gives_up() {
    let mut store = Store::default();
    let requests = vec![str_of_a(Operation::Random, b"x"); 200];
    let (outcomes, rounds) = store.run(&requests, NOW, 7);
    let given = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((50..=62).contains(&given), "{given}");
    assert_eq!(rounds, 10);
    let failed = |outcome: &&Outcome| **outcome == Err(TokenFault::Exhausted);
    assert_eq!(outcomes.iter().filter(failed).count(), 200 - given);
}

#[test]
fn disabled_and_damaged_records_are_not_used() {
    let consistent = || str_of_a(Operation::Consistent, b"a value");
    let mut store = Store::default();
    let token = store.one(consistent()).unwrap().unwrap();
    let open = || str_of_a(Operation::Open, &token);
    store.set(|metadata| Metadata {
        disabled: true,
        ..metadata
    });
    assert_eq!(store.one(open()), Ok(None));
    let other = store.one(str_of_a(Operation::Compare, b"a value"));
    assert_ne!(other, Ok(Some(token.clone())));
    assert_eq!(store.one(consistent()), Err(TokenFault::Disabled));
    store.set(|metadata| Metadata {
        disabled: false,
        data: &metadata.data[..metadata.data.len() - 1],
        ..metadata
    });
    assert_eq!(store.one(open()), Ok(None));
    assert_eq!(store.one(consistent()), Err(TokenFault::Unopened));
    let look_up = store.one(str_of_a(Operation::Compare, b"a value"));
    assert_eq!(look_up, Err(TokenFault::Unopened));
    // Nothing was made on the way.
    assert_eq!(store.0.len(), 2);
    for record in store.0.values_mut() {
        *record = b"no record".to_vec();
    }
    assert_eq!(store.one(open()), Ok(None));
}

#[test]
fn the_time_of_access_is_kept_to_the_day() {
    let mut store = Store::default();
    let token = store.one(str_of_a(Operation::Random, b"a value"));
    let open = [str_of_a(Operation::Open, &token.unwrap().unwrap())];
    for (after, rounds, accessed) in [
        (ACCESS_GRANULARITY, 1, 0),
        (ACCESS_GRANULARITY + 1, 2, ACCESS_GRANULARITY + 1),
    ] {
        assert_eq!(store.run(&open, NOW + after, 1).1, rounds);
        let record = store.0.values().next().unwrap();
        let metadata = Metadata::read(record).unwrap();
        assert_eq!((metadata.created, metadata.accessed), (NOW, NOW + accessed));
    }
}

#[test]
fn what_cannot_be_a_value_is_refused_and_is_no_token() {
    let mut store = Store::default();
    let int = |operation, value| request("client-a", TokenType::Int32, operation, value);
    assert_eq!(
        store.one(int(Operation::Random, b"x")),
        Err(TokenFault::NotANumber)
    );
    assert_eq!(
        store.one(int(Operation::Consistent, b"2147483648")),
        Err(TokenFault::OutOfRange)
    );
    assert_eq!(store.one(int(Operation::Open, b"x")), Ok(None));
    let email = |value| request("client-a", TokenType::Email, Operation::Random, value);
    assert_eq!(store.one(email(b"ab")), Err(TokenFault::TooShort));
    assert!(store.0.is_empty());
    for (id, fault) in [
        ("keyless", TokenFault::NoKey),
        ("unlucky", TokenFault::KeysUnavailable),
    ] {
        for operation in [Operation::Random, Operation::Consistent] {
            let refused = store.one(request(id, TokenType::Str, operation, b"a value"));
            assert_eq!(refused, Err(fault));
        }
    }
}

#[test]
fn a_store_that_breaks_off_is_an_error_and_never_a_token() {
    let requests = [
        str_of_a(Operation::Random, b"a value"),
        str_of_a(Operation::Consistent, b"a value"),
        str_of_a(Operation::Open, b"a token"),
    ];
    let mut rng = StdRng::seed_from_u64(1);
    let mut batch = Batch::new(&requests, keyring(), NOW);
    assert_eq!(batch.calls(&mut rng).len(), 3);
    assert_eq!(batch.outcomes(), vec![Err(TokenFault::StoreUnavailable); 3]);
    let mut batch = Batch::new(&requests, keyring(), NOW);
    batch.calls(&mut rng);
    batch.replies(Vec::new());
    assert!(batch.calls(&mut rng).is_empty());
    assert_eq!(batch.outcomes(), vec![Err(TokenFault::StoreUnavailable); 3]);
}

#[test]
fn requests_show_no_value() {
    let request = str_of_a(Operation::Random, b"secret");
    let batch = Batch::new(std::slice::from_ref(&request), keyring(), NOW);
    let text = format!("{request:?} {batch:?}");
    assert!(!text.contains("secret") && !text.contains("115"), "{text}");
}

proptest! {
    #[test]
    fn batches_give_what_single_requests_give(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..4), 1..20)) {
        let mut store = Store::default();
        let requests: Vec<_> = values.iter().map(|value| str_of_a(Operation::Consistent, value)).collect();
        let (tokens, _) = store.run(&requests, NOW, 9);
        for (request, token) in requests.into_iter().zip(&tokens) {
            if token.is_ok() {
                prop_assert_eq!(&store.one(request), token);
            }
        }
        let open: Vec<_> = tokens.iter().flatten().flatten().map(|token| str_of_a(Operation::Open, token)).collect();
        let (opened, _) = store.run(&open, NOW, 9);
        let expected = values.into_iter().zip(&tokens).filter(|(_, token)| token.is_ok());
        for ((value, _), opened) in expected.zip(opened) {
            prop_assert_eq!(opened, Ok(Some(value)));
        }
    }
}

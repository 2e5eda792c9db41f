//! Tokens: batches of several servers over one store. Whatever the store answers, nobody gets the value of another client; as long as
//! it does what it is told, every token has its value and every value its token.

mod store;

use acra_engine::columns::TokenType;
use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::tokens::{
    Batch, ClientKeyring, Metadata, Operation, Outcome, TokenFault, TokenRequest, TokenValue,
    decode, encode, open_hash, open_token,
};
use arbitrary::{Arbitrary, Unstructured};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use store::{Damage, Lie, Store};

/// The first two have the same key: what parts them is the context of records alone. The third has none, and those of the last
/// cannot be had.
const CLIENTS: [&str; 4] = ["client-a", "client-b", "keyless", "unlucky"];

/// More rounds than any value needs: each draws ten tokens at most, and starts again once.
const ROUNDS: usize = 64;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    seed: u64,
    steps: Vec<Step<'a>>,
    record: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// Servers at work at the same time: whose turn it is says `turns`.
    Run {
        batches: Vec<Vec<Ask<'a>>>,
        turns: Vec<u8>,
        lies: Vec<Lie>,
    },
    /// Somebody writes to the store.
    Damage(Damage<'a>),
    /// Days pass.
    Wait(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Ask<'a> {
    client: u8,
    token_type: u8,
    operation: u8,
    value: What<'a>,
}

/// A value or a token.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum What<'a> {
    /// One of few, so that they meet.
    Known(u8),
    /// A token that was given out.
    Token(u8),
    Bytes(&'a [u8]),
}

const TYPES: [TokenType; 7] = [
    TokenType::Int32,
    TokenType::Int64,
    TokenType::Int32String,
    TokenType::Int64String,
    TokenType::Str,
    TokenType::Bytes,
    TokenType::Email,
];

const OPERATIONS: [Operation; 4] = [
    Operation::Random,
    Operation::Consistent,
    Operation::Compare,
    Operation::Open,
];

static KEYS: LazyLock<ClientKeyring> = LazyLock::new(|| {
    let key = BlockKey::new(Secret::from(vec![1; 32])).expect("a key");
    let keys = Arc::new(ClientKeys {
        symmetric: vec![key],
        ..ClientKeys::default()
    });
    let of = |id: &str| match id {
        "keyless" => Err(TokenFault::NoKey),
        "unlucky" => Err(TokenFault::KeysUnavailable),
        _ => Ok(Arc::clone(&keys)),
    };
    CLIENTS.iter().map(|id| (client(id), of(id))).collect()
});

fn client(id: &str) -> ClientId {
    ClientId::new(id).expect("a client id")
}

/// Tokens or values by client, type, and what they belong to.
type Tokens = BTreeMap<(usize, u8, Vec<u8>), Vec<u8>>;

/// What was given out: by client and type, the value of each token, and the consistent token of each value.
#[derive(Default)]
struct Given {
    values: Tokens,
    consistent: Tokens,
    /// All values that a client has ever written.
    written: BTreeSet<(usize, Vec<u8>)>,
    tokens: Vec<Vec<u8>>,
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    messages(input.record);
    let mut rng = StdRng::seed_from_u64(input.seed);
    let (mut store, mut given) = (Store::default(), Given::default());
    let mut now = 1_700_000_000;
    for step in &input.steps {
        match step {
            Step::Wait(days) => now += i64::from(*days) * 24 * 60 * 60,
            Step::Damage(damage) => store.damage(damage),
            Step::Run {
                batches,
                turns,
                lies,
            } => {
                let mut running: Vec<Running> = batches
                    .iter()
                    .take(3)
                    .map(|asks| Running::new(asks, &given, now))
                    .collect();
                for one in &running {
                    given.note_written(&one.requests);
                }
                let mut turns = turns.iter().cycle();
                let mut lies = lies.iter();
                for _ in 0..ROUNDS * 3 {
                    let open: Vec<usize> = (0..running.len())
                        .filter(|at| !running[*at].is_done)
                        .collect();
                    let turn = turns.next().map_or(0, |turn| usize::from(*turn));
                    let Some(at) = open.get(turn % open.len().max(1)) else {
                        break;
                    };
                    running[*at].step(&mut store, &mut lies, &mut rng);
                }
                let (alone, before) = (running.len() == 1, given.consistent.clone());
                for one in running {
                    assert!(one.is_done, "a batch does not come to its end");
                    given.check(one, &store, (alone, &before));
                }
            }
        }
    }
    if store.is_honest() {
        given.all_are_there(&mut store, now, &mut rng);
        given.none_is_there_when_disabled(&mut store, now, &mut rng);
    }
}

/// A batch of one server.
struct Running {
    requests: Vec<TokenRequest>,
    asks: Vec<(usize, u8)>,
    batch: Batch,
    rounds: usize,
    is_done: bool,
}

impl Running {
    fn new(asks: &[Ask<'_>], given: &Given, now: i64) -> Self {
        let asks: Vec<_> = asks.iter().take(24).collect();
        let requests: Vec<_> = asks.iter().map(|ask| ask.request(given)).collect();
        Self {
            asks: asks
                .iter()
                .map(|ask| (ask.client(), ask.token_type()))
                .collect(),
            batch: Batch::new(&requests, KEYS.clone(), now),
            requests,
            rounds: 0,
            is_done: false,
        }
    }

    fn step<'l>(
        &mut self,
        store: &mut Store,
        lies: &mut impl Iterator<Item = &'l Lie>,
        rng: &mut StdRng,
    ) {
        let calls = self.batch.calls(rng);
        self.is_done = calls.is_empty();
        self.rounds += 1;
        assert!(self.rounds < ROUNDS, "too many rounds");
        if !self.is_done {
            store.sees_no_plaintext(&calls, &self.requests);
            self.batch.replies(store.replies(calls, lies));
        }
    }
}

impl Ask<'_> {
    fn client(&self) -> usize {
        usize::from(self.client) % CLIENTS.len()
    }

    fn token_type(&self) -> u8 {
        self.token_type % TYPES.len() as u8
    }

    fn request(&self, given: &Given) -> TokenRequest {
        let token_type = TYPES[usize::from(self.token_type())];
        let value = match self.value {
            What::Bytes(bytes) => bytes.to_vec(),
            What::Token(at) if !given.tokens.is_empty() => {
                given.tokens[usize::from(at) % given.tokens.len()].clone()
            }
            What::Known(number) | What::Token(number) => {
                // Of one client alone, so that a value tells whose it is.
                let number = usize::from(number % 8) * CLIENTS.len() + self.client();
                match token_type {
                    TokenType::Str | TokenType::Bytes => {
                        format!("a value that is {number}").into_bytes()
                    }
                    TokenType::Email => format!("number-{number}@example.org").into_bytes(),
                    _ => (1_000_000 + number).to_string().into_bytes(),
                }
            }
        };
        TokenRequest {
            client_id: client(CLIENTS[self.client()]),
            token_type,
            operation: OPERATIONS[usize::from(self.operation) % OPERATIONS.len()],
            value,
        }
    }
}

/// As it comes back.
fn canonical(token_type: TokenType, value: &[u8]) -> Option<Vec<u8>> {
    decode(token_type, &encode(token_type, value).ok()?)
}

/// Faults that come of the value or the client alone, or of there being few tokens.
fn is_of_the_request(fault: TokenFault, request: &TokenRequest) -> bool {
    match fault {
        TokenFault::NotANumber
        | TokenFault::OutOfRange
        | TokenFault::NotCanonical
        | TokenFault::TooShort
        | TokenFault::Empty => true,
        TokenFault::Exhausted => request.value.len() < 6,
        TokenFault::NoKey => request.client_id.as_str() == "keyless",
        TokenFault::KeysUnavailable => request.client_id.as_str() == "unlucky",
        _ => false,
    }
}

impl Given {
    fn note_written(&mut self, requests: &[TokenRequest]) {
        for request in requests {
            if !matches!(request.operation, Operation::Random | Operation::Consistent) {
                continue;
            }
            let at = CLIENTS
                .iter()
                .position(|id| *id == request.client_id.as_str());
            let value = canonical(request.token_type, &request.value);
            if let Some((at, value)) = at.zip(value) {
                self.written.insert((at, value));
            }
        }
    }

    /// The answers of a batch; with the batches beside it, others may have been faster.
    fn check(&mut self, done: Running, store: &Store, (alone, before): (bool, &Tokens)) {
        let Running {
            requests,
            asks,
            batch,
            ..
        } = done;
        let outcomes = batch.outcomes();
        assert_eq!(outcomes.len(), requests.len());
        // What a batch stores it also finds.
        let mut known = before.clone();
        for ((request, (client, of)), outcome) in requests.iter().zip(&asks).zip(&outcomes) {
            let value = canonical(request.token_type, &request.value);
            if let (Operation::Consistent, Some(value), Ok(Some(token))) =
                (request.operation, value, outcome)
            {
                known.insert((*client, *of, value), token.clone());
            }
        }
        for ((request, (client, of)), outcome) in requests.iter().zip(asks).zip(outcomes) {
            match store.is_honest() {
                true => self.is_right(request, (client, of), outcome, (alone, &known)),
                false => self.is_own(request, client, outcome),
            }
        }
    }

    /// A store that lies can make a client's values change their places, and no more.
    fn is_own(&mut self, request: &TokenRequest, client: usize, outcome: Outcome) {
        if let (Operation::Open, Ok(Some(value))) = (request.operation, outcome) {
            assert!(
                self.written.contains(&(client, value)),
                "a value of somebody else"
            );
        }
    }

    fn is_right(
        &mut self,
        request: &TokenRequest,
        (client, of): (usize, u8),
        outcome: Outcome,
        (alone, known): (bool, &Tokens),
    ) {
        let value = canonical(request.token_type, &request.value);
        let key = |value: &[u8]| (client, of, value.to_vec());
        let known = value.as_ref().and_then(|value| known.get(&key(value)));
        match (request.operation, outcome) {
            (_, Err(TokenFault::Exists)) if !alone => {}
            (_, Err(fault)) => assert!(is_of_the_request(fault, request), "{fault:?}"),
            (Operation::Open, Ok(found)) => {
                let expected = value.and_then(|token| self.values.get(&key(&token)).cloned());
                // Made by a batch beside this one, whose answers are not noted yet.
                assert!(
                    found == expected || !alone && expected.is_none(),
                    "another value"
                );
            }
            (Operation::Compare, Ok(Some(token))) => match known {
                Some(known) => assert_eq!(&token, known, "another token of a value"),
                None if alone => {
                    assert!(!self.values.contains_key(&key(&token)), "equal to a token");
                }
                None => {}
            },
            (Operation::Random | Operation::Consistent, Ok(Some(token))) => {
                let value = value.expect("a value that has a token");
                if request.operation == Operation::Consistent {
                    let known = self.consistent.entry(key(&value)).or_insert(token.clone());
                    assert_eq!(&token, known, "two tokens of one value");
                }
                let former = self.values.insert(key(&token), value.clone());
                let is_again = request.operation == Operation::Consistent && former == Some(value);
                assert!(former.is_none() || is_again, "one token of two values");
                self.tokens.push(token);
            }
            (operation, Ok(None)) => panic!("no answer to {operation:?}"),
        }
    }

    fn requests(&self, operation: Operation) -> (Vec<TokenRequest>, Vec<Vec<u8>>) {
        let of = match operation {
            Operation::Open => &self.values,
            _ => &self.consistent,
        };
        of.iter()
            .map(|((at, of, asked), answer)| {
                let request = TokenRequest {
                    client_id: client(CLIENTS[*at]),
                    token_type: TYPES[usize::from(*of)],
                    operation,
                    value: asked.clone(),
                };
                (request, answer.clone())
            })
            .unzip()
    }

    fn all_are_there(&self, store: &mut Store, now: i64, rng: &mut StdRng) {
        for operation in [Operation::Open, Operation::Consistent, Operation::Compare] {
            let (requests, answers) = self.requests(operation);
            let outcomes = store.outcomes(&requests, KEYS.clone(), now, rng);
            for (outcome, answer) in outcomes.into_iter().zip(answers) {
                assert_eq!(outcome, Ok(Some(answer)), "{operation:?} at the end");
            }
        }
    }

    fn none_is_there_when_disabled(&self, store: &mut Store, now: i64, rng: &mut StdRng) {
        store.disable_all();
        let (requests, _) = self.requests(Operation::Open);
        let outcomes = store.outcomes(&requests, KEYS.clone(), now, rng);
        assert!(outcomes.iter().all(|outcome| *outcome == Ok(None)));
        let (requests, tokens) = self.requests(Operation::Compare);
        let outcomes = store.outcomes(&requests, KEYS.clone(), now, rng);
        for (outcome, token) in outcomes.into_iter().zip(tokens) {
            assert_ne!(outcome, Ok(Some(token)), "equal to a disabled token");
        }
        let (requests, _) = self.requests(Operation::Consistent);
        let outcomes = store.outcomes(&requests, KEYS.clone(), now, rng);
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == Err(TokenFault::Disabled))
        );
    }
}

/// Bytes that are read as records: what is read is written and read as the same, and nothing opens that was not sealed.
fn messages(bytes: &[u8]) {
    if let Ok(metadata) = Metadata::read(bytes) {
        let written = metadata.to_bytes();
        assert_eq!(Metadata::read(&written), Ok(metadata));
        assert!(metadata.data.len() <= bytes.len());
    }
    if let Ok(value) = TokenValue::read(bytes) {
        let mut written = Vec::new();
        value.write(&mut written);
        assert!(TokenValue::read(&written) == Ok(value));
    }
    let client = client(CLIENTS[0]);
    let keys = KEYS[0].1.as_ref().expect("keys");
    for token_type in TYPES {
        assert!(open_token(bytes, token_type, &keys.symmetric, &client).is_none());
        assert!(open_hash(bytes, token_type, &keys.symmetric, &client).is_none());
    }
}

//! Stands in for the pump: feeds bytes to a session in pieces and keeps what comes out.

use acra_engine::keys::ClientKeys;
use acra_engine::session::{
    Answer, Ask, Cx, Effect, Event, Input, KeyFault, Output, Session, Step, TokenAnswers,
};
use acra_engine::tokens::{Batch, EntryKey, Reply, StoreCall, TokenFault, TokenRequest};
use acra_engine::wire::outbox::Outbox;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    Client,
    Server,
}

#[derive(Default)]
struct Side {
    buffer: Vec<u8>,
    at: usize,
    want: usize,
    blocked: bool,
}

/// A token store.
#[derive(Default)]
pub(crate) struct Tokens {
    records: HashMap<EntryKey, Vec<u8>>,
    /// It cannot be reached.
    pub(crate) is_away: bool,
}

impl Tokens {
    fn answer(
        &mut self,
        requests: Vec<TokenRequest>,
        keys: &HashMap<Box<str>, Arc<ClientKeys>>,
    ) -> TokenAnswers {
        let keyring = requests.iter().map(|request| {
            let keys = keys.get(request.client_id.as_str()).cloned();
            (request.client_id.clone(), keys.ok_or(TokenFault::NoKey))
        });
        let mut batch = Batch::new(&requests, keyring.collect(), 0);
        // Tokens do not depend on how the stream was cut.
        let mut rng = StdRng::seed_from_u64(requests.len() as u64);
        loop {
            let calls = batch.calls(&mut rng);
            if calls.is_empty() || self.is_away {
                let outcomes = batch.outcomes();
                return TokenAnswers { requests, outcomes };
            }
            batch.replies(calls.into_iter().map(|call| self.call(call)).collect());
        }
    }

    fn call(&mut self, call: StoreCall) -> Reply {
        match call {
            StoreCall::Get(key) => Reply::Record(self.records.get(&key).cloned()),
            StoreCall::Save(key, record) => {
                let is_new = !self.records.contains_key(&key);
                self.records.entry(key).or_insert(record);
                Reply::Saved(is_new)
            }
            StoreCall::Touch { .. } => Reply::Touched,
        }
    }
}

pub(crate) struct Driver<S> {
    session: S,
    client: Side,
    server: Side,
    rng: StdRng,
    keys: HashMap<Box<str>, Arc<ClientKeys>>,
    pub(crate) tokens: Tokens,
    /// What was asked of the token store, by asks.
    pub(crate) asks: Vec<Vec<TokenRequest>>,
    pub(crate) to_client: Vec<u8>,
    pub(crate) to_server: Vec<u8>,
    pub(crate) events: Vec<Event>,
    pub(crate) closed: bool,
}

impl<S: Session> Driver<S> {
    pub(crate) fn new(session: S) -> Self {
        Self {
            session,
            client: Side::default(),
            server: Side::default(),
            rng: StdRng::seed_from_u64(7),
            keys: HashMap::new(),
            tokens: Tokens::default(),
            asks: Vec::new(),
            to_client: Vec::new(),
            to_server: Vec::new(),
            events: Vec::new(),
            closed: false,
        }
    }

    pub(crate) fn with_keys(mut self, client_id: &str, keys: Arc<ClientKeys>) -> Self {
        self.keys.insert(client_id.into(), keys);
        self
    }

    pub(crate) fn feed(&mut self, from: From, bytes: &[u8]) {
        self.feed_pieces(from, [bytes]);
    }

    /// Feeds what one side sends at once, however it arrives: the other side, if it waits, goes on after it.
    pub(crate) fn feed_pieces<'a>(
        &mut self,
        from: From,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) {
        for piece in pieces {
            self.side(from).buffer.extend_from_slice(piece);
            self.run(from);
        }
        if from == From::Server && self.client.blocked {
            self.client.blocked = false;
            self.run(From::Client);
        }
    }

    pub(crate) fn server_closes(&mut self) {
        let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
        let mut out = Output {
            to_client: &mut to_client,
            to_server: &mut to_server,
        };
        let mut cx = Cx {
            rng: &mut self.rng,
            events: &mut self.events,
        };
        self.session.server_closed(&mut out, &mut cx);
        self.to_client.extend(to_client.take(&[]));
    }

    pub(crate) fn session(&mut self) -> &mut S {
        &mut self.session
    }

    fn side(&mut self, from: From) -> &mut Side {
        match from {
            From::Client => &mut self.client,
            From::Server => &mut self.server,
        }
    }

    fn run(&mut self, from: From) {
        while !self.closed {
            let side = self.side(from);
            if side.buffer.len() - side.at < side.want {
                return;
            }
            match self.step(from) {
                Step::NeedMore { want } => {
                    let side = self.side(from);
                    assert!(
                        want > side.buffer.len() - side.at,
                        "asks for bytes that are there"
                    );
                    side.want = want;
                    side.buffer.drain(..side.at);
                    side.at = 0;
                    return;
                }
                Step::Blocked => {
                    let side = self.side(from);
                    side.blocked = true;
                    side.want = 0;
                    return;
                }
                Step::Ask(Ask::Keys(id)) => {
                    let keys = self.keys.get(&id).cloned().ok_or(KeyFault::Missing);
                    self.session.resume(Answer::Keys(id, keys));
                    self.side(from).want = 0;
                }
                Step::Ask(Ask::Tokens(side, requests)) => {
                    self.asks.push(requests.clone());
                    let answers = self.tokens.answer(requests, &self.keys);
                    self.session.resume(Answer::Tokens(side, answers));
                    self.side(from).want = 0;
                }
                Step::Do(Effect::DialServer) => {
                    let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
                    let mut out = Output {
                        to_client: &mut to_client,
                        to_server: &mut to_server,
                    };
                    self.session.server_dialled(Ok(()), &mut out);
                }
                Step::Do(Effect::CancelUpstream(packet)) => {
                    self.to_server.extend(packet);
                    self.closed = true;
                }
                Step::Do(Effect::SecureClient) => self.session.client_secured(Ok(None)),
                Step::Do(Effect::SecureServer) => {
                    let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
                    let mut out = Output {
                        to_client: &mut to_client,
                        to_server: &mut to_server,
                    };
                    self.session.server_secured(Ok(()), &mut out);
                }
                // As the shell does it, both sides of the session see packets as they are.
                Step::Do(Effect::Compress { .. }) => {}
                Step::Do(Effect::Close) => self.closed = true,
            }
        }
    }

    fn step(&mut self, from: From) -> Step {
        let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
        let mut out = Output {
            to_client: &mut to_client,
            to_server: &mut to_server,
        };
        let mut cx = Cx {
            rng: &mut self.rng,
            events: &mut self.events,
        };
        let side = match from {
            From::Client => &mut self.client,
            From::Server => &mut self.server,
        };
        let mut input = Input {
            bytes: &mut side.buffer,
            at: side.at,
        };
        let step = match from {
            From::Client => self.session.from_client(&mut input, &mut out, &mut cx),
            From::Server => self.session.from_server(&mut input, &mut out, &mut cx),
        };
        side.at = input.at;
        let (client, server) = match from {
            From::Client => (&[][..], &*side.buffer),
            From::Server => (&*side.buffer, &[][..]),
        };
        self.to_client.extend(to_client.take(client));
        self.to_server.extend(to_server.take(server));
        step
    }
}

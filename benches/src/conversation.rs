//! A session without sockets: what is fed to it comes from a script.

use acra_engine::columns::{Columns, Database};
use acra_engine::crypto::search_hash::SearchKey;
use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::plan::{Planners, Unsupported};
use acra_engine::session::pg::PgSession;
use acra_engine::session::{
    Answer, Ask, ClientTls, Context, Cx, Event, Input, Limits, Output, ScanColumns, Session, Step,
};
use acra_engine::wire::outbox::Outbox;
use std::sync::Arc;

/// A message of the protocol.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("is short");
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// The key that values of all conversations are sealed with.
pub fn key() -> BlockKey {
    BlockKey::new(Secret::from(vec![9; 32])).expect("32 bytes are a key")
}

/// A client that has been let in, and its server.
#[derive(Debug)]
pub struct Conversation<S> {
    session: S,
    keys: Arc<ClientKeys>,
    events: Vec<Event>,
}

/// Columns of this encryptor configuration are protected.
pub(crate) fn context(columns: &str, database: Database) -> Arc<Context> {
    let parsed = Columns::parse(columns.as_bytes(), database).expect("is valid");
    let columns = Arc::new(parsed.columns);
    Arc::new(Context {
        planners: Arc::new(Planners::new(columns, Unsupported::Refuse, 1 << 20)),
        schema_probe: false,
        protects: true,
        client_id: Some(ClientId::new("client").expect("is valid")),
        client_id_variable: None,
        client_tls: ClientTls::Disabled,
        poison: None,
        scan: ScanColumns::Typed,
        limits: Limits::default(),
    })
}

impl Conversation<PgSession> {
    /// With this encryptor configuration.
    pub fn postgres(columns: &str) -> Self {
        let context = context(columns, Database::PostgreSql);
        let mut conversation = Self::of(PgSession::new(context));
        conversation.feed_client(&mut b"\0\0\0\x10\0\x03\0\0user\0x\0\0".to_vec());
        conversation.feed_server(&mut [message(b'R', &[0; 4]), message(b'Z', b"I")].concat());
        conversation
    }
}

impl<S: Session> Conversation<S> {
    /// Before its first byte.
    pub(crate) fn of(session: S) -> Self {
        Self {
            session,
            keys: Arc::new(ClientKeys {
                symmetric: vec![key()],
                search: Some(SearchKey::new(Secret::from(vec![8; 32]))),
                ..ClientKeys::default()
            }),
            events: Vec::new(),
        }
    }

    /// Feeds bytes of the client as one read; gives how many come out.
    pub fn feed_client(&mut self, bytes: &mut Vec<u8>) -> usize {
        self.run(bytes, true)
    }

    /// Feeds bytes of the server as one read; gives how many come out.
    pub fn feed_server(&mut self, bytes: &mut Vec<u8>) -> usize {
        self.run(bytes, false)
    }

    fn run(&mut self, bytes: &mut Vec<u8>, client: bool) -> usize {
        let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
        let mut at = 0;
        loop {
            let mut rng = rand::rng();
            let mut out = Output {
                to_client: &mut to_client,
                to_server: &mut to_server,
            };
            let mut cx = Cx {
                rng: &mut rng,
                events: &mut self.events,
            };
            let mut input = Input { bytes, at };
            let step = match client {
                true => self.session.from_client(&mut input, &mut out, &mut cx),
                false => self.session.from_server(&mut input, &mut out, &mut cx),
            };
            at = input.at;
            match step {
                Step::Ask(Ask::Keys(id)) => {
                    let answer = Answer::Keys(id, Ok(Arc::clone(&self.keys)));
                    self.session.resume(answer);
                }
                Step::Ask(Ask::Tokens(..)) => unreachable!("no column has tokens"),
                Step::Do(_) => self.session.server_dialled(Ok(()), &mut out),
                Step::NeedMore { .. } | Step::Blocked => break,
            }
        }
        self.events.clear();
        let (client, server): (&[u8], &[u8]) = if client { (&[], bytes) } else { (bytes, &[]) };
        to_client.take(client).len() + to_server.take(server).len()
    }
}

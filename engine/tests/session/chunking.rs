//! The same stream cut at any byte gives the same output: over recorded sessions of psql, pgbench and tokio-postgres
//! against PostgreSQL 15, and over a scripted session in which values are sealed and opened.

use crate::driver::{Driver, From};
use crate::script;
use acra_engine::session::pg::PgSession;
use acra_engine::session::{NullSession, Session};
use proptest::prelude::*;
use std::path::Path;

const RECORDINGS: [&str; 5] = [
    "psql",
    "pgbench-simple",
    "pgbench-extended",
    "pgbench-prepared",
    "tokio-postgres",
];

/// SSLRequest, which a session answers itself.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

pub(crate) struct Recording {
    pub(crate) client: Vec<u8>,
    pub(crate) server: Vec<u8>,
    order: Vec<(From, usize)>,
}

impl Recording {
    pub(crate) fn load(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/recordings")
            .join(name);
        let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
        let order = String::from_utf8(read("order.txt")).unwrap();
        let order = order
            .lines()
            .map(|line| {
                let (sign, length) = line.split_once(' ').unwrap();
                (
                    if sign == ">" {
                        From::Client
                    } else {
                        From::Server
                    },
                    length.parse().unwrap(),
                )
            })
            .collect();
        Self {
            client: read("client.bin"),
            server: read("server.bin"),
            order,
        }
    }

    /// The recording without a refused SSLRequest at its start.
    fn without_tls_request(mut self) -> Self {
        if self.client.starts_with(&TLS_REQUEST) {
            assert_eq!(
                self.order[..2],
                [(From::Client, TLS_REQUEST.len()), (From::Server, 1)]
            );
            self.client.drain(..TLS_REQUEST.len());
            self.server.drain(..1);
            self.order.drain(..2);
        }
        self
    }

    /// What a session makes of it when every piece is cut into pieces of these lengths, over and over.
    pub(crate) fn play(&self, session: impl Session, cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
        let mut driver = Driver::new(session);
        driver.feed(From::Client, &[]);
        let (mut client, mut server) = (&self.client[..], &self.server[..]);
        let mut cuts = cuts.iter().cycle();
        for (from, length) in &self.order {
            let stream = if *from == From::Client {
                &mut client
            } else {
                &mut server
            };
            let (mut piece, rest) = stream.split_at(*length);
            *stream = rest;
            while !piece.is_empty() {
                let (now, later) = piece.split_at(piece.len().min(*cuts.next().unwrap()));
                driver.feed(*from, now);
                piece = later;
            }
        }
        assert_eq!(driver.events, []);
        (driver.to_client, driver.to_server)
    }
}

fn recordings() -> impl Iterator<Item = (&'static str, Recording)> {
    RECORDINGS
        .into_iter()
        .map(|name| (name, Recording::load(name).without_tls_request()))
}

#[test]
fn recorded_sessions_pass_byte_for_byte() {
    for (name, recording) in recordings() {
        for cuts in [&[usize::MAX][..], &[1], &[5, 1, 7]] {
            let (to_client, to_server) = recording.play(script::forwarding_session(), cuts);
            assert!(
                to_client == recording.server,
                "{name}: the client got something else"
            );
            assert!(
                to_server == recording.client,
                "{name}: the server got something else"
            );
        }
    }
}

#[test]
fn the_empty_session_passes_everything() {
    for (_, recording) in recordings() {
        let (to_client, to_server) = recording.play(NullSession::default(), &[100]);
        assert!(to_client == recording.server && to_server == recording.client);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cutting_of_a_recorded_session_gives_the_same(cuts in proptest::collection::vec(1usize..400, 1..20)) {
        for (_, recording) in recordings() {
            let (to_client, to_server) = recording.play(script::forwarding_session(), &cuts);
            prop_assert!(to_client == recording.server && to_server == recording.client);
        }
    }

    #[test]
    fn any_cutting_of_a_protected_session_gives_the_same(cuts in proptest::collection::vec(1usize..200, 1..20)) {
        let whole = script::protected_conversation(&[usize::MAX]);
        let cut = script::protected_conversation(&cuts);
        prop_assert!(whole == cut);
    }

    #[test]
    fn no_bytes_make_a_session_panic(
        pieces in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..20),
        live in any::<bool>(),
    ) {
        let mut driver: Driver<PgSession> = script::protecting_driver();
        if live {
            script::start(&mut driver);
        }
        for (client, bytes) in pieces {
            driver.feed(if client { From::Client } else { From::Server }, &bytes);
        }
    }

    #[test]
    fn no_messages_make_a_session_panic(
        pieces in proptest::collection::vec((any::<bool>(), "[QPBDCEFSHXdcfpZTtE123nsIGWHKRVA]", proptest::collection::vec(0u8..128, 0..30)), 0..30),
    ) {
        let mut driver = script::protecting_driver();
        script::start(&mut driver);
        for (client, tag, body) in pieces {
            let message = crate::messages::message(tag.as_bytes()[0], &body);
            driver.feed(if client { From::Client } else { From::Server }, &message);
        }
    }
}

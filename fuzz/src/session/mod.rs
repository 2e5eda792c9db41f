//! Sessions that get deep: a client that stores protected values in every way it knows, and a model of a server that
//! answers it.
//!
//! What is asserted:
//!
//! * no value of the client reaches the server, whole or half, in clear, in hex or in escapes ([`script`] says why none
//!   may), and every container that reaches it holds exactly such a value;
//! * what the server has stored in containers reaches the client opened, and never closed;
//! * the client gets an answer for every answer of the server, the same or, where the engine has refused something, an
//!   error of its own; and at the end a query is answered;
//! * the output is the same however the bytes are cut.

pub(crate) mod marker;
mod script;
mod server;

use crate::driver::{Driver, From};
use crate::fixture::{CLIENT, block, columns, context, keys, pieces, show};
use crate::messages::{bind, execute, message, parse, query, ready, split, startup, sync, tags};
use acra_engine::session::ScanColumns;
use acra_engine::session::pg::PgSession;
use acra_engine::session::{Activity, Session as _};
use arbitrary::{Arbitrary, Unstructured};
use marker::STRAY;
use memchr::memmem;
use script::{PLAIN_NAME, Script, Step, Values, portal_name, statement_name};
use server::{STORED, Server};
use std::sync::Arc;

/// The target.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    show(|| format!("{script:#?}"));
    let mut play = Play::new(&script);
    for step in &script.steps {
        if play.driver.closed || play.server.closed {
            break;
        }
        play.step(step);
    }
    if !play.driver.closed {
        play.end();
    }
    let Play { driver, fed, .. } = play;
    let mut other = started(&script);
    for (from, bytes) in &fed {
        for piece in pieces(bytes, &script.cuts) {
            other.feed(*from, piece);
        }
    }
    assert!(
        driver.to_client == other.to_client,
        "the client sees the cutting"
    );
    assert!(
        driver.to_server == other.to_server,
        "the server sees the cutting"
    );
}

/// A session in which the client has been let in.
fn started(script: &Script) -> Driver<PgSession> {
    let scan = match script.scans_all {
        true => ScanColumns::All,
        false => ScanColumns::Typed,
    };
    let session = PgSession::new(context(columns(), scan));
    let mut driver = Driver::new(session).with_keys(CLIENT, Arc::clone(keys()));
    driver.feed(From::Client, &startup());
    driver.feed(
        From::Server,
        &[message(b'R', &[0; 4]), ready(b'I')].concat(),
    );
    driver.to_client.clear();
    driver.to_server.clear();
    driver
}

struct Play {
    driver: Driver<PgSession>,
    server: Server,
    values: Values,
    /// How much of what has left for the server it has taken.
    taken: usize,
    /// What the server has sent.
    answers: Vec<(u8, Vec<u8>)>,
    fed: Vec<(From, Vec<u8>)>,
}

impl Play {
    fn new(script: &Script) -> Self {
        Self {
            driver: started(script),
            server: Server::default(),
            values: Values::default(),
            taken: 0,
            answers: Vec::new(),
            fed: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Query(statements) => {
                let texts: Vec<String> = statements
                    .iter()
                    .map(|statement| statement.write(&mut self.values))
                    .collect();
                self.send(query(&texts.join("; ")));
            }
            Step::Parse {
                name,
                statement,
                declares,
            } => {
                let types: &[u32] = match declares {
                    None => &[],
                    Some(false) => &[25, 23],
                    Some(true) => &[17],
                };
                let text = statement.write(&mut self.values);
                self.send(parse(statement_name(*name), &text, types));
            }
            Step::ParsePlain { statement } => {
                self.send(parse(PLAIN_NAME, statement.write(), &[]));
            }
            Step::Bind {
                portal,
                name,
                binary,
                form,
            } => {
                let value = form.write(*binary, &mut self.values);
                let number: &[u8] = if *binary { &[0, 0, 0, 2] } else { b"2" };
                let values = [value.as_deref(), Some(number)];
                let name = statement_name(*name);
                self.send(bind(
                    portal_name(*portal),
                    name,
                    u16::from(*binary),
                    &values,
                ));
            }
            Step::BindPlain { binary } => {
                self.send(bind(PLAIN_NAME, PLAIN_NAME, u16::from(*binary), &[]));
            }
            Step::Describe(what) => self.send(message(b'D', &named(*what))),
            Step::Close(what) => self.send(message(b'C', &named(*what))),
            Step::Execute { portal } => self.send(execute(portal_name(*portal))),
            Step::Sync => self.send(sync()),
            Step::Flush => self.send(message(b'H', b"")),
            Step::FunctionCall => self.send(message(b'F', &[0; 10])),
            Step::Copy(copy) => self.copy(copy),
            Step::StrayData => self.send(message(b'd', format!("{STRAY}\n").as_bytes())),
            Step::StrayEnd { fails: false } => self.send(message(b'c', b"")),
            Step::StrayEnd { fails: true } => self.send(message(b'f', b"no reason\0")),
            Step::Serve(count) => {
                for _ in 0..*count {
                    self.serve();
                }
            }
            Step::Fail(after) => self.server.fails = Some(*after),
        }
    }

    fn copy(&mut self, copy: &script::Copy) {
        let text = copy.statement();
        let data = copy.data(&mut self.values);
        if copy.waits {
            // A client that waits has come to the end of what it had begun.
            self.send(sync());
            while self.serve() {}
        }
        if copy.extended {
            self.send(parse(PLAIN_NAME, &text, &[]));
            self.send(bind(PLAIN_NAME, PLAIN_NAME, 0, &[]));
            self.send(execute(PLAIN_NAME));
        } else {
            self.send(query(&text));
        }
        if copy.waits {
            while self.serve() {}
            if !self.server.copies_in() {
                return;
            }
        }
        for piece in data {
            self.send(message(b'd', &piece));
        }
        match copy.end {
            None => {}
            Some(true) => self.send(message(b'c', b"")),
            Some(false) => self.send(message(b'f', b"gave up\0")),
        }
    }

    fn send(&mut self, message: Vec<u8>) {
        self.feed(From::Client, message);
    }

    fn feed(&mut self, from: From, bytes: Vec<u8>) {
        let to_server = self.driver.to_server.len();
        let to_client = self.driver.to_client.len();
        show(|| format!("{from:?}: {}", bytes.escape_ascii()));
        self.driver.feed(from, &bytes);
        let left = &self.driver.to_server[to_server..];
        show(|| format!("    to the server: {}", left.escape_ascii()));
        self.fed.push((from, bytes));
        self.check_server(to_server);
        self.check_client(to_client);
    }

    /// The server takes one message, if there is one.
    fn serve(&mut self) -> bool {
        let left = &self.driver.to_server[self.taken..];
        let [tag, a, b, c, d, ..] = *left else {
            assert!(left.is_empty(), "half a header");
            return false;
        };
        let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
        let body = left[5..length].to_vec();
        self.taken += length;
        for answer in self.server.take(tag, &body) {
            self.answers.extend(split(&answer));
            self.feed(From::Server, answer);
        }
        true
    }

    /// What has left for the server since.
    fn check_server(&self, since: usize) {
        let new = &self.driver.to_server[since..];
        if let Some(found) = marker::found(new) {
            panic!("{found} has left for the server: {}", new.escape_ascii());
        }
        for value in marker::sealed(new) {
            assert!(
                marker::is_value(&value),
                "sealed, but not what the client has written: {}",
                value.escape_ascii()
            );
        }
    }

    /// What has left for the client since.
    fn check_client(&self, since: usize) {
        let new = &self.driver.to_client[since..];
        let stored = block(STORED);
        let hex = const_hex::encode(&stored);
        let closed = memmem::find(new, hex.as_bytes()).or_else(|| memmem::find(new, &stored));
        assert!(
            closed.is_none(),
            "a closed container has left for the client"
        );
    }

    /// Ends what is under way and asks something; the answer shows that both sides agree on where they are.
    fn end(&mut self) {
        self.server.fails = None;
        self.send(message(b'f', b"the end\0"));
        self.send(sync());
        while self.serve() {}
        self.send(query("ROLLBACK"));
        while self.serve() {}
        if self.driver.closed || self.server.closed {
            self.check_answers();
            return;
        }
        let before = self.driver.to_client.len();
        self.send(query("SELECT id, ssn, name FROM customers"));
        while self.serve() {}
        assert_eq!(tags(&self.driver.to_client[before..]), "TDDCZ");
        assert_eq!(self.driver.session().activity(), Activity::Idle);
        self.check_answers();
    }

    /// The client has got an answer for every answer: the server's, or our error in the place of one that we provoked.
    fn check_answers(&self) {
        let got = split(&self.driver.to_client);
        let of =
            |answers: &[(u8, Vec<u8>)]| answers.iter().map(|(tag, _)| *tag).collect::<Vec<_>>();
        assert_eq!(
            of(&self.answers).escape_ascii().to_string(),
            of(&got).escape_ascii().to_string()
        );
        if self.server.closed {
            // The client went on within a COPY: what it is told of that is the server's or ours.
            return;
        }
        for ((tag, sent), (_, got)) in self.answers.iter().zip(&got) {
            let provoked = *tag == b'E'
                && [&b"at or near \"acra\""[..], b"acra-server refused the data"]
                    .iter()
                    .any(|text| memmem::find(sent, text).is_some());
            if provoked {
                assert_ne!(sent, got, "an error of a message that we have put in");
            } else if *tag == b'E' {
                assert_eq!(sent, got, "an error of the server's own");
            }
        }
    }
}

/// Kind and name for Describe and Close.
fn named(what: u8) -> Vec<u8> {
    let (kind, name) = match what % 2 {
        0 => (
            b'S',
            [statement_name(what / 2), PLAIN_NAME][usize::from(what / 8 % 2)],
        ),
        _ => (b'P', portal_name(what / 2)),
    };
    [&[kind], name.as_bytes(), b"\0"].concat()
}

//! Sessions of MySQL that get deep: a client that stores protected values in every way it knows, and a model of a server
//! that answers it.
//!
//! What is asserted:
//!
//! * no value of the client reaches the server, whole or half, in clear, in hex or in bits, and every container that reaches
//!   it holds exactly such a value;
//! * what the server has stored in containers reaches the client opened, and never closed;
//! * at the end a query is answered, by rows of the right numbers;
//! * the output is the same however the bytes are cut.

mod script;
mod server;

use crate::driver::{Driver, From};
use crate::fixture::{CLIENT, block, context, keys, mysql_columns, pieces, show};
use crate::mysql_messages::{USED, let_in, packet, packets};
use crate::session::marker;
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::{Activity, ScanColumns, Session as _};
use acra_engine::wire::mysql::{Scan, lenenc, scan};
use arbitrary::{Arbitrary, Unstructured};
use memchr::memmem;
use script::{Form, PLAIN, Script, Step, Values};
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
        play.step(step);
    }
    play.end();
    let Play { driver, fed, .. } = play;
    let mut other = started(&script);
    for (from, bytes) in &fed {
        other.feed_pieces(*from, pieces(bytes, &script.cuts));
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
fn started(script: &Script) -> Driver<MySqlSession> {
    let scan = match script.scans_all {
        true => ScanColumns::All,
        false => ScanColumns::Typed,
    };
    let session = MySqlSession::new(context(mysql_columns(), scan), Arc::default());
    let mut driver = Driver::new(session).with_keys(CLIENT, Arc::clone(keys()));
    let_in(&mut driver, USED);
    driver
}

struct Play {
    driver: Driver<MySqlSession>,
    server: Server,
    values: Values,
    /// How much of what has left for the server it has taken.
    taken: usize,
    fed: Vec<(From, Vec<u8>)>,
}

impl Play {
    fn new(script: &Script) -> Self {
        Self {
            driver: started(script),
            server: Server::default(),
            values: Values::default(),
            taken: 0,
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
                self.text(&texts.join(";\n"));
            }
            Step::Plain(which) => self.text(PLAIN[usize::from(*which) % PLAIN.len()]),
            Step::Prepare(which, literal) => {
                let text = script::prepared(*which, *literal, &mut self.values);
                self.send(&[b"\x16", text.as_bytes()].concat());
            }
            Step::LongData { statement, parts } => {
                let value = self.values.next();
                let length = value.len() / (usize::from(parts % 3) + 1) + 1;
                for part in value.as_bytes().chunks(length) {
                    self.send(&[&[0x18][..], &number(*statement), &[0, 0], part].concat());
                }
            }
            Step::Execute {
                statement,
                form,
                types,
            } => self.execute(*statement, *form, *types),
            Step::Reset(statement) => self.send(&[&[0x1a][..], &number(*statement)].concat()),
            Step::Close(statement) => self.send(&[&[0x19][..], &number(*statement)].concat()),
            Step::Ping => self.send(&[0x0e]),
            Step::ResetConnection => self.send(&[0x1f]),
            Step::Serve(count) => {
                for _ in 0..*count {
                    self.serve();
                }
            }
            Step::Fail(after) => self.server.fails = Some(*after),
        }
    }

    fn text(&mut self, text: &str) {
        self.send(&[b"\x03", text.as_bytes()].concat());
    }

    fn execute(&mut self, statement: u8, form: Form, types: bool) {
        let kind = match form {
            Form::Null | Form::Text => 253,
            Form::Blob => 252,
            Form::Number => 3,
        };
        let mut command = [&[0x17][..], &number(statement), &[0, 1, 0, 0, 0]].concat();
        command.push(u8::from(form == Form::Null));
        command.push(u8::from(types));
        if types {
            command.extend_from_slice(&[kind, 0, 3, 0]);
        }
        match form {
            Form::Null => {}
            Form::Text | Form::Blob => {
                lenenc::write_string(&mut command, self.values.next().as_bytes());
            }
            Form::Number => {
                let value: i32 = marker::NUMBER.parse().expect("a number");
                command.extend_from_slice(&value.to_le_bytes());
            }
        }
        command.extend_from_slice(&ID.to_le_bytes());
        self.send(&command);
    }

    fn send(&mut self, payload: &[u8]) {
        self.feed(From::Client, packet(0, payload));
    }

    fn feed(&mut self, from: From, bytes: Vec<u8>) {
        if self.driver.closed {
            return;
        }
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

    /// The server takes one command, if there is one.
    fn serve(&mut self) -> bool {
        let message = match scan(&self.driver.to_server, self.taken) {
            Scan::Message(message) => message,
            Scan::Incomplete(_) => {
                assert!(self.taken == self.driver.to_server.len() || self.driver.closed);
                return false;
            }
            Scan::OutOfOrder => panic!("numbers of a command are out of order"),
        };
        assert_eq!(message.sequence, 0, "the number of a command");
        let command = message.payload(&self.driver.to_server).into_owned();
        self.taken = message.range.end;
        let answer = self.server.take(&command);
        self.feed(From::Server, answer);
        true
    }

    /// What has left for the server since.
    fn check_server(&self, since: usize) {
        let new = &self.driver.to_server[since..];
        if let Some(found) = found(new) {
            panic!("{found} has left for the server: {}", new.escape_ascii());
        }
        for value in marker::sealed(new) {
            // With NO_BACKSLASH_ESCAPES a backslash is one. Parts of a value may come one after the other.
            let value: Vec<u8> = value.into_iter().filter(|byte| *byte != b'\\').collect();
            let mut parts = value.chunks(marker::value(0).len());
            assert!(
                marker::is_value(&value) || parts.all(marker::is_value),
                "sealed, but not what the client has written: {}",
                value.escape_ascii()
            );
        }
    }

    /// What has left for the client since.
    fn check_client(&self, since: usize) {
        let new = &self.driver.to_client[since..];
        assert!(
            memmem::find(new, &block(STORED)).is_none(),
            "a closed container has left for the client"
        );
    }

    /// Ends what is under way and asks something; the answer shows that both sides agree on where they are.
    fn end(&mut self) {
        while self.serve() {}
        self.server.fails = None;
        for text in [
            "ROLLBACK",
            "SET sql_mode = ''",
            "SET NAMES utf8mb4",
            "USE test",
        ] {
            self.text(text);
            while self.serve() {}
        }
        if self.driver.closed {
            return;
        }
        let before = self.driver.to_client.len();
        self.text("SELECT id, ssn, name FROM customers");
        while self.serve() {}
        let answer = packets(&self.driver.to_client[before..]);
        let numbers: Vec<u8> = answer.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        assert!(memmem::find(&answer[5].1, STORED).is_some(), "no row");
        assert_eq!(self.driver.session().activity(), Activity::Idle);
    }
}

/// What is bound behind a value.
const ID: i32 = 7;

/// One of the first statements.
fn number(statement: u8) -> [u8; 4] {
    (1 + u32::from(statement % 6)).to_le_bytes()
}

/// Where a value, or half of one, is in these bytes in any notation.
fn found(bytes: &[u8]) -> Option<&'static str> {
    // The four bytes alone are in ciphertext by chance, once in some millions of containers; not what comes behind them.
    let number: i32 = marker::NUMBER.parse().expect("a number");
    let bound = [number.to_le_bytes(), ID.to_le_bytes()].concat();
    if memmem::find(bytes, &bound).is_some() {
        return Some("a number");
    }
    let plain: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| *byte != b'\\')
        .collect();
    marker::found(bytes)
        .or_else(|| marker::found(&plain))
        .or_else(|| {
            let half = |half: &&str| memmem::find(bytes, script::bits(half).as_bytes()).is_some();
            marker::HALVES.into_iter().find(|text| half(text))
        })
}

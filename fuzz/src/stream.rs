//! A session of PostgreSQL or MySQL fed with any bytes from both sides: no panic, and the same output however they are cut.

use crate::driver::{Driver, From};
use crate::fixture::{CLIENT, columns, context, keys, mysql_columns, pieces};
use crate::messages::{message, ready, startup};
use crate::mysql_messages::{USED, let_in};
use acra_engine::columns::Columns;
use acra_engine::session::ScanColumns;
use acra_engine::session::Session;
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::pg::PgSession;
use acra_engine::wire::mysql::packet::{HEADER, Header};
use std::fmt;
use std::sync::Arc;

/// ```text
/// 0   1  flags: 1 columns are protected, 2 all cells are looked into, 4 the client has been let in, 8 the server closes
/// 1   1  number of cuts, n
/// 2   n  lengths of pieces less one
/// ..     turns: kind (0 client, 1 server), length LE16, bytes; the last one may be shorter
/// ```
struct Input<'a> {
    flags: u8,
    cuts: &'a [u8],
    turns: Vec<(From, &'a [u8])>,
}

impl<'a> Input<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let [flags, cuts, rest @ ..] = data else {
            return None;
        };
        let (cuts, mut rest) = rest.split_at_checked(usize::from(*cuts))?;
        let mut turns = Vec::new();
        while let [kind, low, high, after @ ..] = rest {
            let from = match kind % 2 {
                0 => From::Client,
                _ => From::Server,
            };
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            let (bytes, after) = after.split_at(length.min(after.len()));
            turns.push((from, bytes));
            rest = after;
        }
        Some(Self {
            flags: *flags,
            cuts,
            turns,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn scan(&self) -> ScanColumns {
        match self.has(2) {
            true => ScanColumns::All,
            false => ScanColumns::Typed,
        }
    }
}

/// A seed of what both sides have sent, in pieces of any length.
pub fn seed(flags: u8, turns: &[(bool, &[u8])]) -> Vec<u8> {
    let mut seed = vec![flags, 0];
    for (is_client, bytes) in turns {
        for bytes in bytes.chunks(usize::from(u16::MAX)) {
            seed.push(u8::from(!is_client));
            seed.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            seed.extend_from_slice(bytes);
        }
    }
    seed
}

/// The target of PostgreSQL.
pub fn run(data: &[u8]) {
    let start = |input: &Input<'_>| {
        let columns = match input.has(1) {
            true => columns(),
            false => Arc::new(Columns::empty()),
        };
        let mut driver = Driver::new(PgSession::new(context(columns, input.scan())));
        if input.has(4) {
            driver.feed(From::Client, &startup());
            let welcome = [message(b'R', &[0; 4]), ready(b'I')].concat();
            driver.feed(From::Server, &welcome);
        }
        driver
    };
    run_with(data, start, Outcome::eq);
}

/// The target of MySQL.
pub fn run_mysql(data: &[u8]) {
    let start = |input: &Input<'_>| {
        let columns = match input.has(1) {
            true => mysql_columns(),
            false => Arc::new(Columns::empty()),
        };
        let mut driver = Driver::new(MySqlSession::new(
            context(columns, input.scan()),
            Arc::default(),
        ));
        match input.has(4) {
            true => let_in(&mut driver, USED),
            false => driver.feed(From::Client, &[]),
        }
        driver
    };
    run_with(data, start, Outcome::agrees_but_for_the_fault);
}

fn run_with<S: Session>(
    data: &[u8],
    start: impl Fn(&Input<'_>) -> Driver<S>,
    agree: fn(&Outcome, &Outcome) -> bool,
) {
    let Some(input) = Input::read(data) else {
        return;
    };
    let play = |cuts| play(start(&input), &input, cuts);
    let (whole, cut) = (play(&[]), play(input.cuts));
    assert!(agree(&whole, &cut), "the cutting is seen: {whole} {cut}");
}

/// What a session made of its bytes.
#[derive(PartialEq, Eq)]
struct Outcome {
    to_client: Vec<u8>,
    to_server: Vec<u8>,
    over: bool,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (client, server) = (self.to_client.escape_ascii(), self.to_server.escape_ascii());
        write!(f, "[{client}] [{server}] {}", self.over)
    }
}

impl Outcome {
    /// Whether both are the same, but for the words on what ended them: of several faults in a packet the one is told that
    /// is seen first, which may be before all of it is there.
    fn agrees_but_for_the_fault(&self, other: &Self) -> bool {
        self.over == other.over
            && self.to_server == other.to_server
            && match self.over {
                true => {
                    without_last_packet(&self.to_client) == without_last_packet(&other.to_client)
                }
                false => self.to_client == other.to_client,
            }
    }
}

/// Packets of MySQL but the last one.
fn without_last_packet(bytes: &[u8]) -> &[u8] {
    let (mut at, mut last) = (0, 0);
    while let Some(header) = Header::read(bytes, at) {
        last = at;
        at += HEADER + header.length;
    }
    &bytes[..last]
}

fn play<S: Session>(driver: Driver<S>, input: &Input<'_>, cuts: &[u8]) -> Outcome {
    let mut driver = driver.with_keys(CLIENT, Arc::clone(keys()));
    for (from, bytes) in &input.turns {
        driver.feed_pieces(*from, pieces(bytes, cuts));
    }
    if input.has(8) {
        driver.server_closes();
    }
    let _ = driver.session().activity();
    Outcome {
        to_client: driver.to_client,
        to_server: driver.to_server,
        over: driver.closed,
    }
}

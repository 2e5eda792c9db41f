//! A session fed with any bytes from both sides: no panic, and the same output however they are cut.

use crate::driver::{Driver, From};
use crate::fixture::{CLIENT, columns, context, keys, pieces};
use crate::messages::{message, ready, startup};
use acra_engine::columns::Columns;
use acra_engine::session::ScanColumns;
use acra_engine::session::Session as _;
use acra_engine::session::pg::PgSession;
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

/// The target.
pub fn run(data: &[u8]) {
    let Some(input) = Input::read(data) else {
        return;
    };
    let whole = play(&input, &[]);
    let cut = play(&input, input.cuts);
    assert!(
        whole == cut,
        "the cutting is seen: {} {} {}, {} {} {}",
        whole.0.escape_ascii(),
        whole.1.escape_ascii(),
        whole.2,
        cut.0.escape_ascii(),
        cut.1.escape_ascii(),
        cut.2
    );
}

/// What a session made of it: to the client, to the server, whether it is over.
fn play(input: &Input<'_>, cuts: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
    let columns = match input.has(1) {
        true => columns(),
        false => Arc::new(Columns::empty()),
    };
    let scan = match input.has(2) {
        true => ScanColumns::All,
        false => ScanColumns::Typed,
    };
    let session = PgSession::new(context(columns, scan));
    let mut driver = Driver::new(session).with_keys(CLIENT, Arc::clone(keys()));
    if input.has(4) {
        driver.feed(From::Client, &startup());
        driver.feed(
            From::Server,
            &[message(b'R', &[0; 4]), ready(b'I')].concat(),
        );
    }
    for (from, bytes) in &input.turns {
        for piece in pieces(bytes, cuts) {
            driver.feed(*from, piece);
        }
    }
    if input.has(8) {
        driver.server_closes();
    }
    let _ = driver.session().activity();
    let over = driver.closed;
    (driver.to_client, driver.to_server, over)
}

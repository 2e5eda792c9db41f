//! COPY with protected columns: rows are sealed and opened as a stream (PostgreSQL documentation, "COPY Operations").
//!
//! `split` finds cells in the three formats (`lines`, `binary`), `stream` replaces some of them, `sealing` and `opening`
//! say by what; `client` and `server` take the messages of either side. A message of the client is worked on in slices of
//! a fixed size, so that what leaves does not depend on how the bytes arrive, and only one cell is ever held. One of the
//! server, which is a row, stays one message: clients count on it.

mod binary;
mod client;
mod lines;
mod opening;
mod sealing;
mod server;
mod split;
mod stream;
mod writing;

#[cfg(test)]
mod tests;

use crate::plan::{ClientEncoding, CopyIn, CopyOut};
use crate::session::stored::Stored;
use crate::session::{Input, Step};
use crate::wire::outbox::Outbox;
use crate::wire::pg::Frame;
use crate::wire::pg::frame::{HEADER, set_length};
pub(super) use client::Copied;
use std::ops::Range;
use std::sync::Arc;
use stream::Stream;

/// Bytes of a CopyData message that are worked on at once.
const SLICE: usize = 32 << 10;

/// The copies of a session; there is at most one in each direction.
#[derive(Debug, Default)]
pub(super) struct Copies {
    from_client: FromClient,
    /// Bytes of a CopyData message of the client that have not been sealed yet.
    client_left: usize,
    from_server: Option<Box<Outgoing>>,
    /// Bytes of a CopyData message of the server that have not been opened yet.
    server_left: usize,
    /// The server takes `\.` on a line of CSV for the end of the data, as it did before version 18.
    csv_marker: bool,
}

/// What happens to the client's CopyData.
#[derive(Debug, Default)]
enum FromClient {
    /// It passes.
    #[default]
    Passing,
    /// Cells are sealed.
    Sealing(Box<Incoming>),
    /// The COPY has failed; what the client still sends for it must not reach the server.
    Dropping,
}

/// Rows on their way into a protected table.
#[derive(Debug)]
struct Incoming {
    plan: Arc<CopyIn>,
    encoding: ClientEncoding,
    stream: Stream,
    /// Length of the longest message that was made, for which room is made at once.
    room: usize,
    /// The longest container so far.
    longest: Option<Stored>,
}

/// Rows on their way to the client.
#[derive(Debug)]
struct Outgoing {
    plan: Arc<CopyOut>,
    stream: Stream,
    /// What leaves in the place of a row, used again from row to row.
    data: Vec<u8>,
}

impl Copies {
    /// Takes note of the server's version, as it reports it.
    pub(super) fn server_version(&mut self, version: &[u8]) {
        let digits = version.iter().take_while(|byte| byte.is_ascii_digit());
        let major = digits.fold(0_u32, |major, digit| {
            major
                .saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'))
        });
        self.csv_marker = (1..18).contains(&major);
    }
}

/// A slice of a CopyData message, as a place in a buffer.
struct Slice {
    /// Its bytes.
    body: Range<usize>,
    /// Where the message begins, if the slice is all of it.
    whole: Option<usize>,
}

impl Slice {
    /// The first slice of a message: all of it, if its body is not longer than `most`.
    fn first(frame: &Frame, most: usize) -> Self {
        let (start, body) = (frame.range.start, frame.range.len() - HEADER);
        let length = match body > most {
            true => body.min(SLICE),
            false => body,
        };
        Self {
            body: start + HEADER..start + HEADER + length,
            whole: (length == body).then_some(start),
        }
    }

    /// A later slice, of which so much is left from `at` on.
    fn later(at: usize, left: usize) -> Self {
        Self {
            body: at..at + left.min(SLICE),
            whole: None,
        }
    }

    /// The slice if all of it is there.
    fn arrived(self, input: &Input<'_>) -> Result<Self, Step> {
        match self.body.end > input.bytes.len() {
            true => Err(Step::NeedMore {
                want: self.body.end - input.at,
            }),
            false => Ok(self),
        }
    }

    /// Sends it as it is.
    fn pass(&self, buffer: &mut [u8], out: &mut Outbox) {
        if let Some(start) = self.whole {
            out.pass(buffer, start..self.body.end);
            return;
        }
        let length = u32::try_from(self.body.len() + 4).unwrap_or(u32::MAX);
        out.push([&b"d"[..], &length.to_be_bytes()].concat());
        out.pass(buffer, self.body.clone());
    }

    /// Sends other data in its place, in the buffer itself if there is room.
    fn replace(&self, data: &[u8], buffer: &mut [u8], out: &mut Outbox) {
        let end = self.body.start + data.len();
        if let Some(start) = self.whole
            && end <= self.body.end
            && !data.is_empty()
            && let Some(message) = buffer.get_mut(start..end)
            && let Some(body) = message.get_mut(HEADER..)
        {
            body.copy_from_slice(data);
            set_length(message);
            out.pass(buffer, start..end);
            return;
        }
        let mut message = new_message(data.len());
        message.extend_from_slice(data);
        send(message, out);
    }
}

/// A CopyData message to which its data are appended.
fn new_message(expected: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + expected);
    message.resize(HEADER, b'd');
    message
}

/// Sends a message that [`new_message`] began, unless there are no data in it.
fn send(mut message: Vec<u8>, out: &mut Outbox) {
    if message.len() > HEADER {
        set_length(&mut message);
        out.push(message);
    }
}

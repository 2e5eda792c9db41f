//! Packets on their way: numbering them, and passing messages that are not looked into.
//!
//! Each connection counts the packets of a command and of its answer. We may add and drop packets, so both connections
//! have counts of their own, and every packet leaves with the number that its receiver expects.

use crate::session::Input;
use crate::session::passing::{drop_on, pass_on};
use crate::wire::mysql::Message;
use crate::wire::mysql::packet::{HEADER, Header, MAX_PAYLOAD, renumber};
use crate::wire::outbox::Outbox;

/// The numbers of the next packets on both connections, whoever sends them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) client: u8,
    pub(super) server: u8,
}

/// Gives the number, and counts on.
pub(super) fn take(number: &mut u8) -> u8 {
    let now = *number;
    *number = number.wrapping_add(1);
    now
}

/// Where the rest of a message goes that is not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Course {
    #[default]
    Pass,
    Drop,
}

/// A message of which not all has arrived.
#[derive(Debug, Default)]
pub(super) struct Passing {
    course: Course,
    /// Bytes of the current packet.
    left: usize,
    /// Another packet follows.
    continued: bool,
    /// It is a command that is answered.
    answered: bool,
}

/// How far a message has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Through.
    Done,
    /// So many bytes are needed at once.
    Wants(usize),
    /// A packet has not the number that it should have.
    OutOfOrder,
}

impl Passing {
    pub(super) fn is_under_way(&self) -> bool {
        self.left > 0 || self.continued
    }

    /// Whether the entry of the ledger that was made last is that of this message.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// The message at the front of the input passes.
    pub(super) fn pass(&mut self, answered: bool) {
        self.begin(Course::Pass, answered);
    }

    /// The message at the front of the input is dropped.
    pub(super) fn drop(&mut self) {
        self.begin(Course::Drop, true);
    }

    fn begin(&mut self, course: Course, answered: bool) {
        *self = Self {
            course,
            left: 0,
            continued: true,
            answered,
        };
    }

    /// Moves what is there. `from` and `to` are the numbers of the next packets on the sender's and on the receiver's
    /// connection; the sender's is compared if `strict`.
    pub(super) fn go_on(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Outbox,
        from: &mut u8,
        to: &mut u8,
        strict: bool,
    ) -> Progress {
        loop {
            let moved = match self.course {
                Course::Pass => pass_on(&mut self.left, input, out),
                Course::Drop => drop_on(&mut self.left, input),
            };
            if !moved {
                return Progress::Wants(1);
            }
            if !self.continued {
                return Progress::Done;
            }
            let Some(header) = Header::read(input.bytes, input.at) else {
                return Progress::Wants(HEADER);
            };
            let expected = take(from);
            if strict && header.sequence != expected {
                return Progress::OutOfOrder;
            }
            if self.course == Course::Pass {
                renumber(input.bytes, input.at, take(to));
            }
            self.left = HEADER + header.length;
            self.continued = header.is_continued();
        }
    }
}

/// Passes a message that is there, with new numbers.
pub(super) fn forward(message: &Message, input: &mut Input<'_>, out: &mut Outbox, number: &mut u8) {
    for packet in 0..message.packets {
        let at = message.range.start + packet * (HEADER + MAX_PAYLOAD);
        renumber(input.bytes, at, take(number));
    }
    out.pass(input.bytes, message.range.clone());
}

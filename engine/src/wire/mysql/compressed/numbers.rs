//! The numbers of compressed packets, and where commands begin.

use super::Fault;
use super::inner::Inner;
use super::packets::Packets;
use crate::wire::mysql::packet::HEADER;

/// Who we are on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The peer is a client.
    Server,
    /// The peer is a database.
    Client,
}

/// Number of a packet of LOAD DATA after which they begin anew.
const LAST: u8 = u8::MAX;

/// The numbers of one connection.
///
/// Towards a database, a compressed packet never begins before a command and ends within it, as the command's first one has the
/// number zero. Where a command begins is told by the number of its packet, which is zero too; only a file's packets come back to
/// zero while nothing is answered.
#[derive(Debug)]
pub struct Numbers {
    role: Role,
    /// Of the next compressed packet that is sent.
    next: u8,
    /// After that which was received last.
    expected: u8,
    /// Those that are sent to a database.
    packets: Packets,
    /// Number of the packet that was sent last.
    last: u8,
    /// Something has been received since the last was sent.
    answered: bool,
    /// Of packets towards a client.
    inner: Inner,
}

impl Numbers {
    /// A connection on which compression begins.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            next: 0,
            expected: 0,
            packets: Packets::default(),
            last: 0,
            answered: true,
            inner: Inner::default(),
        }
    }

    /// Takes note of a compressed packet that the peer has sent.
    ///
    /// # Errors
    ///
    /// Its number is neither the next one, nor that with which a command, or the answer to one, begins. A database may still be
    /// answering a command when the next one has been sent.
    pub fn received(&mut self, number: u8) -> Result<(), Fault> {
        let begins = match self.role {
            Role::Server => number == 0,
            Role::Client => number <= 1 || number == self.expected,
        };
        if number != self.next && !begins {
            return Err(Fault::OutOfOrder);
        }
        self.next = number.wrapping_add(1);
        self.expected = self.next;
        self.answered = true;
        Ok(())
    }

    /// How much of what is to be sent goes into the next compressed packet, and its number. The packets in what goes to a client get
    /// the numbers that it expects there.
    pub fn send(&mut self, bytes: &mut [u8]) -> (usize, u8) {
        let length = match self.role {
            Role::Server => bytes.len(),
            Role::Client => self.one_command(bytes),
        };
        let number = self.next;
        if self.role == Role::Server {
            let is_first = std::mem::take(&mut self.answered);
            self.inner.count(bytes, number, is_first);
        }
        self.next = number.wrapping_add(1);
        (length, number)
    }

    /// Length of the front that belongs to one command. Afterwards `next` is zero if it begins one.
    fn one_command(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(place) = self.packets.number(bytes, &mut at) {
            let number = bytes.get(place).copied().unwrap_or_default();
            let begins = number == 0 && (self.answered || self.last != LAST);
            if begins {
                // One whose header has begun in the piece before goes on in this one.
                let start = place.saturating_sub(HEADER - 1);
                if start > 0 {
                    self.packets = Packets::default();
                    return start;
                }
                self.next = 0;
            }
            self.last = number;
            self.answered = false;
        }
        // What has begun of a header may be that of a command. Headers come in one piece; should one not, it is as good as content.
        let end = bytes.len().saturating_sub(self.packets.in_header());
        if end == 0 {
            return bytes.len();
        }
        self.packets.take_back_header();
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mysql::write_message;
    use proptest::prelude::*;

    fn packet(number: u8, length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        write_message(&mut out, &mut { number }, &vec![1; length]);
        out
    }

    #[test]
    fn a_conversation_is_counted_through_both_directions() {
        let mut numbers = Numbers::new(Role::Server);
        assert_eq!(numbers.received(0), Ok(()));
        assert_eq!(numbers.received(1), Ok(()));
        assert_eq!(numbers.send(&mut packet(1, 2)), (6, 2));
        assert_eq!(numbers.received(3), Ok(()), "a file");
        assert_eq!(numbers.received(5), Err(Fault::OutOfOrder));
        assert_eq!(numbers.received(0), Ok(()), "the next command");
        assert_eq!(numbers.send(&mut packet(1, 2)), (6, 1));
    }

    #[test]
    fn each_command_to_the_database_has_a_packet_of_its_own() {
        let mut numbers = Numbers::new(Role::Client);
        let first = packet(0, 20);
        let mut both = [&first[..], &packet(0, 5)].concat();
        assert_eq!(numbers.send(&mut both), (24, 0));
        assert_eq!(numbers.send(&mut both[24..]), (9, 0));
        assert_eq!(numbers.received(1), Ok(()));
        assert_eq!(numbers.received(2), Ok(()));
        assert_eq!(numbers.send(&mut packet(0, 1)), (5, 0), "during the answer");
        assert_eq!(numbers.received(3), Ok(()));
        assert_eq!(numbers.received(1), Ok(()), "the answer to the second");
        assert_eq!(numbers.received(3), Err(Fault::OutOfOrder));
        assert_eq!(numbers.send(&mut packet(2, 30)), (34, 2), "a file");
    }

    #[test]
    fn a_command_may_be_sent_in_parts() {
        let mut numbers = Numbers::new(Role::Client);
        let mut command = packet(0, 100);
        assert_eq!(numbers.send(&mut command[..50]), (50, 0));
        let mut rest = [&command[50..], &packet(0, 1)].concat();
        assert_eq!(numbers.send(&mut rest), (54, 1));
        assert_eq!(numbers.send(&mut rest[54..]), (5, 0));
    }

    #[test]
    fn packets_of_a_file_come_back_to_zero_without_being_a_command() {
        let mut numbers = Numbers::new(Role::Client);
        assert_eq!(numbers.send(&mut packet(0, 1)), (5, 0));
        assert_eq!(numbers.received(1), Ok(()));
        let mut file = Vec::new();
        for number in 2..=257_u16 {
            file.extend(packet(number as u8, 10));
        }
        let length = file.len();
        assert_eq!(numbers.send(&mut file), (length, 2));
        assert_eq!(numbers.received(3), Ok(()));
        assert_eq!(numbers.send(&mut packet(0, 1)), (5, 0));
    }

    proptest! {
        /// Wherever what is to be sent is cut, unless within the four bytes that begin it.
        #[test]
        fn no_compressed_packet_holds_the_beginning_of_a_command_but_at_its_front(
            lengths in proptest::collection::vec(0_usize..40, 1..8),
            cuts in proptest::collection::vec(HEADER..60, 1..20),
        ) {
            let mut stream = Vec::new();
            let mut starts = Vec::new();
            for length in lengths {
                starts.push(stream.len());
                stream.extend(packet(0, length));
            }
            let (mut numbers, mut at) = (Numbers::new(Role::Client), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(stream.len());
                let (length, number) = numbers.send(&mut stream[at..end]);
                prop_assert!(length > 0);
                prop_assert_eq!(number == 0, starts.contains(&at));
                prop_assert!(!starts.iter().any(|start| (at + 1..at + length).contains(start)));
                at += length;
                if at == stream.len() {
                    break;
                }
            }
        }
    }
}

//! The numbers of compressed packets, and where commands begin.

use super::Fault;
use super::inner::Inner;
use crate::wire::mysql::packet;

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
    /// Bytes that are still to be sent of the packet under way.
    left: usize,
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
            left: 0,
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
        loop {
            let rest = bytes.len() - at;
            if self.left >= rest {
                self.left -= rest;
                return bytes.len();
            }
            at += self.left;
            self.left = 0;
            let Some(header) = packet::Header::read(bytes, at) else {
                // Headers come in one piece; should one not, it is as good as content.
                return if at == 0 { bytes.len() } else { at };
            };
            let begins = header.sequence == 0 && (self.answered || self.last != LAST);
            if begins && at > 0 {
                return at;
            }
            if begins {
                self.next = 0;
            }
            self.left = packet::HEADER + header.length;
            self.last = header.sequence;
            self.answered = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mysql::write_message;

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
}

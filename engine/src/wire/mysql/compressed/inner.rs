//! The numbers of packets inside compressed ones, towards a client.

use super::packets::Packets;
use crate::wire::mysql::packet::{self, HEADER};

/// Counts the packets that a client gets.
///
/// MySQL's servers begin with the number of the compressed packet whenever they have flushed, which is at the beginning of an answer
/// and of each further result; else they count on. Where they flush cannot be seen here. But a client that looks at these numbers
/// takes either for a packet that lies whole in one compressed packet, and only clients that have reached the end of one expect its
/// number; so packets at the front of compressed ones have it.
#[derive(Debug, Default)]
pub(super) struct Inner {
    packets: Packets,
    /// Number of the next packet.
    next: u8,
}

impl Inner {
    /// Writes their numbers into the packets of a piece that the compressed packet `number` will hold. `is_first`: it begins what
    /// the client gets after it has sent something.
    pub(super) fn count(&mut self, piece: &mut [u8], number: u8, is_first: bool) {
        let is_whole = || {
            let header = packet::Header::read(piece, 0);
            header.is_some_and(|header| HEADER + header.length <= piece.len())
        };
        if self.packets.is_between() && (is_first || is_whole()) {
            self.next = number;
        }
        let mut at = 0;
        while let Some(place) = self.packets.number(piece, &mut at) {
            if let Some(byte) = piece.get_mut(place) {
                *byte = self.next;
            }
            self.next = self.next.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Packets of these lengths, whose numbers mean nothing and whose payloads look like headers.
    fn packets(lengths: &[usize]) -> Vec<u8> {
        let mut out = Vec::new();
        for (&length, number) in lengths.iter().zip(100..) {
            let [a, b, c, ..] = length.to_le_bytes();
            out.extend([a, b, c, number]);
            out.resize(out.len() + length, 1);
        }
        out
    }

    fn numbers(bytes: &[u8]) -> Vec<u8> {
        let (mut at, mut numbers) = (0, Vec::new());
        while let Some(header) = packet::Header::read(bytes, at) {
            numbers.push(header.sequence);
            at += HEADER + header.length;
        }
        assert_eq!(at, bytes.len());
        numbers
    }

    #[test]
    fn a_result_at_the_front_has_the_number_of_the_compressed_packet() {
        let mut inner = Inner::default();
        let mut first = packets(&[1, 20, 5, 0, 7]);
        inner.count(&mut first, 1, true);
        assert_eq!(numbers(&first), [1, 2, 3, 4, 5]);
        let mut second = packets(&[1, 20]);
        inner.count(&mut second, 2, false);
        assert_eq!(numbers(&second), [2, 3]);
    }

    #[test]
    fn a_packet_in_several_compressed_ones_counts_on() {
        let mut inner = Inner::default();
        let mut stream = packets(&[1, 50, 2]);
        inner.count(&mut stream[..5], 1, true);
        inner.count(&mut stream[5..30], 2, false);
        inner.count(&mut stream[30..], 3, false);
        assert_eq!(numbers(&stream), [1, 2, 3]);
        let mut next = packets(&[60]);
        inner.count(&mut next[..10], 1, true);
        inner.count(&mut next[10..], 2, false);
        assert_eq!(numbers(&next), [1], "an answer begins");
    }

    proptest! {
        /// Wherever pieces end, nothing but numbers is changed.
        #[test]
        fn only_numbers_are_changed(
            lengths in proptest::collection::vec(0_usize..70_000, 1..8),
            cuts in proptest::collection::vec(1_usize..9_000, 1..20),
        ) {
            let before = packets(&lengths);
            let mut after = before.clone();
            let (mut inner, mut at) = (Inner::default(), 0);
            for (number, cut) in cuts.iter().cycle().enumerate() {
                let end = (at + cut).min(after.len());
                inner.count(&mut after[at..end], number as u8, number == 0);
                at = end;
                if at == after.len() {
                    break;
                }
            }
            prop_assert_eq!(numbers(&after).len(), lengths.len());
            let (mut at, mut expected) = (0, before);
            for length in lengths {
                expected[at + 3] = after[at + 3];
                at += HEADER + length;
            }
            prop_assert!(after == expected);
        }
    }
}

//! Packets, and the messages that they carry.
//!
//! A packet is the length of its payload (3 bytes), a sequence number (1 byte) and the payload. A payload of
//! [`MAX_PAYLOAD`] bytes is continued in the next packet, whose number is one higher; so a message whose length is a
//! multiple of that ends with an empty packet (MySQL source documentation, "MySQL Packets").

use std::borrow::Cow;
use std::ops::Range;

/// Length and sequence number in front of a payload.
pub const HEADER: usize = 4;

/// Longest payload of a packet; one of this length is continued.
pub const MAX_PAYLOAD: usize = 0xff_ff_ff;

/// The header of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the payload in bytes.
    pub length: usize,
    /// The sequence number.
    pub sequence: u8,
}

impl Header {
    /// Reads the header at `at`, if all of it is there.
    pub fn read(buffer: &[u8], at: usize) -> Option<Self> {
        let &[a, b, c, sequence] = buffer.get(at..)?.first_chunk::<HEADER>()?;
        Some(Self {
            length: usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            sequence,
        })
    }

    /// Whether another packet of the same message follows.
    pub fn is_continued(self) -> bool {
        self.length == MAX_PAYLOAD
    }

    /// Its bytes; a length above [`MAX_PAYLOAD`] has none.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let [a, b, c, ..] = self.length.to_le_bytes();
        [a, b, c, self.sequence]
    }
}

/// A whole message in a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// All its packets, headers included.
    pub range: Range<usize>,
    /// Number of its packets.
    pub packets: usize,
    /// Sequence number of the first of them.
    pub sequence: u8,
}

impl Message {
    /// Sequence number of the packet after it.
    pub fn next_number(&self) -> u8 {
        let [packets, ..] = self.packets.to_le_bytes();
        self.sequence.wrapping_add(packets)
    }

    /// The first byte of the payload, which says what most messages are.
    pub fn first(&self, buffer: &[u8]) -> Option<u8> {
        let start = self.range.start + HEADER;
        (start < self.range.end).then(|| buffer.get(start).copied())?
    }

    /// The payload, if it is in one piece.
    pub fn single(&self) -> Option<Range<usize>> {
        (self.packets == 1).then(|| self.range.start + HEADER..self.range.end)
    }

    /// The payload, joined if it is in several packets.
    pub fn payload<'a>(&self, buffer: &'a [u8]) -> Cow<'a, [u8]> {
        match self.single() {
            Some(range) => Cow::Borrowed(buffer.get(range).unwrap_or_default()),
            None => Cow::Owned(self.joined(buffer)),
        }
    }

    fn joined(&self, buffer: &[u8]) -> Vec<u8> {
        let packets = buffer.get(self.range.clone()).unwrap_or_default();
        let mut payload = Vec::with_capacity(packets.len());
        // All packets but the last are of the greatest length.
        for packet in packets.chunks(HEADER + MAX_PAYLOAD) {
            payload.extend_from_slice(packet.get(HEADER..).unwrap_or_default());
        }
        payload
    }
}

/// What stands at a position of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// A message, all of which is there.
    Message(Message),
    /// At least this many bytes are needed, counted from the position.
    Incomplete(usize),
    /// A packet does not have the number that follows that of the packet before.
    OutOfOrder,
}

/// Looks for a whole message at `at`.
pub fn scan(buffer: &[u8], at: usize) -> Scan {
    let mut packets = 0;
    let mut end = at;
    let mut first = 0_u8;
    let mut next = None;
    loop {
        let Some(header) = Header::read(buffer, end) else {
            return Scan::Incomplete(end + HEADER - at);
        };
        match next {
            None => first = header.sequence,
            Some(expected) if expected != header.sequence => return Scan::OutOfOrder,
            Some(_) => {}
        }
        next = Some(header.sequence.wrapping_add(1));
        packets += 1;
        end += HEADER + header.length;
        if end > buffer.len() {
            return Scan::Incomplete(end - at);
        }
        if !header.is_continued() {
            return Scan::Message(Message {
                range: at..end,
                packets,
                sequence: first,
            });
        }
    }
}

/// Appends a payload as one or more packets, and counts the sequence number on.
pub fn write_message(out: &mut Vec<u8>, sequence: &mut u8, payload: &[u8]) {
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        let header = Header {
            length: now.len(),
            sequence: *sequence,
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(now);
        *sequence = sequence.wrapping_add(1);
        rest = later;
        if !header.is_continued() {
            return;
        }
    }
}

/// Writes a sequence number into the header at `at`.
pub fn renumber(buffer: &mut [u8], at: usize, sequence: u8) {
    if let Some(place) = buffer.get_mut(at + HEADER - 1) {
        *place = sequence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn payloads_are_split_at_the_limit_and_joined_again() {
        for length in [
            0,
            1,
            MAX_PAYLOAD - 1,
            MAX_PAYLOAD,
            MAX_PAYLOAD + 1,
            2 * MAX_PAYLOAD,
        ] {
            let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let (mut out, mut sequence) = (b"xy".to_vec(), 254);
            write_message(&mut out, &mut sequence, &payload);
            let packets = length / MAX_PAYLOAD + 1;
            assert_eq!(usize::from(sequence.wrapping_sub(254)), packets);
            let Scan::Message(message) = scan(&out, 2) else {
                panic!("{length}: no message");
            };
            assert_eq!(
                (message.packets, message.sequence, &message.range),
                (packets, 254, &(2..out.len()))
            );
            assert!(message.payload(&out) == payload);
            out.push(255);
            assert_eq!(message.first(&out), payload.first().copied());
            assert_eq!(message.next_number(), sequence);
            assert_eq!(message.single().is_some(), packets == 1);
        }
    }

    #[test]
    fn packets_of_a_message_are_numbered_one_after_the_other() {
        let (mut out, mut sequence) = (Vec::new(), 3);
        write_message(&mut out, &mut sequence, &vec![0; MAX_PAYLOAD]);
        renumber(&mut out, HEADER + MAX_PAYLOAD, 5);
        assert_eq!(scan(&out, 0), Scan::OutOfOrder);
        renumber(&mut out, HEADER + MAX_PAYLOAD, 4);
        assert!(matches!(scan(&out, 0), Scan::Message(_)));
    }

    proptest! {
        #[test]
        fn a_message_is_there_only_when_all_of_it_is(
            payload in proptest::collection::vec(any::<u8>(), 0..50),
            sequence in any::<u8>(),
            behind in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let mut out = Vec::new();
            write_message(&mut out, &mut sequence.clone(), &payload);
            let whole = out.len();
            for cut in 0..whole {
                match scan(&out[..cut], 0) {
                    Scan::Incomplete(want) => prop_assert!(want > cut && want <= whole),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            out.extend(behind);
            let Scan::Message(message) = scan(&out, 0) else {
                return Err(TestCaseError::fail("no message"));
            };
            prop_assert_eq!(message.range.clone(), 0..whole);
            prop_assert_eq!(&*message.payload(&out), &payload[..]);
        }
    }
}

//! What is on its way to one peer: ranges of the buffer it came in, and bytes that we made.
//!
//! Ranges refer to the buffer of the *opposite* peer. They stay valid because that buffer is not refilled before the
//! outbox is empty. Rows from which something was opened leave gaps between ranges; small ranges are moved together
//! so that a batch of rewritten rows leaves in one write. What follows bytes that we made is put behind them while it fits
//! into their memory: one piece costs the kernel less than two.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;
use zeroize::Zeroizing;

/// A gap in front of a range at least this long is not closed by moving the range: a second segment costs less.
const MOVE_LIMIT: usize = 4096;

#[derive(Debug)]
enum Segment {
    Range(Range<usize>),
    Owned(Vec<u8>, usize),
    Secret(Zeroizing<Vec<u8>>, usize),
}

/// Bytes waiting to be written to one peer, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    segments: VecDeque<Segment>,
    length: usize,
}

impl Outbox {
    /// An empty outbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of bytes waiting.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends `range` of `buffer`, moving it down to the end of the last range, or behind the bytes that we made, where that is
    /// cheaper than a segment of its own. Ranges must come in ascending order; a range outside the buffer is ignored.
    pub fn pass(&mut self, buffer: &mut [u8], range: Range<usize>) {
        if range.start >= range.end || range.end > buffer.len() {
            return;
        }
        let length = range.len();
        self.length += length;
        match self.segments.back_mut() {
            Some(Segment::Range(last)) if last.end == range.start => {
                last.end = range.end;
                return;
            }
            Some(Segment::Range(last)) if last.end < range.start && length < MOVE_LIMIT => {
                buffer.copy_within(range, last.end);
                last.end += length;
                return;
            }
            Some(Segment::Owned(bytes, _)) if length <= bytes.capacity() - bytes.len() => {
                bytes.extend_from_slice(buffer.get(range).unwrap_or_default());
                return;
            }
            _ => {}
        }
        self.segments.push_back(Segment::Range(range));
    }

    /// Appends bytes that are not part of the buffer.
    pub fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.length += bytes.len();
            self.segments.push_back(Segment::Owned(bytes, 0));
        }
    }

    /// The same for bytes that are wiped once they have left.
    pub fn push_secret(&mut self, bytes: Zeroizing<Vec<u8>>) {
        if !bytes.is_empty() {
            self.length += bytes.len();
            self.segments.push_back(Segment::Secret(bytes, 0));
        }
    }

    /// Fills `slices` with the first segments, for one gathering write; returns how many were filled.
    pub fn slices<'a>(&'a self, buffer: &'a [u8], slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slot, segment) in slices.iter_mut().zip(&self.segments) {
            let bytes = match segment {
                Segment::Range(range) => buffer.get(range.clone()),
                Segment::Owned(bytes, sent) => bytes.get(*sent..),
                Segment::Secret(bytes, sent) => bytes.get(*sent..),
            };
            *slot = IoSlice::new(bytes.unwrap_or_default());
            count += 1;
        }
        count
    }

    /// Forgets the first `written` bytes.
    pub fn advance(&mut self, mut written: usize) {
        self.length = self.length.saturating_sub(written);
        while let Some(segment) = self.segments.front_mut() {
            let waiting = match segment {
                Segment::Range(range) => range.len(),
                Segment::Owned(bytes, sent) => bytes.len() - *sent,
                Segment::Secret(bytes, sent) => bytes.len() - *sent,
            };
            if written < waiting {
                match segment {
                    Segment::Range(range) => range.start += written,
                    Segment::Owned(_, sent) | Segment::Secret(_, sent) => *sent += written,
                }
                return;
            }
            written -= waiting;
            self.segments.pop_front();
        }
    }

    /// Everything that waits, as one vector: for tests and tools that have no socket.
    pub fn take(&mut self, buffer: &[u8]) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.length);
        for segment in self.segments.drain(..) {
            match segment {
                Segment::Range(range) => {
                    all.extend_from_slice(buffer.get(range).unwrap_or_default())
                }
                Segment::Owned(bytes, sent) => {
                    all.extend_from_slice(bytes.get(sent..).unwrap_or_default())
                }
                Segment::Secret(bytes, sent) => {
                    all.extend_from_slice(bytes.get(sent..).unwrap_or_default())
                }
            }
        }
        self.length = 0;
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_is_closed_by_moving_a_small_range() {
        let mut buffer = *b"aaaXXbbb";
        let mut outbox = Outbox::new();
        outbox.pass(&mut buffer, 0..3);
        outbox.pass(&mut buffer, 5..8);
        let mut slices = [IoSlice::new(&[]); 4];
        assert_eq!(outbox.slices(&buffer, &mut slices), 1);
        assert_eq!(&*slices[0], b"aaabbb");
    }

    proptest! {
        #[test]
        fn every_byte_leaves_once_and_in_order(
            pieces in proptest::collection::vec((0usize..6, 0usize..5000, any::<bool>()), 0..12),
            write in 1usize..7000,
        ) {
            let size: usize = pieces.iter().map(|(gap, length, _)| gap + length).sum();
            let mut buffer: Vec<u8> = (0..size).map(|n| n as u8).collect();
            let room = 3000;
            let source = buffer.clone();
            let mut outbox = Outbox::new();
            let (mut expected, mut at) = (Vec::new(), 0);
            for (gap, length, owned) in pieces {
                at += gap;
                if owned {
                    let mut made = Vec::with_capacity(length + room);
                    made.resize(length, 0xAA);
                    outbox.push(made);
                    expected.extend(std::iter::repeat_n(0xAA, length));
                }
                outbox.pass(&mut buffer, at..at + length);
                expected.extend_from_slice(&source[at..at + length]);
                at += length;
            }
            prop_assert_eq!(outbox.len(), expected.len());
            let mut sent = Vec::new();
            while !outbox.is_empty() {
                let mut slices = [IoSlice::new(&[]); 3];
                let count = outbox.slices(&buffer, &mut slices);
                let ready: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
                let now = ready.len().min(write);
                sent.extend_from_slice(&ready[..now]);
                outbox.advance(now);
            }
            prop_assert_eq!(sent, expected);
        }
    }
}

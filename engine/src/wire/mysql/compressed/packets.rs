//! Where packets begin in the stream that is compressed.

use crate::wire::mysql::packet::HEADER;

/// Follows packets through pieces that end anywhere, also within a header.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// Bytes that are still to come of the payload under way.
    left: usize,
    /// Bytes of the header under way that have gone by, and the length that they tell so far.
    seen: usize,
    length: usize,
}

impl Packets {
    /// Goes on from `at` in a piece to the end of the next header, of which this is the place of the last byte, the packet's number.
    /// `None`: there is none.
    pub(super) fn number(&mut self, piece: &[u8], at: &mut usize) -> Option<usize> {
        loop {
            let payload = self.left.min(piece.len().saturating_sub(*at));
            self.left -= payload;
            *at += payload;
            let place = *at;
            let byte = piece.get(place)?;
            *at += 1;
            if self.seen == HEADER - 1 {
                self.left = std::mem::take(&mut self.length);
                self.seen = 0;
                return Some(place);
            }
            self.length |= usize::from(*byte) << (8 * self.seen);
            self.seen += 1;
        }
    }

    /// Whether no packet is under way.
    pub(super) fn is_between(&self) -> bool {
        self.left == 0 && self.seen == 0
    }

    /// Bytes of the header under way that have gone by.
    pub(super) fn in_header(&self) -> usize {
        self.seen
    }

    /// Those bytes have not gone by after all.
    pub(super) fn take_back_header(&mut self) {
        (self.seen, self.length) = (0, 0);
    }
}

//! Masked values: one end in clear, the rest in a container (containers.md 10).
//!
//! ```text
//! left    clear (n bytes)  serialized container
//! right   serialized container  clear (n bytes)
//! ```
//!
//! A value that is not longer than n bytes is in the container as a whole.

use crate::columns::Side;
use crate::crypto::container;
use memchr::memmem;

/// How much of a value stays in clear, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask {
    /// Its length in bytes at most.
    pub length: usize,
    /// Which end it is.
    pub side: Side,
    /// A character of UTF-8 is not cut: the clear part is shorter instead.
    pub whole_characters: bool,
}

impl Mask {
    /// The parts of a value: clear in front, to be sealed, clear behind.
    pub(super) fn split<'v>(&self, value: &'v [u8]) -> (&'v [u8], &'v [u8], &'v [u8]) {
        let whole: (&[u8], _, &[u8]) = (b"", value, b"");
        if self.length >= value.len() {
            return whole;
        }
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|_| self.whole_characters);
        let cut = match self.side {
            Side::Left => text.map_or(self.length, |text| text.floor_char_boundary(self.length)),
            Side::Right => {
                let from = value.len() - self.length;
                text.map_or(from, |text| text.ceil_char_boundary(from))
            }
        };
        match (value.split_at_checked(cut), self.side) {
            (Some((clear, rest)), Side::Left) => (clear, rest, b""),
            (Some((rest, clear)), Side::Right) => (b"", rest, clear),
            (None, _) => whole,
        }
    }

    /// Whether a value already is a container, with no more in clear beside it than this mask leaves.
    pub(super) fn fits(&self, value: &[u8]) -> bool {
        let ends = |bytes: &[u8]| match container::parse(bytes) {
            Ok((_, inner)) => match bytes.starts_with(&container::TAG) {
                true => Some(container::HEADER + inner.len()),
                false => Some(inner.len()),
            },
            Err(_) => None,
        };
        let clear = match self.side {
            Side::Left => memmem::find_iter(value, &container::TAG)
                .take_while(|at| *at <= self.length)
                .find(|at| {
                    let rest = value.get(*at..).unwrap_or_default();
                    ends(rest) == Some(rest.len())
                }),
            Side::Right => ends(value).map(|end| value.len().saturating_sub(end)),
        };
        clear.is_some_and(|clear| clear <= self.length) || ends(value) == Some(value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Mask, Side};
    use proptest::prelude::*;

    fn mask(length: usize, side: Side) -> Mask {
        Mask {
            length,
            side,
            whole_characters: true,
        }
    }

    #[test]
    fn characters_are_not_cut() {
        let value = "Жанна".as_bytes();
        let left = mask(5, Side::Left).split(value);
        assert_eq!(left, ("Жа".as_bytes(), "нна".as_bytes(), &b""[..]));
        let right = mask(5, Side::Right).split(value);
        assert_eq!(right, (&b""[..], "Жан".as_bytes(), "на".as_bytes()));
        let bytes = Mask {
            whole_characters: false,
            ..mask(5, Side::Left)
        };
        assert_eq!(bytes.split(value).0.len(), 5);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_more_is_clear(
            value in proptest::collection::vec(any::<u8>(), 0..40),
            length in 0_usize..45,
            left in any::<bool>(),
            whole_characters in any::<bool>(),
        ) {
            let side = if left { Side::Left } else { Side::Right };
            let mask = Mask { length, side, whole_characters };
            let (front, sealed, back) = mask.split(&value);
            prop_assert!(front.len() + back.len() <= length);
            prop_assert!(value.is_empty() || !sealed.is_empty());
            prop_assert_eq!([front, sealed, back].concat(), value);
        }
    }
}

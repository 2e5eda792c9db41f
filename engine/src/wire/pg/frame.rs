//! The incremental frame scanner.

use std::ops::Range;

/// Tag and length: what is needed to know a frame.
pub const HEADER: usize = 5;

/// A frame's place in a buffer. The body may not have arrived yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message type.
    pub tag: u8,
    /// The whole frame, header included.
    pub range: Range<usize>,
}

impl Frame {
    /// The body within a buffer that holds the whole frame.
    pub fn body<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        buffer
            .get(self.range.start + HEADER..self.range.end)
            .unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn body_mut<'a>(&self, buffer: &'a mut [u8]) -> &'a mut [u8] {
        buffer
            .get_mut(self.range.start + HEADER..self.range.end)
            .unwrap_or_default()
    }
}

/// What stands at a position of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// A header has arrived; the range may reach past the end of the buffer.
    Frame(Frame),
    /// Fewer than [`HEADER`] bytes.
    Incomplete,
    /// A length below 4, which no frame can have, or above 2³¹ − 1.
    BadLength(u32),
}

/// Reads the header at `at`.
pub fn scan(buffer: &[u8], at: usize) -> Scan {
    let Some(&[tag, a, b, c, d]) = buffer
        .get(at..)
        .and_then(|rest| rest.first_chunk::<HEADER>())
    else {
        return Scan::Incomplete;
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    match usize::try_from(length) {
        Ok(bytes) if (4..=0x7fff_ffff).contains(&length) => Scan::Frame(Frame {
            tag,
            range: at..at + 1 + bytes,
        }),
        _ => Scan::BadLength(length),
    }
}

/// Writes the length field of a frame, which is all of `frame`.
pub fn set_length(frame: &mut [u8]) {
    let length = u32::try_from(frame.len().saturating_sub(1)).unwrap_or(u32::MAX);
    if let Some(field) = frame.get_mut(1..HEADER) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_at_any_offset() {
        assert_eq!(
            scan(b"xZ\0\0\0\x05I", 1),
            Scan::Frame(Frame {
                tag: b'Z',
                range: 1..7
            })
        );
        assert_eq!(scan(b"Z\0\0\0", 0), Scan::Incomplete);
        assert_eq!(scan(b"Z\0\0\0\x03", 0), Scan::BadLength(3));
        assert_eq!(scan(b"Z\xff\xff\xff\xff", 0), Scan::BadLength(u32::MAX));
    }
}

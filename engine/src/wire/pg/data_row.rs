//! DataRow: walking and rewriting the cells of a row in place.

use crate::wire::cursor::Malformed;
use std::ops::Range;

/// Walks the cells of a DataRow frame as ranges of the buffer that holds it.
#[derive(Debug)]
pub struct Cells {
    at: usize,
    end: usize,
    left: u16,
}

impl Cells {
    /// Starts at the frame that lies in `frame` of `buffer`.
    pub fn new(buffer: &[u8], frame: &Range<usize>) -> Result<Self, Malformed> {
        let at = frame.start + super::frame::HEADER;
        let count = buffer
            .get(at..frame.end)
            .and_then(|body| body.first_chunk::<2>())
            .ok_or(Malformed("number of columns"))?;
        Ok(Self {
            at: at + 2,
            end: frame.end,
            left: u16::from_be_bytes(*count),
        })
    }

    /// Number of cells not yet walked.
    pub fn left(&self) -> usize {
        usize::from(self.left)
    }

    /// The next cell's range, `None` for NULL.
    pub fn next(&mut self, buffer: &[u8]) -> Result<Option<Range<usize>>, Malformed> {
        let length = buffer
            .get(self.at..self.end)
            .and_then(|rest| rest.first_chunk::<4>())
            .ok_or(Malformed("length of a column"))?;
        self.left = self.left.saturating_sub(1);
        self.at += 4;
        match u32::from_be_bytes(*length) {
            u32::MAX => Ok(None),
            length => {
                let length =
                    usize::try_from(length).map_err(|_| Malformed("length of a column"))?;
                if length > self.end - self.at {
                    return Err(Malformed("value of a column"));
                }
                let range = self.at..self.at + length;
                self.at += length;
                Ok(Some(range))
            }
        }
    }

    /// Fails unless the cells end where the frame ends.
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.left == 0 && self.at == self.end {
            Ok(())
        } else {
            Err(Malformed("end of DataRow"))
        }
    }
}

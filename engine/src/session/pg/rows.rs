//! Opening the cells of a DataRow in the buffer it arrived in.
//!
//! An opened cell is shorter than its container, so the rest of the row moves down and the row keeps its place. The
//! exception is the escape form of `bytea`, which comes back in the longer hex form: then the row gets bytes of its
//! own.

use crate::cell::{self, Kind, Opener, Scratch};
use crate::wire::cursor::Malformed;
use crate::wire::pg::data_row::Cells;
use crate::wire::pg::frame::{HEADER, set_length};
use crate::wire::pg::{Format, Formats, Frame};

/// Kinds and formats of the columns of a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// `None`: not described.
    pub(super) kinds: Option<&'a [Kind]>,
    pub(super) formats: &'a Formats,
    /// Look into every cell, whatever its type.
    pub(super) all: bool,
}

impl Layout<'_> {
    fn kind(&self, index: usize) -> Kind {
        match self.kinds {
            Some(kinds) if !self.all => kinds.get(index).copied().unwrap_or(Kind::Unknown),
            _ => Kind::Unknown,
        }
    }
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Nothing was opened.
    Same,
    /// The frame ends here now.
    Shorter(usize),
    /// The row in bytes of its own.
    Moved(Vec<u8>),
}

/// Whether any cell of this row could be opened.
pub(super) fn may_open(
    buffer: &[u8],
    frame: &Frame,
    layout: Layout<'_>,
) -> Result<bool, Malformed> {
    let mut cells = Cells::new(buffer, &frame.range)?;
    let mut index = 0;
    while cells.left() > 0 {
        if let Some(range) = cells.next(buffer)? {
            let cell = buffer.get(range).unwrap_or_default();
            if cell::open::may_open(cell, layout.kind(index), layout.formats.get(index)) {
                return Ok(true);
            }
        }
        index += 1;
    }
    cells.finish()?;
    Ok(false)
}

/// Opens what can be opened.
pub(super) fn open(
    buffer: &mut [u8],
    frame: &Frame,
    layout: Layout<'_>,
    opener: &mut Opener<'_>,
    scratch: &mut Scratch,
) -> Result<Row, Malformed> {
    let mut cells = Cells::new(buffer, &frame.range)?;
    let mut row = Writer {
        at: frame.range.start + HEADER + 2,
        moved: None,
        changed: false,
    };
    let mut index = 0;
    while cells.left() > 0 {
        let Some(range) = cells.next(buffer)? else {
            row.null(buffer);
            index += 1;
            continue;
        };
        let (kind, format) = (layout.kind(index), layout.formats.get(index));
        let cell = buffer.get(range.clone()).unwrap_or_default();
        if cell::open(cell, kind, format, opener, scratch) {
            row.opened(buffer, frame, range.end, &scratch.plain, format);
        } else {
            row.keep(buffer, range.start - 4, range.end);
        }
        index += 1;
    }
    cells.finish()?;
    Ok(row.finish(buffer, frame))
}

/// Writes cells behind the reader.
struct Writer {
    at: usize,
    moved: Option<Vec<u8>>,
    changed: bool,
}

impl Writer {
    fn null(&mut self, buffer: &mut [u8]) {
        self.bytes(buffer, &u32::MAX.to_be_bytes());
    }

    /// A cell with its length, as it stands in the buffer.
    fn keep(&mut self, buffer: &mut [u8], start: usize, end: usize) {
        match &mut self.moved {
            Some(moved) => moved.extend_from_slice(buffer.get(start..end).unwrap_or_default()),
            None => {
                if self.changed {
                    buffer.copy_within(start..end, self.at);
                }
                self.at += end - start;
            }
        }
    }

    fn opened(
        &mut self,
        buffer: &mut [u8],
        frame: &Frame,
        cell_end: usize,
        plain: &[u8],
        format: Format,
    ) {
        self.changed = true;
        let length = match format {
            Format::Text => plain.len() * 2 + 2,
            Format::Binary => plain.len(),
        };
        if self.moved.is_none() && self.at + 4 + length > cell_end {
            self.moved = Some(
                buffer
                    .get(frame.range.start..self.at)
                    .unwrap_or_default()
                    .to_vec(),
            );
        }
        // A value is shorter than the frame it came in, whose length fits.
        let field = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.bytes(buffer, &field);
        match format {
            Format::Binary => self.bytes(buffer, plain),
            Format::Text => {
                self.bytes(buffer, b"\\x");
                self.hex(buffer, plain);
            }
        }
    }

    fn bytes(&mut self, buffer: &mut [u8], bytes: &[u8]) {
        match &mut self.moved {
            Some(moved) => moved.extend_from_slice(bytes),
            None => {
                if let Some(place) = buffer.get_mut(self.at..self.at + bytes.len()) {
                    place.copy_from_slice(bytes);
                }
                self.at += bytes.len();
            }
        }
    }

    fn hex(&mut self, buffer: &mut [u8], plain: &[u8]) {
        let length = plain.len() * 2;
        let place = match &mut self.moved {
            Some(moved) => {
                let start = moved.len();
                moved.resize(start + length, 0);
                moved.get_mut(start..)
            }
            None => {
                let place = buffer.get_mut(self.at..self.at + length);
                self.at += length;
                place
            }
        };
        if let Some(place) = place {
            // The place has twice the length of the value, the one thing that can be wrong.
            let _ = const_hex::encode_to_slice(plain, place);
        }
    }

    fn finish(self, buffer: &mut [u8], frame: &Frame) -> Row {
        if !self.changed {
            return Row::Same;
        }
        let (bytes, start, end) = match self.moved {
            Some(mut moved) => {
                set_length(&mut moved);
                return Row::Moved(moved);
            }
            None => (buffer, frame.range.start, self.at),
        };
        if let Some(row) = bytes.get_mut(start..end) {
            set_length(row);
        }
        Row::Shorter(end)
    }
}

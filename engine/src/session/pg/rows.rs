//! Opening the cells of a DataRow in the buffer it arrived in.
//!
//! An opened cell is shorter than its container, so the rest of the row moves down and the row keeps its place. The
//! exception is the escape form of `bytea`, which comes back in the longer hex form: then the row gets bytes of its
//! own.

use crate::cell::typed::{Read, Typed};
use crate::cell::{self, Kind, Opener, Scratch, bytea};
use crate::columns::Setting;
use crate::wire::cursor::Malformed;
use crate::wire::pg::data_row::Cells;
use crate::wire::pg::frame::HEADER;
use crate::wire::pg::{Format, Formats, Frame};
use std::sync::Arc;

/// The columns of a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// `None`: not described.
    pub(super) kinds: Option<&'a [Kind]>,
    pub(super) formats: &'a Formats,
    /// Settings of columns that are read in a way of their own; what is beyond has none.
    pub(super) settings: &'a [Option<Arc<Setting>>],
    /// Look into every cell, whatever its type.
    pub(super) all: bool,
    /// The client reads UTF-8.
    pub(super) utf8: bool,
}

impl<'a> Layout<'a> {
    fn kind(&self, index: usize) -> Kind {
        match self.kinds {
            Some(kinds) if !self.all => kinds.get(index).copied().unwrap_or(Kind::Unknown),
            _ => Kind::Unknown,
        }
    }

    fn setting(&self, index: usize) -> Option<&'a Setting> {
        self.settings.get(index)?.as_deref()
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
    /// The value of this column cannot be shown.
    Failed(usize),
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
            let is_converted = layout.setting(index).is_some_and(Setting::is_converted);
            if is_converted && !cell.is_empty() {
                return Ok(true);
            }
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
pub(super) fn open<'a>(
    buffer: &mut [u8],
    frame: &Frame,
    layout: Layout<'a>,
    opener: &mut Opener<'a>,
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
        opener.pattern = layout.setting(index).and_then(Setting::pattern);
        let read = match layout
            .setting(index)
            .filter(|setting| setting.is_converted())
        {
            Some(setting) => Typed {
                setting,
                kind,
                format,
                utf8: layout.utf8,
            }
            .read(cell, opener, scratch),
            None => match cell::open(cell, kind, format, opener, scratch) {
                true => Read::Bytes,
                false => Read::Same,
            },
        };
        match (read, format) {
            (Read::Same, _) => row.keep(buffer, range.start - 4, range.end),
            (Read::Bytes, Format::Text) => row.hex(buffer, frame, range.end, &scratch.plain),
            (Read::Bytes, Format::Binary) | (Read::Written, _) => {
                row.written(buffer, frame, range.end, &scratch.plain);
            }
            (Read::Failed, _) => return Ok(Row::Failed(index)),
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

    /// A value in the text form of `bytea`.
    fn hex(&mut self, buffer: &mut [u8], frame: &Frame, cell_end: usize, plain: &[u8]) {
        let length = plain.len() * 2 + 2;
        let Some(place) = self.place(buffer, frame, cell_end, length) else {
            return;
        };
        if let Some((prefix, digits)) = place.split_first_chunk_mut::<2>() {
            *prefix = *bytea::HEX;
            // The place has twice the length of the value, the one thing that can be wrong.
            let _ = const_hex::encode_to_slice(plain, digits);
        }
    }

    /// A value as it is.
    fn written(&mut self, buffer: &mut [u8], frame: &Frame, cell_end: usize, value: &[u8]) {
        if let Some(place) = self.place(buffer, frame, cell_end, value.len()) {
            place.copy_from_slice(value);
        }
    }

    /// Writes the length of a new value, and gives the place for it.
    fn place<'w>(
        &'w mut self,
        buffer: &'w mut [u8],
        frame: &Frame,
        cell_end: usize,
        length: usize,
    ) -> Option<&'w mut [u8]> {
        self.changed = true;
        if self.moved.is_none() && self.at + 4 + length > cell_end {
            let done = buffer.get(frame.range.start..self.at);
            self.moved = Some(done.unwrap_or_default().to_vec());
        }
        // A value is about as long as the cell that it came in, whose length fits.
        let field = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.bytes(buffer, &field);
        match &mut self.moved {
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

/// Writes the length field of a frame.
fn set_length(frame: &mut [u8]) {
    let length = u32::try_from(frame.len().saturating_sub(1)).unwrap_or(u32::MAX);
    if let Some(field) = frame.get_mut(1..HEADER) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

//! Opening the cells of a DataRow in the buffer it arrived in.
//!
//! An opened cell is shorter than its container, so the rest of the row moves down and the row keeps its place. The
//! exception is the escape form of `bytea`, which comes back in the longer hex form: then the row gets bytes of its
//! own.

use crate::cell::typed::{Read, Typed};
use crate::cell::{self, Kind, Opener, Scratch, bytea, token};
use crate::columns::{Setting, TokenType};
use crate::session::tokens::OpenedTokens;
use crate::wire::cursor::Malformed;
use crate::wire::pg::data_row::Cells;
use crate::wire::pg::frame::{HEADER, set_length};
use crate::wire::pg::{Format, Formats, Frame, Scan, scan};
use std::borrow::Cow;
use std::sync::Arc;

/// The columns of a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// `None`: not described.
    pub(super) kinds: Option<&'a [Kind]>,
    pub(super) formats: &'a Formats,
    /// The client has bound these formats, or the server has told them.
    pub(super) has_formats: bool,
    /// Settings of columns that are read in a way of their own; what is beyond has none.
    pub(super) settings: &'a [Option<Arc<Setting>>],
    /// Look into every cell, whatever its type.
    pub(super) all: bool,
    /// The client reads UTF-8.
    pub(super) utf8: bool,
    /// The values of the tokens in the rows.
    pub(super) tokens: &'a OpenedTokens,
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

    /// Whether any column has tokens.
    pub(super) fn has_tokens(&self) -> bool {
        let mut settings = self.settings.iter().flatten();
        settings.any(|setting| setting.tokenized().is_some())
    }

    /// The token that a cell holds, and its type.
    fn token<'c>(&self, index: usize, cell: &'c [u8]) -> Option<(TokenType, Cow<'c, [u8]>)> {
        let (token_type, _) = self.setting(index)?.tokenized()?;
        let (kind, format) = (self.described_kind(index), self.formats.get(index));
        let token = token::read(cell, token_type, kind, format).ok()?;
        (!token.is_empty()).then_some((token_type, token))
    }

    /// What takes the place of a cell with a token whose value is known.
    fn detokenized(&self, index: usize, cell: &[u8]) -> Option<Vec<u8>> {
        let (token_type, token) = self.token(index, cell)?;
        let Some(Ok(Some(value))) = self.tokens.get(token_type, &token) else {
            return None;
        };
        let (kind, format) = (self.described_kind(index), self.formats.get(index));
        token::write(value, token_type, kind, format, cell.len())
    }

    /// The kind of a column by what the server says of its type.
    fn described_kind(&self, index: usize) -> Kind {
        let kinds = self.kinds.unwrap_or_default();
        kinds.get(index).copied().unwrap_or(Kind::Unknown)
    }

    /// Whether a row can hold a container only where it has a backslash: one in text is written in hex, and the text form
    /// of a `bytea` has a backslash for the zero bytes that every container has. Columns of types that hold none do not
    /// count.
    fn shows_by_backslash(&self) -> bool {
        if !self.settings.is_empty() {
            return false;
        }
        let Some(kinds) = self.kinds.filter(|_| !self.all) else {
            return self.has_formats && self.formats.are_all(Format::Text);
        };
        kinds
            .iter()
            .enumerate()
            .all(|(index, kind)| match (kind, self.formats.get(index)) {
                (Kind::Never | Kind::Text, _) | (_, Format::Text) => true,
                (Kind::Bytes | Kind::Unknown | Kind::Raw, Format::Binary) => false,
            })
    }
}

/// Bytes behind a row that are searched with it, in the hope of more rows: few enough to be searched for nothing.
const AHEAD: usize = 4096;

/// The end of this row and of those behind it, as far as it is seen at once that nothing in them can be opened.
pub(super) fn end_of_plain(buffer: &[u8], frame: &Frame, layout: Layout<'_>) -> Option<usize> {
    let within = buffer.len().min(frame.range.end.saturating_add(AHEAD));
    let searched = buffer.get(frame.range.start..within)?;
    if frame.range.end > within || !layout.shows_by_backslash() {
        return None;
    }
    let plain = match memchr::memchr(b'\\', searched) {
        Some(at) => frame.range.start + at,
        None => within,
    };
    let mut end = None;
    let mut next = frame.clone();
    while next.tag == b'D' && next.range.end <= plain {
        end = Some(next.range.end);
        match scan(buffer, next.range.end) {
            Scan::Frame(following) => next = following,
            Scan::Incomplete | Scan::BadLength(_) => break,
        }
    }
    end
}

/// The end of this row and of those behind it, of which the last may not have arrived.
pub(super) fn end_of_all(buffer: &[u8], first: &Frame) -> usize {
    let mut end = first.range.end;
    while let Scan::Frame(next) = scan(buffer, end)
        && next.tag == b'D'
    {
        end = next.range.end;
    }
    end
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

/// Tells the tokens in a row.
pub(super) fn tokens(
    buffer: &[u8],
    frame: &Frame,
    layout: Layout<'_>,
    mut told: impl FnMut(TokenType, Cow<'_, [u8]>),
) -> Result<(), Malformed> {
    let mut cells = Cells::new(buffer, &frame.range)?;
    let mut index = 0;
    while cells.left() > 0 {
        if let Some(range) = cells.next(buffer)?
            && let Some((token_type, token)) =
                layout.token(index, buffer.get(range).unwrap_or_default())
        {
            told(token_type, token);
        }
        index += 1;
    }
    cells.finish()
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
            if layout.token(index, cell).is_some() {
                return Ok(true);
            }
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
        if let Some(value) = layout.detokenized(index, cell) {
            row.written(buffer, frame, range.end, &value);
            index += 1;
            continue;
        }
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

#[cfg(test)]
mod tests {
    use super::{Layout, end_of_plain, may_open};
    use crate::cell::Kind;
    use crate::wire::pg::{Format, Formats, Scan, scan, write_frame};
    use proptest::prelude::*;

    /// Cells that may be opened, cells that look like them, and others.
    fn cell() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            3 => Just(b"plain".to_vec()),
            1 => Just(b"C:\\folder".to_vec()),
            1 => Just(b"\\x252525200000000000000000f0".to_vec()),
            1 => Just(b"%%%\\040\\000\\000\\000\\000\\000\\000\\000\\360".to_vec()),
            1 => Just(b"%%%\x20\0\0\0\0\0\0\0\xf0binary".to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..120),
        ]
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Bytes),
            Just(Kind::Text),
            Just(Kind::Never),
            Just(Kind::Unknown)
        ]
    }

    proptest! {
        #[test]
        fn no_row_that_may_be_opened_passes_unread(
            rows in proptest::collection::vec(proptest::collection::vec(cell(), 2), 1..8),
            kinds in proptest::collection::vec(kind(), 2),
            (binary, described, all) in any::<(bool, bool, bool)>(),
        ) {
            let format = if binary { Format::Binary } else { Format::Text };
            let mut buffer = Vec::new();
            for cells in &rows {
                write_frame(&mut buffer, b'D', |out| {
                    out.extend((cells.len() as u16).to_be_bytes());
                    for cell in cells {
                        // No text of the server has a zero byte.
                        let cell: Vec<u8> = cell.iter().copied().filter(|byte| binary || *byte != 0).collect();
                        out.extend((cell.len() as u32).to_be_bytes());
                        out.extend(&cell);
                    }
                });
            }
            let formats = Formats::All(format);
            let tokens = crate::session::tokens::OpenedTokens::default();
            let layout = Layout {
                kinds: described.then_some(&*kinds),
                formats: &formats,
                has_formats: true,
                all,
                utf8: true,
                settings: &[],
                tokens: &tokens,
            };
            let (mut at, mut passed) = (0, 0);
            while let Scan::Frame(frame) = scan(&buffer, at) {
                passed = passed.max(end_of_plain(&buffer, &frame, layout).unwrap_or(0));
                at = frame.range.end;
                prop_assert!(at > passed || !may_open(&buffer, &frame, layout).unwrap());
            }
        }
    }
}

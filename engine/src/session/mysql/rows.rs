//! Opening the cells of a row where it stands: what was opened is shorter than its container, and so is its length, so the
//! rest of the row moves down.

use super::columns::{Columns, Look, Shape};
use crate::cell::{self, Kind, Opener, Scratch};
use crate::crypto::detect;
use crate::wire::cursor::Malformed;
use crate::wire::mysql::lenenc;
use crate::wire::mysql::row::{Cells, RowFormat};
use crate::wire::pg::Format;
use std::ops::Range;

/// What rows are read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) columns: &'a Columns,
    pub(super) format: RowFormat,
    /// Look into every cell that has a length, whatever its type.
    pub(super) all: bool,
}

impl Layout<'_> {
    pub(super) fn may_open(self, cell: &[u8], shape: Shape) -> bool {
        match shape.look {
            _ if self.all => detect::may_hold_container(cell),
            Look::Anywhere => detect::may_hold_container(cell),
            Look::AtStart => detect::begins_with_container(cell),
            Look::Never => false,
        }
    }
}

/// Whether any cell of this row could be opened.
pub(super) fn may_open(payload: &[u8], layout: Layout<'_>) -> Result<bool, Malformed> {
    let columns = &layout.columns.list;
    let mut cells = Cells::new(payload, layout.format, columns.len())?;
    for shape in columns {
        if let Some(cell) = cells.next(payload, shape.kind)? {
            let value = payload.get(cell.value).unwrap_or_default();
            if layout.may_open(value, *shape) {
                return Ok(true);
            }
        }
    }
    cells.finish(payload)?;
    Ok(false)
}

/// Opens what can be opened; gives the new length of the payload if anything was.
pub(super) fn open(
    payload: &mut [u8],
    layout: Layout<'_>,
    opener: &mut Opener<'_>,
    scratch: &mut Scratch,
) -> Result<Option<usize>, Malformed> {
    let columns = &layout.columns.list;
    let mut cells = Cells::new(payload, layout.format, columns.len())?;
    // What has been read, and where it has been written, up to the last opened cell.
    let (mut read, mut write) = (0, 0);
    for shape in columns {
        let Some(cell) = cells.next(payload, shape.kind)? else {
            continue;
        };
        let value = payload.get(cell.value).unwrap_or_default();
        if !layout.may_open(value, *shape)
            || !cell::open(value, Kind::Raw, Format::Text, opener, scratch)
        {
            continue;
        }
        write = keep(payload, read..cell.whole.start, write);
        let (prefix, length) = lenenc::encode(scratch.plain.len() as u64);
        for part in [prefix.get(..length).unwrap_or_default(), &scratch.plain] {
            if let Some(place) = payload.get_mut(write..write + part.len()) {
                place.copy_from_slice(part);
            }
            write += part.len();
        }
        read = cell.whole.end;
    }
    cells.finish(payload)?;
    match read {
        0 => Ok(None),
        read => Ok(Some(keep(payload, read..payload.len(), write))),
    }
}

/// Moves a part of the payload down; gives its new end.
fn keep(payload: &mut [u8], part: Range<usize>, to: usize) -> usize {
    let end = to + part.len();
    if part.start != to && part.end <= payload.len() {
        payload.copy_within(part, to);
    }
    end
}

//! Cells of the binary format (PostgreSQL documentation, "COPY", Binary Format).
//!
//! A header of signature (11 bytes), flags, and an extension with its length; rows of a 16-bit number of cells, each a
//! 32-bit length (−1: NULL) and its bytes; −1 in the place of a number of cells ends the data. A cell's length counts
//! as part of it.

use super::split::{Fault, Piece};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags and length of the extension.
const FIXED: usize = SIGNATURE.len() + 8;
/// Flags that a reader must know; there are none in use any more.
const CRITICAL: u32 = 0xffff_0000;

/// Reads rows.
#[derive(Debug, Clone)]
pub(super) struct Binary {
    columns: usize,
    state: State,
    column: usize,
    row: u64,
    /// A field of several bytes as far as it has arrived, and how much that is.
    field: u32,
    have: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The fixed part of the header; so many bytes of it have been read.
    Fixed(usize),
    /// So many bytes of the extension are left.
    Extension(u32),
    /// The number of cells.
    Count,
    /// The length of a cell.
    Length,
    /// So many bytes of a cell are left.
    Value(u32),
    /// After the last byte of a cell.
    End,
    /// The end of a cell has been told.
    Told,
    /// After the trailer.
    Over,
}

impl Binary {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            columns,
            state: State::Fixed(0),
            column: 0,
            row: 0,
            field: 0,
            have: 0,
        }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn row(&self) -> u64 {
        self.row
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Fault> {
        self.next_cell();
        match self.state {
            State::Fixed(at) => self.fixed(at, bytes),
            State::Extension(left) => {
                let there = there(left, bytes);
                self.extension(left - there);
                Ok(Piece::Between(there as usize))
            }
            State::Count => {
                let read = self.read(2, bytes);
                if let Some(count) = self.whole(2) {
                    self.count(count)?;
                }
                Ok(Piece::Between(read))
            }
            State::Length => {
                let read = self.read(4, bytes);
                if let Some(length) = self.whole(4) {
                    self.state = match length {
                        0 | u32::MAX => State::End,
                        0x8000_0000.. => return Err(Fault("invalid field size")),
                        length => State::Value(length),
                    };
                }
                Ok(Piece::Cell(read))
            }
            State::Value(left) => {
                let there = there(left, bytes);
                self.state = match left - there {
                    0 => State::End,
                    left => State::Value(left),
                };
                Ok(Piece::Cell(there as usize))
            }
            State::End => {
                self.state = State::Told;
                Ok(Piece::CellEnd)
            }
            State::Told | State::Over => Err(Fault("received copy data after EOF marker")),
        }
    }

    /// Goes to the cell after the one whose end has been told.
    fn next_cell(&mut self) {
        if self.state != State::Told {
            return;
        }
        self.column += 1;
        self.state = State::Length;
        if self.column >= self.columns {
            self.column = 0;
            self.state = State::Count;
        }
    }

    pub(super) fn finish(&mut self) -> Result<Option<Piece>, Fault> {
        self.next_cell();
        match self.state {
            State::Over => Ok(None),
            // The server takes this for the end too.
            State::Count if self.have == 0 => Ok(None),
            State::Fixed(_) | State::Extension(_) => {
                Err(Fault("invalid COPY file header (missing)"))
            }
            _ => Err(Fault("unexpected EOF in COPY data")),
        }
    }

    fn fixed(&mut self, at: usize, bytes: &[u8]) -> Result<Piece, Fault> {
        let mut read = at;
        for byte in bytes.iter().take(FIXED - at) {
            match SIGNATURE.get(read) {
                Some(expected) if expected != byte => {
                    return Err(Fault("COPY file signature not recognized"));
                }
                Some(_) => {}
                None => self.field = self.field << 8 | u32::from(*byte),
            }
            read += 1;
            if read == SIGNATURE.len() + 4 && self.field & CRITICAL != 0 {
                return Err(Fault("unrecognized critical flags in COPY file header"));
            }
        }
        self.state = State::Fixed(read);
        if read == FIXED {
            let length = std::mem::take(&mut self.field);
            if length > 0x7fff_ffff {
                return Err(Fault("invalid COPY file header (wrong length)"));
            }
            self.extension(length);
        }
        Ok(Piece::Between(read - at))
    }

    fn extension(&mut self, left: u32) {
        self.state = match left {
            0 => State::Count,
            left => State::Extension(left),
        };
    }

    fn count(&mut self, count: u32) -> Result<(), Fault> {
        if count == 0xffff {
            self.state = State::Over;
            return Ok(());
        }
        self.row += 1;
        if count as usize != self.columns {
            return Err(Fault("row field count is not the number of columns"));
        }
        if self.columns > 0 {
            self.state = State::Length;
        }
        Ok(())
    }

    /// Takes bytes of a field of this length; how many there were.
    fn read(&mut self, length: usize, bytes: &[u8]) -> usize {
        let taken = length.saturating_sub(self.have).min(bytes.len());
        for byte in bytes.iter().take(taken) {
            self.field = self.field << 8 | u32::from(*byte);
        }
        self.have += taken;
        taken
    }

    /// The field, if all of it has arrived.
    fn whole(&mut self, length: usize) -> Option<u32> {
        (self.have == length).then(|| {
            self.have = 0;
            std::mem::take(&mut self.field)
        })
    }
}

/// How many of the bytes that are left have arrived.
fn there(left: u32, bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(left)
}

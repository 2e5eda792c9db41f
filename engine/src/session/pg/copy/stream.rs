//! One direction of a COPY: bytes come in pieces of any size, and leave with some of the cells replaced.
//!
//! Only the cell that is under way is held, and only where it may be replaced; all other bytes leave in the piece
//! that they came in.

use super::split::{Fault, Piece, Splitter};

/// What happens to cells.
pub(super) trait Cells {
    /// Why the stream cannot go on.
    type Error;

    /// Whether cells of this column may be replaced.
    fn wants(&self, column: usize) -> bool;

    /// Appends what a cell becomes, as it is written in the stream. False: it stays, and nothing was appended.
    fn cell(&mut self, column: usize, raw: &[u8], out: &mut Vec<u8>) -> Result<bool, Self::Error>;

    /// A cell is longer than the limit; so many bytes of it have arrived. It passes as it is, unless this is an error.
    fn too_long(&mut self, bytes: usize) -> Result<(), Self::Error>;

    /// The stream is not of its format. What follows passes unread, unless this is an error.
    fn fault(&mut self, fault: Fault) -> Result<(), Self::Error>;
}

/// The state of a stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    splitter: Splitter,
    /// What has arrived of a cell that may be replaced, if it began in an earlier piece.
    held: Vec<u8>,
    /// What a cell becomes, used again from cell to cell.
    becomes: Vec<u8>,
    cell: Cell,
    /// Longest cell that is held, in bytes as they are written.
    limit: usize,
    /// Everything passes unread.
    blind: bool,
}

/// The cell under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// None of its bytes has arrived.
    Ahead,
    /// It may be replaced.
    Wanted,
    /// It passes.
    Passing,
}

/// A piece on its way through.
struct Passage<'a> {
    piece: &'a [u8],
    /// First byte that has not been taken into the output or held.
    from: usize,
    /// Start of the cell under way.
    start: usize,
    at: usize,
}

impl Stream {
    pub(super) fn new(splitter: Splitter, limit: usize) -> Self {
        Self {
            splitter,
            held: Vec::new(),
            becomes: Vec::new(),
            cell: Cell::Ahead,
            limit,
            blind: false,
        }
    }

    /// The line that the stream is in, from 1 on.
    pub(super) fn line(&self) -> u64 {
        self.splitter.line()
    }

    /// The column that the stream is in, from 0 on.
    pub(super) fn column(&self) -> usize {
        self.splitter.column()
    }

    /// Takes a piece. False: it leaves as it came; otherwise what leaves in its place has been appended to `out`.
    pub(super) fn feed<C: Cells>(
        &mut self,
        piece: &[u8],
        cells: &mut C,
        out: &mut Vec<u8>,
    ) -> Result<bool, C::Error> {
        if self.blind {
            return Ok(false);
        }
        let before = out.len();
        let mut way = Passage {
            piece,
            from: 0,
            start: 0,
            at: 0,
        };
        while way.at < piece.len() || self.splitter.is_at_end() {
            match self.splitter.next(piece.get(way.at..).unwrap_or_default()) {
                Ok(Piece::Between(length)) => way.at += length,
                Ok(Piece::Cell(length)) => self.more(length, &mut way, cells, out)?,
                Ok(Piece::CellEnd) => self.end(&mut way, Some(cells), out)?,
                Ok(Piece::Marker) => self.end(&mut way, None::<&mut C>, out)?,
                Ok(Piece::Ignored(length)) => {
                    way.leave(way.at, out);
                    way.at += length;
                    way.from = way.at;
                }
                Err(fault) => {
                    cells.fault(fault)?;
                    self.release(out);
                    self.cell = Cell::Passing;
                    self.blind = true;
                    break;
                }
            }
        }
        if self.cell == Cell::Wanted {
            way.leave(way.start, out);
            self.held
                .extend_from_slice(piece.get(way.start..).unwrap_or_default());
            return Ok(true);
        }
        let changed = way.from > 0 || out.len() > before;
        if changed {
            way.leave(piece.len(), out);
        }
        Ok(changed)
    }

    /// The end of the stream; appends what is left of it.
    pub(super) fn finish<C: Cells>(
        &mut self,
        cells: &mut C,
        out: &mut Vec<u8>,
    ) -> Result<(), C::Error> {
        if self.blind {
            return Ok(());
        }
        let mut way = Passage {
            piece: &[],
            from: 0,
            start: 0,
            at: 0,
        };
        match self.splitter.finish() {
            Ok(Some(Piece::CellEnd)) => self.end(&mut way, Some(cells), out),
            Ok(Some(Piece::Marker)) => self.end(&mut way, None::<&mut C>, out),
            Ok(_) => Ok(()),
            Err(fault) => {
                cells.fault(fault)?;
                self.release(out);
                Ok(())
            }
        }
    }

    /// More bytes of the cell under way.
    fn more<C: Cells>(
        &mut self,
        length: usize,
        way: &mut Passage<'_>,
        cells: &mut C,
        out: &mut Vec<u8>,
    ) -> Result<(), C::Error> {
        if self.cell == Cell::Ahead {
            way.start = way.at;
            self.cell = match cells.wants(self.splitter.column()) {
                true => Cell::Wanted,
                false => Cell::Passing,
            };
        }
        way.at += length;
        let arrived = self.held.len() + way.at - way.start;
        if self.cell == Cell::Wanted && arrived > self.limit {
            cells.too_long(arrived)?;
            self.release(out);
            self.cell = Cell::Passing;
        }
        Ok(())
    }

    /// The end of the cell under way; without `cells` it passes.
    fn end<C: Cells>(
        &mut self,
        way: &mut Passage<'_>,
        cells: Option<&mut C>,
        out: &mut Vec<u8>,
    ) -> Result<(), C::Error> {
        let cell = std::mem::replace(&mut self.cell, Cell::Ahead);
        if cell == Cell::Ahead {
            way.start = way.at;
        }
        let column = self.splitter.column();
        let wanted = cells.filter(|cells| match cell {
            Cell::Ahead => cells.wants(column),
            Cell::Wanted => true,
            Cell::Passing => false,
        });
        let Some(cells) = wanted else {
            self.release(out);
            return Ok(());
        };
        let rest = way.piece.get(way.start..way.at).unwrap_or_default();
        let is_held = !self.held.is_empty();
        let raw = match is_held {
            false => rest,
            true => {
                self.held.extend_from_slice(rest);
                &self.held
            }
        };
        self.becomes.clear();
        if cells.cell(column, raw, &mut self.becomes)? {
            way.leave(way.start, out);
            out.extend_from_slice(&self.becomes);
            way.from = way.at;
        } else if is_held {
            out.extend_from_slice(&self.held);
            way.from = way.at;
        }
        self.held.clear();
        Ok(())
    }

    /// Lets go of what is held.
    fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }
}

impl Passage<'_> {
    /// Bytes up to `end` that have not left leave as they came.
    fn leave(&mut self, end: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.piece.get(self.from..end).unwrap_or_default());
        self.from = self.from.max(end);
    }
}

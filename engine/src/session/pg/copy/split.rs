//! Where the cells of a COPY stream begin and end, whatever its format and however it is cut into pieces.

use super::binary::Binary;
use super::lines::Lines;
use crate::plan::{CopyFormat, Dialect};

/// What stands at the front of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many bytes that belong to no cell: delimiters, ends of lines, headers.
    Between(usize),
    /// So many bytes of the current cell, as they are written: with quotes, escapes or the length in front.
    Cell(usize),
    /// The current cell ends here.
    CellEnd,
    /// The current cell ends here, and is no cell but the end-of-copy marker.
    Marker,
    /// So many bytes after the end-of-copy marker, which the server ignores.
    Ignored(usize),
}

/// What is wrong with the stream, in the words of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(pub(super) &'static str);

/// Reads a stream of one of the formats.
#[derive(Debug, Clone)]
pub(super) enum Splitter {
    /// Text and CSV.
    Lines(Lines),
    /// Binary.
    Binary(Binary),
}

impl Splitter {
    /// Reads rows of so many columns. Whether `\.` ends a CSV stream depends on the server's version.
    pub(super) fn new(dialect: &Dialect, columns: usize, csv_marker: bool) -> Self {
        match dialect.format {
            CopyFormat::Binary => Self::Binary(Binary::new(columns)),
            _ => Self::Lines(Lines::new(dialect, columns, csv_marker)),
        }
    }

    /// What is at the front of `bytes`; they may be empty only if a cell [`Splitter::is_at_end`].
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Fault> {
        match self {
            Self::Lines(lines) => lines.next(bytes),
            Self::Binary(binary) => binary.next(bytes),
        }
    }

    /// Whether the current cell is known to end before the next byte.
    pub(super) fn is_at_end(&self) -> bool {
        match self {
            Self::Lines(_) => false,
            Self::Binary(binary) => binary.is_at_end(),
        }
    }

    /// The end of the stream: it may end the last cell.
    pub(super) fn finish(&mut self) -> Result<Option<Piece>, Fault> {
        match self {
            Self::Lines(lines) => lines.finish(),
            Self::Binary(binary) => binary.finish(),
        }
    }

    /// The column of the current cell, from 0 on.
    pub(super) fn column(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.column(),
            Self::Binary(binary) => binary.column(),
        }
    }

    /// The current line, or row of the binary format, from 1 on.
    pub(super) fn line(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.line(),
            Self::Binary(binary) => binary.row(),
        }
    }
}

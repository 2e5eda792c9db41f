//! Cells of the text and CSV formats (PostgreSQL documentation, "COPY", File Formats; `copyfromparse.c`).
//!
//! A line ends with LF, CR LF or CR; the server refuses a mixture. In the text format a backslash takes the next byte
//! into the cell whatever it is, except that `\.` alone on a line ends the data. In CSV a quote opens and closes a part
//! in which delimiters and ends of lines are data.

use super::split::{Fault, Piece};
use crate::plan::{CopyFormat, Dialect};
use memchr::{memchr, memchr_iter, memchr2, memchr3};

/// Reads lines.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    delimiter: u8,
    quoting: Option<Quoting>,
    /// `\.` alone on a line ends the data.
    has_marker: bool,
    columns: usize,
    state: State,
    header: bool,
    column: usize,
    line: u64,
    /// The byte before was a backslash of the text format.
    escaped: bool,
    /// The end of the current cell has been told.
    told: bool,
    /// The current line has bytes.
    begun: bool,
    mark: Mark,
}

#[derive(Debug, Clone)]
struct Quoting {
    quote: u8,
    escape: u8,
    /// Within quotes.
    open: bool,
    /// The byte before was an escape that is no quote.
    escaped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a line.
    Line,
    /// After CR: LF belongs to it.
    Return,
    /// After the marker: the end of its line.
    Marker,
    /// After CR behind the marker.
    MarkerReturn,
    /// After the end of the data.
    Over,
}

/// How much of `\.` the line is so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Start,
    Backslash,
    Whole,
    Other,
}

impl Mark {
    fn then(self, bytes: &[u8]) -> Self {
        match (self, bytes) {
            (_, []) => self,
            (Self::Start, b"\\") => Self::Backslash,
            (Self::Start, b"\\.") | (Self::Backslash, b".") => Self::Whole,
            _ => Self::Other,
        }
    }
}

const CORRUPT: Fault = Fault("end-of-copy marker corrupt");

impl Lines {
    pub(super) fn new(dialect: &Dialect, columns: usize, csv_marker: bool) -> Self {
        let is_csv = dialect.format == CopyFormat::Csv;
        Self {
            delimiter: dialect.delimiter,
            quoting: is_csv.then_some(Quoting {
                quote: dialect.quote,
                escape: dialect.escape,
                open: false,
                escaped: false,
            }),
            has_marker: !is_csv || csv_marker,
            columns,
            state: State::Line,
            header: dialect.header,
            column: 0,
            line: 1,
            escaped: false,
            told: false,
            begun: false,
            mark: Mark::Start,
        }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Fault> {
        let Some(first) = bytes.first().copied() else {
            return Ok(Piece::Between(0));
        };
        match (self.state, first) {
            (State::Over, _) => return Ok(Piece::Ignored(bytes.len())),
            (State::Marker, b'\r') => {
                self.state = State::MarkerReturn;
                return Ok(Piece::Between(1));
            }
            (State::Marker | State::MarkerReturn, b'\n') => {
                self.state = State::Over;
                return Ok(Piece::Between(1));
            }
            (State::Marker, _) => return Err(CORRUPT),
            (State::MarkerReturn, _) => {
                self.state = State::Over;
                return Ok(Piece::Ignored(bytes.len()));
            }
            (State::Return, b'\n') => {
                self.state = State::Line;
                return Ok(Piece::Between(1));
            }
            (State::Return | State::Line, _) => self.state = State::Line,
        }
        let length = match self.quoting.is_some() {
            true => self.csv(bytes),
            false => self.text(bytes)?,
        };
        let Some(length) = length else {
            return self.end_of_cell(first);
        };
        self.begun = true;
        match self.header {
            true => Ok(Piece::Between(length)),
            false => Ok(Piece::Cell(length)),
        }
    }

    /// How many bytes of a cell there are; nothing if it ends here.
    fn text(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        let escaped = std::mem::take(&mut self.escaped);
        let length = if escaped {
            1
        } else {
            match self.plain_text(bytes) {
                0 if bytes.first() == Some(&b'\\') => {
                    self.escaped = true;
                    1
                }
                0 => return Ok(None),
                stop => stop,
            }
        };
        let before = self.mark;
        self.mark = before.then(bytes.get(..length).unwrap_or_default());
        if before == Mark::Whole {
            return Err(CORRUPT);
        }
        if escaped && bytes.first() == Some(&b'.') && self.mark != Mark::Whole {
            return Err(Fault("end-of-copy marker is not alone on its line"));
        }
        Ok(Some(length))
    }

    /// The length of what stands in front of the end of a cell, of `\.`, and of a backslash that nothing has arrived after.
    fn plain_text(&self, bytes: &[u8]) -> usize {
        let mut length = 0;
        loop {
            let rest = bytes.get(length..).unwrap_or_default();
            length += line_end(rest, memchr3(self.delimiter, b'\\', b'\n', rest));
            match bytes.get(length..) {
                Some([b'\\', escaped, ..]) if *escaped != b'.' => length += 2,
                _ => return length,
            }
        }
    }

    /// How many bytes of a cell there are; nothing if it ends here.
    fn csv(&mut self, bytes: &[u8]) -> Option<usize> {
        let quoting = self.quoting.as_mut()?;
        let first = bytes.first().copied()?;
        if quoting.open {
            let stop = memchr2(quoting.quote, quoting.escape, bytes).unwrap_or(bytes.len());
            if stop > 0 {
                quoting.escaped = false;
                self.line += memchr_iter(b'\n', bytes.get(..stop)?).count() as u64;
                return Some(stop);
            }
            if quoting.quote != quoting.escape && first == quoting.escape {
                quoting.escaped = !quoting.escaped;
            } else {
                quoting.open = std::mem::take(&mut quoting.escaped);
            }
            return Some(1);
        }
        let stop = line_end(bytes, memchr3(self.delimiter, quoting.quote, b'\n', bytes));
        let length = match bytes.get(stop) {
            Some(byte) if stop == 0 && *byte == quoting.quote => {
                quoting.open = true;
                1
            }
            _ if stop == 0 => return None,
            _ => stop,
        };
        self.mark = self.mark.then(bytes.get(..length)?);
        Some(length)
    }

    /// At a delimiter or an end of line: first the cell's end is told, then the byte is taken.
    fn end_of_cell(&mut self, byte: u8) -> Result<Piece, Fault> {
        let is_delimiter = byte == self.delimiter;
        if self.header {
            if !is_delimiter {
                self.header = false;
                self.next_line(byte);
            }
            return Ok(Piece::Between(1));
        }
        if !std::mem::replace(&mut self.told, true) {
            if self.mark == Mark::Whole && self.has_marker {
                if !is_delimiter {
                    self.state = State::Marker;
                    self.told = false;
                    return Ok(Piece::Marker);
                }
                if self.quoting.is_none() {
                    return Err(CORRUPT);
                }
            }
            return Ok(Piece::CellEnd);
        }
        self.told = false;
        if is_delimiter {
            self.begun = true;
            self.column += 1;
            self.mark = Mark::Other;
            if self.column >= self.columns {
                return Err(Fault("extra data after last expected column"));
            }
        } else {
            self.next_line(byte);
        }
        Ok(Piece::Between(1))
    }

    fn next_line(&mut self, byte: u8) {
        self.line += 1;
        self.column = 0;
        self.begun = false;
        self.mark = Mark::Start;
        if byte == b'\r' {
            self.state = State::Return;
        }
    }

    pub(super) fn finish(&mut self) -> Result<Option<Piece>, Fault> {
        if self.quoting.as_ref().is_some_and(|quoting| quoting.open) {
            return Err(Fault("unterminated CSV quoted field"));
        }
        if !self.begun || self.header || self.state != State::Line {
            return Ok(None);
        }
        self.begun = false;
        Ok(Some(match self.mark {
            Mark::Whole if self.quoting.is_none() => Piece::Marker,
            _ => Piece::CellEnd,
        }))
    }
}

/// The first of a place found and a carriage return before it.
fn line_end(bytes: &[u8], found: Option<usize>) -> usize {
    let stop = found.unwrap_or(bytes.len());
    memchr(b'\r', bytes.get(..stop).unwrap_or_default()).unwrap_or(stop)
}

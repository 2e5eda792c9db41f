//! The rows of the file of a LOAD DATA, as the server reads them (`sql_load.cc`, `READ_INFO`).
//!
//! Bytes come in pieces of any size. What is held is the value of the cell under way, and the few bytes of which the next
//! ones must be known.

use crate::plan::LoadDialect;
use memchr::{memchr2, memchr3};

/// Takes the cells of rows.
pub(super) trait Cells {
    /// Why the file cannot go on.
    type Error;

    /// A value; nothing: NULL.
    fn cell(&mut self, column: usize, value: Option<&[u8]>) -> Result<(), Self::Error>;

    /// The row has so many cells; there is `more` in it that is for none.
    fn row_end(&mut self, cells: usize, more: bool) -> Result<(), Self::Error>;

    /// A cell is longer than the limit.
    fn too_long(&mut self) -> Self::Error;
}

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A row that is passed over.
    Skipped,
    /// What comes before a row.
    Start,
    /// The first byte of a cell.
    Cell,
    /// A cell.
    Inside { quoted: bool },
    /// What is in a row besides its cells, and whether there has been any.
    Rest(bool),
}

/// Reads rows.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    dialect: LoadDialect,
    columns: usize,
    limit: usize,
    phase: Phase,
    column: usize,
    row: u64,
    /// The value under way.
    value: Vec<u8>,
    /// An escaped `N` was in it.
    null: bool,
    /// Bytes whose meaning is told by the next ones.
    held: Vec<u8>,
}

impl Rows {
    /// Rows of so many columns, whose values are not longer than the limit in bytes.
    pub(super) fn new(dialect: &LoadDialect, columns: usize, limit: usize) -> Self {
        let mut rows = Self {
            dialect: dialect.clone(),
            columns,
            limit,
            phase: Phase::Start,
            column: 0,
            row: 1,
            value: Vec::new(),
            null: false,
            held: Vec::new(),
        };
        rows.phase = rows.row_start();
        rows
    }

    /// The number of the row under way, from 1 on, with those that are passed over.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Whether some cells of the row under way have been told.
    pub(super) fn is_in_row(&self) -> bool {
        self.column > 0
    }

    /// Takes a piece; the last one may be empty.
    pub(super) fn feed<C: Cells>(
        &mut self,
        piece: &[u8],
        last: bool,
        cells: &mut C,
    ) -> Result<(), C::Error> {
        let mut joined = std::mem::take(&mut self.held);
        let bytes = match joined.is_empty() {
            true => piece,
            false => {
                joined.extend_from_slice(piece);
                &joined
            }
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(taken) = self.step(rest, last, cells)? else {
                break;
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.held = rest.to_vec();
        match last {
            true => self.finish(cells),
            false => Ok(()),
        }
    }

    fn row_start(&self) -> Phase {
        if self.row <= self.dialect.skipped {
            Phase::Skipped
        } else if self.dialect.row_start.is_empty() {
            Phase::Cell
        } else {
            Phase::Start
        }
    }

    /// Takes what is at the front of the bytes; `None`: more of them must be known.
    fn step<C: Cells>(
        &mut self,
        rest: &[u8],
        last: bool,
        cells: &mut C,
    ) -> Result<Option<usize>, C::Error> {
        match self.phase {
            Phase::Skipped => self.pass(rest, last, None, cells),
            Phase::Rest(more) => self.pass(rest, last, Some(more), cells),
            Phase::Start => Ok(match begins(rest, &self.dialect.row_start, last) {
                Begins::Yes(length) => {
                    self.phase = Phase::Cell;
                    Some(length)
                }
                Begins::No => Some(1),
                Begins::Unknown => None,
            }),
            Phase::Cell => {
                let quoted = self.dialect.quote.is_some() && self.dialect.quote == first(rest);
                self.value.clear();
                self.null = false;
                self.phase = Phase::Inside { quoted };
                Ok(Some(usize::from(quoted)))
            }
            Phase::Inside { quoted } => self.inside(rest, last, quoted, cells),
        }
    }

    /// A row that is passed over, or what is left of one. Quotes mean nothing there.
    fn pass<C: Cells>(
        &mut self,
        rest: &[u8],
        last: bool,
        row: Option<bool>,
        cells: &mut C,
    ) -> Result<Option<usize>, C::Error> {
        let plain = self.plain(rest, false);
        if plain > 0 {
            if row.is_some() {
                self.phase = Phase::Rest(true);
            }
            return Ok(Some(plain));
        }
        if self.dialect.escape.is_some() && self.dialect.escape == first(rest) {
            if row.is_some() {
                self.phase = Phase::Rest(true);
            }
            return Ok((rest.len() > 1 || last).then_some(2));
        }
        Ok(match begins(rest, &self.dialect.row_end, last) {
            Begins::Yes(length) => {
                match row {
                    None => self.next_row(),
                    Some(more) => self.end_row(more, cells)?,
                }
                Some(length)
            }
            Begins::No => {
                if row.is_some() {
                    self.phase = Phase::Rest(true);
                }
                Some(1)
            }
            Begins::Unknown => None,
        })
    }

    fn inside<C: Cells>(
        &mut self,
        rest: &[u8],
        last: bool,
        quoted: bool,
        cells: &mut C,
    ) -> Result<Option<usize>, C::Error> {
        let plain = self.plain(rest, quoted);
        if plain > 0 {
            return self.take(rest.get(..plain).unwrap_or_default(), plain, cells);
        }
        let (one, next) = (
            rest.first().copied().unwrap_or_default(),
            rest.get(1).copied(),
        );
        let is_quote = self.dialect.quote == Some(one);
        if self.dialect.escape == Some(one) {
            let Some(next) = next else {
                return match last {
                    true => self.take(&[one], 1, cells),
                    false => Ok(None),
                };
            };
            if !is_quote || next == one {
                self.null |= next == b'N';
                return self.take(&[unescaped(next)], 2, cells);
            }
        }
        if quoted && is_quote {
            if next == Some(one) {
                return self.take(&[one], 2, cells);
            }
            let after = rest.get(1..).unwrap_or_default();
            if after.is_empty() {
                if last {
                    self.end_cell(true, true, cells)?;
                    return Ok(Some(1));
                }
                return Ok(None);
            }
            return match self.ends(after, last) {
                Ends::Unknown => Ok(None),
                Ends::No => self.take(&[one], 1, cells),
                Ends::Cell(length) => {
                    self.end_cell(true, false, cells)?;
                    Ok(Some(1 + length))
                }
                Ends::Row(length) => {
                    self.end_cell(true, true, cells)?;
                    Ok(Some(1 + length))
                }
            };
        }
        if quoted {
            return self.take(&[one], 1, cells);
        }
        match self.ends(rest, last) {
            Ends::Unknown => Ok(None),
            Ends::No => self.take(&[one], 1, cells),
            Ends::Cell(length) => {
                self.end_cell(false, false, cells)?;
                Ok(Some(length))
            }
            Ends::Row(length) => {
                self.end_cell(false, true, cells)?;
                Ok(Some(length))
            }
        }
    }

    /// How many bytes at the front are none that mean anything.
    fn plain(&self, rest: &[u8], quoted: bool) -> usize {
        let LoadDialect {
            cell_end,
            quote,
            escape,
            row_end,
            ..
        } = &self.dialect;
        let found = match (quoted, quote, first(cell_end), first(row_end)) {
            (true, Some(quote), ..) => memchr2(*quote, escape.unwrap_or(*quote), rest),
            (_, _, Some(cell), Some(row)) => memchr3(cell, row, escape.unwrap_or(row), rest),
            // A dialect always has both.
            _ => Some(0),
        };
        found.unwrap_or(rest.len())
    }

    fn take<C: Cells>(
        &mut self,
        bytes: &[u8],
        taken: usize,
        cells: &mut C,
    ) -> Result<Option<usize>, C::Error> {
        if self.value.len() + bytes.len() > self.limit {
            return Err(cells.too_long());
        }
        self.value.extend_from_slice(bytes);
        Ok(Some(taken))
    }

    /// Whether the cell ends here. The end of a row counts first.
    fn ends(&self, rest: &[u8], last: bool) -> Ends {
        match begins(rest, &self.dialect.row_end, last) {
            Begins::Yes(length) => return Ends::Row(length),
            Begins::Unknown => return Ends::Unknown,
            Begins::No => {}
        }
        match begins(rest, &self.dialect.cell_end, last) {
            Begins::Yes(length) => Ends::Cell(length),
            Begins::Unknown => Ends::Unknown,
            Begins::No => Ends::No,
        }
    }

    fn end_cell<C: Cells>(
        &mut self,
        quoted: bool,
        ends_row: bool,
        cells: &mut C,
    ) -> Result<(), C::Error> {
        let is_word = self.dialect.quote.is_some() && !quoted && self.value == b"NULL";
        let is_null = is_word || (self.null && self.value.len() == 1);
        cells.cell(self.column, (!is_null).then_some(&self.value))?;
        self.column += 1;
        if ends_row {
            return self.end_row(false, cells);
        }
        self.phase = match self.column < self.columns {
            true => Phase::Cell,
            false => Phase::Rest(false),
        };
        Ok(())
    }

    fn end_row<C: Cells>(&mut self, more: bool, cells: &mut C) -> Result<(), C::Error> {
        cells.row_end(self.column, more)?;
        self.next_row();
        Ok(())
    }

    fn next_row(&mut self) {
        self.row += 1;
        self.column = 0;
        self.phase = self.row_start();
    }

    /// The end of the file.
    fn finish<C: Cells>(&mut self, cells: &mut C) -> Result<(), C::Error> {
        match self.phase {
            Phase::Inside { quoted } => {
                // Without its second quote, the first one is part of the value.
                if let (true, Some(quote)) = (quoted, self.dialect.quote) {
                    self.value.insert(0, quote);
                }
                self.end_cell(false, true, cells)
            }
            Phase::Cell if self.column > 0 => self.end_row(false, cells),
            Phase::Rest(more) => self.end_row(more, cells),
            Phase::Skipped | Phase::Start | Phase::Cell => Ok(()),
        }
    }
}

/// Whether bytes begin with others.
enum Begins {
    /// They do; the length of those.
    Yes(usize),
    No,
    /// There are too few of them to tell.
    Unknown,
}

/// What ends where a cell may.
enum Ends {
    Cell(usize),
    Row(usize),
    No,
    Unknown,
}

fn begins(bytes: &[u8], start: &[u8], last: bool) -> Begins {
    if bytes.starts_with(start) {
        Begins::Yes(start.len())
    } else if !last && start.starts_with(bytes) {
        Begins::Unknown
    } else {
        Begins::No
    }
}

fn first(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied()
}

/// What a byte behind the escape stands for.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'b' => 8,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'Z' => 0x1A,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cells, Rows};
    use crate::plan::LoadDialect;
    use std::convert::Infallible;

    #[derive(Default)]
    struct Told(String);

    impl Cells for Told {
        type Error = Infallible;

        fn cell(&mut self, _: usize, value: Option<&[u8]>) -> Result<(), Infallible> {
            let value = value.map(String::from_utf8_lossy);
            self.0
                .push_str(&format!("[{}]", value.as_deref().unwrap_or("-")));
            Ok(())
        }

        fn row_end(&mut self, cells: usize, more: bool) -> Result<(), Infallible> {
            self.0
                .push_str(&format!("{cells}{} ", if more { "+" } else { "" }));
            Ok(())
        }

        fn too_long(&mut self) -> Infallible {
            unreachable!("the limit is not that low")
        }
    }

    /// The same however it is cut.
    fn told(dialect: &LoadDialect, file: &[u8]) -> String {
        let mut all = Vec::new();
        for size in 1..=file.len().max(1) {
            let (mut rows, mut told) = (Rows::new(dialect, 2, 1 << 20), Told::default());
            for piece in file.chunks(size) {
                let Ok(()) = rows.feed(piece, false, &mut told);
            }
            let Ok(()) = rows.feed(b"", true, &mut told);
            all.push(told.0);
        }
        all.dedup();
        assert_eq!(all.len(), 1, "{all:?}");
        all.pop().unwrap_or_default()
    }

    fn usual() -> LoadDialect {
        LoadDialect {
            cell_end: b"\t".as_slice().into(),
            quote: None,
            escape: Some(b'\\'),
            row_start: Box::default(),
            row_end: b"\n".as_slice().into(),
            skipped: 0,
        }
    }

    #[test]
    fn tabs_and_backslashes() {
        let file = b"a\tb\nc\\td\t\\N\n\tNULL\n\\Nx\te";
        assert_eq!(
            told(&usual(), file),
            "[a][b]2 [c\td][-]2 [][NULL]2 [Nx][e]2 "
        );
    }

    #[test]
    fn rows_that_are_too_short_or_too_long() {
        let file = b"a\n\nb\tc\td\\\ne\nf\t";
        assert_eq!(told(&usual(), file), "[a]1 []1 [b][c]2+ [f]1 ");
        assert_eq!(told(&usual(), b""), "");
    }

    #[test]
    fn quotes_and_long_separators() {
        let dialect = LoadDialect {
            cell_end: b"||".as_slice().into(),
            quote: Some(b'"'),
            row_start: b"> ".as_slice().into(),
            row_end: b"\r\n".as_slice().into(),
            skipped: 1,
            ..usual()
        };
        let file = b"a \"head\r\nx> \"a||\r\n\"\"\"||b|c\r\n> NULL||\"NULL\"\r\n> \"x\"y\"||\"z";
        assert_eq!(
            told(&dialect, file),
            "[a||\r\n\"][b|c]2 [-][NULL]2 [x\"y][\"z]2 "
        );
    }

    #[test]
    fn a_quote_that_is_the_escape() {
        let dialect = LoadDialect {
            cell_end: b",".as_slice().into(),
            quote: Some(b'"'),
            escape: Some(b'"'),
            ..usual()
        };
        assert_eq!(
            told(&dialect, b"\"fie\"\"ld,1\",\"2\"\n"),
            "[fie\"ld,1][2]2 "
        );
    }
}

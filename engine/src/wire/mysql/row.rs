//! Rows of results: walking their cells as ranges of the buffer that holds them.
//!
//! Text: for each column a length-encoded string, or `0xfb` for NULL. Binary: `0x00`, a NULL bitmap whose first two bits are
//! not used, then the values that are not NULL, by their types.

use super::lenenc;
use super::value::{self, Type};
use crate::wire::cursor::{Malformed, Reader};
use std::ops::Range;

/// How the cells of a row are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Of the answers to texts.
    Text,
    /// Of prepared statements.
    Binary,
}

/// A cell that has a length in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The length and the value.
    pub whole: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// Walks the cells of a row.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    reader: Reader<'a>,
    format: RowFormat,
    nulls: &'a [u8],
    index: usize,
}

impl<'a> Cells<'a> {
    /// Starts at the first cell of a row of this many columns.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be, or does not begin as a row does.
    pub fn new(payload: &'a [u8], format: RowFormat, columns: usize) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let nulls = match format {
            RowFormat::Text => b"",
            RowFormat::Binary => {
                if reader.u8("binary row")? != 0 {
                    return Err(Malformed("binary row"));
                }
                reader.bytes((columns + 2).div_ceil(8), "NULL bitmap")?
            }
        };
        Ok(Self {
            reader,
            format,
            nulls,
            index: 0,
        })
    }

    /// Offset of the next cell.
    pub fn position(&self) -> usize {
        self.reader.position()
    }

    /// The next cell, of this type. `None`: it is NULL, or has no length of its own.
    ///
    /// # Errors
    ///
    /// The row ends before it does.
    pub fn next(&mut self, kind: Type) -> Result<Option<Cell>, Malformed> {
        let start = self.reader.position();
        if self.format == RowFormat::Binary {
            let bit = self.index + 2;
            self.index += 1;
            if value::is_null(self.nulls, bit) {
                return Ok(None);
            }
            if let Some(width) = kind.width() {
                self.reader.bytes(width, "value of a column")?;
                return Ok(None);
            }
        }
        let value = lenenc::nullable_string(&mut self.reader, "value of a column")?;
        let end = self.reader.position();
        Ok(value.map(|value| Cell {
            whole: start..end,
            value: end - value.len()..end,
        }))
    }

    /// Fails unless the cells end where the row ends.
    pub fn finish(&self) -> Result<(), Malformed> {
        self.reader.end("end of a row")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A row of the binary protocol with these values; those of numeric types have the right length.
    fn binary_row(values: &[(u8, Option<Vec<u8>>)]) -> Vec<u8> {
        let mut nulls = vec![0; (values.len() + 2).div_ceil(8)];
        let mut cells = Vec::new();
        for (index, (kind, value)) in values.iter().enumerate() {
            match value {
                None => nulls[(index + 2) / 8] |= 1 << ((index + 2) % 8),
                Some(value) if Type(*kind).width().is_none() => {
                    lenenc::write_string(&mut cells, value);
                }
                Some(value) => cells.extend_from_slice(value),
            }
        }
        [vec![0], nulls, cells].concat()
    }

    fn value_of(kind: u8) -> impl Strategy<Value = (u8, Option<Vec<u8>>)> {
        let length = match Type(kind).width() {
            Some(width) => width..=width,
            None => 0..=300,
        };
        let value = proptest::option::of(proptest::collection::vec(any::<u8>(), length));
        value.prop_map(move |value| (kind, value))
    }

    proptest! {
        #[test]
        fn binary_rows_of_every_type(values in proptest::collection::vec(any::<u8>().prop_flat_map(value_of), 0..20)) {
            let row = binary_row(&values);
            let mut cells = Cells::new(&row, RowFormat::Binary, values.len()).unwrap();
            for (kind, value) in &values {
                let cell = cells.next(Type(*kind)).unwrap();
                let expected = value.as_deref().filter(|_| Type(*kind).width().is_none());
                prop_assert_eq!(cell.as_ref().map(|cell| &row[cell.value.clone()]), expected);
                if let Some(cell) = cell {
                    prop_assert_eq!((cell.whole.end, cells.position()), (cell.value.end, cell.value.end));
                }
            }
            prop_assert_eq!(cells.finish(), Ok(()));
            for cut in 0..row.len() {
                let walked = Cells::new(&row[..cut], RowFormat::Binary, values.len())
                    .and_then(|mut cells| values.iter().try_for_each(|(kind, _)| cells.next(Type(*kind)).map(drop)));
                prop_assert!(walked.is_err());
            }
        }

        #[test]
        fn text_rows(values in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), 0..20)) {
            let mut row = Vec::new();
            for value in &values {
                match value {
                    Some(value) => lenenc::write_string(&mut row, value),
                    None => row.push(lenenc::NULL),
                }
            }
            let mut cells = Cells::new(&row, RowFormat::Text, values.len()).unwrap();
            for value in &values {
                let cell = cells.next(Type::LONG).unwrap();
                prop_assert_eq!(cell.map(|cell| &row[cell.value]), value.as_deref());
            }
            prop_assert_eq!(cells.finish(), Ok(()));
        }
    }
}

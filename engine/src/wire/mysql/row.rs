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

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The length, if there is one, and the value.
    pub whole: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// Walks the cells of a row, which may be changed behind it.
#[derive(Debug, Clone)]
pub struct Cells {
    at: usize,
    format: RowFormat,
    index: usize,
}

impl Cells {
    /// Starts at the first cell of a row of this many columns.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be, or does not begin as a row does.
    pub fn new(payload: &[u8], format: RowFormat, columns: usize) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if format == RowFormat::Binary {
            if reader.u8("binary row")? != 0 {
                return Err(Malformed("binary row"));
            }
            reader.bytes((columns + 2).div_ceil(8), "NULL bitmap")?;
        }
        Ok(Self {
            at: reader.position(),
            format,
            index: 0,
        })
    }

    /// Offset of the next cell.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next cell, of this type. `None`: it is NULL, or has no length of its own.
    ///
    /// # Errors
    ///
    /// The row ends before it does.
    pub fn next(&mut self, payload: &[u8], kind: Type) -> Result<Option<Cell>, Malformed> {
        let cell = self.any(payload, kind)?;
        Ok(cell.filter(|cell| cell.whole != cell.value))
    }

    /// The next cell, of this type, whether it has a length or not. `None`: it is NULL.
    ///
    /// # Errors
    ///
    /// The row ends before it does.
    pub fn any(&mut self, payload: &[u8], kind: Type) -> Result<Option<Cell>, Malformed> {
        let start = self.at;
        let mut reader = Reader::new(payload.get(start..).unwrap_or_default());
        if self.format == RowFormat::Binary {
            let bit = self.index + 2;
            self.index += 1;
            if value::is_null(payload.get(1..).unwrap_or_default(), bit) {
                return Ok(None);
            }
            if let Some(width) = kind.width() {
                reader.bytes(width, "value of a column")?;
                self.at += width;
                return Ok(Some(Cell {
                    whole: start..self.at,
                    value: start..self.at,
                }));
            }
        }
        let value = lenenc::nullable_string(&mut reader, "value of a column")?;
        self.at += reader.position();
        let end = self.at;
        Ok(value.map(|value| Cell {
            whole: start..end,
            value: end - value.len()..end,
        }))
    }

    /// Fails unless the cells end where the row ends.
    pub fn finish(&self, payload: &[u8]) -> Result<(), Malformed> {
        match self.at == payload.len() {
            true => Ok(()),
            false => Err(Malformed("end of a row")),
        }
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
                let cell = cells.next(&row, Type(*kind)).unwrap();
                let expected = value.as_deref().filter(|_| Type(*kind).width().is_none());
                prop_assert_eq!(cell.as_ref().map(|cell| &row[cell.value.clone()]), expected);
                if let Some(cell) = cell {
                    prop_assert_eq!((cell.whole.end, cells.position()), (cell.value.end, cell.value.end));
                }
            }
            prop_assert_eq!(cells.finish(&row), Ok(()));
            for cut in 0..row.len() {
                let walked = Cells::new(&row[..cut], RowFormat::Binary, values.len())
                    .and_then(|mut cells| values.iter().try_for_each(|(kind, _)| cells.next(&row[..cut], Type(*kind)).map(drop)));
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
                let cell = cells.next(&row, Type::LONG).unwrap();
                prop_assert_eq!(cell.map(|cell| &row[cell.value]), value.as_deref());
            }
            prop_assert_eq!(cells.finish(&row), Ok(()));
        }
    }
}

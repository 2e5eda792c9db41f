//! MariaDB's `COM_STMT_BULK_EXECUTE`: a prepared statement with many rows of parameters.
//!
//! After the command's byte: statement 4, flags 2; if a flag says so, for each parameter a type of 2 bytes; then rows to
//! the end, of which each value has an indicator and, if that is 0, itself in the form of the binary protocol (MariaDB
//! documentation, "COM_STMT_BULK_EXECUTE").

use super::execute::{ParameterType, UNSIGNED, parameter_type};
use super::value::{self, Type};
use crate::wire::cursor::{Malformed, Reader};

/// The command's byte.
const COMMAND: u8 = 0xfa;

/// Flag: types follow.
const SENDS_TYPES: u16 = 128;

/// Flag: the last result counts what has become of each row.
const COUNTS_ROWS: u16 = 64;

/// Whether the answer to a bulk execution, of which the head is there, ends with a result that counts what has become of its rows.
pub fn counts_rows(payload: &[u8]) -> bool {
    let flags = payload.get(5..).and_then(|flags| flags.first_chunk());
    flags.is_some_and(|flags| u16::from_le_bytes(*flags) & COUNTS_ROWS != 0)
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkValue<'a> {
    /// This value.
    Value(&'a [u8]),
    /// NULL.
    Null,
    /// The column's default.
    Default,
    /// Left alone by an UPDATE, the column's default for an INSERT.
    Ignore,
}

/// A message whose rows have not been read.
#[derive(Debug, Clone)]
pub struct BulkExecute<'a> {
    /// The statement's number, or [`LAST_PREPARED`](super::execute::LAST_PREPARED).
    pub statement: u32,
    /// Types, if they are sent; else they are those of the last execution.
    pub types: Option<Vec<ParameterType<'a>>>,
    /// Its flags, apart from that of the types.
    flags: u16,
    rows: &'a [u8],
}

impl<'a> BulkExecute<'a> {
    /// Reads a payload of a statement with this many parameters.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &'a [u8], count: usize) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("COM_STMT_BULK_EXECUTE")?;
        let statement = reader.u32_le("statement number")?;
        let flags = reader.u16_le("flags of an execution")?;
        let types = match flags & SENDS_TYPES {
            0 => None,
            _ => {
                let mut types = Vec::new();
                for _ in 0..count {
                    types.push(parameter_type(&mut reader, false)?);
                }
                Some(types)
            }
        };
        Ok(Self {
            statement,
            types,
            flags: flags & !SENDS_TYPES,
            rows: reader.rest(),
        })
    }

    /// All values of all rows by these types, row after row.
    pub fn values(
        &self,
        types: &[ParameterType<'_>],
    ) -> impl Iterator<Item = Result<BulkValue<'a>, Malformed>> {
        let mut reader = Reader::new(self.rows);
        let mut column = 0;
        std::iter::from_fn(move || {
            if reader.left() == 0 && column == 0 {
                return None;
            }
            let kind = types.get(column)?.kind;
            column = (column + 1) % types.len();
            let value = bulk_value(&mut reader, kind);
            if value.is_err() {
                reader.rest();
                column = 0;
            }
            Some(value)
        })
    }
}

/// Appends an execution with these types, and the values that are written of all rows.
pub fn write(bulk: &BulkExecute<'_>, types: &[ParameterType<'_>], rows: &[u8], out: &mut Vec<u8>) {
    out.push(COMMAND);
    out.extend_from_slice(&bulk.statement.to_le_bytes());
    out.extend_from_slice(&(bulk.flags | SENDS_TYPES).to_le_bytes());
    for kind in types {
        let sign = if kind.is_unsigned { UNSIGNED } else { 0 };
        out.extend_from_slice(&[kind.kind.0, sign]);
    }
    out.extend_from_slice(rows);
}

/// Appends a value of a row, of this type.
pub fn write_value(out: &mut Vec<u8>, kind: Type, value: BulkValue<'_>) {
    match value {
        BulkValue::Value(value) => {
            out.push(0);
            value::write_binary(out, kind, value);
        }
        BulkValue::Null => out.push(1),
        BulkValue::Default => out.push(2),
        BulkValue::Ignore => out.push(3),
    }
}

fn bulk_value<'a>(reader: &mut Reader<'a>, kind: Type) -> Result<BulkValue<'a>, Malformed> {
    Ok(match reader.u8("indicator of a value")? {
        0 => BulkValue::Value(value::binary(reader, kind)?),
        1 => BulkValue::Null,
        2 => BulkValue::Default,
        3 => BulkValue::Ignore,
        _ => return Err(Malformed("indicator of a value")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_their_indicators() {
        let payload = [
            &[0xfa, 9, 0, 0, 0, 128, 0, 3, 0, 253, 0][..],
            &[0, 1, 0, 0, 0, 0, 2, b'a', b'b'],
            &[1, 2],
            &[0, 2, 0, 0, 0, 3],
        ]
        .concat();
        let bulk = BulkExecute::read(&payload, 2).unwrap();
        assert_eq!(bulk.statement, 9);
        let types = bulk.types.clone().unwrap();
        let kinds: Vec<_> = types.iter().map(|kind| kind.kind).collect();
        assert_eq!(kinds, [Type::LONG, Type::VAR_STRING]);
        // Written again it is the same.
        let mut rows = Vec::new();
        for (value, kind) in bulk.values(&types).zip(kinds.iter().cycle()) {
            write_value(&mut rows, *kind, value.unwrap());
        }
        let mut written = Vec::new();
        write(&bulk, &types, &rows, &mut written);
        assert_eq!(written, payload);
        let values: Result<Vec<_>, _> = bulk.values(&types).collect();
        assert_eq!(
            values.unwrap(),
            [
                BulkValue::Value(&[1, 0, 0, 0]),
                BulkValue::Value(b"ab"),
                BulkValue::Null,
                BulkValue::Default,
                BulkValue::Value(&[2, 0, 0, 0]),
                BulkValue::Ignore,
            ]
        );
        for cut in 7..payload.len() {
            let whole_rows = [11, 20, 22];
            let read = BulkExecute::read(&payload[..cut], 2)
                .and_then(|bulk| bulk.values(&types).collect::<Result<Vec<_>, _>>());
            assert_eq!(read.is_ok(), whole_rows.contains(&cut), "{cut}");
        }
    }
}

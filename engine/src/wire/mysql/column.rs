//! Definitions of columns and parameters (`ColumnDefinition41`).
//!
//! Length-encoded strings: catalog (always `def`), schema, table, original table, name, original name; with MariaDB's
//! extended type information a length-encoded block of it; then the length of what follows (12), character set 2, length 4,
//! type 1, flags 2, decimals 1, filler 2. In the answer to `COM_FIELD_LIST` a default value follows.

use super::value::Type;
use super::{Capabilities, lenenc};
use crate::wire::cursor::{Malformed, Reader};

/// The character set of bytes that are no text.
pub const BINARY_CHARSET: u16 = 63;

/// A definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    /// Schema of the table.
    pub schema: &'a [u8],
    /// The table by its name in the statement.
    pub table: &'a [u8],
    /// The table by its own name.
    pub org_table: &'a [u8],
    /// The column by its name in the statement.
    pub name: &'a [u8],
    /// The column by its own name.
    pub org_name: &'a [u8],
    /// MariaDB: more of the type, see [`extended_info`].
    pub extended: &'a [u8],
    /// Number of the character set.
    pub charset: u16,
    /// Greatest length of a value in bytes.
    pub length: u32,
    /// Its type.
    pub kind: Type,
    /// Flags, such as NOT NULL.
    pub flags: u16,
    /// Digits after the point.
    pub decimals: u8,
    /// What follows in the answer to `COM_FIELD_LIST`.
    pub default: &'a [u8],
}

impl<'a> Column<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        lenenc::string(&mut reader, "catalog")?;
        let schema = lenenc::string(&mut reader, "schema")?;
        let table = lenenc::string(&mut reader, "table")?;
        let org_table = lenenc::string(&mut reader, "original table")?;
        let name = lenenc::string(&mut reader, "column")?;
        let org_name = lenenc::string(&mut reader, "original column")?;
        let extended = match capabilities.has(Capabilities::MARIADB_EXTENDED_TYPE_INFO) {
            true => lenenc::string(&mut reader, "extended type information")?,
            false => b"",
        };
        let fixed = lenenc::string(&mut reader, "fixed part of a definition")?;
        let default = reader.rest();
        let mut reader = Reader::new(fixed);
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            extended,
            charset: reader.u16_le("character set")?,
            length: reader.u32_le("length of a column")?,
            kind: Type(reader.u8("type of a column")?),
            flags: reader.u16_le("flags of a column")?,
            decimals: reader.u8("decimals of a column")?,
            default,
        })
    }

    /// Appends the payload.
    pub fn write(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        let names = [
            b"def",
            self.schema,
            self.table,
            self.org_table,
            self.name,
            self.org_name,
        ];
        for name in names {
            lenenc::write_string(out, name);
        }
        if capabilities.has(Capabilities::MARIADB_EXTENDED_TYPE_INFO) {
            lenenc::write_string(out, self.extended);
        }
        out.push(12);
        out.extend_from_slice(&self.charset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.push(self.kind.0);
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&[self.decimals, 0, 0]);
        out.extend_from_slice(self.default);
    }
}

/// The parts of MariaDB's extended type information: a kind (0: name of the type, 1: its format) and a text.
pub fn extended_info(block: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8]), Malformed>> {
    let mut reader = Reader::new(block);
    std::iter::from_fn(move || {
        if reader.left() == 0 {
            return None;
        }
        let part = reader
            .u8("kind of type information")
            .and_then(|kind| Ok((kind, lenenc::string(&mut reader, "type information")?)));
        if part.is_err() {
            reader.rest();
        }
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn type_information_is_read_in_parts() {
        let parts: Vec<_> = extended_info(b"\0\x04uuid\x01\x04json").collect();
        assert_eq!(parts, [Ok((0, &b"uuid"[..])), Ok((1, b"json"))]);
        assert_eq!(
            extended_info(b"\0\x05uuid").next(),
            Some(Err(Malformed("type information")))
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 7),
            numbers in any::<(u16, u32, u8, u16, u8)>(),
            extended in any::<bool>(),
        ) {
            let capabilities = match extended {
                true => Capabilities::MARIADB_EXTENDED_TYPE_INFO,
                false => Capabilities::default(),
            };
            let (charset, length, kind, flags, decimals) = numbers;
            let column = Column {
                schema: &texts[0],
                table: &texts[1],
                org_table: &texts[2],
                name: &texts[3],
                org_name: &texts[4],
                extended: if extended { &texts[5] } else { b"" },
                charset,
                length,
                kind: Type(kind),
                flags,
                decimals,
                default: &texts[6],
            };
            let mut out = Vec::new();
            column.write(&mut out, capabilities);
            prop_assert_eq!(Column::read(&out, capabilities), Ok(column));
            for cut in 0..out.len() - column.default.len() {
                prop_assert!(Column::read(&out[..cut], capabilities).is_err());
            }
        }
    }
}

//! Which columns a result has, and what the client is told of them (mysql.md 10).
//!
//! A column is known by the table and the name of its own that the server tells, or else by its place in the statement that
//! gives the rows, never by its name there.

use crate::columns::{Columns, Setting, Table};
use crate::types;
use crate::wire::mysql::Column;
use crate::wire::mysql::column::BINARY_CHARSET;
use crate::wire::mysql::value::Type;
use std::sync::Arc;

/// Flag of a definition: its type is one of the BLOBs.
const BLOB: u16 = 0x10;
/// Flag: an integer without sign.
const UNSIGNED: u16 = 0x20;
/// Flag: it is compared as bytes.
const BINARY: u16 = 0x80;
/// Flag: a number.
const NUMBER: u16 = 0x8000;

/// Digits of the longest number of 32 and of 64 bits, with its sign.
const INT32_LENGTH: u32 = 11;
const INT64_LENGTH: u32 = 20;

/// Bytes of the longest text that is announced where the column says less: characters of a `TEXT`.
const TEXT_LENGTH: u32 = 65_535 * 4;

/// What is known of the columns of results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping<'a> {
    pub(super) columns: &'a Columns,
    /// Number of the character set of results.
    pub(super) charset: u16,
}

impl<'a> Mapping<'a> {
    /// The setting of a column that is read in a way of its own; `planned` is what the statement says of its place.
    pub(super) fn setting(
        self,
        definition: &Column<'_>,
        planned: Option<&'a Arc<Setting>>,
    ) -> Option<&'a Arc<Setting>> {
        let setting = match self.table(definition) {
            Some(table) => own_setting(table, definition.org_name),
            None => planned,
        };
        // Neither containers nor plain values of the type are in a column of, say, dates.
        let holds = |setting: &&Arc<Setting>| {
            setting.needs_mapping() && (!setting.is_converted() || definition.kind.is_string())
        };
        setting.filter(holds)
    }

    fn table(self, definition: &Column<'_>) -> Option<&'a Table> {
        let name = std::str::from_utf8(definition.org_table).ok()?;
        let schema = std::str::from_utf8(definition.schema).ok();
        let in_lower_case = || {
            let differs = name.bytes().any(|byte| byte.is_ascii_uppercase());
            differs.then(|| self.columns.table(schema, &name.to_ascii_lowercase()))?
        };
        self.columns.table(schema, name).or_else(in_lower_case)
    }

    /// The definition that the client gets instead; `None`: the server's.
    pub(super) fn shown<'d>(
        self,
        setting: &Setting,
        definition: &Column<'d>,
    ) -> Option<Column<'d>> {
        let plain = Column {
            flags: definition.flags & !(BLOB | UNSIGNED),
            decimals: 0,
            extended: b"",
            charset: BINARY_CHARSET,
            ..*definition
        };
        Some(match setting.shown_type()? {
            types::Type::Int4 => Column {
                kind: Type::LONG,
                length: INT32_LENGTH,
                flags: plain.flags | NUMBER,
                ..plain
            },
            types::Type::Int8 => Column {
                kind: Type::LONGLONG,
                length: INT64_LENGTH,
                flags: plain.flags | NUMBER,
                ..plain
            },
            types::Type::Bytea => Column {
                kind: Type::BLOB,
                flags: plain.flags | BLOB | BINARY,
                ..plain
            },
            _ => Column {
                kind: Type::STRING,
                charset: self.charset,
                length: definition.length.max(TEXT_LENGTH),
                flags: plain.flags & !BINARY,
                ..plain
            },
        })
    }
}

/// Names of columns have no case.
fn own_setting<'t>(table: &'t Table, name: &[u8]) -> Option<&'t Arc<Setting>> {
    let mut settings = table.settings();
    settings.find(|setting| setting.column.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether a definition is of an integer without sign.
pub(super) fn is_unsigned(definition: &Column<'_>) -> bool {
    definition.flags & UNSIGNED != 0
}

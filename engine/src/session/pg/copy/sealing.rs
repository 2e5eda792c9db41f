//! Cells on their way into a protected table.
//!
//! What a cell stands for is decided as for a bound parameter of its column: the text forms of `bytea`, or the bytes
//! of the binary format. NULL, the marker of a default, empty values and containers stay as they are.

use super::split::Fault;
use super::stream::Cells;
use super::writing;
use crate::cell::bytea;
use crate::columns::Setting;
use crate::crypto::container::Envelope;
use crate::plan::{ClientEncoding, CopyColumn, CopyFormat, CopyIn};
use crate::session::pg::PgSession;
use crate::session::pg::frontend::Stop;
use crate::session::pg::rewrite::{decode, foreign_encoding};
use crate::session::pg::stored::Stored;
use crate::session::{ClientError, Cx};
use std::borrow::Cow;

/// An error in the data of a COPY.
pub(super) fn wrong_data(error: ClientError) -> Stop {
    Stop::Refuse("copy-data", error)
}

/// Seals the cells of protected columns.
pub(super) struct Sealing<'a, 'b> {
    pub(super) session: &'a PgSession,
    pub(super) plan: &'a CopyIn,
    /// Of the rows.
    pub(super) encoding: ClientEncoding,
    pub(super) cx: &'a mut Cx<'b>,
    /// Values that were sealed, and how many of them became AcraStructs.
    pub(super) sealed: u64,
    pub(super) structs: u64,
    /// The longest container of the COPY.
    pub(super) longest: &'a mut Option<Stored>,
}

/// The value of a cell.
struct Value<'r> {
    bytes: Cow<'r, [u8]>,
    /// The cell was in quotes.
    quoted: bool,
}

impl Sealing<'_, '_> {
    /// In some encodings a byte that looks like a delimiter may be part of a character.
    pub(super) fn check(&self, piece: &[u8]) -> Result<(), Stop> {
        let is_text = self.plan.dialect.format != CopyFormat::Binary;
        if !is_text || self.encoding != ClientEncoding::Unsafe || piece.is_ascii() {
            return Ok(());
        }
        Err(Stop::Refuse(
            "client-encoding",
            ClientError::error(
                "0A000",
                format!(
                    "rows for protected table \"{}\" are not ASCII, and their encoding is not one that is read here",
                    self.plan.table
                ),
            )
            .hint("SET client_encoding TO 'UTF8' in a statement of its own before the COPY."),
        ))
    }

    /// The value of a cell; `None` if it stays as it is.
    fn value<'r>(
        &self,
        raw: &'r [u8],
        column: &CopyColumn,
        setting: &Setting,
    ) -> Result<Option<Value<'r>>, Stop> {
        let dialect = &self.plan.dialect;
        let is_null = *raw == *dialect.null;
        let (text, quoted) = match dialect.format {
            // Its length is in front; without more than that it is empty or NULL.
            CopyFormat::Binary => {
                let value = raw.get(4..).filter(|value| !value.is_empty());
                return Ok(value.map(|value| Value {
                    bytes: Cow::Borrowed(value),
                    quoted: false,
                }));
            }
            CopyFormat::Text if is_null => return Ok(None),
            CopyFormat::Csv if is_null && !column.force_not_null => return Ok(None),
            _ if dialect.default.as_deref() == Some(raw) => return Ok(None),
            CopyFormat::Text => (writing::unescape(raw), false),
            CopyFormat::Csv => {
                let text = writing::unquote(raw, dialect);
                let quoted = matches!(text, Cow::Owned(_));
                if quoted && column.force_null && *text == *dialect.null {
                    return Ok(None);
                }
                (text, quoted)
            }
        };
        if !self.encoding.keeps_bytes() && !text.is_ascii() {
            return Err(foreign_encoding(setting));
        }
        if memchr::memchr(0, &text).is_some() {
            return Err(zero_byte(setting));
        }
        let bytes = match text {
            Cow::Borrowed(text) => decode(text, setting)?,
            Cow::Owned(text) => Cow::Owned(decode(&text, setting)?.into_owned()),
        };
        Ok(Some(Value { bytes, quoted }))
    }
}

impl Cells for Sealing<'_, '_> {
    type Error = Stop;

    fn wants(&self, column: usize) -> bool {
        let column = self.plan.columns.get(column);
        column.is_some_and(|column| column.setting.is_some())
    }

    fn cell(&mut self, column: usize, raw: &[u8], out: &mut Vec<u8>) -> Result<bool, Stop> {
        let plan = self.plan;
        let Some(column) = plan.columns.get(column) else {
            return Ok(false);
        };
        let Some(setting) = &column.setting else {
            return Ok(false);
        };
        let Some(Value { bytes, quoted }) = self.value(raw, column, setting)? else {
            return Ok(false);
        };
        let Some(sealed) = self.session.seal(&bytes, setting, self.cx)? else {
            return Ok(false);
        };
        self.sealed += 1;
        self.structs += u64::from(sealed.envelope() == Envelope::AcraStruct);
        let container = sealed.as_bytes();
        Stored::note(self.longest, setting, container.len());
        match plan.dialect.format {
            CopyFormat::Binary => {
                // One value of more than 2 GiB is refused by the server, whose lengths are signed.
                let length = u32::try_from(container.len()).unwrap_or(u32::MAX >> 1);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(container);
            }
            CopyFormat::Text => {
                out.push(b'\\');
                bytea::encode_hex(container, out);
            }
            CopyFormat::Csv => {
                let mut hex = Vec::with_capacity(container.len() * 2 + 2);
                bytea::encode_hex(container, &mut hex);
                writing::quote(&hex, quoted, &plan.dialect, out);
            }
        }
        Ok(true)
    }

    fn too_long(&mut self, _: usize) -> Result<(), Stop> {
        let limit = self.session.context.limits.max_row;
        let message = format!("a value is longer than the limit of {limit} bytes");
        Err(wrong_data(ClientError::error("54000", message).hint(
            "Raise --max_container of acra-server, or write the value by a bound parameter.",
        )))
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Stop> {
        Err(wrong_data(ClientError::error("22P04", fault.0).hint(
            "The data must be in the format that the COPY statement tells.",
        )))
    }
}

fn zero_byte(setting: &Setting) -> Stop {
    let Setting { table, column, .. } = setting;
    Stop::Refuse(
        "bad-literal",
        ClientError::error(
            "22021",
            format!("a value for column \"{column}\" of table \"{table}\" has a zero byte"),
        )
        .hint("Write bytes in the hexadecimal form of bytea, \\x…."),
    )
}

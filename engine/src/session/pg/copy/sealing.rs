//! Cells on their way into a protected table.
//!
//! What a cell stands for is decided as for a bound parameter of its column: the text forms of `bytea`, or the bytes
//! of the binary format. NULL, the marker of a default, empty values and containers stay as they are.

use super::split::Fault;
use super::stream::Cells;
use super::writing;
use crate::cell::typed::{Form, Said};
use crate::cell::{Kind, bytea, token};
use crate::columns::{Setting, Subject, TokenType};
use crate::plan::{ClientEncoding, CopyColumn, CopyFormat, CopyIn, Role};
use crate::session::incoming::{self, Tokens, wrong_data};
use crate::session::pg::PgSession;
use crate::session::pg::rewrite::foreign_encoding;
use crate::session::pg::tokenize::value_of;
use crate::session::sealing::plain;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use crate::wire::pg::Format;
use std::borrow::Cow;

/// Seals the cells of protected columns.
pub(super) struct Sealing<'a, 'b> {
    pub(super) session: &'a PgSession,
    pub(super) plan: &'a CopyIn,
    /// Of the rows.
    pub(super) encoding: ClientEncoding,
    pub(super) cx: &'a mut Cx<'b>,
    pub(super) tokens: Tokens<'a>,
    pub(super) changes: Changes,
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
            ).about(Subject::of_table(&self.plan.table))
            .hint("SET client_encoding TO 'UTF8' in a statement of its own before the COPY."),
        ))
    }

    /// What a cell stands for; `None` if it stays as it is.
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
                let Some(value) = raw.get(4..).filter(|value| !value.is_empty()) else {
                    return Ok(None);
                };
                return Ok(Some(Value {
                    bytes: stands_for(value, Format::Binary, setting)?,
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
            Cow::Borrowed(text) => stands_for(text, Format::Text, setting)?,
            Cow::Owned(text) => Cow::Owned(stands_for(&text, Format::Text, setting)?.into_owned()),
        };
        Ok(Some(Value { bytes, quoted }))
    }
}

impl Sealing<'_, '_> {
    /// A value of a tokenized column. Whether its token was appended.
    fn token(
        &mut self,
        value: &Value<'_>,
        token_type: TokenType,
        width: usize,
        setting: &Setting,
        out: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        let Some(request) =
            self.session
                .openings
                .token_request(&value.bytes, setting, Role::Stored)?
        else {
            return Ok(false);
        };
        let known = match &mut self.tokens {
            Tokens::Asking(requests) => {
                requests.push(request);
                return Ok(false);
            }
            Tokens::Known(known) => known,
        };
        let token = token_of(known.next(), setting, request.client_id.as_str())?;
        let dialect = &self.plan.dialect;
        let format = match dialect.format {
            CopyFormat::Binary => Format::Binary,
            _ => Format::Text,
        };
        let width = token::number_width(token_type).map_or(width, |least| width.max(least));
        let token = token::write(token, token_type, Kind::Unknown, format, width);
        let token = token.unwrap_or_default();
        writing::cell(&token, value.quoted, dialect, out);
        Ok(true)
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
        let Some(value) = self.value(raw, column, setting)? else {
            return Ok(false);
        };
        if let Some((token_type, _)) = setting.tokenized() {
            let width = raw.len().saturating_sub(4);
            return self.token(&value, token_type, width, setting, out);
        }
        if self.tokens.is_asking() {
            return Ok(false);
        }
        let Value { bytes, quoted } = value;
        let openings = &self.session.openings;
        let Some(sealed) = openings.change(&bytes, setting, Role::Stored, self.cx)? else {
            return Ok(false);
        };
        self.changes.add(setting, &sealed);
        let container = sealed.as_bytes();
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
        Err(incoming::too_long(self.session.context.limits.max_row))
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Stop> {
        Err(wrong_data(ClientError::error("22P04", fault.0).hint(
            "The data must be in the format that the COPY statement tells.",
        )))
    }
}

/// What a value in this format stands for in its column.
fn stands_for<'v>(
    value: &'v [u8],
    format: Format,
    setting: &Setting,
) -> Result<Cow<'v, [u8]>, Stop> {
    match (setting.tokenized(), format) {
        (Some((token_type, _)), _) => value_of(value, token_type, format, setting),
        (None, Format::Binary) => plain(value, Form::Binary, setting, Said::default()),
        (None, Format::Text) => plain(value, Form::Text, setting, Said::default()),
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
        .about(setting.subject())
        .hint("Write bytes in the hexadecimal form of bytea, \\x…."),
    )
}

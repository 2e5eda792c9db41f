//! Cells on their way to the client.
//!
//! A COPY does not tell the types of its columns in the database, so every cell is looked into as one of a type that is not known.

use super::split::Fault;
use super::stream::Cells;
use super::writing;
use crate::cell::typed::{Read, Typed};
use crate::cell::{self, Kind, bytea, token};
use crate::columns::{Setting, TokenType};
use crate::plan::{CopyFormat, CopyOut, Dialect};
use crate::session::openings::Tools;
use crate::session::row_tokens::RowTokens;
use crate::session::tokens::OpenedTokens;
use crate::wire::pg::Format;
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

/// Opens the containers in cells.
pub(super) struct Opening<'a> {
    pub(super) plan: &'a CopyOut,
    pub(super) tools: Tools<'a>,
    /// The client reads UTF-8.
    pub(super) utf8: bool,
    /// The values of tokens.
    pub(super) tokens: &'a OpenedTokens,
    /// The first column with a value that cannot be shown.
    pub(super) failed: Option<Arc<Setting>>,
    /// The longest cell that passed unread because of its length, in bytes.
    pub(super) too_long: Option<usize>,
}

/// Looks for tokens whose values are not known, and changes nothing.
pub(super) struct Asking<'a> {
    pub(super) plan: &'a CopyOut,
    pub(super) found: RowTokens<'a>,
}

impl Cells for Asking<'_> {
    type Error = Infallible;

    fn wants(&self, column: usize) -> bool {
        let setting = self.plan.results.setting(column);
        setting.is_some_and(|setting| setting.tokenized().is_some())
    }

    fn cell(&mut self, column: usize, raw: &[u8], _: &mut Vec<u8>) -> Result<bool, Infallible> {
        if let Some((token_type, token)) = token_in(raw, column, self.plan) {
            self.found.note(token_type, &token);
        }
        Ok(false)
    }

    fn too_long(&mut self, _: usize) -> Result<(), Infallible> {
        Ok(())
    }

    fn fault(&mut self, _: Fault) -> Result<(), Infallible> {
        Ok(())
    }
}

/// What a cell stands for, with the format of what it does.
fn decoded<'r>(raw: &'r [u8], dialect: &Dialect) -> (Cow<'r, [u8]>, Format) {
    match dialect.format {
        CopyFormat::Binary => (
            Cow::Borrowed(raw.get(4..).unwrap_or_default()),
            Format::Binary,
        ),
        CopyFormat::Text => (writing::unescape(raw), Format::Text),
        CopyFormat::Csv => (writing::unquote(raw, dialect), Format::Text),
    }
}

/// The token that a cell holds, and its type. NULL is none.
fn token_in(raw: &[u8], column: usize, plan: &CopyOut) -> Option<(TokenType, Vec<u8>)> {
    let (token_type, _) = plan.results.setting(column)?.tokenized()?;
    let dialect = &plan.dialect;
    if dialect.format != CopyFormat::Binary && *raw == *dialect.null {
        return None;
    }
    let (cell, format) = decoded(raw, dialect);
    let token = token::read(&cell, token_type, Kind::Unknown, format).ok()?;
    (!token.is_empty()).then(|| (token_type, token.into_owned()))
}

impl Opening<'_> {
    /// What the client gets of a cell; the value is in the scratch.
    fn read(&mut self, column: usize, value: &[u8], format: Format) -> Read {
        let plan = self.plan;
        let setting = plan.results.setting(column);
        let Some(opener) = &mut self.tools.opener else {
            *self.tools.unopened += u64::from(cell::open::may_open(value, Kind::Unknown, format));
            return Read::Same;
        };
        opener.pattern = setting.and_then(|setting| setting.pattern());
        let read = match setting.filter(|setting| setting.is_converted()) {
            Some(setting) => Typed {
                setting,
                kind: Kind::Unknown,
                format,
                utf8: self.utf8,
            }
            .read(value, opener, self.tools.cells),
            None => match cell::open(value, Kind::Unknown, format, opener, self.tools.cells) {
                true => Read::Bytes,
                false => Read::Same,
            },
        };
        if read == Read::Failed {
            self.failed = self.failed.take().or_else(|| setting.cloned());
        }
        read
    }

    /// What the client gets of a cell of text, if not the cell itself.
    fn text(&mut self, column: usize, value: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self.read(column, value, Format::Text) {
            // What failed is withheld.
            Read::Same | Read::Failed => None,
            Read::Written => Some(Cow::Borrowed(&self.tools.cells.plain)),
            Read::Bytes => {
                let mut hex = Vec::with_capacity(self.tools.cells.plain.len() * 2 + 2);
                bytea::encode_hex(&self.tools.cells.plain, &mut hex);
                Some(Cow::Owned(hex))
            }
        }
    }
}

impl Cells for Opening<'_> {
    type Error = Infallible;

    fn wants(&self, _: usize) -> bool {
        true
    }

    fn cell(&mut self, column: usize, raw: &[u8], out: &mut Vec<u8>) -> Result<bool, Infallible> {
        let plan = self.plan;
        let dialect = &plan.dialect;
        if let Some((token_type, token)) = token_in(raw, column, plan)
            && let Some(Ok(Some(value))) = self.tokens.get(token_type, &token)
        {
            let (cell, format) = decoded(raw, dialect);
            let value = token::write(value, token_type, Kind::Unknown, format, cell.len());
            if let Some(value) = value {
                let quoted = memchr::memchr(dialect.quote, raw).is_some();
                writing::cell(&value, quoted, dialect, out);
                return Ok(true);
            }
        }
        let changed = match dialect.format {
            CopyFormat::Binary => {
                let value = raw.get(4..).unwrap_or_default();
                match self.read(column, value, Format::Binary) {
                    Read::Same | Read::Failed => false,
                    Read::Bytes | Read::Written => {
                        let plain = &self.tools.cells.plain;
                        // A value is about as long as the cell that it came in.
                        let length = u32::try_from(plain.len()).unwrap_or(u32::MAX);
                        out.extend_from_slice(&length.to_be_bytes());
                        out.extend_from_slice(plain);
                        true
                    }
                }
            }
            CopyFormat::Text | CopyFormat::Csv if *raw == *dialect.null => false,
            CopyFormat::Text => match self.text(column, &writing::unescape(raw)) {
                Some(value) => {
                    writing::escape(&value, dialect, out);
                    true
                }
                None => false,
            },
            CopyFormat::Csv => match self.text(column, &writing::unquote(raw, dialect)) {
                Some(value) => {
                    let quoted = memchr::memchr(dialect.quote, raw).is_some();
                    writing::quote(&value, quoted, dialect, out);
                    true
                }
                None => false,
            },
        };
        Ok(changed)
    }

    fn too_long(&mut self, bytes: usize) -> Result<(), Infallible> {
        self.too_long = self.too_long.max(Some(bytes));
        Ok(())
    }

    fn fault(&mut self, _: Fault) -> Result<(), Infallible> {
        Ok(())
    }
}

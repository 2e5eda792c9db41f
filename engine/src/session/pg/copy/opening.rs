//! Cells on their way to the client.
//!
//! A COPY does not tell the types of its columns in the database, so every cell is looked into as one of a type that is not known.

use super::split::Fault;
use super::stream::Cells;
use super::writing;
use crate::cell::typed::{Read, Typed};
use crate::cell::{self, Kind, Opener, Scratch, bytea};
use crate::columns::Setting;
use crate::plan::{CopyFormat, CopyOut};
use crate::wire::pg::Format;
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

/// Opens the containers in cells.
pub(super) struct Opening<'a> {
    pub(super) plan: &'a CopyOut,
    /// Nothing: there are no keys, and cells are only counted.
    pub(super) opener: Option<Opener<'a>>,
    pub(super) scratch: &'a mut Scratch,
    /// Cells that may hold a container and for which there are no keys.
    pub(super) unopened: &'a mut u64,
    /// The client reads UTF-8.
    pub(super) utf8: bool,
    /// The first column with a value that cannot be shown.
    pub(super) failed: Option<Arc<Setting>>,
    /// The longest cell that passed unread because of its length, in bytes.
    pub(super) too_long: Option<usize>,
}

impl Opening<'_> {
    /// What the client gets of a cell; the value is in the scratch.
    fn read(&mut self, column: usize, value: &[u8], format: Format) -> Read {
        let plan = self.plan;
        let setting = plan.results.setting(column);
        let Some(opener) = &mut self.opener else {
            *self.unopened += u64::from(cell::open::may_open(value, Kind::Unknown, format));
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
            .read(value, opener, self.scratch),
            None => match cell::open(value, Kind::Unknown, format, opener, self.scratch) {
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
            Read::Written => Some(Cow::Borrowed(&self.scratch.plain)),
            Read::Bytes => {
                let mut hex = Vec::with_capacity(self.scratch.plain.len() * 2 + 2);
                bytea::encode_hex(&self.scratch.plain, &mut hex);
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
        let changed = match dialect.format {
            CopyFormat::Binary => {
                let value = raw.get(4..).unwrap_or_default();
                match self.read(column, value, Format::Binary) {
                    Read::Same | Read::Failed => false,
                    Read::Bytes | Read::Written => {
                        let plain = &self.scratch.plain;
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

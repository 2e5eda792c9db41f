//! Cells on their way to the client.
//!
//! A COPY does not tell the types of its columns, so every cell is looked into as one of a type that is not known.

use super::split::Fault;
use super::stream::Cells;
use super::writing;
use crate::cell::{self, Kind, Opener, Scratch, bytea};
use crate::columns::Setting;
use crate::plan::{CopyFormat, CopyOut};
use crate::wire::pg::Format;
use std::convert::Infallible;

/// Opens the containers in cells.
pub(super) struct Opening<'a> {
    pub(super) plan: &'a CopyOut,
    /// Nothing: there are no keys, and cells are only counted.
    pub(super) opener: Option<Opener<'a>>,
    pub(super) scratch: &'a mut Scratch,
    /// Cells that may hold a container and for which there are no keys.
    pub(super) unopened: &'a mut u64,
    /// The longest cell that passed unread because of its length, in bytes.
    pub(super) too_long: Option<usize>,
}

impl<'a> Opening<'a> {
    fn setting(&self, column: usize) -> Option<&'a Setting> {
        self.plan.results.setting(column).map(|setting| &**setting)
    }

    /// Whether a cell was opened; the value is in the scratch.
    fn opens(&mut self, column: usize, value: &[u8], format: Format) -> bool {
        let setting = self.setting(column);
        match &mut self.opener {
            Some(opener) => {
                opener.pattern = setting.and_then(Setting::pattern);
                cell::open(value, Kind::Unknown, format, opener, self.scratch)
            }
            None => {
                *self.unopened += u64::from(cell::open::may_open(value, Kind::Unknown, format));
                false
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
        let dialect = &self.plan.dialect;
        match dialect.format {
            CopyFormat::Binary => {
                let opened = self.opens(column, raw.get(4..).unwrap_or_default(), Format::Binary);
                if opened {
                    let plain = &self.scratch.plain;
                    // What was opened is shorter than the cell that it came in.
                    let length = u32::try_from(plain.len()).unwrap_or(u32::MAX);
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend_from_slice(plain);
                }
                Ok(opened)
            }
            CopyFormat::Text => {
                let opened = self.opens(column, &writing::unescape(raw), Format::Text);
                if opened {
                    out.push(b'\\');
                    bytea::encode_hex(&self.scratch.plain, out);
                }
                Ok(opened)
            }
            CopyFormat::Csv => {
                let opened = self.opens(column, &writing::unquote(raw, dialect), Format::Text);
                if opened {
                    let quoted = memchr::memchr(dialect.quote, raw).is_some();
                    let mut hex = Vec::with_capacity(self.scratch.plain.len() * 2 + 2);
                    bytea::encode_hex(&self.scratch.plain, &mut hex);
                    writing::quote(&hex, quoted, dialect, out);
                }
                Ok(opened)
            }
        }
    }

    fn too_long(&mut self, bytes: usize) -> Result<(), Infallible> {
        self.too_long = self.too_long.max(Some(bytes));
        Ok(())
    }

    fn fault(&mut self, _: Fault) -> Result<(), Infallible> {
        Ok(())
    }
}

//! Rows with columns that are read in a way of their own: tokens, values with a type, masks. Such a row is written anew.

use super::columns::Shape;
use super::rows::Layout;
use crate::cell::typed::{Read, Typed};
use crate::cell::{self, Kind, Opener, Scratch, token};
use crate::columns::{Setting, TokenType};
use crate::session::tokens::OpenedTokens;
use crate::types;
use crate::wire::cursor::Malformed;
use crate::wire::mysql::row::{Cell, Cells, RowFormat};
use crate::wire::mysql::text::text;
use crate::wire::mysql::{lenenc, value};
use crate::wire::pg::Format;
use std::borrow::Cow;

/// A token and its type.
type Token<'p> = (TokenType, Cow<'p, [u8]>);

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Nothing has changed.
    Same,
    /// It is this now.
    Written(Vec<u8>),
    /// The value of this column cannot be shown.
    Failed(usize),
}

/// What a cell becomes.
enum Becomes {
    Same,
    /// This text or these bytes.
    Text(Vec<u8>),
    Failed,
}

/// How planned rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'a> {
    pub(super) layout: Layout<'a>,
    /// The client reads UTF-8.
    pub(super) utf8: bool,
    pub(super) tokens: &'a OpenedTokens,
}

impl<'a> Planned<'a> {
    fn setting(self, index: usize) -> Option<&'a Setting> {
        self.layout.columns.settings.get(index)?.as_deref()
    }

    /// Whether any column has tokens.
    pub(super) fn has_tokens(self) -> bool {
        let mut settings = self.layout.columns.settings.iter().flatten();
        settings.any(|setting| setting.tokenized().is_some())
    }

    /// Tells the tokens of a row.
    pub(super) fn tokens(
        self,
        payload: &[u8],
        mut told: impl FnMut(TokenType, Cow<'_, [u8]>),
    ) -> Result<(), Malformed> {
        let columns = &self.layout.columns.list;
        let mut cells = Cells::new(payload, self.layout.format, columns.len())?;
        for (index, shape) in columns.iter().enumerate() {
            let cell = cells.any(payload, shape.kind)?;
            if let (Some(setting), Some(cell)) = (self.setting(index), cell)
                && let Some((token_type, token)) = self.token(setting, *shape, &cell, payload)?
            {
                told(token_type, token);
            }
        }
        cells.finish(payload)
    }

    /// Whether a key may be needed for any cell of a row.
    pub(super) fn may_open(self, payload: &[u8]) -> Result<bool, Malformed> {
        let columns = &self.layout.columns.list;
        let mut cells = Cells::new(payload, self.layout.format, columns.len())?;
        let mut may = false;
        for (index, shape) in columns.iter().enumerate() {
            let Some(cell) = cells.next(payload, shape.kind)? else {
                continue;
            };
            let value = payload.get(cell.value).unwrap_or_default();
            may |= match self.setting(index) {
                Some(setting) if setting.is_converted() => !value.is_empty(),
                _ => self.layout.may_open(value, *shape),
            };
        }
        cells.finish(payload)?;
        Ok(may)
    }

    /// Reads a row and writes what the client gets.
    pub(super) fn read(
        self,
        payload: &[u8],
        opener: &mut Opener<'a>,
        scratch: &mut Scratch,
    ) -> Result<Row, Malformed> {
        let (columns, format) = (&self.layout.columns.list, self.layout.format);
        let mut cells = Cells::new(payload, format, columns.len())?;
        // What a row begins with stays: no value becomes NULL, and none ceases to be.
        let mut out = payload.get(..cells.position()).unwrap_or_default().to_vec();
        let mut changed = false;
        for (index, shape) in columns.iter().enumerate() {
            let Some(cell) = cells.any(payload, shape.kind)? else {
                if format == RowFormat::Text {
                    out.push(lenenc::NULL);
                }
                continue;
            };
            match self.cell(index, *shape, &cell, payload, opener, scratch)? {
                Becomes::Failed => return Ok(Row::Failed(index)),
                Becomes::Text(value) => {
                    changed = true;
                    if !self.write(index, *shape, &cell, &value, &mut out) {
                        return Ok(Row::Failed(index));
                    }
                }
                Becomes::Same if self.width(index).is_some() => return Ok(Row::Failed(index)),
                Becomes::Same => {
                    out.extend_from_slice(payload.get(cell.whole).unwrap_or_default());
                }
            }
        }
        cells.finish(payload)?;
        Ok(match changed {
            true => Row::Written(out),
            false => Row::Same,
        })
    }

    fn cell(
        self,
        index: usize,
        shape: Shape,
        cell: &Cell,
        payload: &[u8],
        opener: &mut Opener<'a>,
        scratch: &mut Scratch,
    ) -> Result<Becomes, Malformed> {
        let bytes = payload.get(cell.value.clone()).unwrap_or_default();
        let has_length = cell.whole != cell.value;
        opener.pattern = self.setting(index).and_then(Setting::pattern);
        let opened = |scratch: &mut Scratch| Becomes::Text(std::mem::take(&mut scratch.plain));
        let Some(setting) = self.setting(index) else {
            let opens = has_length
                && self.layout.may_open(bytes, shape)
                && cell::open(bytes, Kind::Raw, Format::Text, opener, scratch);
            return Ok(match opens {
                true => opened(scratch),
                false => Becomes::Same,
            });
        };
        if setting.tokenized().is_some() {
            let token = self.token(setting, shape, cell, payload)?;
            let value = token.and_then(|(kind, token)| self.tokens.get(kind, &token));
            return Ok(match value {
                Some(Ok(Some(value))) => Becomes::Text(value.to_vec()),
                _ => Becomes::Same,
            });
        }
        if !has_length {
            return Ok(Becomes::Same);
        }
        let typed = Typed {
            setting,
            kind: Kind::Raw,
            format: Format::Text,
            utf8: self.utf8,
        };
        Ok(match typed.read(bytes, opener, scratch) {
            Read::Same => Becomes::Same,
            Read::Bytes | Read::Written => opened(scratch),
            Read::Failed => Becomes::Failed,
        })
    }

    /// The token that a cell holds, and its type.
    fn token<'p>(
        self,
        setting: &Setting,
        shape: Shape,
        cell: &Cell,
        payload: &'p [u8],
    ) -> Result<Option<Token<'p>>, Malformed> {
        let Some((token_type, _)) = setting.tokenized() else {
            return Ok(None);
        };
        let bytes = payload.get(cell.value.clone()).unwrap_or_default();
        let token = match self.layout.format {
            RowFormat::Text => match token::read(bytes, token_type, Kind::Raw, Format::Text) {
                Ok(token) => token,
                Err(_) => return Ok(None),
            },
            RowFormat::Binary => text(shape.kind, shape.is_unsigned, bytes)?,
        };
        Ok((!token.is_empty()).then_some((token_type, token)))
    }

    /// The width of what the client expects in the place of a value that has a length itself.
    fn width(self, index: usize) -> Option<usize> {
        if self.layout.format == RowFormat::Text {
            return None;
        }
        match self.setting(index)?.shown_type()? {
            types::Type::Int4 => Some(4),
            types::Type::Int8 => Some(8),
            _ => None,
        }
    }

    /// Writes a value in the place of a cell. False: it does not fit.
    fn write(
        self,
        index: usize,
        shape: Shape,
        cell: &Cell,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let width = match self.width(index) {
            None if cell.whole == cell.value => shape.kind.width(),
            width => width,
        };
        match width {
            None => {
                lenenc::write_string(out, value);
                true
            }
            Some(width) => value::write_integer(out, value, width, shape.is_unsigned),
        }
    }
}

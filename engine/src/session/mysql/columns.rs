//! The columns of a result, as far as rows are looked into.

use super::definitions::is_unsigned;
use crate::columns::Setting;
use crate::wire::mysql::Column;
use crate::wire::mysql::column::BINARY_CHARSET;
use crate::wire::mysql::value::Type;
use std::sync::Arc;

/// Where in a column's values a container may stand (docs/architecture.md, decision 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Anywhere: bytes.
    Anywhere,
    /// At the start: text, into which nobody would put a container but a whole one.
    AtStart,
    /// Nowhere.
    Never,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) kind: Type,
    pub(super) look: Look,
    pub(super) is_unsigned: bool,
}

/// All columns of a result.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) list: Vec<Shape>,
    /// Settings of columns that are read in a way of their own; what is beyond has none.
    pub(super) settings: Vec<Option<Arc<Setting>>>,
    /// Some column can hold a container.
    pub(super) may_hold: bool,
}

impl Columns {
    /// The next column, and its setting if it is read in a way of its own.
    pub(super) fn push(&mut self, column: &Column<'_>, setting: Option<Arc<Setting>>) {
        if setting.is_some() {
            self.settings.resize(self.list.len(), None);
            self.settings.push(setting);
        }
        let look = if column.kind.width().is_some() || column.kind.is_rigid() {
            Look::Never
        } else if column.kind.is_string() && column.charset != BINARY_CHARSET {
            Look::AtStart
        } else {
            Look::Anywhere
        };
        self.may_hold |= look != Look::Never;
        self.list.push(Shape {
            kind: column.kind,
            look,
            is_unsigned: is_unsigned(column),
        });
    }

    /// What it costs, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.list.len() * size_of::<Shape>()
            + self.settings.len() * size_of::<Option<Arc<Setting>>>()
    }
}

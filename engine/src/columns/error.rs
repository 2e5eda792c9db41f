//! What can be wrong with an encryptor configuration, in words.

use std::fmt;

/// Why a configuration cannot be used.
///
/// Its text is that of the reference where policy.md 1.6 gives one; where in the document the fault is, is told beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
    line: Option<usize>,
    table: Option<String>,
    column: Option<String>,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>, line: usize) -> Self {
        Self {
            message: message.into(),
            line: Some(line),
            table: None,
            column: None,
        }
    }

    /// A fault of the document as such: it is not YAML, or not of the right shape. `column` counts from 1.
    pub(super) fn syntax(what: &str, line: usize, column: usize, key: Option<&str>) -> Self {
        let key = key
            .map(|key| format!(" (after key \"{key}\")"))
            .unwrap_or_default();
        Self::new(
            format!("yaml: line {line}, column {column}: {what}{key}"),
            line,
        )
    }

    /// Names the column item that the fault is in.
    pub(super) fn of_column(mut self, table: &str, column: &str) -> Self {
        self.table = Some(table.to_owned());
        self.column = Some(column.to_owned());
        self
    }

    /// Where in the document the fault was found, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The table entry that the fault is in.
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// The column item that the fault is in.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }
}

impl ConfigError {
    /// The text with its place in the document in front, where the text does not tell it.
    pub fn placed(&self) -> String {
        let text = &self.message;
        let mut place = Vec::new();
        if !text.starts_with("yaml:") {
            place.extend(self.line.map(|line| format!("line {line}")));
        }
        if !text.contains("table \"") {
            place.extend(self.table().map(|table| format!("table \"{table}\"")));
            place.extend(self.column().map(|column| format!("column \"{column}\"")));
        }
        match place.is_empty() {
            true => text.clone(),
            false => format!("{}: {text}", place.join(", ")),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Something that is accepted and most likely not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// One sentence, with the names it is about.
    pub message: String,
    /// Where in the document, counted from 1; 0 for the whole document.
    pub line: usize,
}

impl Warning {
    pub(super) fn new(message: impl Into<String>, line: usize) -> Self {
        Self {
            message: message.into(),
            line,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

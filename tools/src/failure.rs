//! Why a tool ends with 1.

use acra_telemetry::{Field, Level, Logger, codes};
use std::fmt::Display;

/// The last line of a tool that fails.
#[derive(Debug)]
pub struct Failure {
    level: Level,
    message: String,
    code: Option<u32>,
    fields: Vec<(&'static str, String)>,
}

impl Failure {
    /// A failure that is one sentence, of level error.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            message: message.into(),
            code: None,
            fields: Vec::new(),
        }
    }

    /// A failure that is one sentence, of level fatal.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self {
            level: Level::Fatal,
            ..Self::new(message)
        }
    }

    /// What ends a command whose arguments are wrong (cli.md 13).
    pub(crate) fn arguments(error: impl Display) -> Self {
        Self::fatal("Cannot parse arguments")
            .code(codes::UNREADABLE_CONFIGURATION)
            .caused_by(error)
    }

    /// Its event code (observability.md 3).
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    /// Something that belongs to it.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Display) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// What is behind it.
    #[must_use]
    pub fn caused_by(self, error: impl Display) -> Self {
        self.field("error", error)
    }

    /// The text of what is behind it.
    pub(crate) fn cause(&self) -> &str {
        let error = self.fields.iter().find(|(name, _)| *name == "error");
        error.map_or(&self.message, |(_, text)| text)
    }

    /// Writes the line.
    pub(crate) fn log(&self, logger: &Logger) {
        let code = self.code.map(codes::code);
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (*name, value.into()));
        let fields: Vec<Field<'_>> = code.into_iter().chain(fields).collect();
        logger.log(self.level, &self.message, &fields);
    }
}

impl From<acra_cli::Failure> for Failure {
    fn from(failure: acra_cli::Failure) -> Self {
        Self {
            code: failure.code,
            fields: failure.fields,
            ..Self::new(failure.message)
        }
    }
}

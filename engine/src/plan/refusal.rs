//! Why a statement is refused, in words for who wrote it.

use crate::columns::{Setting, Subject};
use crate::sql::facts::NoFacts;

/// The reasons. Each has an anchor in docs/errors.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The statement's form is not supported on a protected table.
    StatementForm,
    /// The statement could not be read.
    NotUnderstood,
    /// The statement is too long to be read.
    TooLong,
    /// A protected column stands where its plain value would be needed.
    ColumnUse,
    /// A protected column gets a value that cannot be sealed.
    ValueForm,
    /// A protected table is written through a view.
    ViewWrite,
    /// A parameter is used for a protected column and for something else.
    SharedParameter,
    /// A string that may be run as a statement names a protected table.
    RunsText,
    /// The bytes of a name or value depend on `client_encoding`.
    ClientEncoding,
    /// A statement follows one in its text that may change how it is read.
    SettingsChange,
    /// A string has a wrong escape.
    BadLiteral,
}

impl RefusalCode {
    /// Its anchor in docs/errors.md.
    pub fn anchor(&self) -> &'static str {
        match self {
            Self::StatementForm => "statement-form",
            Self::NotUnderstood => "not-understood",
            Self::TooLong => "too-long",
            Self::ColumnUse => "column-use",
            Self::ValueForm => "value-form",
            Self::ViewWrite => "view-write",
            Self::SharedParameter => "shared-parameter",
            Self::RunsText => "runs-text",
            Self::ClientEncoding => "client-encoding",
            Self::SettingsChange => "settings-change",
            Self::BadLiteral => "bad-literal",
        }
    }

    /// The SQLSTATE that the client gets.
    fn sqlstate(self) -> &'static str {
        match self {
            Self::TooLong => "54001",
            Self::BadLiteral => "22025",
            _ => "0A000",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::StatementForm => {
                "docs/errors.md lists the forms that are supported; write the statement in one of them."
            }
            Self::NotUnderstood => "Check its syntax, or write it in a simpler form.",
            Self::TooLong => "Split it into several statements.",
            Self::ColumnUse => {
                "The database has only the encrypted value: select the column as it is, or test it with IS [NOT] NULL."
            }
            Self::ValueForm => {
                "Give the value as a parameter, a string, a number, or a column that is protected alike; without functions, operators, or casts to other types than the column's."
            }
            Self::ViewWrite => "Write to the table itself.",
            Self::SharedParameter => "Use a parameter of its own for the protected column.",
            Self::RunsText => "Run the statement itself through acra-server.",
            Self::SettingsChange => "Send it by a text of its own.",
            Self::ClientEncoding => "SET client_encoding TO 'UTF8'.",
            Self::BadLiteral => "Correct the escape, or bind the value as a parameter.",
        }
    }
}

/// A refusal, ready for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub code: RefusalCode,
    /// What is refused and why; names tables and columns, never values.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: String,
    /// SQLSTATE.
    pub sqlstate: &'static str,
    /// The table or column that it is about, if it is one.
    pub subject: Option<Box<Subject>>,
}

impl Refusal {
    pub(super) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: None,
            hint: code.hint().to_owned(),
            sqlstate: code.sqlstate(),
            subject: None,
        }
    }

    /// With what it is about.
    pub(super) fn about(self, subject: Subject) -> Self {
        Self {
            subject: Some(Box::new(subject)),
            ..self
        }
    }

    /// With advice of its own.
    pub(super) fn with_hint(self, hint: &str) -> Self {
        Self {
            hint: hint.to_owned(),
            ..self
        }
    }
}

/// A protected column and what is wrong with it.
pub(super) fn refused(code: RefusalCode, setting: &Setting, what: &str) -> Refusal {
    let Setting { table, column, .. } = setting;
    Refusal::new(
        code,
        format!("column \"{column}\" of protected table \"{table}\" {what}"),
    )
    .about(setting.subject())
}

/// A statement on a protected table of which nothing can be told.
pub(super) fn no_facts(none: &NoFacts, table: &str) -> Refusal {
    match none {
        NoFacts::Form(what) => Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{table}\" is not supported: {what}"),
        )
        .about(Subject::of_table(table)),
        NoFacts::NotUnderstood => Refusal::new(
            RefusalCode::NotUnderstood,
            format!("statement on protected table \"{table}\" was not understood"),
        )
        .about(Subject::of_table(table)),
        NoFacts::TooLong => Refusal::new(
            RefusalCode::TooLong,
            format!("statement on protected table \"{table}\" is too long to be understood"),
        )
        .about(Subject::of_table(table)),
    }
}

//! What a client may be told.
//!
//! Only a type that implements [`ClientFacing`] reaches a client. Texts name tables, columns and flags, never values
//! or keys; docs/errors.md has an anchor for each.

use super::Side;
use crate::columns::{Setting, Subject};
use crate::plan::Refusal;
use crate::tokens::TokenFault;
use crate::wire::pg::error::{self, ErrorFields};

/// How far an error reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed; the connection works on.
    Error,
    /// The connection ends.
    Fatal,
}

/// An error in the form in which a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    /// How far it reaches.
    pub severity: Severity,
    /// SQLSTATE.
    pub sqlstate: &'static str,
    /// What happened.
    pub message: String,
    /// More about it.
    pub detail: Option<Box<str>>,
    /// What to do.
    pub hint: Option<Box<str>>,
    /// Where it happened: a line of a COPY.
    pub context: Option<Box<str>>,
    /// The table or column that it is about; for the log, where it is a field of its own.
    pub subject: Option<Box<Subject>>,
}

/// An error that may be shown to a client.
pub trait ClientFacing {
    /// The text for the client.
    fn client_error(&self) -> ClientError;
}

impl ClientError {
    /// An error that ends the connection.
    pub fn fatal(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Fatal,
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            context: None,
            subject: None,
        }
    }

    /// An error of one statement.
    pub fn error(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            ..Self::fatal(sqlstate, message)
        }
    }

    /// A peer sent what the protocol does not allow.
    pub fn malformed(from: Side, expected: &'static str) -> Self {
        let who = match from {
            Side::Client => "client",
            Side::Server => "database",
        };
        Self::fatal(
            "08P01",
            format!("malformed message from the {who}: {expected}"),
        )
    }

    /// There is no connection with the database.
    pub(super) fn unreachable_database(reason: &str) -> Self {
        let message = format!("acra-server cannot reach the database: {reason}");
        Self::fatal("08001", message).hint(
            "Check that the database runs and that --db_host and --db_port of acra-server are right.",
        )
    }

    /// The connection with the database has ended by itself.
    pub(super) fn lost_database() -> Self {
        Self::fatal(
            "08006",
            "the database closed the connection to acra-server unexpectedly",
        )
    }

    /// A value of this column can neither be opened nor shown otherwise (`response_on_fail: error`).
    pub(super) fn cannot_show(setting: &Setting) -> Self {
        let message = format!("encoding error in column \"{}\"", setting.column);
        Self::error("42000", message).about(setting.subject())
    }

    /// A token of a result could not be looked up.
    pub(super) fn unknown_token(fault: TokenFault) -> Self {
        Self::error("58000", format!("cannot look up tokens: {fault}"))
            .hint("See the log of acra-server.")
    }

    /// The same error with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into());
        self
    }

    /// The same error with what it is about.
    pub(super) fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(Box::new(subject));
        self
    }

    /// The ErrorResponse of PostgreSQL.
    pub(super) fn to_pg(&self) -> Vec<u8> {
        let mut out = Vec::new();
        error::write(
            &mut out,
            ErrorFields {
                severity: match self.severity {
                    Severity::Error => "ERROR",
                    Severity::Fatal => "FATAL",
                },
                code: self.sqlstate,
                message: &self.message,
                detail: self.detail.as_deref(),
                hint: self.hint.as_deref(),
                context: self.context.as_deref(),
            },
        );
        out
    }
}

impl ClientFacing for Refusal {
    fn client_error(&self) -> ClientError {
        ClientError {
            severity: Severity::Error,
            sqlstate: self.sqlstate,
            message: self.message.clone(),
            detail: self.detail.as_deref().map(Into::into),
            hint: Some(self.hint.as_str().into()),
            context: None,
            subject: self.subject.clone(),
        }
    }
}

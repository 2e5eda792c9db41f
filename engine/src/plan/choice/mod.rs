//! Which client's keys a session uses, as it says itself by a variable (`--client_id_sql_varname`, policy.md 4.3).
//!
//! Told from the tokens of a text: what it does to the variable, and what may take that back.

mod mysql;
mod postgres;

pub use mysql::{is_variable, may_choose};

use crate::sql::{Dialect, LexError, Lexical, lex, spells};

/// What a statement does to the variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It gets a value for the session, or loses it.
    Set(Option<Box<str>>),
    /// It gets a value for the transaction, or loses it.
    SetLocal(Option<Box<str>>),
    /// `COMMIT`, `END`
    Commit,
    /// `ROLLBACK`, `ABORT`
    Rollback,
    /// `SAVEPOINT name`
    Savepoint(Box<[u8]>),
    /// `RELEASE name`
    Release(Box<[u8]>),
    /// `ROLLBACK TO name`
    RollbackTo(Box<[u8]>),
}

impl Choice {
    /// Whether it changes the variable itself.
    pub fn sets(&self) -> bool {
        matches!(self, Self::Set(_) | Self::SetLocal(_))
    }
}

/// Why it is not known what the variable is after a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// It is set to something that is not a string.
    NotAValue,
    /// It may be set in another way than by SET.
    OtherWay,
}

/// What the statements of a text do to the variable of this name, by their numbers from 0 on.
///
/// # Errors
///
/// Where a statement sets it to an expression, or may set it without saying so.
pub fn choices(
    text: &[u8],
    lexical: &Lexical,
    variable: &str,
) -> Result<Vec<(usize, Choice)>, Unclear> {
    let mut tokens = Vec::new();
    match (lex(text, lexical, &mut tokens), lexical.dialect) {
        (Ok(_), Dialect::MySql(_)) => mysql::text(text, &tokens, lexical, variable),
        (Ok(_), Dialect::PostgreSql) => postgres::text(text, &tokens, lexical, variable),
        // The server cannot read it either.
        (Err(LexError::Unterminated), Dialect::PostgreSql) => Ok(Vec::new()),
        (Err(_), Dialect::PostgreSql) => {
            match spells(text, variable.to_ascii_lowercase().as_bytes()) {
                true => Err(Unclear::OtherWay),
                false => Ok(Vec::new()),
            }
        }
        (Err(_), Dialect::MySql(_)) => match may_choose(text, variable) {
            true => Err(Unclear::OtherWay),
            false => Ok(Vec::new()),
        },
    }
}

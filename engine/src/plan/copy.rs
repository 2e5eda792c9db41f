//! What happens to the rows of a COPY.
//!
//! Into a table, the cells of protected columns are sealed; which they are must be told by the statement or the
//! configuration. Out of the database no column needs to be known: containers describe themselves.

use super::Lexical;
use super::load::Load;
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::results::Results;
use super::schema::Schema;
use super::scope::misused;
use super::store::view_write;
use crate::columns::{Setting, Subject, Table};
use crate::sql::Token;
use crate::sql::copy::{self, CopyStatement, Target, Unreadable};
pub use crate::sql::copy::{CopyFormat, Dialect};
use crate::sql::effects::statements;
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;
use std::sync::Arc;

/// What happens to the rows of a COPY with the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    /// They pass unread.
    Pass,
    /// Some of their cells are sealed on their way into a table.
    In(Arc<CopyIn>),
    /// Their cells may be opened.
    Out(Arc<CopyOut>),
    /// They are the file of a LOAD DATA of MySQL: written anew, and some of their cells sealed.
    Load(Arc<Load>),
}

/// Rows for a protected table.
#[derive(Debug, PartialEq, Eq)]
pub struct CopyIn {
    /// The table's name.
    pub table: String,
    /// Its columns in the order of the rows.
    pub columns: Vec<CopyColumn>,
    /// How the rows are written.
    pub dialect: Dialect,
}

/// Rows for the client.
#[derive(Debug, PartialEq, Eq)]
pub struct CopyOut {
    /// What their columns are, where it matters.
    pub results: Results,
    /// How the rows are written.
    pub dialect: Dialect,
}

/// A column of a COPY into a table.
#[derive(Debug, PartialEq, Eq)]
pub struct CopyColumn {
    /// Its name.
    pub name: String,
    /// What it is protected by.
    pub setting: Option<Arc<Setting>>,
    /// A quoted null string is NULL.
    pub force_null: bool,
    /// A null string that is not quoted is not NULL.
    pub force_not_null: bool,
}

/// The COPY statement that `source` is.
pub(super) fn read(source: &Source<'_>, lexical: &Lexical) -> Result<CopyStatement, Unreadable> {
    copy::read(
        source.text,
        source.tokens,
        source.range.0..source.range.1,
        lexical,
    )
}

/// The copies of a text in which no protected table is named.
pub(super) fn unprotected(text: &[u8], tokens: &[Token], lexical: &Lexical) -> Vec<Copy> {
    statements(text, tokens)
        .filter(|range| copy::is_copy(text, tokens.get(range.clone()).unwrap_or_default()))
        .filter_map(|range| passed(copy::read(text, tokens, range, lexical)))
        .collect()
}

/// A COPY that concerns no protected table; nothing if its rows do not pass here.
///
/// One that is not understood counts as one whose rows do: if the server understands it, it may be.
pub(super) fn passed(read: Result<CopyStatement, Unreadable>) -> Option<Copy> {
    match read {
        Ok(copy) if !copy.with_client => None,
        Ok(copy) if !copy.from => Some(out(copy.dialect, Results::default())),
        Ok(_) | Err(Unreadable) => Some(Copy::Pass),
    }
}

fn out(dialect: Dialect, results: Results) -> Copy {
    Copy::Out(Arc::new(CopyOut { results, dialect }))
}

/// Decides on a COPY in which a protected table is named. `query` judges the query whose rows are copied and tells what
/// they are.
pub(super) fn judge(
    tables: Schema<'_>,
    read: Result<CopyStatement, Unreadable>,
    source: &Source<'_>,
    named: &str,
    query: impl FnOnce(&Source<'_>) -> Result<Option<Results>, Refusal>,
) -> Result<Option<Copy>, Refusal> {
    let copy = read.map_err(|Unreadable| {
        form(
            named,
            "COPY with a syntax or an option that is not known here",
        )
    })?;
    let (schema, table, listed) = match &copy.target {
        Target::Query(range) => {
            if !copy.with_client {
                return Err(on_server(named));
            }
            let results = query(&Source {
                range: (range.start, range.end),
                ..*source
            })?
            .unwrap_or_default();
            return match results.is_open() {
                true => Err(form(
                    named,
                    "COPY of a query with * over a table whose columns are not known",
                )),
                false if copy.from => Ok(passed(Ok(copy))),
                false => Ok(Some(out(copy.dialect, results))),
            };
        }
        Target::Table {
            schema,
            table,
            columns,
        } => (schema, table, columns),
    };
    let name = TableName {
        schema: *schema,
        table: *table,
    };
    let Some(table) = tables.table(name, source) else {
        return Ok(passed(Ok(copy)));
    };
    if !copy.with_client {
        return Err(on_server(table.name()));
    }
    if !copy.from && !table.settings().any(|setting| setting.needs_mapping()) {
        return Ok(passed(Ok(copy)));
    }
    if copy.from && table.is_view() {
        return Err(view_write(table));
    }
    check_filter(&copy, table, source)?;
    let names = match listed {
        Some(listed) => listed
            .iter()
            .map(|token| token_name(*token, source).into_owned())
            .collect(),
        None => tables
            .columns_of(table, name, source)
            .ok_or_else(|| unknown_order(table, copy.from))?
            .to_vec(),
    };
    if !copy.from {
        let results = Results::of_columns(names.iter().map(|name| table.setting(name)));
        return Ok(Some(out(copy.dialect, results)));
    }
    if names.iter().all(|name| table.setting(name).is_none()) {
        return Ok(Some(Copy::Pass));
    }
    let columns = names
        .into_iter()
        .map(|name| CopyColumn {
            setting: table.setting(&name).cloned(),
            force_null: copy.force_null.has(name.as_bytes()),
            force_not_null: copy.force_not_null.has(name.as_bytes()),
            name,
        })
        .collect();
    Ok(Some(Copy::In(Arc::new(CopyIn {
        table: table.name().to_owned(),
        columns,
        dialect: copy.dialect,
    }))))
}

fn unknown_order(table: &Table, from: bool) -> Refusal {
    let name = table.name();
    let (what, way) = match from {
        true => (
            "COPY FROM without a list of columns, whose order is not known",
            "FROM STDIN",
        ),
        false => (
            "COPY TO without a list of columns, whose order is not known",
            "TO STDOUT",
        ),
    };
    form(name, what).with_hint(&format!(
        "Name the columns, as in COPY {name} (…) {way}, or list all columns of the table under `columns:` in the encryptor configuration."
    ))
}

/// The server would compare the encrypted value.
fn check_filter(copy: &CopyStatement, table: &Table, source: &Source<'_>) -> Result<(), Refusal> {
    let filter = copy.filter.clone().unwrap_or_default();
    for token in filter {
        if !source
            .tokens
            .get(token)
            .is_some_and(|token| token.kind.is_name())
        {
            continue;
        }
        let name = token_name(token, source);
        if let Some(setting) = table.setting(&name) {
            return Err(misused(setting, "is used in a condition"));
        }
        if name == table.name() {
            let message = format!("protected table \"{name}\" is used as a value: its whole row");
            return Err(
                Refusal::new(RefusalCode::ColumnUse, message).about(Subject::of_table(&name))
            );
        }
    }
    Ok(())
}

fn on_server(table: &str) -> Refusal {
    let mut refusal = form(
        table,
        "COPY with a file or program of the database server, whose rows do not pass acra-server",
    );
    refusal.hint = "Use COPY … FROM STDIN or TO STDOUT, or psql's \\copy.".to_owned();
    refusal
}

fn form(table: &str, what: &str) -> Refusal {
    Refusal::new(
        RefusalCode::StatementForm,
        format!("statement on protected table \"{table}\" is not supported: {what}"),
    )
    .about(Subject::of_table(table))
}

//! What happens to the rows of a LOAD DATA LOCAL INFILE.
//!
//! The server gets rows that are written anew in one way, whatever the client's file looks like: where its cells begin and
//! end is then for nobody but us to tell. Cells of protected columns arrive as hexadecimal digits in variables, since
//! the server takes no other bytes than characters of the file's character set, and are assigned from there.

use super::edits::{Insertion, Place};
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::schema::Schema;
use super::scope::misused;
use super::store::view_write;
use crate::columns::{Setting, Subject, Table};
use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;
use crate::sql::mysql::load::{self, LoadStatement};
use crate::sql::{ClientEncoding, Kind, Lexical};
use std::fmt::Write;
use std::sync::Arc;

pub use crate::sql::mysql::load::LoadDialect;

/// In front of the numbers of our variables.
const VARIABLE: &str = "acra_server_";

/// In the place of the digits: assigning it is an error of the server, which undoes the statement.
pub(crate) const FAILURE: &[u8] = b"!";

/// Rows of a file for a protected table.
#[derive(Debug, PartialEq, Eq)]
pub struct Load {
    /// The table's name.
    pub table: String,
    /// What the cells go to, in the order of the rows.
    pub targets: Vec<LoadTarget>,
    /// How the client writes the rows.
    pub dialect: LoadDialect,
    /// The character set of the file, if the statement tells it.
    pub encoding: Option<ClientEncoding>,
}

/// A column or variable that the cells of a file go to.
#[derive(Debug, PartialEq, Eq)]
pub struct LoadTarget {
    /// Its name.
    pub name: String,
    /// What it is protected by.
    pub setting: Option<Arc<Setting>>,
}

/// Decides on a LOAD DATA LOCAL in which a protected table is named: the rows, unless the table that they are for is another
/// one or none of its protected columns gets any, and what is written in the statement.
pub(super) fn judge(
    schema: Schema<'_>,
    source: &Source<'_>,
    lexical: &Lexical,
    named: &str,
) -> Result<(Load, Insertion), Refusal> {
    let range = source.range.0..source.range.1;
    let read = load::read(source.text, source.tokens, range, lexical).map_err(|_| {
        form(
            named,
            "LOAD DATA with a syntax, an option or separators that are not known here",
        )
    })?;
    let name = TableName {
        schema: read.schema,
        table: read.table,
    };
    let table = schema
        .table(name, source)
        .ok_or_else(|| form(named, "its name in the LOAD DATA of another table"))?;
    if table.is_view() {
        return Err(view_write(table));
    }
    if read.encoding == Some(ClientEncoding::Unsafe) {
        return Err(form(
            named,
            "LOAD DATA of a file in a character set that is not read here",
        ));
    }
    check_set(&read, table, source)?;
    let targets = targets(&read, schema, (name, table), source)?;
    let insertion = rewritten(&read, &targets, source, named)?;
    let load = Load {
        table: table.name().to_owned(),
        targets,
        dialect: read.dialect,
        encoding: read.encoding,
    };
    Ok((load, insertion))
}

fn targets(
    read: &LoadStatement,
    schema: Schema<'_>,
    (called, table): (TableName, &Table),
    source: &Source<'_>,
) -> Result<Vec<LoadTarget>, Refusal> {
    let target = |name: String, is_variable: bool| LoadTarget {
        setting: match is_variable {
            true => None,
            false => table.setting(&name).cloned(),
        },
        name,
    };
    let Some(listed) = &read.targets else {
        let columns = schema.columns_of(table, called, source).ok_or_else(|| {
            let name = table.name();
            form(name, "LOAD DATA without a list of columns, whose order is not known").with_hint(
                "Name the columns in parentheses, or list all columns of the table under `columns:` in the encryptor configuration.",
            )
        })?;
        return Ok(columns
            .iter()
            .map(|name| target(name.clone(), false))
            .collect());
    };
    let mut targets: Vec<LoadTarget> = Vec::with_capacity(listed.len());
    for token in listed {
        let is_variable = is_kind(*token, source, |kind| kind == Kind::Variable);
        let name = match is_variable {
            true => between(*token, *token + 1, source, table.name())?.to_owned(),
            false => token_name(*token, source).into_owned(),
        };
        if is_variable && name.to_ascii_lowercase().contains(VARIABLE) {
            return Err(form(
                table.name(),
                "LOAD DATA with a variable whose name is one of acra-server's",
            ));
        }
        targets.push(target(name, is_variable));
    }
    Ok(targets)
}

/// Assignments pass if no protected value is in them: neither is one assigned, nor does one come out of the table.
fn check_set(read: &LoadStatement, table: &Table, source: &Source<'_>) -> Result<(), Refusal> {
    for token in read.set.clone().unwrap_or_default() {
        let is_word = |word| {
            let token = source.tokens.get(token);
            token.is_some_and(|token| token.is_word(source.text, word))
        };
        if is_word("select") {
            return Err(form(table.name(), "LOAD DATA with a query in SET"));
        }
        if !is_kind(token, source, Kind::is_name) {
            continue;
        }
        if let Some(setting) = table.setting(&token_name(token, source)) {
            return Err(
                misused(setting, "is assigned or read by SET in a LOAD DATA")
                    .with_hint("List the column among those that the cells of the file go to."),
            );
        }
    }
    Ok(())
}

/// The statement from what tells how the file is written.
fn rewritten(
    read: &LoadStatement,
    targets: &[LoadTarget],
    source: &Source<'_>,
    named: &str,
) -> Result<Insertion, Refusal> {
    let mut text =
        " FIELDS TERMINATED BY X'09' ENCLOSED BY '' ESCAPED BY X'5C' LINES TERMINATED BY X'0A' ("
            .to_owned();
    let mut set = String::new();
    for (at, LoadTarget { name, setting }) in targets.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let quoted = format!("`{}`", name.replace('`', "``"));
        let _ = match setting {
            Some(_) => write!(text, "{comma}@{VARIABLE}{at}"),
            None if name.starts_with('@') => write!(text, "{comma}{name}"),
            None => write!(text, "{comma}{quoted}"),
        };
        if setting.is_some() {
            let comma = if set.is_empty() { "" } else { ", " };
            let variable = format!("@{VARIABLE}{at}");
            // EXP(710) is more than a number can be.
            let _ = write!(
                set,
                "{comma}{quoted} = UNHEX(IF({variable} = '!', EXP(710), {variable}))"
            );
        }
    }
    if let Some(own) = &read.set {
        let comma = if set.is_empty() { "" } else { ", " };
        let _ = write!(
            set,
            "{comma}{}",
            between(own.start, own.end, source, named)?
        );
    }
    text.push(')');
    if !set.is_empty() {
        text.push_str(" SET ");
        text.push_str(&set);
    }
    Ok(match read.tail.is_empty() {
        true => Insertion {
            token: read.tail.start.saturating_sub(1),
            place: Place::After,
            text: text.into(),
        },
        false => Insertion::over(&read.tail, text),
    })
}

/// The text from one token up to another.
fn between<'a>(
    start: usize,
    end: usize,
    source: &Source<'a>,
    named: &str,
) -> Result<&'a str, Refusal> {
    let first = source.tokens.get(start).map(|token| token.start as usize);
    let last = end.checked_sub(1).and_then(|last| source.tokens.get(last));
    let text = match (first, last) {
        (Some(first), Some(last)) => source.text.get(first..last.end as usize),
        _ => None,
    };
    text.and_then(|text| std::str::from_utf8(text).ok())
        .ok_or_else(|| form(named, "LOAD DATA with text that is not UTF-8"))
}

fn is_kind(token: usize, source: &Source<'_>, is: impl FnOnce(Kind) -> bool) -> bool {
    source.tokens.get(token).is_some_and(|token| is(token.kind))
}

fn form(table: &str, what: &str) -> Refusal {
    Refusal::new(
        RefusalCode::StatementForm,
        format!("statement on protected table \"{table}\" is not supported: {what}"),
    )
    .about(Subject::of_table(table))
}

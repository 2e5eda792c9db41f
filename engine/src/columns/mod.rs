//! The encryptor configuration: from a document to immutable column settings.
//!
//! The schema, its defaults and its errors are those of policy.md 1; what the reference drops without a word is told as
//! a warning. Nothing here knows statements, keys or cells, and the document comes as bytes from whoever read it.

mod base64;
mod casts;
mod error;
mod kinds;
mod lengths;
mod lint;
mod needs;
mod node;
mod raw;
mod scalar;
mod schema;
mod search_column;
mod setting;
mod subject;
mod table;
mod variables;
mod views;
mod words;

#[cfg(test)]
mod tests;

pub use casts::narrowest;
pub use error::{ConfigError, Warning};
pub use kinds::{DataType, Database, Envelope, ResponseOnFail, Side, TokenType};
pub use needs::KeyNeeds;
pub use schema::{Column, Kinship, NewChild, Origin, Relation, Schema};
pub use setting::{Likeness, Setting, Transform};
pub use subject::Subject;
pub use table::{Columns, Table};
pub use views::ReadView;
pub use words::in_word;

use lint::Folding;
use raw::{RawConfig, RawTable};
use std::collections::BTreeMap;
use std::sync::Arc;
use variables::Variables;

/// A configuration that was read, and what is odd about it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub columns: Columns,
    /// What is accepted and most likely not meant.
    pub warnings: Vec<Warning>,
}

impl Columns {
    /// Reads a document. One that is standard base64 as a whole is decoded first.
    ///
    /// Settings that are valid and that this version cannot do are not an error here: see [`Columns::unsupported`].
    ///
    /// # Errors
    ///
    /// The first fault, with the texts of policy.md 1.6.
    pub fn parse(document: &[u8], database: Database) -> Result<Loaded, ConfigError> {
        let decoded = base64::decode(document);
        let bytes = decoded.as_deref().unwrap_or(document);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                .saturating_add(1);
            let column = good
                .rsplit(|byte| *byte == b'\n')
                .next()
                .map_or(0, <[u8]>::len)
                .saturating_add(1);
            let what = if decoded.is_ok() {
                "the document, decoded from base64, is not UTF-8 text"
            } else {
                "the document is not UTF-8 text"
            };
            ConfigError::syntax(what, line, column, None)
        })?;
        let mut warnings = Vec::new();
        let document = node::read(text)?;
        if document.more {
            warnings.push(Warning::new(
                "only the first YAML document is read, more follow",
                0,
            ));
        }
        let raw = match &document.root {
            Some(root) => raw::read(root, &mut warnings)?,
            None => RawConfig::default(),
        };
        let columns = judge(raw, database, &mut warnings)?;
        Ok(Loaded { columns, warnings })
    }
}

fn judge(
    raw: RawConfig,
    database: Database,
    warnings: &mut Vec<Warning>,
) -> Result<Columns, ConfigError> {
    let RawConfig {
        mysql,
        defaults,
        schemas,
    } = raw;
    let case_sensitive_tables = mysql.case_sensitive_tables;
    setting::envelope(defaults.crypto_envelope.as_deref())
        .map_err(|message| ConfigError::new(message, defaults.line))?;
    let folding = Folding {
        database,
        case_sensitive_tables,
    };
    let mut columns = Columns::empty();
    columns.ignored.clone_from(&defaults.ignored);
    columns.case_sensitive = case_sensitive_tables;
    if let Some(delimiter) = mysql.variable_delimiter {
        columns.variables = Variables::parted_by(&delimiter);
    }
    for RawTable {
        line,
        table: name,
        columns: listed,
        encrypted,
    } in schemas
    {
        let (schema, short) = split_name(&name, line, warnings);
        let mut table = Table::new(schema, short, listed);
        for raw in encrypted {
            let at = raw.line;
            let setting = Setting::judge(raw, &name, &defaults, database, warnings)?;
            let column = setting.column.clone();
            if table.add(Arc::new(setting)) {
                let message = format!(
                    "table \"{name}\", column \"{column}\" is repeated, the last one counts"
                );
                warnings.push(Warning::new(message, at));
            }
        }
        check_search_columns(&table, &name, line)?;
        lint::lint(&table, line, folding, warnings);
        if database == Database::MySql && case_sensitive_tables {
            // Statements are read as if the case of names did not matter: a table too many is protected, never one too few.
            table.schema = table.schema.map(|schema| schema.to_lowercase());
            table.name = table.name.to_lowercase();
        }
        if columns.add(table) {
            warnings.push(Warning::new(
                format!("table \"{name}\" is repeated, the last one counts"),
                line,
            ));
        }
    }
    Ok(columns)
}

/// A hash column belongs to one searchable column, and is not protected itself.
fn check_search_columns(table: &Table, name: &str, line: usize) -> Result<(), ConfigError> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for setting in table.settings() {
        let Some(hashes) = setting.search_column.as_deref() else {
            continue;
        };
        let reason = match taken.insert(hashes, &setting.column) {
            Some(other) => format!("has the hashes of column \"{other}\" already"),
            None if table.setting(hashes).is_some() => "is protected itself".to_owned(),
            None => continue,
        };
        let message = setting::invalid(
            name,
            &setting.column,
            &format!("`search_column: {hashes}`: that column {reason}"),
        );
        return Err(ConfigError::new(message, line).of_column(name, &setting.column));
    }
    Ok(())
}

/// Parts `schema.table`; a name of three parts has a database in front, which a connection cannot choose anyway.
fn split_name(name: &str, line: usize, warnings: &mut Vec<Warning>) -> (Option<String>, String) {
    let Some((qualifier, table)) = name.rsplit_once('.') else {
        return (None, name.to_owned());
    };
    let schema = match qualifier.rsplit_once('.') {
        None => qualifier,
        Some((database, schema)) => {
            let message = format!(
                "table \"{name}\": \"{database}\" is ignored, the entry is for schema \"{schema}\""
            );
            warnings.push(Warning::new(message, line));
            schema
        }
    };
    (
        Some(schema.to_owned()).filter(|schema| !schema.is_empty()),
        table.to_owned(),
    )
}

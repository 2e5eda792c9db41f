//! What is accepted and most likely not meant (policy.md 2 and 9, item 4).

use super::error::Warning;
use super::kinds::Database;
use super::table::Table;

/// PostgreSQL cuts longer identifiers.
const POSTGRESQL_NAME_BYTES: usize = 63;

/// How names of the database fold, as far as the configuration says.
#[derive(Clone, Copy)]
pub(super) struct Folding {
    pub(super) database: Database,
    pub(super) case_sensitive_tables: bool,
}

/// Warns of whatever makes an entry protect less than it seems to.
pub(super) fn lint(table: &Table, line: usize, folding: Folding, warnings: &mut Vec<Warning>) {
    let name = table.full_name();
    let mut warn = |message: String| warnings.push(Warning::new(message, line));
    if table.name.is_empty() {
        warn(format!(
            "table \"{name}\": an entry without a table name protects nothing"
        ));
    }
    let parts = table
        .schema
        .iter()
        .map(String::as_str)
        .chain([table.name.as_str()]);
    if let Some(reason) = parts.filter_map(|part| folding.table(part)).next() {
        warn(format!("table \"{name}\" {reason}"));
    }
    match &table.columns {
        None => warn(format!(
            "table \"{name}\" lists no columns: INSERT without a column list and `*` need them"
        )),
        Some(listed) => {
            for (setting, hashes) in table.missing_search_columns(listed) {
                warn(format!(
                    "table \"{name}\", column \"{}\": search_column \"{hashes}\" is not among the columns of the table; \
                     comparisons are made without it",
                    setting.column
                ));
            }
            for setting in table
                .settings()
                .filter(|setting| !listed.contains(&setting.column))
            {
                warn(format!(
                    "table \"{name}\", column \"{}\" is not among the columns of the table",
                    setting.column
                ));
            }
        }
    }
    for setting in table.settings() {
        let place = format!("table \"{name}\", column \"{}\"", setting.column);
        if let Some(reason) = folding.column(&setting.column) {
            warn(format!("{place} {reason}"));
        }
        if let Some(reason) = setting
            .search_column
            .as_deref()
            .and_then(|hashes| folding.column(hashes))
        {
            warn(format!("{place}: search_column {reason}"));
        }
        if let Some(id) = setting.client_id.as_deref().filter(|id| !is_client_id(id)) {
            warn(format!(
                "{place}: client_id \"{id}\" is not valid (5 to 256 letters, digits, '-', '_' or blanks) and has no keys"
            ));
        }
    }
}

impl Folding {
    fn table(self, name: &str) -> Option<&'static str> {
        match self.database {
            Database::MySql if self.case_sensitive_tables => None,
            Database::MySql if has_upper_case(name) => {
                Some("can never match: names in statements are folded to lower case")
            }
            Database::MySql => None,
            Database::PostgreSql => postgresql(name),
        }
    }

    fn column(self, name: &str) -> Option<&'static str> {
        match self.database {
            Database::MySql if has_upper_case(name) => {
                Some("can never match: names in statements are folded to lower case")
            }
            Database::MySql => None,
            Database::PostgreSql => postgresql(name),
        }
    }
}

fn postgresql(name: &str) -> Option<&'static str> {
    if name.len() > POSTGRESQL_NAME_BYTES {
        Some("can never match: PostgreSQL cuts names at 63 bytes")
    } else if has_upper_case(name) {
        Some("has upper-case letters and matches only where a statement has it in double quotes")
    } else {
        None
    }
}

fn has_upper_case(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// The rule for client ids (keystore.md 2). It is repeated here because settings know nothing of keys.
fn is_client_id(id: &str) -> bool {
    (5..=256).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' '))
}

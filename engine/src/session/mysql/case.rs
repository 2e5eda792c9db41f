//! What of the names of tables does not fit the server: statements are read as if the case of these names did not matter, which
//! depends on the server's `lower_case_table_names`.

use super::own::Row;
use super::probe::name;
use crate::columns::Columns;
use crate::sql::mysql::lower;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the configuration says otherwise than the server, and which tables are taken for one; a sentence each. The rows are
/// those of the answer to the schema probe.
pub(super) fn remarks(rows: &[Row], columns: &Columns) -> Vec<String> {
    let setting = rows.first().and_then(|row| row.last()?.as_deref());
    let mut remarks = Vec::new();
    if let Some(setting) = setting
        && setting != b"0"
        && columns.is_case_sensitive()
    {
        remarks.push(format!(
            "case_sensitive_table_identifiers is true, and the database does not tell names of tables apart by their case (lower_case_table_names is {}): set it to false, and write names in lower case",
            String::from_utf8_lossy(setting)
        ));
    }
    let mut names: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let [Some(schema), Some(table), ..] = &**row else {
            continue;
        };
        let Some((schema, table)) = name(schema).zip(name(table)) else {
            continue;
        };
        let folded = (lower(&schema), lower(&table));
        if columns.table(Some(&folded.0), &folded.1).is_some() {
            let known = names.entry(folded).or_default();
            known.insert(format!("{schema}.{table}"));
        }
    }
    for names in names.into_values().filter(|names| names.len() > 1) {
        let names: Vec<String> = names.into_iter().collect();
        remarks.push(format!(
            "tables \"{}\" differ in case only, and are taken for one: all of them are protected, and what the database says of their columns is not used",
            names.join("\" and \"")
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::remarks;
    use crate::columns::{Columns, Database};

    fn told(sensitive: bool, setting: &str, tables: &[&str]) -> Vec<String> {
        let yaml = format!(
            "database_settings: {{mysql: {{case_sensitive_table_identifiers: {sensitive}}}}}\n\
             schemas: [{{table: people, encrypted: [{{column: ssn}}]}}]\n"
        );
        let parsed = Columns::parse(yaml.as_bytes(), Database::MySql).unwrap();
        let hex = |text: &str| Some(const_hex::encode(text).into_bytes());
        let rows: Vec<_> = tables
            .iter()
            .map(|table| vec![hex("app"), hex(table), Some(setting.as_bytes().to_vec())])
            .collect();
        remarks(&rows, &parsed.columns)
    }

    #[test]
    fn the_configuration_and_the_server_agree_or_not() {
        for setting in ["0", "1", "2"] {
            assert_eq!(told(false, setting, &["people"]), [""; 0]);
        }
        assert_eq!(told(true, "0", &["people", "people"]), [""; 0]);
        assert_eq!(told(true, "0", &[]), [""; 0]);
        for setting in ["1", "2"] {
            let told = told(true, setting, &["people"]);
            let part = format!("(lower_case_table_names is {setting})");
            assert!(told.len() == 1 && told[0].contains(&part), "{told:?}");
        }
        for sensitive in [false, true] {
            let told = told(sensitive, "0", &["people", "People", "Others", "others"]);
            let part = "tables \"app.People\" and \"app.people\" differ in case only";
            assert!(told.len() == 1 && told[0].starts_with(part), "{told:?}");
        }
    }
}

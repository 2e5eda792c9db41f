//! User variables of MySQL that are called like protected columns, `@table__column` (policy.md 7.9).

use super::setting::Setting;
use super::table::{Columns, Table};
use std::sync::Arc;

/// What is between table and column where the configuration does not say.
const DELIMITER: &str = "__";

/// How such variables are called.
#[derive(Debug, Clone)]
pub(super) struct Variables {
    /// In lower case, as names of variables are compared.
    delimiter: Box<str>,
}

impl Default for Variables {
    fn default() -> Self {
        Self::parted_by(DELIMITER)
    }
}

impl Variables {
    /// With this between table and column (`prepared_statements_set_arg_delimiter`); an empty text counts as none, as in Acra.
    pub(super) fn parted_by(delimiter: &str) -> Self {
        let delimiter = match delimiter {
            "" => DELIMITER,
            delimiter => delimiter,
        };
        Self {
            delimiter: delimiter.to_lowercase().into(),
        }
    }
}

impl Columns {
    /// What is between table and column in the names of variables, in lower case.
    pub fn variable_delimiter(&self) -> &str {
        &self.variables.delimiter
    }

    /// The protected columns that a variable of this name is for, in lower case and without its `@`. The table may have its schema in
    /// front. With a delimiter that is also within names there can be several.
    pub fn of_variable<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<Setting>> {
        let delimiter = self.variable_delimiter();
        let starts = (0..name.len()).filter(move |at| {
            let rest = name.get(*at..);
            rest.is_some_and(|rest| rest.starts_with(delimiter))
        });
        starts.filter_map(move |at| {
            let (table, column) = (name.get(..at)?, name.get(at + delimiter.len()..)?);
            let (schema, table) = match table.rsplit_once('.') {
                Some((schema, table)) => (Some(schema), table),
                None => (None, table),
            };
            self.table(schema, table)?.setting(column)
        })
    }

    /// Whether servers may take this name of a variable, in lower case, for that of one which is for a protected column: they compare
    /// letters without their accents, and no blanks at the end.
    pub fn resembles_variable(&self, name: &[u8]) -> bool {
        let blanks = name.iter().rev().take_while(|byte| **byte == b' ').count();
        let name = name.get(..name.len() - blanks).unwrap_or_default();
        let after_dots = (0..name.len()).filter(|at| name.get(*at) == Some(&b'.'));
        let without_schema = after_dots.filter_map(|dot| name.get(dot + 1..));
        let mut forms = without_schema.chain([name]);
        forms.any(|name| {
            let settings = |table: &Table| -> Vec<String> {
                let delimiter = self.variable_delimiter();
                let name = |setting: &Arc<Setting>| {
                    format!("{}{delimiter}{}", table.name(), setting.column)
                };
                table.settings().map(name).collect()
            };
            let mut wanted = self.tables().flat_map(settings);
            wanted.any(|wanted| resembles(name, wanted.as_bytes()))
        })
    }
}

/// Whether letters that are not ASCII can stand for what a name lacks to be this one.
fn resembles(name: &[u8], wanted: &[u8]) -> bool {
    let mut rest = wanted.iter();
    let mut letters = name.iter().filter(|byte| byte.is_ascii());
    let in_order = letters.all(|letter| rest.any(|wanted| wanted == letter));
    let ascii = name.iter().filter(|byte| byte.is_ascii()).count();
    in_order && wanted.len() - ascii <= name.len() - ascii
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Database;

    fn columns(settings: &str) -> Columns {
        let yaml = format!(
            "{settings}schemas:\n- {{table: people, encrypted: [{{column: ssn}}, {{column: b__c}}]}}\n\
             - {{table: app.orders, encrypted: [{{column: card}}]}}\n- {{table: people__b, encrypted: [{{column: c}}]}}\n"
        );
        let loaded = Columns::parse(yaml.as_bytes(), Database::MySql);
        loaded.unwrap().columns
    }

    #[test]
    fn names_tell_columns() {
        let own = columns("");
        let parted =
            columns("database_settings: {mysql: {prepared_statements_set_arg_delimiter: 'OF'}}\n");
        let empty =
            columns("database_settings: {mysql: {prepared_statements_set_arg_delimiter: ''}}\n");
        for (columns, name, expected) in [
            (&own, "people__ssn", "people.ssn"),
            (&own, "any.people__ssn", "people.ssn"),
            (&own, "orders__card", "app.orders.card"),
            (&own, "app.orders__card", "app.orders.card"),
            (&own, "other.orders__card", ""),
            (&own, "people__b__c", "people.b__c people__b.c"),
            (&own, "people__name", ""),
            (&own, "people_ssn", ""),
            (&own, "__", ""),
            (&own, "é__ssn", ""),
            (&empty, "people__ssn", "people.ssn"),
            (&parted, "peopleofssn", "people.ssn"),
            (&parted, "people__ssn", ""),
        ] {
            let found: Vec<String> = columns
                .of_variable(name)
                .map(|setting| format!("{}.{}", setting.table, setting.column))
                .collect();
            assert_eq!(found.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn names_that_servers_may_take_for_others_are_told() {
        let columns = columns("");
        for (name, expected) in [
            ("people__ssn ", true),
            ("péople__ssn", true),
            ("x.péople__ssn  ", true),
            ("é.people__ssn", true),
            ("ééééééééééé", true),
            ("people__ssné", true),
            ("é", false),
            ("people__é", false),
            ("people__name ", false),
        ] {
            assert_eq!(
                columns.resembles_variable(name.as_bytes()),
                expected,
                "{name}"
            );
        }
    }
}

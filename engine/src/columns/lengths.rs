//! How long the values of protected columns may be, as the database tells it.

use super::schema::Relation;
use super::setting::Setting;
use super::table::{Columns, Table};

impl Columns {
    /// The longest value that a protected column takes in the database, if that has a limit and it is known.
    pub fn longest(&self, setting: &Setting) -> Option<u64> {
        self.longest
            .get(&setting.table)
            .and_then(|columns| columns.get(&setting.column))
            .copied()
    }

    /// Takes note of how long values may be in these relations of a table. Where these differ, it is not known of which
    /// of them a statement speaks.
    pub(super) fn measure<'a>(
        &mut self,
        table: &Table,
        relations: impl Iterator<Item = &'a Relation>,
        notes: &mut Vec<String>,
    ) {
        let relations: Vec<&Relation> = relations.collect();
        for setting in table.settings() {
            let mut told = relations.iter().filter_map(|relation| {
                let mut columns = relation.columns.iter();
                columns.find(|column| column.name == setting.column)
            });
            let Some(first) = told.next().map(|column| column.longest) else {
                continue;
            };
            if told.any(|column| column.longest != first) {
                notes.push(format!(
                    "table \"{}\", column \"{}\" is not as long in one schema as in another: what is too long for it is not found before it is sent; name the schema in the entry",
                    table.full_name(),
                    setting.column
                ));
                continue;
            }
            if let Some(longest) = first {
                self.longest
                    .entry(setting.table.clone())
                    .or_default()
                    .insert(setting.column.clone(), longest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::columns::{Column, Columns, Database, Kinship, Relation, Schema};

    fn relation(schema: &str, longest: Option<u64>) -> Relation {
        let own = (schema.to_owned(), "people".to_owned());
        Relation {
            root: own.clone(),
            kinship: Kinship::Itself,
            oid: 0,
            schema: own.0,
            name: own.1,
            columns: vec![Column {
                name: "ssn".to_owned(),
                holds_bytes: true,
                longest,
                number: 1,
                generated: None,
            }],
            reads: Vec::new(),
            query: None,
            key: Vec::new(),
        }
    }

    #[test]
    fn lengths_are_known_where_tables_of_a_name_agree() {
        let parsed = |name: &str| {
            let yaml = format!("schemas: [{{table: {name}, encrypted: [{{column: ssn}}]}}]");
            Columns::parse(yaml.as_bytes(), Database::MySql)
                .unwrap()
                .columns
        };
        for (name, lengths, expected, notes) in [
            ("people", [Some(20), Some(20)], Some(20), 0),
            ("people", [Some(20), Some(30)], None, 1),
            ("people", [Some(20), None], None, 1),
            ("people", [None, None], None, 0),
            ("b.people", [Some(20), Some(30)], Some(30), 0),
        ] {
            let schema = Schema {
                remarks: Vec::new(),
                relations: vec![relation("a", lengths[0]), relation("b", lengths[1])],
            };
            let (columns, told) = parsed(name).in_database(&schema, &|_, _| None);
            let table = columns.tables().next().unwrap();
            let setting = table.setting("ssn").unwrap();
            assert_eq!(columns.longest(setting), expected, "{name} {lengths:?}");
            assert_eq!(told.len(), notes, "{told:?}");
            assert_eq!(parsed(name).longest(setting), None);
        }
    }
}

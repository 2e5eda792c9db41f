//! Whether a `search_column` holds what it is taken for.

use super::schema::{Column, Relation};
use super::table::Table;
use std::sync::Arc;

impl Table {
    /// Leaves out search columns that the database does not make of what is stored: nothing would be found by them.
    pub(super) fn check_search_columns(&mut self, relation: &Relation, notes: &mut Vec<String>) {
        let name = self.full_name();
        for setting in &mut self.settings {
            let Some(hashes) = setting.search_column.as_deref() else {
                continue;
            };
            let mut columns = relation.columns.iter();
            let column = columns.find(|column| column.name == hashes);
            let what = match column {
                None => "does not exist in the database",
                Some(column) if !makes_hashes(column, &setting.column) => {
                    "is not generated in the database as the hash of that column"
                }
                Some(_) => continue,
            };
            let column = &setting.column;
            notes.push(format!(
                "table \"{name}\", column \"{column}\": search_column \"{hashes}\" {what}; comparisons are made without it. It must be \
                 GENERATED ALWAYS AS (substr({column}, 1, 33)) STORED (docs/search.md#a-column-for-the-hash)"
            ));
            Arc::make_mut(setting).search_column = None;
        }
    }
}

/// Whether a database computes a column as the hash of another one, as PostgreSQL, MySQL or MariaDB tell it.
fn makes_hashes(column: &Column, of: &str) -> bool {
    let Some(expression) = column.generated.as_deref() else {
        return false;
    };
    let quoted = |quote: &str| format!("{quote}{}{quote}", of.replace(quote, &quote.repeat(2)));
    [of.to_owned(), quoted("\""), quoted("`")].iter().any(|of| {
        [
            format!("substr({of}, 1, 33)"),
            format!("\"substring\"({of}, 1, 33)"),
            format!("SUBSTRING({of} FROM 1 FOR 33)"),
            format!("substr({of},1,33)"),
            format!("left({of},33)"),
        ]
        .iter()
        .any(|hash| hash == expression)
    })
}

#[cfg(test)]
mod tests {
    use super::makes_hashes;
    use crate::columns::Column;

    #[test]
    fn expressions_are_those_of_the_databases() {
        let is_hash = |expression: &str, of| {
            let column = Column {
                name: "hash".to_owned(),
                holds_bytes: true,
                longest: None,
                number: 1,
                generated: Some(expression.to_owned()),
            };
            makes_hashes(&column, of)
        };
        for (expression, of) in [
            ("substr(email, 1, 33)", "email"),
            ("SUBSTRING(email FROM 1 FOR 33)", "email"),
            ("\"substring\"(\"We\"\"ird\", 1, 33)", "We\"ird"),
            ("substr(`We ird`,1,33)", "We ird"),
            ("left(`email`,33)", "email"),
        ] {
            assert!(is_hash(expression, of), "{expression}");
        }
        for expression in [
            "substr(email, 1, 32)",
            "substr(email, 2, 33)",
            "substr(phone, 1, 33)",
            "substr(\"Email\", 1, 33)",
            "substr(email, 1, 33) || '\\x00'::bytea",
            "email",
            "",
        ] {
            assert!(!is_hash(expression, "email"), "{expression}");
        }
    }
}

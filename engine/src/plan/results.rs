//! What the columns of a statement's result are, by their places.
//!
//! Told only where it matters: where a column may be a protected one whose values are read in a way of its own. The
//! database may know better, since it tells which column of which relation a result column is.

use super::flow::Flows;
use super::refusal::{Refusal, RefusalCode};
use super::scope::Rows;
use crate::columns::Setting;
use std::sync::Arc;

/// The settings of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// By place; columns beyond have none.
    columns: Box<[Option<Arc<Setting>>]>,
    /// A protected column is at a place that is not known.
    open: bool,
}

impl Results {
    /// The setting of a column by its place from 0 on.
    pub fn setting(&self, at: usize) -> Option<&Arc<Setting>> {
        self.columns.get(at)?.as_ref()
    }

    /// The settings of the first columns.
    pub fn settings(&self) -> &[Option<Arc<Setting>>] {
        &self.columns
    }

    /// Whether a protected column is at a place that only the database knows.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Those of columns with these settings.
    pub(super) fn of_columns<'s>(settings: impl Iterator<Item = Option<&'s Arc<Setting>>>) -> Self {
        let mapped = |setting: &&Arc<Setting>| setting.needs_mapping();
        let mut columns: Vec<_> = settings
            .map(|setting| setting.filter(mapped).cloned())
            .collect();
        let used = columns.iter().rposition(Option::is_some);
        columns.truncate(used.map_or(0, |last| last + 1));
        Self {
            columns: columns.into(),
            open: false,
        }
    }

    /// Those of a query; nothing if no place matters.
    pub(super) fn of<'a>(rows: &Rows<'a>, flows: &Flows<'a>) -> Result<Option<Self>, Refusal> {
        let mut results = Vec::new();
        let mut open = false;
        for (at, column) in rows.columns.iter().enumerate() {
            let settings = flows.settings(column.flow);
            let Some(setting) = settings.iter().find(|setting| setting.needs_mapping()) else {
                continue;
            };
            if let Some(other) = settings.iter().find(|other| !other.reads_like(setting)) {
                return Err(mixed(setting, other));
            }
            if rows.open.is_some_and(|open| open <= at) {
                open = true;
                continue;
            }
            results.resize(at, None);
            results.push(Some(Arc::clone(setting)));
        }
        let is_nothing = results.is_empty() && !open;
        Ok((!is_nothing).then(|| Self {
            columns: results.into(),
            open,
        }))
    }

    /// Bytes that it holds besides itself.
    pub(super) fn held(&self) -> usize {
        size_of_val(&*self.columns)
    }
}

fn mixed(one: &Setting, other: &Setting) -> Refusal {
    Refusal::new(
        RefusalCode::ColumnUse,
        format!(
            "a result column has values of protected column \"{}\" of table \"{}\" and of column \"{}\" of table \"{}\", \
             which are read in different ways",
            one.column, one.table, other.column, other.table
        ),
    ).about(one.subject())
    .with_hint("Select the two columns as result columns of their own.")
}

#[cfg(test)]
mod tests {
    use super::super::{Copy, Lexical, NameEffect, Plan, Planner, RowsOf, Scratch, Unsupported};
    use super::super::{RefusalCode, Verdict};
    use crate::columns::{Columns, Database};
    use std::sync::Arc;

    const CONFIG: &str = "
schemas:
  - table: people
    columns: [id, name, card, note]
    encrypted:
      - {column: name, data_type: str}
      - {column: card, masking: xxxx, plaintext_length: 4, plaintext_side: left}
      - {column: note}
  - table: hidden
    encrypted: [{column: card, masking: '****', plaintext_length: 4, plaintext_side: left}]
";

    fn plan(text: &str) -> Arc<Plan> {
        let columns = Columns::parse(CONFIG.as_bytes(), Database::PostgreSql).unwrap();
        let planner = Planner::new(Arc::new(columns.columns), Unsupported::Refuse, 1 << 20);
        planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        )
    }

    /// Places and names of the settings of a result.
    fn told(plan: &Plan, statement: usize) -> Vec<(usize, String)> {
        let settings = plan
            .results(statement)
            .map_or(&[][..], super::Results::settings);
        let named = settings.iter().enumerate();
        named
            .filter_map(|(at, setting)| Some((at, setting.as_ref()?.column.clone())))
            .collect()
    }

    #[test]
    fn places_are_known_where_columns_are() {
        for (text, expected) in [
            ("SELECT * FROM people", &[(1, "name"), (2, "card")][..]),
            ("TABLE people", &[(1, "name"), (2, "card")]),
            ("SELECT note, id FROM people", &[]),
            (
                "SELECT 1, p.card, p.name AS id FROM orders, people p",
                &[(1, "card"), (2, "name")],
            ),
            (
                "SELECT n FROM (SELECT name AS n FROM people) AS s",
                &[(0, "name")],
            ),
            (
                "WITH c (x, y) AS (SELECT id, card FROM people) SELECT y FROM c",
                &[(0, "card")],
            ),
            (
                "SELECT id, name FROM people UNION ALL SELECT 1, 'x'",
                &[(1, "name")],
            ),
            ("SELECT (SELECT card FROM people LIMIT 1)", &[(0, "card")]),
            ("SELECT coalesce(card, 'x') FROM people", &[(0, "card")]),
            (
                "INSERT INTO people (name) VALUES ('x') RETURNING id, name",
                &[(1, "name")],
            ),
            (
                "UPDATE people SET id = 1 RETURNING *",
                &[(1, "name"), (2, "card")],
            ),
            ("EXPLAIN SELECT name FROM people", &[]),
            ("CREATE VIEW v AS SELECT name FROM people", &[]),
            ("SELECT card FROM hidden", &[(0, "card")]),
        ] {
            let plan = plan(text);
            assert!(
                !matches!(plan.verdict, Verdict::Refuse(_)),
                "{text}: {plan:?}"
            );
            let told = told(&plan, 0);
            let told: Vec<_> = told.iter().map(|(at, name)| (*at, &**name)).collect();
            assert_eq!(told, expected, "{text}");
            assert!(!plan.needs_description(), "{text}");
        }
    }

    #[test]
    fn what_only_the_database_knows_needs_its_description() {
        for text in [
            "SELECT * FROM hidden",
            "SELECT o.*, card FROM orders o, people",
            "SELECT id, h.* FROM orders, hidden h",
            "EXECUTE p (1)",
            "FETCH FORWARD 3 FROM c",
        ] {
            let plan = plan(text);
            assert!(plan.needs_description(), "{text}");
            assert_eq!(told(&plan, 0), [], "{text}");
        }
    }

    #[test]
    fn each_statement_of_a_text_has_its_own() {
        let plan = plan(
            "SELECT 1;; SELECT name FROM people; PREPARE p AS SELECT id, card FROM people; \
             DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT name FROM people; FETCH ALL c; EXECUTE p; CLOSE ALL",
        );
        assert_eq!(told(&plan, 0), []);
        assert_eq!(told(&plan, 1), [(0, "name".to_owned())]);
        assert_eq!(told(&plan, 2), []);
        assert_eq!(told(&plan, 3), []);
        assert_eq!(told(&plan.prepared_by(0), 0), [(1, "card".to_owned())]);
        let declared = NameEffect::Declare(b"c"[..].into(), true);
        assert_eq!(plan.names[1..], [declared, NameEffect::CloseAll]);
        assert_eq!(told(&plan.prepared_by(1), 0), [(0, "name".to_owned())]);
        let named = |name: &str| name.as_bytes().into();
        assert_eq!(plan.rows_of(4), Some(&RowsOf::Cursor(named("c"))));
        assert_eq!(plan.rows_of(5), Some(&RowsOf::Prepared(named("p"))));
    }

    #[test]
    fn a_copy_has_the_columns_of_its_table_or_query() {
        for (text, expected) in [
            ("COPY people TO STDOUT", vec![1, 2]),
            ("COPY people (card, id) TO STDOUT", vec![0]),
            ("COPY (SELECT id, name FROM people) TO STDOUT", vec![1]),
            ("COPY people (note) TO STDOUT", vec![]),
            ("COPY other TO STDOUT", vec![]),
        ] {
            let plan = plan(text);
            let [Copy::Out(copy)] = &*plan.copies else {
                panic!("{text}: {plan:?}");
            };
            let settings = copy.results.settings().iter().enumerate();
            let mapped = settings.filter(|(_, setting)| setting.is_some());
            let places: Vec<_> = mapped.map(|(at, _)| at).collect();
            assert_eq!(places, expected, "{text}");
        }
    }

    #[test]
    fn values_that_are_read_in_different_ways_do_not_mix() {
        for (text, code) in [
            (
                "SELECT card FROM people UNION ALL SELECT card FROM hidden",
                RefusalCode::ColumnUse,
            ),
            (
                "SELECT CASE WHEN id = 1 THEN name ELSE note END FROM people",
                RefusalCode::ColumnUse,
            ),
            ("COPY hidden TO STDOUT", RefusalCode::StatementForm),
            (
                "COPY (SELECT * FROM hidden) TO STDOUT",
                RefusalCode::StatementForm,
            ),
        ] {
            match &plan(text).verdict {
                Verdict::Refuse(refusal) => assert_eq!(refusal.code, code, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}

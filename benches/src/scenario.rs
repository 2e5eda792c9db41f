//! The queries.

use crate::target::DATABASE;
use acra_harness::Result;
use acra_harness::raw::frontend::{bind_text, execute, parse, query, sync};
use acra_harness::servers::Postgres;
use std::fmt::Write as _;

/// One kind of query.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Sent once per connection, ends with ReadyForQuery.
    pub(crate) prepare: Vec<u8>,
    /// Sent for every query, ends with ReadyForQuery.
    pub(crate) request: Vec<u8>,
    /// Run before every turn.
    pub(crate) before: fn(&Postgres) -> Result<()>,
}

fn nothing(_: &Postgres) -> Result<()> {
    Ok(())
}

fn empty_people(postgres: &Postgres) -> Result<()> {
    postgres.run(DATABASE, "TRUNCATE people")
}

fn simple(name: &'static str, sql: &str, before: fn(&Postgres) -> Result<()>) -> Scenario {
    Scenario {
        name,
        prepare: query("SELECT 1"),
        request: query(sql),
        before,
    }
}

fn prepared(
    name: &'static str,
    sql: &str,
    values: &[Option<&str>],
    before: fn(&Postgres) -> Result<()>,
) -> Scenario {
    Scenario {
        name,
        prepare: [parse("s", sql, &[]), sync()].concat(),
        request: [bind_text("", "s", values), execute("", 0), sync()].concat(),
        before,
    }
}

/// Those that are measured with TLS on both sides.
pub(crate) fn with_tls() -> Vec<Scenario> {
    vec![
        prepared(
            "TLS: point select, prepared",
            "SELECT id, note FROM accounts WHERE id = $1",
            &[Some("4711")],
            nothing,
        ),
        prepared(
            "TLS: 1 000 rows x 20 plain columns",
            "SELECT * FROM wide",
            &[],
            nothing,
        ),
    ]
}

/// Those in clear.
pub(crate) fn all() -> Vec<Scenario> {
    let point = "SELECT id, note FROM accounts WHERE id = ";
    let mut hundred = "INSERT INTO people (id, name, ssn) VALUES ".to_owned();
    for row in 0..100 {
        let comma = if row > 0 { ", " } else { "" };
        let _ = write!(hundred, "{comma}({row}, 'name {row}', '078-05-{row:04}')");
    }
    vec![
        simple("point select, simple", &format!("{point} 4711"), nothing),
        prepared(
            "point select, prepared",
            &format!("{point} $1"),
            &[Some("4711")],
            nothing,
        ),
        prepared(
            "point select, prepared, 1 encrypted cell",
            "SELECT id, a FROM sealed WHERE id = $1",
            &[Some("471")],
            nothing,
        ),
        prepared(
            "1 000 rows x 3 encrypted cells",
            "SELECT a, b, c FROM sealed",
            &[],
            nothing,
        ),
        prepared(
            "1 000 rows x 20 plain columns",
            "SELECT * FROM wide",
            &[],
            nothing,
        ),
        prepared(
            "insert of 1 row, prepared",
            "INSERT INTO people (id, name, ssn) VALUES ($1, $2, $3)",
            &[Some("1"), Some("Ann"), Some("078-05-1120")],
            empty_people,
        ),
        simple("insert of 100 rows, simple", &hundred, empty_people),
    ]
}

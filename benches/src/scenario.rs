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
    /// Containers that `acra-server` opens for a query.
    pub(crate) opens: u32,
    /// Containers that it seals.
    pub(crate) seals: u32,
}

impl Scenario {
    /// It opens so many containers.
    pub(crate) fn opening(self, opens: u32) -> Self {
        Self { opens, ..self }
    }

    /// It seals so many values.
    fn sealing(self, seals: u32) -> Self {
        Self { seals, ..self }
    }
}

pub(crate) fn nothing(_: &Postgres) -> Result<()> {
    Ok(())
}

fn empty_people(postgres: &Postgres) -> Result<()> {
    postgres.run(DATABASE, "TRUNCATE people, patients")
}

fn simple(name: &'static str, sql: &str, before: fn(&Postgres) -> Result<()>) -> Scenario {
    Scenario {
        name,
        prepare: query("SELECT 1"),
        request: query(sql),
        before,
        opens: 0,
        seals: 0,
    }
}

pub(crate) fn prepared(
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
        opens: 0,
        seals: 0,
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
        )
        .opening(1),
        prepared(
            "point select, prepared, 3 encrypted cells",
            "SELECT a, b, c FROM sealed WHERE id = $1",
            &[Some("471")],
            nothing,
        )
        .opening(3),
        prepared(
            "1 000 rows x 3 encrypted cells",
            "SELECT a, b, c FROM sealed",
            &[],
            nothing,
        )
        .opening(3000),
        prepared(
            "1 000 rows x 20 plain columns",
            "SELECT * FROM wide",
            &[],
            nothing,
        ),
        prepared(
            "insert of 1 row, prepared, 1 encrypted value",
            "INSERT INTO people (id, name, ssn) VALUES ($1, $2, $3)",
            &[Some("1"), Some("Ann"), Some("078-05-1120")],
            empty_people,
        )
        .sealing(1),
        prepared(
            "insert of 1 row, prepared, 3 encrypted values",
            "INSERT INTO patients (a, b, c) VALUES ($1, $2, $3)",
            &[Some("value a"), Some("value b"), Some("value c")],
            empty_people,
        )
        .sealing(3),
        simple("insert of 100 rows, simple", &hundred, empty_people).sealing(100),
    ]
}

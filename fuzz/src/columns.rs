//! The encryptor configuration: no document stops the reader, errors have a place, and what was read serves.

use crate::fixture::PLANS;
use acra_engine::columns::{Column, Columns, Database, Kinship, Relation, Schema};
use acra_engine::plan::{Lexical, Planner, Scratch, Unsupported};
use arbitrary::{Arbitrary, Unstructured};
use std::sync::Arc;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    mysql: bool,
    relations: Vec<Found>,
    document: &'a [u8],
}

/// What the database says of a table.
#[derive(Arbitrary, Debug)]
struct Found {
    table: u8,
    kin: u8,
    name: u8,
    columns: Vec<(u8, bool)>,
    reads: Vec<u8>,
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let database = match input.mysql {
        true => Database::MySql,
        false => Database::PostgreSql,
    };
    let loaded = match Columns::parse(input.document, database) {
        Ok(loaded) => loaded,
        Err(error) => {
            let lines = input
                .document
                .split(|byte| matches!(byte, b'\n' | b'\r'))
                .count();
            assert!(error.line().unwrap_or(0) <= lines + 1, "{error}");
            assert!(!error.to_string().is_empty() && !error.placed().is_empty());
            return;
        }
    };
    let columns = loaded.columns;
    let _ = (columns.unsupported(), columns.key_needs(Some("client")));
    let names: Vec<String> = columns
        .tables()
        .map(|table| table.name().to_owned())
        .collect();
    let schema = Schema {
        remarks: Vec::new(),
        relations: input
            .relations
            .iter()
            .map(|found| relation(found, &names))
            .collect(),
    };
    let (completed, _) = columns.in_database(&schema, &|_, _| None);
    assert!(completed.tables().count() >= names.len());
    for columns in [columns, completed] {
        for table in columns.tables() {
            assert!(columns.names_table(table.name().as_bytes()));
            assert!(columns.table(table.schema(), table.name()).is_some());
        }
        let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, PLANS);
        for name in &names {
            let name = name.replace('"', "\"\"");
            let text = format!("INSERT INTO \"{name}\" VALUES ('x', 'y') RETURNING *");
            planner.plan(
                text.as_bytes(),
                &Lexical::default(),
                &mut Scratch::default(),
            );
        }
    }
}

fn relation(found: &Found, names: &[String]) -> Relation {
    let root = names
        .get(usize::from(found.table) % names.len().max(1))
        .cloned();
    let root = root.unwrap_or_default();
    let column = |number: &u8| format!("column{}", number % 8);
    let (kinship, name) = match found.kin % 3 {
        0 => (Kinship::Itself, root.clone()),
        1 => (Kinship::Child, format!("child{}", found.name % 4)),
        _ => (Kinship::View, format!("view{}", found.name % 4)),
    };
    Relation {
        root: ("public".to_owned(), root),
        kinship,
        schema: "public".to_owned(),
        name,
        oid: 16_384 + u32::from(found.name),
        columns: found
            .columns
            .iter()
            .zip(1..)
            .map(|((name, holds_bytes), number)| Column {
                name: column(name),
                holds_bytes: *holds_bytes,
                longest: Some(u64::from(*name)),
                number,
                generated: None,
            })
            .collect(),
        reads: found.reads.iter().map(column).collect(),
        query: None,
        key: Vec::new(),
    }
}

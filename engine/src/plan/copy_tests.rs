//! COPY statements: what is read from them and decided on them.

use super::*;
use crate::columns::{Column, Columns, Database, Kinship, Relation, Schema};

/// The copies of a text, or the anchor of its refusal. One into a table as its columns, sealed ones in capitals.
fn copies(text: &str) -> Result<Vec<String>, &'static str> {
    let document = b"schemas:\n  - table: customers\n    columns: [id, name, ssn]\n    encrypted:\n      - column: ssn\n  \
        - table: audit.log\n    encrypted:\n      - column: entry\n";
    let columns = Columns::parse(document, Database::PostgreSql)
        .unwrap()
        .columns;
    let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
    let plan = planner.plan(
        text.as_bytes(),
        &Lexical::default(),
        &mut Scratch::default(),
    );
    if let Verdict::Refuse(refusal) = &plan.verdict {
        return Err(refusal.code.anchor());
    }
    assert_eq!(planner.cached_bytes(), 0, "a COPY is not kept");
    let shown = |copy: &Copy| match copy {
        Copy::Load(load) => format!("load into {}", load.table),
        Copy::Pass => "pass".to_owned(),
        Copy::Out(copy) => format!("out {}", told(&copy.dialect)),
        Copy::In(copy) => {
            let name = |column: &CopyColumn| match &column.setting {
                Some(_) => column.name.to_uppercase(),
                None => column.name.clone(),
            };
            let names: Vec<String> = copy.columns.iter().map(name).collect();
            format!("{} {}", names.join(","), told(&copy.dialect))
        }
    };
    Ok(plan.copies.iter().map(shown).collect())
}

fn told(dialect: &Dialect) -> String {
    let Dialect {
        delimiter,
        null,
        quote,
        escape,
        ..
    } = dialect;
    let format = match dialect.format {
        CopyFormat::Text => format!("text {}", delimiter.escape_ascii()),
        CopyFormat::Csv => format!(
            "csv {}{}{}",
            delimiter.escape_ascii(),
            quote.escape_ascii(),
            escape.escape_ascii()
        ),
        CopyFormat::Binary => return "binary".to_owned(),
    };
    let header = if dialect.header { " header" } else { "" };
    let default = dialect.default.as_ref().map_or(String::new(), |default| {
        format!(" default {}", default.escape_ascii())
    });
    format!("{format} {}{header}{default}", null.escape_ascii())
}

#[test]
fn which_cells_are_sealed_and_how_rows_are_written() {
    for (text, expected) in [
        (
            "COPY customers FROM STDIN",
            &["id,name,SSN text \\t \\\\N"][..],
        ),
        (
            "copy Public.\"customers\" (SSN, id) from stdin with (format csv, header)",
            &["SSN,id csv ,\\\"\\\"  header"],
        ),
        (
            "COPY customers (id, ssn) FROM STDIN (FORMAT 'csv', DELIMITER E'\\t', NULL 'nil', QUOTE '|', ESCAPE '!', HEADER false, DEFAULT $$\\D$$)",
            &["id,SSN csv \\t|! nil default \\\\D"],
        ),
        (
            "COPY customers (id, ssn) FROM STDIN (FORMAT binary, FREEZE, ON_ERROR stop)",
            &["id,SSN binary"],
        ),
        ("COPY BINARY customers (ssn) FROM STDOUT", &["SSN binary"]),
        (
            "COPY customers (ssn) FROM STDIN WITH DELIMITER AS '|' NULL AS '' CSV HEADER QUOTE '''' ESCAPE '\\' FORCE NOT NULL ssn, id",
            &["SSN csv |\\'\\\\  header"],
        ),
        (
            "COPY customers (ssn) FROM STDIN USING DELIMITERS ':' WITH NULL 'x'",
            &["SSN text : x"],
        ),
        (
            "COPY customers (id, ssn) FROM STDIN WHERE id > 3 AND name <> 'ssn'",
            &["id,SSN text \\t \\\\N"],
        ),
        // Nothing of them is protected.
        ("COPY customers (id, name) FROM STDIN", &["pass"]),
        ("COPY other (customers, ssn) FROM STDIN", &["pass"]),
        // In any schema, as far as is known.
        ("COPY log (entry) FROM STDIN", &["ENTRY text \\t \\\\N"]),
        ("COPY other.log (entry) FROM STDIN", &["pass"]),
        ("COPY customers TO STDOUT", &["out text \\t \\\\N"]),
        (
            "COPY customers (id, ssn) TO STDOUT (FORMAT csv, FORCE_QUOTE *)",
            &["out csv ,\\\"\\\" "],
        ),
        (
            "COPY (SELECT id, ssn FROM customers WHERE id < 5) TO STDOUT (FORMAT binary)",
            &["out binary"],
        ),
        (
            "COPY (DELETE FROM customers RETURNING ssn) TO STDOUT (FORMAT csv, FORCE_QUOTE (ssn))",
            &["out csv ,\\\"\\\" "],
        ),
        (
            "BEGIN; COPY plain FROM STDIN; COPY customers (ssn) FROM STDIN; COPY plain TO '/tmp/x'; COPY plain TO STDOUT",
            &["pass", "SSN text \\t \\\\N", "out text \\t \\\\N"],
        ),
        // Without a protected table.
        ("COPY (SELECT 1) TO STDOUT CSV", &["out csv ,\\\"\\\" "]),
        ("COPY plain TO STDOUT (FORMAT unheard_of)", &["pass"]),
        ("SELECT 'copy'", &[]),
    ] {
        assert_eq!(
            copies(text).as_deref(),
            Ok(&expected.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{text}"
        );
    }
}

#[test]
fn copies_that_could_leak_or_mislead_are_refused() {
    for (text, anchor) in [
        ("COPY customers FROM '/tmp/rows'", "statement-form"),
        (
            "COPY customers (id, ssn) FROM PROGRAM 'cat rows'",
            "statement-form",
        ),
        ("COPY customers TO '/tmp/rows'", "statement-form"),
        (
            "COPY (SELECT ssn FROM customers) TO PROGRAM 'cat'",
            "statement-form",
        ),
        (
            "COPY (SELECT ssn FROM customers) TO '/tmp/rows'",
            "statement-form",
        ),
        ("COPY audit.log FROM STDIN", "statement-form"),
        ("COPY customers FROM STDIN (FORMAT json)", "statement-form"),
        (
            "COPY customers FROM STDIN (FORMAT text, SOMETHING)",
            "statement-form",
        ),
        (
            "COPY customers FROM STDIN (DELIMITER 'ab')",
            "statement-form",
        ),
        ("COPY customers (id, ssn FROM STDIN", "statement-form"),
        ("COPY customers FROM STDIN and more", "statement-form"),
        (
            "COPY customers (id, ssn) FROM STDIN WHERE ssn IS NOT NULL",
            "column-use",
        ),
        (
            "COPY customers (id, ssn) FROM STDIN WHERE customers IS NOT NULL",
            "column-use",
        ),
        (
            "COPY (SELECT lower(ssn) FROM customers) TO STDOUT",
            "column-use",
        ),
        (
            "COPY plain TO STDOUT; COPY customers FROM '/tmp/rows'",
            "statement-form",
        ),
    ] {
        assert_eq!(copies(text), Err(anchor), "{text}");
    }
}

#[test]
fn the_force_options_are_for_the_columns_they_name() {
    let document =
        b"schemas:\n  - table: t\n    encrypted:\n      - column: a\n      - column: b\n";
    let columns = Columns::parse(document, Database::PostgreSql)
        .unwrap()
        .columns;
    let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
    let forced = |options: &str| {
        let text = format!("COPY t (a, b) FROM STDIN (FORMAT csv, {options})");
        let plan = planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        );
        let [Copy::In(copy)] = &plan.copies[..] else {
            panic!("{:?}", plan.copies);
        };
        let forced = copy
            .columns
            .iter()
            .map(|column| (column.force_null, column.force_not_null));
        forced.collect::<Vec<_>>()
    };
    assert_eq!(forced("FORCE_NULL (B)"), [(false, false), (true, false)]);
    assert_eq!(forced("FORCE_NOT_NULL *"), [(false, true), (false, true)]);
    assert_eq!(
        forced("FORCE_NULL (a), FORCE_NOT_NULL (\"b\")"),
        [(true, false), (false, true)]
    );
}

#[test]
fn rows_are_opened_where_nothing_is_protected() {
    let planner = Planner::new(Arc::new(Columns::empty()), Unsupported::Refuse, 1 << 20);
    let copies = |text: &str| {
        planner
            .plan(
                text.as_bytes(),
                &Lexical::default(),
                &mut Scratch::default(),
            )
            .copies
            .len()
    };
    assert_eq!(
        copies(
            "/* first */ Copy t TO STDOUT; COPY (SELECT query_to_xml($1, '', '', '')) TO STDOUT"
        ),
        2
    );
    assert_eq!(copies("SELECT 'copy"), 0);
    assert_eq!(copies("SELECT 1"), 0);
}

#[test]
fn what_the_database_says_decides_on_columns_that_are_not_listed() {
    let document =
        b"schemas:\n  - table: t\n    columns: [id, ssn]\n    encrypted:\n      - column: ssn\n";
    let configured = Columns::parse(document, Database::PostgreSql)
        .unwrap()
        .columns;
    let relation = |kinship, name: &str, columns: &[&str]| Relation {
        oid: 0,
        root: ("public".to_owned(), "t".to_owned()),
        kinship,
        schema: "public".to_owned(),
        name: name.to_owned(),
        columns: columns
            .iter()
            .map(|name| Column {
                number: 0,
                generated: None,
                name: (*name).to_owned(),
                holds_bytes: true,
                longest: None,
            })
            .collect(),
        reads: Vec::new(),
        query: None,
        key: Vec::new(),
    };
    let decided = |own: &[&str], text: &str| {
        let relations = vec![
            relation(Kinship::Itself, "t", own),
            relation(Kinship::Child, "part", &["ssn", "id"]),
            relation(Kinship::View, "seen", &["id", "ssn"]),
        ];
        let (columns, _) = configured.in_database(
            &Schema {
                relations,
                remarks: Vec::new(),
            },
            &|_, _| None,
        );
        let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
        let plan = planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        );
        match (&plan.verdict, &plan.copies[..]) {
            (Verdict::Refuse(refusal), _) => refusal.code.anchor().to_owned(),
            (_, [Copy::In(copy)]) => copy
                .columns
                .iter()
                .map(|column| &*column.name)
                .collect::<Vec<_>>()
                .join(","),
            (_, copies) => format!("{copies:?}"),
        }
    };
    let same = ["id", "ssn"];
    assert_eq!(decided(&same, "COPY t FROM STDIN"), "id,ssn");
    assert_eq!(decided(&same, "COPY part FROM STDIN"), "ssn,id");
    assert_eq!(decided(&same, "COPY seen (ssn) FROM STDIN"), "view-write");
    let other = ["ssn", "id"];
    assert_eq!(decided(&other, "COPY t FROM STDIN"), "statement-form");
    assert_eq!(decided(&other, "COPY t (id, ssn) FROM STDIN"), "id,ssn");
}

use super::*;
use crate::columns::{Columns, Database};

fn planner(unsupported: Unsupported) -> Planner {
    let document = b"schemas:\n  - table: customers\n    columns: [id, name, ssn, card]\n    encrypted:\n      - column: ssn\n      - column: card\n  - table: audit.log\n    encrypted:\n      - column: entry\n";
    let columns = Columns::parse(document, Database::PostgreSql)
        .unwrap()
        .columns;
    Planner::new(Arc::new(columns), unsupported, 1 << 20)
}

/// The values that are sealed, as `column=value`, or the anchor of the refusal; parameters as `column=$n`.
fn planned(text: &str) -> Result<Vec<String>, &'static str> {
    sealed(&planner(Unsupported::Refuse), text, &Lexical::default())
}

fn sealed(planner: &Planner, text: &str, lexical: &Lexical) -> Result<Vec<String>, &'static str> {
    let mut scratch = Scratch::default();
    // Twice, so that what the cache says is compared too.
    planner.plan(text.as_bytes(), lexical, &mut scratch);
    let plan = planner.plan(text.as_bytes(), lexical, &mut scratch);
    if let Verdict::Refuse(refusal) = &plan.verdict {
        return Err(refusal.code.anchor());
    }
    let mut values = Vec::new();
    for literal in plan.literals(text.as_bytes(), &scratch) {
        let literal = literal.map_err(|refusal| refusal.code.anchor())?;
        values.push(format!(
            "{}={}",
            literal.setting.column,
            String::from_utf8_lossy(&literal.value)
        ));
    }
    for action in &plan.params {
        values.push(format!("{}=${}", action.setting.column, action.number));
    }
    Ok(values)
}

#[test]
fn statements_that_name_no_protected_table_pass() {
    for text in [
        "SELECT 1",
        "INSERT INTO orders (ssn) VALUES ('x')",
        "SELECT customers FROM orders o JOIN u USING (id) WHERE EXISTS (SELECT 1 FROM v)",
        "SELECT 'INSERT INTO customers (ssn) VALUES (1)'",
        "INSERT INTO public.log (entry) VALUES ('x')",
        "SELECT \"Customers\" FROM \"Customers\"",
        "CREATE TABLE orders (a int)",
        "this is no SQL",
        "DO $$ BEGIN PERFORM 1; END $$",
        "",
    ] {
        assert_eq!(planned(text), Ok(Vec::new()), "{text}");
    }
}

#[test]
fn texts_that_differ_in_literals_alone_are_recalled() {
    let planner = planner(Unsupported::Refuse);
    let (lexical, mut scratch) = (Lexical::default(), Scratch::default());
    let first = planner.plan(
        b"UPDATE customers SET ssn = 'a' WHERE id = 5",
        &lexical,
        &mut scratch,
    );
    let text = b"UPDATE customers SET ssn = 'other' WHERE id = 77";
    let plan = planner.recall(text, &lexical, &mut scratch).unwrap();
    assert!(Arc::ptr_eq(&plan, &first));
    let values: Vec<_> = plan.literals(text, &scratch).map(Result::unwrap).collect();
    assert_eq!(values.len(), 1);
    assert_eq!(
        (&*values[0].value, values[0].span.clone()),
        (&b"other"[..], 27..34)
    );
    for text in [
        "UPDATE customers SET ssn = 'a' WHERE id = 5 OR 1 = 1",
        "UPDATE customers SET ssn = 'a''' WHERE id = 5",
        "UPDATE customers SET name = 'a' WHERE id = 5",
    ] {
        let plan = planner.recall(text.as_bytes(), &lexical, &mut scratch);
        assert!(plan.is_none(), "{text}");
    }
    let latin = Lexical {
        encoding: ClientEncoding::of_name(b"LATIN1"),
        ..Lexical::default()
    };
    assert!(planner.recall(text, &latin, &mut scratch).is_none());
}

/// An example that no text is like any more makes room for another one.
#[test]
fn examples_are_replaced() {
    let planner = planner(Unsupported::Refuse);
    let (lexical, mut scratch) = (Lexical::default(), Scratch::default());
    let mut plan = |text: &str| planner.plan(text.as_bytes(), &lexical, &mut scratch);
    plan("SELECT ssn FROM customers WHERE id = 1 LIMIT 1");
    for _ in 0..20 {
        plan("SELECT ssn FROM customers WHERE id = 1 AND name = 'x'");
    }
    let text = b"SELECT ssn FROM customers WHERE id = 2 AND name = 'y'";
    assert!(planner.recall(text, &lexical, &mut scratch).is_some());
}

/// What is in a string can matter to more than its value, and what a text does to more than its plan.
#[test]
fn texts_of_which_more_is_to_be_told_are_not_recalled() {
    let mysql = Lexical::mysql(MySql::default());
    for (lexical, first, second) in [
        (
            Lexical::default(),
            "COPY customers (ssn) FROM STDIN (DELIMITER ',')",
            "COPY customers (ssn) FROM STDIN (DELIMITER ';')",
        ),
        (
            Lexical::default(),
            "SELECT query_to_xml('SELECT 1', true, false, '') FROM customers",
            "SELECT query_to_xml('SELECT ssn FROM customers', true, false, '') FROM customers",
        ),
        (
            mysql.clone(),
            "PREPARE customers FROM 'SELECT 1'",
            "PREPARE customers FROM 'SELECT 2'",
        ),
        // Definitions may be others afterwards, and calls have results of their own.
        (
            mysql.clone(),
            "ALTER TABLE customers ADD COLUMN more INT DEFAULT 1",
            "ALTER TABLE customers ADD COLUMN more INT DEFAULT 2",
        ),
        (
            mysql.clone(),
            "SELECT id FROM customers WHERE id = 1; CALL p()",
            "SELECT id FROM customers WHERE id = 2; CALL p()",
        ),
        (
            mysql.clone(),
            "SELECT id, @customers__ssn FROM customers WHERE id = 1",
            "SELECT id, @customers__ssn FROM customers WHERE id = 2",
        ),
        (
            mysql,
            "SET NAMES 'utf8mb4'; SELECT 1 FROM customers",
            "SET NAMES 'sjis'; SELECT 1 FROM customers",
        ),
    ] {
        let (planner, mut scratch) = (planner(Unsupported::Refuse), Scratch::default());
        for _ in 0..20 {
            planner.plan(first.as_bytes(), &lexical, &mut scratch);
        }
        let plan = planner.recall(second.as_bytes(), &lexical, &mut scratch);
        assert!(plan.is_none(), "{second}");
    }
}

#[test]
fn messages_name_table_and_column_and_no_value() {
    let planner = planner(Unsupported::Refuse);
    for text in [
        "INSERT INTO customers (ssn) VALUES (lower('secret'))",
        "SELECT ssn FROM customers WHERE ssn = 'secret'",
    ] {
        let plan = planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        );
        let Verdict::Refuse(refusal) = &plan.verdict else {
            panic!("{text} is not refused");
        };
        assert!(refusal.message.contains("\"ssn\"") && refusal.message.contains("\"customers\""));
        assert!(!format!("{refusal:?}").contains("secret"));
        assert!(!refusal.hint.is_empty());
    }
}

#[test]
fn observe_and_forward_let_pass_what_is_not_understood() {
    let text = b"SELECT lower(ssn) FROM customers";
    let verdict = |unsupported| {
        planner(unsupported)
            .plan(text, &Lexical::default(), &mut Scratch::default())
            .verdict
            .clone()
    };
    assert!(matches!(verdict(Unsupported::Observe), Verdict::Observe(_)));
    assert_eq!(verdict(Unsupported::Forward), Verdict::Forward);
}

#[test]
fn one_plan_serves_all_texts_of_a_shape() {
    let planner = planner(Unsupported::Refuse);
    let mut scratch = Scratch::default();
    let mut plan = |text: &str| planner.plan(text.as_bytes(), &Lexical::default(), &mut scratch);
    let one = plan("INSERT INTO customers (id, ssn) VALUES (1, 'x'), (2, 'y')");
    let same = plan("insert into customers (id, ssn) values (7, ''), (8, 'b'), (9, 'c')");
    let other = plan("INSERT INTO customers (ssn, id) VALUES ('x', 1), ('y', 2)");
    assert!(Arc::ptr_eq(&one, &same));
    assert!(!Arc::ptr_eq(&one, &other));
    let values = sealed(
        &planner,
        "insert into customers (id, ssn) values (7, 'a'), (8, 'b'), (9, 'c')",
        &Lexical::default(),
    );
    assert_eq!(values.unwrap(), ["ssn=a", "ssn=b", "ssn=c"]);
}

#[test]
fn the_cache_is_bounded() {
    let planner = planner(Unsupported::Refuse);
    let plan = |text: &str| {
        planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        );
        planner.cached_bytes()
    };
    for number in 0..1000 {
        let unprotected = format!("SELECT ssn AS a{number} FROM orders WHERE id = 'x'");
        assert_eq!(plan(&unprotected), 0);
    }
    let text = |number: usize| format!("SELECT id AS a{number} FROM customers");
    let one = plan(&text(0));
    assert!(one > (text(0).len() + size_of::<Plan>()) as u64);
    assert_eq!(plan(&text(0)), one, "it is kept once");
    for number in 0..20_000 {
        assert!(plan(&text(number)) <= 1 << 20);
    }
    assert!(planner.cached_bytes() > 1 << 19, "most of it is used");
}

#[test]
fn session_statements_are_followed() {
    let planner = planner(Unsupported::Refuse);
    let plan = |text: &str| {
        planner.plan(
            text.as_bytes(),
            &Lexical::default(),
            &mut Scratch::default(),
        )
    };
    let all = plan(
        "PREPARE \"P\" (int) AS SELECT $1; EXECUTE \"P\"(1); DEALLOCATE PREPARE \"P\"; DEALLOCATE ALL; DISCARD ALL",
    );
    assert_eq!(
        all.names,
        [
            NameEffect::Prepare(b"P"[..].into()),
            NameEffect::Deallocate(b"P"[..].into()),
            NameEffect::DeallocateAll,
            NameEffect::DiscardAll,
        ]
    );
    assert_eq!(all.executes, [Box::from(&b"P"[..])]);
    assert!(all.may_change_settings);
    assert_eq!(plan("EXPLAIN (ANALYZE) EXECUTE q").executes.len(), 1);
    assert_eq!(plan("CREATE TABLE x AS EXECUTE q(1)").executes.len(), 1);
    assert_eq!(
        plan("CREATE TRIGGER t AFTER INSERT ON x EXECUTE FUNCTION f()")
            .executes
            .len(),
        0
    );
    assert!(plan("PREPARE TRANSACTION 'x'").names.is_empty());
    for text in [
        "SET standard_conforming_strings = off",
        "RESET ALL",
        "SELECT set_config('a', 'b', false)",
        "ROLLBACK",
    ] {
        assert!(plan(text).may_change_settings, "{text}");
    }
    assert!(!plan("SELECT 1").may_change_settings);
}

#[test]
fn other_encodings() {
    let planner = planner(Unsupported::Refuse);
    let latin = Lexical {
        encoding: ClientEncoding::of_name(b"LATIN1"),
        ..Lexical::default()
    };
    assert_eq!(
        sealed(
            &planner,
            "UPDATE customers SET ssn = 'x', name = 'ü'",
            &latin
        )
        .unwrap(),
        ["ssn=x"]
    );
    assert_eq!(
        sealed(&planner, "UPDATE customers SET ssn = 'ü'", &latin),
        Err("client-encoding")
    );
    assert_eq!(
        sealed(&planner, "UPDATE customers SET größe = 'x'", &latin),
        Err("client-encoding")
    );
    let sjis = Lexical {
        encoding: ClientEncoding::of_name(b"SJIS"),
        ..Lexical::default()
    };
    // It may be a statement with protected parameters that is executed.
    for text in ["UPDATE customers SET ssn = 'ü'", "Execute p('ü')"] {
        assert_eq!(sealed(&planner, text, &sjis), Err("client-encoding"));
    }
    assert_eq!(
        sealed(&planner, "UPDATE orders SET ssn = 'ü'", &sjis),
        Ok(Vec::new())
    );
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    const PIECES: &[&str] = &[
        "INSERT INTO ",
        "customers",
        " (",
        "ssn",
        ", ",
        ")",
        " VALUES ",
        "'x'",
        "E'\\'y'",
        "U&'\\0061'",
        "$$z$$",
        "$1",
        "$2",
        "UPDATE ",
        " SET ",
        " = ",
        "SELECT ",
        "*",
        " FROM ",
        " WHERE ",
        " AND ",
        "1",
        "-",
        "::bytea",
        ";",
        " ORDER BY ",
        "DELETE FROM ",
        "\"ssn\"",
        " AS c ",
        ".",
        "c",
        "id",
        "DEFAULT",
        "NULL",
        " IN ",
        "/* c */",
        "--\n",
        " RETURNING ",
        "count",
        "(",
        "lower(",
        " IS NULL",
        "'",
        "\"",
        "$x$",
        "PREPARE p AS ",
        "EXECUTE p",
        "\u{e9}",
        " UNION ",
        "WITH c AS (",
    ];

    proptest! {
        #[test]
        fn is_planned_and_a_hit_is_the_same_as_a_miss(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..25)) {
            let text = pieces.concat();
            let planner = planner(Unsupported::Refuse);
            let mut scratch = Scratch::default();
            let miss = planner.plan(text.as_bytes(), &Lexical::default(), &mut scratch);
            let first: Vec<_> = miss.literals(text.as_bytes(), &scratch).map(|value| value.map(|value| value.span)).collect();
            let hit = planner.plan(text.as_bytes(), &Lexical::default(), &mut scratch);
            let second: Vec<_> = hit.literals(text.as_bytes(), &scratch).map(|value| value.map(|value| value.span)).collect();
            prop_assert_eq!(&miss.verdict, &hit.verdict);
            prop_assert_eq!(&first, &second);
            // Edits are in the order of the text and do not overlap.
            let spans: Vec<_> = first.into_iter().flatten().collect();
            prop_assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(spans.iter().all(|span| span.end <= text.len()));
        }
    }
}

#[test]
fn names_that_are_not_ascii_are_not_missed_where_characters_cannot_be_told_apart() {
    let document =
        "schemas:\n  - table: größe\n    columns: [a]\n    encrypted:\n      - column: a\n";
    let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
        .unwrap()
        .columns;
    let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
    let sjis = Lexical {
        encoding: ClientEncoding::of_name(b"SJIS"),
        ..Lexical::default()
    };
    let verdict = |text: &[u8]| {
        let plan = planner.plan(text, &sjis, &mut Scratch::default());
        plan.verdict.clone()
    };
    assert!(matches!(
        verdict(b"INSERT INTO gr\x8f\x8e (a) VALUES ('x')"),
        Verdict::Refuse(_)
    ));
    assert_eq!(
        verdict(b"INSERT INTO orders (a) VALUES ('x')"),
        Verdict::Forward
    );
}

/// The plan is that of the text with the right numbers, whose shape it has; nothing else of either is changed.
#[test]
fn another_part_of_a_hash_is_refused_where_the_plan_is_known() {
    let document = "schemas:\n  - table: people\n    encrypted:\n      - column: email\n        searchable: true\n";
    let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
        .unwrap()
        .columns;
    let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
    let text = |from| {
        format!(
            "SELECT count(*) FROM people WHERE substring(email FROM {from} FOR 33) <> $1 GROUP BY substr(email, 1, 33)"
        )
    };
    let plan = planner.plan(
        text(1).as_bytes(),
        &Lexical::default(),
        &mut Scratch::default(),
    );
    assert_eq!(plan.verdict, Verdict::Rewrite, "literals are asked for");
    assert_eq!(
        sealed(&planner, &text(1), &Lexical::default()).unwrap(),
        ["email=$1"]
    );
    assert_eq!(
        sealed(&planner, &text(2), &Lexical::default()).unwrap_err(),
        "column-use"
    );
}

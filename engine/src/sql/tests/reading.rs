use super::tokens;
use crate::sql::Lexical;
use crate::sql::facts::{self, Item, NoFacts, Reading, Source, Value};
use crate::sql::shape::Shape;

fn read(text: &str) -> Result<Reading, NoFacts> {
    let tokens = tokens(text);
    let mut shape = Shape::default();
    shape.compute(text.as_bytes(), &tokens, &Lexical::default());
    facts::read(&Source {
        text: text.as_bytes(),
        tokens: &tokens,
        range: (0, tokens.len()),
        folded: shape.folded(),
    })
}

/// What is written, as `column=value`.
fn writes(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let spelled = |token: usize| &text[tokens[token].span()];
    read(text)
        .unwrap()
        .facts
        .unwrap()
        .writes
        .iter()
        .map(|write| {
            let value = match write.value {
                Value::Literal(token) => spelled(token).to_owned(),
                Value::Negative(token) => format!("-{}", spelled(token)),
                Value::Param(number) => format!("${number}"),
                Value::Nothing => "nothing".to_owned(),
                Value::Other => "other".to_owned(),
            };
            format!("{}={value}", spelled(write.column))
        })
        .collect()
}

#[test]
fn values_are_found_in_every_notation() {
    let text = "INSERT INTO s.t AS x (a, \"B\", c) VALUES /* c */ ('a''b', E'\\'', $1), \
                (U&'\\0061' UESCAPE '!', $x$'$x$, -5), (DEFAULT, null, ('x')), ('y'::bytea, CAST($2 AS bytea), 'a'\n'b')";
    assert_eq!(
        writes(text),
        [
            "a='a''b'",
            "\"B\"=E'\\''",
            "c=$1",
            "a=U&'\\0061' UESCAPE '!'",
            "\"B\"=$x$'$x$",
            "c=-5",
            "a=nothing",
            "\"B\"=nothing",
            "c='x'",
            "a='y'",
            "\"B\"=$2",
            "c='a'\n'b'",
        ]
    );
    assert_eq!(
        writes(
            "UPDATE t SET a = 'x', b = b || 'y', c = N'z', d = true, e = B'1', f = 0x1F WHERE g = 'x'"
        ),
        [
            "a='x'", "b=other", "c=other", "d=other", "e=other", "f=other"
        ]
    );
}

#[test]
fn repeated_rows_are_read_once() {
    assert_eq!(
        writes("INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2), ('z', 3)"),
        ["a='x'", "b=1"]
    );
}

#[test]
fn result_columns_are_told_apart() {
    let text = "SELECT DISTINCT ON (1) a, t.b AS c, *, t.*, lower(d) FROM t ORDER BY 2";
    let facts = read(text).unwrap().facts.unwrap();
    let kinds: Vec<bool> = facts
        .items
        .iter()
        .map(|item| matches!(item, Item::Column(_)))
        .collect();
    assert_eq!(kinds, [true, true, false, false, false]);
    assert_eq!(facts.ordinals, [1, 2]);
    assert!(!facts.distinct);
}

#[test]
fn forms_that_are_not_supported_say_what_they_are() {
    for (text, what) in [
        ("SELECT a FROM t, f(1)", "a function in FROM"),
        ("UPDATE t JOIN u ON true SET a = 1", "JOIN"),
        ("SELECT a FROM t WHERE b = (SELECT 1)", "a sub-select"),
        ("WITH x AS (SELECT 1) SELECT a FROM t", "WITH"),
        ("SELECT a INTO u FROM t", "SELECT INTO"),
        ("SELECT a FROM t UNION SELECT 1", "UNION, VALUES or TABLE"),
        (
            "SELECT a FROM t AS x (b)",
            "a table alias with column names",
        ),
        (
            "INSERT INTO t VALUES (1)",
            "INSERT without a list of columns",
        ),
        ("INSERT INTO t (a) SELECT 'x'", "INSERT … SELECT"),
        (
            "INSERT INTO t DEFAULT VALUES",
            "INSERT without a list of columns",
        ),
        (
            "INSERT INTO t (a, b) VALUES (1)",
            "a row with more or fewer values than there are columns",
        ),
        ("UPDATE t SET a = 1 FROM u", "UPDATE … FROM"),
        ("UPDATE t SET (a, b) = (1, 2)", "SET (columns) = …"),
        (
            "UPDATE t SET a.b = 1",
            "an assignment to a part of a column",
        ),
        ("DELETE FROM t USING u", "DELETE … USING"),
        (
            "TRUNCATE t",
            "a statement other than SELECT, INSERT, UPDATE and DELETE",
        ),
    ] {
        let facts = read(text).and_then(|reading| reading.facts).map(|_| ());
        assert_eq!(facts, Err(NoFacts::Form(what)), "{text}");
    }
}

#[test]
fn what_the_parser_reads_otherwise_is_not_understood() {
    for text in [
        "SELECT 'a' 'b' FROM t",
        "SELECT a FROM t WHERE b = 'x' 'y'",
        "SELECT a FROM t WHERE",
        "UPDATE t SET a[1] = 'x' + ",
    ] {
        assert!(matches!(read(text), Err(NoFacts::NotUnderstood)), "{text}");
    }
}

#[test]
fn long_chains_do_not_overflow_the_stack() {
    let mut text = "SELECT a FROM t WHERE a = 1".to_owned();
    for _ in 0..20_000 {
        text.push_str(" OR a = 1");
    }
    assert!(read(&text).is_ok());
    let deep = format!(
        "SELECT a FROM t WHERE {}1{}",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    assert!(matches!(read(&deep), Err(NoFacts::NotUnderstood)));
}

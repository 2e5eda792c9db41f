use super::tokens;
use crate::sql::Lexical;
use crate::sql::facts::{self, NoFacts, Source};
use crate::sql::shape::Shape;

/// What stands in the way of facts.
fn read(text: &str) -> Result<(), NoFacts> {
    let tokens = tokens(text);
    let mut shape = Shape::default();
    shape.compute(text.as_bytes(), &tokens, &Lexical::default());
    let source = Source {
        text: text.as_bytes(),
        tokens: &tokens,
        range: (0, tokens.len()),
        folded: shape.folded(),
        dialect: Lexical::default().dialect,
        params: &[],
    };
    facts::read(&source, |reading| reading.facts.map(drop))?
}

#[test]
fn forms_that_are_not_supported_say_what_they_are() {
    for (text, what) in [
        ("UPDATE t JOIN u ON true SET a = 1", "JOIN"),
        (
            "UPDATE t SET (a, b) = (1)",
            "a row with more or fewer values than there are columns",
        ),
        (
            "UPDATE t SET (a, b) = f(1)",
            "SET (columns) = something that is not a row",
        ),
        (
            "SELECT * FROM a SEMI JOIN b ON true",
            "a join that the database does not have",
        ),
    ] {
        assert_eq!(read(text), Err(NoFacts::Form(what)), "{text}");
    }
    assert_eq!(read("TRUNCATE t"), Err(facts::OTHER_STATEMENT));
}

#[test]
fn what_the_parser_reads_otherwise_is_not_understood() {
    for text in [
        "SELECT 'a' 'b' FROM t",
        "SELECT a FROM t WHERE b = 'x' 'y'",
        "SELECT a FROM t WHERE",
        "UPDATE t SET a[1] = 'x' + ",
    ] {
        assert_eq!(read(text), Err(NoFacts::NotUnderstood), "{text}");
    }
}

#[test]
fn long_chains_do_not_overflow_the_stack() {
    let chain = |first: &str, more: &str| format!("{first}{}", more.repeat(4_000));
    for text in [
        chain("SELECT a FROM t WHERE a = 1", " OR a = 1"),
        chain("SELECT a FROM t", " UNION ALL SELECT a FROM t"),
        chain("SELECT a", "::bytea"),
        chain("SELECT a FROM t", " CROSS JOIN t"),
        chain("SELECT a = 1", " IS NULL"),
        chain("SELECT a", " IS TRUE"),
    ] {
        assert_eq!(read(&text), Ok(()), "{}", &text[..30]);
    }
    let nested = chain("SELECT a", " IS TRUE IS NULL");
    assert_eq!(read(&nested), Err(NoFacts::TooLong));
    let deep = format!(
        "SELECT a FROM t WHERE {}1{}",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    assert_eq!(read(&deep), Err(NoFacts::NotUnderstood));
}

//! PostgreSQL as the judge of our lexer: what a literal or a name stands for is asked of the server.

use acra_engine::sql::{Kind, Lexical, Token, ident, lex, literal};
use acra_harness::raw::{Connection, Message};
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};

/// Pieces that literals and names are made of at random: every character that means something somewhere.
const PIECES: [&str; 34] = [
    "a",
    "'",
    "''",
    "\\",
    "\\\\",
    "\\'",
    "\\n",
    "\\x41",
    "\\101",
    "\\u0041",
    "\\U00000041",
    "\\0041",
    "\\+000041",
    "!0041",
    "!",
    "\"",
    "\"\"",
    "$",
    "$$",
    "$a$",
    "é",
    "😀",
    " ",
    "\n",
    "\n'",
    "' \n '",
    "'--x\n'",
    "/*",
    "*/",
    "--",
    ";",
    "E",
    "&",
    "%",
];

const LITERALS: [(&str, &str); 8] = [
    ("'", "'"),
    ("E'", "'"),
    ("e'", "'"),
    ("U&'", "'"),
    ("u&'", "' UESCAPE '!'"),
    ("$$", "$$"),
    ("$a$", "$a$"),
    ("'a'\n'", "'"),
];

const NAMES: [(&str, &str); 4] = [
    ("\"", "\""),
    ("U&\"", "\""),
    ("U&\"", "\" uescape '!'"),
    ("N", "x"),
];

/// A small generator, so that a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn made_of(&mut self, forms: &[(&str, &str)]) -> String {
        let (open, close) = forms[self.below(forms.len())];
        let length = self.below(6);
        let inner: String = (0..length)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect();
        format!("{open}{inner}{close}")
    }
}

/// The tokens of a text, if it has any.
fn tokens(text: &str, lexical: &Lexical) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    lex(text.as_bytes(), lexical, &mut tokens).ok()?;
    Some(tokens)
}

/// The only value of a successful answer.
fn answered(answer: &[Message]) -> Option<Vec<u8>> {
    match answer {
        [_, row, _, ready] if row.tag == b'D' && ready.tag == b'Z' => {
            match row.values()?.as_slice() {
                [Some(value)] => Some(value.to_vec()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn literals(connection: &mut Connection, lexical: &Lexical, seed: u64) -> Result<usize> {
    let mut random = Random(seed);
    let mut compared = 0;
    for _ in 0..3000 {
        let text = random.made_of(&LITERALS);
        let Some(expected) = answered(&connection.query(&format!("SELECT {text}"))?) else {
            continue;
        };
        // What follows a literal, if anything does, names the column or ends the statement; an operator would compute.
        let found = tokens(&text, lexical).and_then(|tokens| {
            let operators = tokens.iter().any(|token| token.kind == Kind::Operator);
            let value = literal::string(tokens.first()?, text.as_bytes(), lexical);
            Some((operators, value.map(|value| value.into_owned())))
        });
        let found = match found {
            Some((true, _)) => continue,
            Some((false, value)) => value,
            None => None,
        };
        if found.as_ref() != Some(&expected) {
            return Err(Error::new(format!(
                "{text:?} is {expected:?} for the server, {found:?} for us"
            )));
        }
        compared += usize::from(found.is_some());
    }
    Ok(compared)
}

#[test]
fn literals_stand_for_what_the_server_says() -> Result<()> {
    for version in acra_harness::servers::VERSIONS {
        let mut connection =
            Connection::login(Postgres::shared(version)?.address(), "postgres", "postgres")?;
        let compared = literals(&mut connection, &Lexical::default(), 1)?;
        assert!(compared > 700, "only {compared} were literals");
        connection.run("SET standard_conforming_strings = off; SET escape_string_warning = off; SET backslash_quote = on")?;
        let off = Lexical {
            standard_conforming_strings: false,
            ..Lexical::default()
        };
        let compared = literals(&mut connection, &off, 2)?;
        assert!(compared > 700, "only {compared} were literals");
    }
    Ok(())
}

#[test]
fn names_stand_for_what_the_server_says() -> Result<()> {
    let mut connection =
        Connection::login(Postgres::shared(15)?.address(), "postgres", "postgres")?;
    let (mut random, mut compared) = (Random(3), 0);
    for _ in 0..3000 {
        let mut text = random.made_of(&NAMES);
        if random.below(10) == 0 {
            let long = "é".repeat(40);
            text = text.replace('a', &long);
        }
        let answer = connection.query(&format!("SELECT 1 AS {text}"))?;
        if answered(&answer).is_none() {
            continue;
        }
        // RowDescription: a count of two bytes, then the first name.
        let expected = answer[0].body[2..]
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        let found = tokens(&text, &Lexical::default()).and_then(|tokens| match &*tokens {
            [token] => Some(ident::name(token, text.as_bytes()).into_owned()),
            _ => None,
        });
        let Some(found) = found else { continue };
        if found != expected {
            let expected = String::from_utf8_lossy(expected);
            return Err(Error::new(format!(
                "{text:?} is {expected:?} for the server, {found:?} for us"
            )));
        }
        compared += 1;
    }
    assert!(compared > 700, "only {compared} were names");
    Ok(())
}

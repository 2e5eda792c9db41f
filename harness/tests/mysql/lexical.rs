//! MariaDB and MySQL as the judges of our lexer: what literals, names and comments stand for is asked of the servers.

use acra_engine::sql::{self, Kind, Lexical, Token, ident, lex, literal};
use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Side};
use acra_harness::servers::{Flavour, MySql};
use acra_harness::{Error, Result};

/// Pieces that literals and names are made of at random.
const PIECES: [&str; 36] = [
    "a",
    "'",
    "''",
    "\"",
    "\"\"",
    "`",
    "``",
    "\\",
    "\\\\",
    "\\'",
    "\\\"",
    "\\n",
    "\\0",
    "\\Z",
    "\\%",
    "\\_",
    "\\x41",
    "é",
    "😀",
    " ",
    "\n",
    "\t",
    "' '",
    "'\n\"",
    "\" '",
    "' -- \n'",
    "' /* */ '",
    "'#\n'",
    "/*",
    "*/",
    "--",
    "-- ",
    "#",
    ";",
    "4",
    "0",
];

const LITERALS: [(&str, &str); 18] = [
    ("_utf8'", "'"),
    ("_utf8mb3 '", "'"),
    ("'", "'"),
    ("\"", "\""),
    ("N'", "'"),
    ("n'", "'"),
    ("_utf8mb4'", "'"),
    ("_utf8mb4 '", "'"),
    ("_binary '", "'"),
    ("_binary\n\"", "\""),
    ("_latin1'", "'"),
    ("_utf8mb4 X'", "'"),
    ("x'4", "'"),
    ("X'", "'"),
    ("0x", ""),
    ("0b", ""),
    ("b'", "'"),
    ("_nothing'", "'"),
];

const NAMES: [(&str, &str); 6] = [
    ("`", "`"),
    ("\"", "\""),
    ("N", "x"),
    ("4", "x"),
    ("é", ""),
    ("`4", "`"),
];

/// Numbers that are added, with comments between.
const SUMS: [&str; 32] = [
    "+1",
    " +1",
    "+ 1 ",
    "--1",
    "-- ",
    "--",
    "--\n",
    "#",
    "\n",
    " ",
    "/*",
    "*/",
    "/* +1 */",
    "/**/",
    "/*!",
    "/*!*/",
    "/*! +1 */",
    "/*!50000 ",
    "/*!50699",
    "/*!50700 ",
    "/*!80000",
    "/*!80400 ",
    "/*!99999 ",
    "/*!090700 ",
    "/*!101100",
    "/*!101100 ",
    "/*!999999 ",
    "/*M!",
    "/*M!50700 ",
    "/*M!101100",
    "/*M!999999 ",
    "/*!500",
];

/// Numbers in every form, and what looks like them.
const NUMBERS: [&str; 14] = [
    "1", "0", ".", "e", "E5", "e+", "e-2", "5", "x", "0x4", "0b1", "_", "a", " ",
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

    fn of(&mut self, pieces: &[&str], most: usize) -> String {
        let length = self.below(most);
        (0..length)
            .map(|_| pieces[self.below(pieces.len())])
            .collect()
    }

    fn made_of(&mut self, forms: &[(&str, &str)]) -> String {
        let (open, close) = forms[self.below(forms.len())];
        let inner = self.of(&PIECES, 6);
        format!("{open}{inner}{close}")
    }
}

/// A server, and how it reads texts.
struct Judge {
    server: Connection,
    lexical: Lexical,
}

impl Judge {
    /// With each of these SQL modes; `None` if the server is not there.
    fn new(flavour: Flavour, mode: &str) -> Result<Option<Self>> {
        let Some(server) = MySql::shared(flavour)? else {
            return Ok(None);
        };
        let side = Side {
            address: server.address(),
            flavour,
            capabilities: Capabilities::PLUGIN_AUTH,
        };
        let mut server = side.login()?;
        server.run(&format!("SET NAMES utf8mb4, sql_mode = '{mode}'"))?;
        let version = server.strings("SELECT @@version")?.concat().concat();
        let numbers = version.split(|letter: char| !letter.is_ascii_digit());
        let numbers: Vec<u32> = numbers.take(3).flat_map(str::parse).collect();
        let [major, minor, patch] = numbers[..] else {
            return Err(Error::new(format!("{version} is no version")));
        };
        let mysql = sql::MySql {
            ansi_quotes: mode.contains("ANSI_QUOTES"),
            pipes_as_concat: mode.contains("PIPES_AS_CONCAT"),
            mariadb: flavour == Flavour::MariaDb,
            version: Some(major * 10_000 + minor * 100 + patch),
        };
        Ok(Some(Self {
            server,
            lexical: Lexical {
                standard_conforming_strings: mode.contains("NO_BACKSLASH_ESCAPES"),
                ..Lexical::mysql(mysql)
            },
        }))
    }

    /// The only value of a statement, if that is carried out and gives one.
    fn value(&mut self, sql: &str) -> Option<Vec<u8>> {
        let rows = self.server.table(sql).ok()?.rows;
        match &rows[..] {
            [row] => match &row[..] {
                [Some(value)] => Some(value.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    fn tokens(&self, text: &str) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        lex(text.as_bytes(), &self.lexical, &mut tokens).ok()?;
        Some(tokens)
    }
}

fn differ(text: &str, expected: &[u8], found: &[u8]) -> Error {
    let (expected, found) = (expected.escape_ascii(), found.escape_ascii());
    Error::new(format!(
        "{text:?} is {expected} for the server, {found} for us"
    ))
}

/// A literal that we understand is what the server says; gives how many were compared.
fn literals(judge: &mut Judge) -> Result<usize> {
    let (mut random, mut compared) = (Random(1), 0);
    for _ in 0..2500 {
        let text = random.made_of(&LITERALS);
        let found = judge.tokens(&text).and_then(|tokens| match &tokens[..] {
            // What follows may name the column.
            [token] => literal::string(token, text.as_bytes(), &judge.lexical),
            [token, name] if name.kind.is_name() => {
                literal::string(token, text.as_bytes(), &judge.lexical)
            }
            _ => None,
        });
        let Some(found) = found else { continue };
        let Some(expected) = judge.value(&format!("SELECT {text}")) else {
            continue;
        };
        if *found != expected[..] {
            return Err(differ(&text, &expected, &found));
        }
        compared += 1;
    }
    Ok(compared)
}

/// A name that we understand is one by which the server finds the column.
fn names(judge: &mut Judge) -> Result<usize> {
    let (mut random, mut compared) = (Random(2), 0);
    for _ in 0..2500 {
        let text = random.made_of(&NAMES);
        let name = judge.tokens(&text).and_then(|tokens| match &tokens[..] {
            [token] if token.kind.is_name() => {
                String::from_utf8(ident::name(token, text.as_bytes()).into_owned()).ok()
            }
            _ => None,
        });
        // Of the name of a result column, servers drop blanks and control characters in front.
        let Some(name) = name.filter(|name| !name.starts_with(|first: char| first <= ' ')) else {
            continue;
        };
        if judge.value(&format!("SELECT 7 AS {text}")) != Some(b"7".to_vec()) {
            continue;
        }
        let ours = name.replace('`', "``");
        let found = judge.value(&format!(
            "SELECT d.`{ours}` FROM (SELECT 7 AS {text}\n) AS d"
        ));
        if found != Some(b"7".to_vec()) {
            return Err(differ(&text, b"another name", name.as_bytes()));
        }
        compared += 1;
    }
    Ok(compared)
}

/// What is left of a text without its comments adds up to what the server says.
fn comments(judge: &mut Judge) -> Result<usize> {
    let (mut random, mut compared) = (Random(3), 0);
    for _ in 0..4000 {
        let text = format!("1{} ", random.of(&SUMS, 7));
        let Some(tokens) = judge.tokens(&text) else {
            continue;
        };
        let Some(expected) = judge.value(&format!("SELECT {text}")) else {
            continue;
        };
        let words: Vec<&[u8]> = tokens
            .iter()
            .map(|token| token.text(text.as_bytes()))
            .collect();
        // What is not in a comment may be other operators, which are not computed here.
        if words
            .iter()
            .any(|word| matches!(word, [b'*' | b'/' | b'!', ..]))
        {
            continue;
        }
        let mut sum = 0_i64;
        let mut sign = 1;
        for word in words {
            match word {
                b"-" => sign = -sign,
                b"+" => {}
                number => {
                    let number = String::from_utf8_lossy(number);
                    let number: i64 = number
                        .parse()
                        .map_err(|_| differ(&text, &expected, number.as_bytes()))?;
                    sum += sign * number;
                    sign = 1;
                }
            }
        }
        if expected != sum.to_string().as_bytes() {
            return Err(differ(&text, &expected, sum.to_string().as_bytes()));
        }
        compared += 1;
    }
    Ok(compared)
}

/// What we take for one number, and a name after it, the server reads so.
fn numbers(judge: &mut Judge) -> Result<usize> {
    let (mut random, mut compared) = (Random(4), 0);
    for _ in 0..2500 {
        let text = random.of(&NUMBERS, 6);
        let Some(tokens) = judge.tokens(&text) else {
            continue;
        };
        let Some(expected) = judge.value(&format!("SELECT {text}")) else {
            continue;
        };
        let number = match &tokens[..] {
            [number] if number.kind == Kind::Number => number,
            [number, name] if number.kind == Kind::Number && name.kind.is_name() => number,
            [first, ..] if first.kind == Kind::Number => {
                return Err(differ(&text, &expected, b"more than a number and a name"));
            }
            _ => continue,
        };
        let own = String::from_utf8_lossy(number.text(text.as_bytes())).into_owned();
        let found = judge.value(&format!("SELECT {own}")).unwrap_or_default();
        if found != expected {
            return Err(differ(&text, &expected, &found));
        }
        compared += 1;
    }
    Ok(compared)
}

/// With each SQL mode; at least so many texts must have been understood on both sides.
fn judged(
    flavour: Flavour,
    modes: &[&str],
    least: usize,
    property: fn(&mut Judge) -> Result<usize>,
) -> Result<()> {
    for mode in modes {
        let Some(mut judge) = Judge::new(flavour, mode)? else {
            return Ok(());
        };
        let compared = property(&mut judge)
            .map_err(|error| Error::new(format!("sql_mode '{mode}': {error}")))?;
        assert!(compared >= least, "only {compared} were compared");
    }
    Ok(())
}

const MODES: [&str; 4] = [
    "",
    "NO_BACKSLASH_ESCAPES",
    "ANSI_QUOTES",
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
];

macro_rules! properties {
    ($($name:ident by $property:ident in $modes:expr, at least $least:expr;)+) => {
        $(mod $name {
            use super::{Flavour, MODES, Result, judged, $property};

            #[test]
            fn on_mariadb() -> Result<()> {
                judged(Flavour::MariaDb, &MODES[..$modes], $least, $property)
            }

            #[test]
            fn on_mysql() -> Result<()> {
                judged(Flavour::MySql, &MODES[..$modes], $least, $property)
            }
        })+
    };
}

properties! {
    literals_stand_for_what_the_server_says by literals in 4, at least 400;
    names_stand_for_what_the_server_says by names in 4, at least 150;
    comments_are_what_the_server_leaves_out by comments in 1, at least 300;
    numbers_end_where_the_server_ends_them by numbers in 1, at least 150;
}

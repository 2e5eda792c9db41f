//! What a client of MySQL does in a session: texts, prepared statements and their parameters, with values that are
//! protected wherever they stand.
//!
//! The rule of the generator, on which the target's main assertion rests: a value of [`marker`] is only ever written where
//! it is stored in a protected column, compared with one, or in a statement that does so in a way that is refused.

use crate::session::marker;
use arbitrary::Arbitrary;

/// A script.
#[derive(Arbitrary, Debug)]
pub(super) struct Script {
    pub(super) scans_all: bool,
    pub(super) steps: Vec<Step>,
    pub(super) cuts: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Step {
    /// Texts of one command.
    Query(Vec<Store>),
    Plain(u8),
    Prepare(u8, Literal),
    LongData {
        statement: u8,
        parts: u8,
    },
    Execute {
        statement: u8,
        form: Form,
        types: bool,
    },
    Reset(u8),
    Close(u8),
    Ping,
    ResetConnection,
    /// The server takes so many messages.
    Serve(u8),
    /// The server fails the statement after so many.
    Fail(u8),
}

/// A statement with values.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Store(u8, Literal, Literal);

/// A value in a text.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Literal {
    notation: Notation,
    cut: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Notation {
    Plain,
    DoubleQuoted,
    Escaped,
    Hex,
    UpperHex,
    ZeroX,
    Bits,
    National,
    Introduced,
    IntroducedHex,
    Adjacent,
    Number,
    // What follows is refused today, or may be.
    InParentheses,
    Cast,
    Concatenated,
    Called,
    Collated,
    Conditional,
    Subselect,
    Negative,
}

/// What is bound.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Null,
    Text,
    Blob,
    Number,
}

/// Numbers the values of a run.
#[derive(Default)]
pub(super) struct Values(usize);

impl Values {
    pub(super) fn next(&mut self) -> String {
        self.0 += 1;
        marker::value(self.0)
    }
}

const STORE: [&str; 24] = [
    "INSERT INTO customers (id, ssn) VALUES (1, {v})",
    "INSERT INTO customers (ssn, name) VALUES ({v}, 'n'), ({w}, \"m\")",
    "INSERT customers SET ssn = {v}, card={w}",
    "REPLACE INTO customers (ssn) VALUES ({v})",
    "INSERT INTO customers (id, ssn) VALUES (1, {v}) ON DUPLICATE KEY UPDATE ssn = {w}",
    "INSERT INTO customers (id, ssn) VALUES (1,{v})ON DUPLICATE KEY UPDATE ssn = VALUES(ssn)",
    "UPDATE customers SET ssn = {v} WHERE id = 3 LIMIT 1",
    "UPDATE customers c JOIN other o ON o.id = c.id SET c.ssn = {v}, o.x = 1",
    "INSERT INTO customers VALUES (1, 'n', {v}, {w})",
    "INSERT IGNORE INTO customers (ssn) SELECT {v}",
    "UPDATE customers SET ssn = CASE WHEN id = 1 THEN {v} ELSE {w} END",
    "UPDATE customers SET ssn = IF(id = 1, {v}, {w})",
    "INSERT INTO `customers` (`ssn`) VALUE ({v})",
    "INSERT INTO people (id, email, note) VALUES (1, {v}, {w})",
    "SELECT id FROM people WHERE email = {v} OR phone IN ({w}, {v})",
    "DELETE FROM people WHERE email <=> {v}",
    "SELECT * FROM customers WHERE ssn = {v}",
    "/*!50000 INSERT INTO customers (ssn) VALUES ({v}) */",
    "INSERT INTO customers (ssn) VALUES (/*!50000 {v} */)",
    "INSERT INTO customers (ssn) VALUES ({v}) # it's the end",
    "INSERT INTO customers (ssn) VALUES ({v}) -- it's the end",
    "EXPLAIN UPDATE customers SET ssn = {v}",
    "INSERT INTO audit.log (id, entry) VALUES (1, {v})",
    "SET @value = {v}; INSERT INTO customers (ssn) VALUES (@value)",
];

/// The first parameter is a value, the second a number.
const PREPARED: [&str; 8] = [
    "INSERT INTO customers (ssn, id) VALUES (?, ?)",
    "UPDATE customers SET ssn = ? WHERE id = ?",
    "INSERT INTO customers (ssn, id) VALUES (?, ?) ON DUPLICATE KEY UPDATE ssn = VALUES(ssn)",
    "INSERT INTO customers SET ssn = ?, id = ?, card = {v}",
    "REPLACE INTO customers (ssn, id) VALUES (?, ?), ({v}, 3)",
    "INSERT INTO people (email, id) VALUES (?, ?)",
    "SELECT id FROM people WHERE email = ? AND id = ?",
    "INSERT INTO customers (ssn, id) VALUES (LOWER(?), ?)",
];

pub(super) const PLAIN: [&str; 15] = [
    "SELECT id, ssn, name FROM customers",
    "SELECT * FROM customers",
    "SELECT 1",
    "BEGIN",
    "COMMIT",
    "SET sql_mode = 'ANSI_QUOTES'",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET sql_mode = ''",
    "SET NAMES latin1",
    "SET NAMES gbk",
    "SET NAMES utf8mb4",
    "USE test",
    "USE audit",
    "SHOW TABLES",
    "SELECT ssn FROM customers; SELECT 1",
];

impl Store {
    pub(super) fn write(self, values: &mut Values) -> String {
        let Self(template, first, second) = self;
        let template = STORE[usize::from(template) % STORE.len()];
        // A variable's value is not looked at, so it has none.
        if template.starts_with("SET @") {
            return template.replace("{v}", "1");
        }
        template
            .replace("{v}", &first.write(values))
            .replace("{w}", &second.write(values))
    }
}

/// A statement with parameters.
pub(super) fn prepared(template: u8, literal: Literal, values: &mut Values) -> String {
    PREPARED[usize::from(template) % PREPARED.len()].replace("{v}", &literal.write(values))
}

impl Literal {
    fn write(self, values: &mut Values) -> String {
        let value = values.next();
        let hex = const_hex::encode(&value);
        let (left, right) = value.split_at(usize::from(self.cut) % (value.len() + 1));
        match self.notation {
            Notation::Plain => format!("'{value}'"),
            Notation::DoubleQuoted => format!("\"{value}\""),
            // Letters that stand for themselves behind a backslash.
            Notation::Escaped => format!("'\\{value}'"),
            Notation::Hex => format!("x'{hex}'"),
            Notation::UpperHex => format!("X'{}'", hex.to_uppercase()),
            Notation::ZeroX => format!("0x{hex}"),
            Notation::Bits => format!("b'{}'", bits(&value)),
            Notation::National => format!("N'{value}'"),
            Notation::Introduced => format!("_utf8mb4'{value}'"),
            Notation::IntroducedHex => format!("_binary 0x{hex}"),
            Notation::Adjacent => format!("'{left}' /* it's */ '{right}'"),
            Notation::Number => marker::NUMBER.to_owned(),
            Notation::InParentheses => format!("('{value}')"),
            Notation::Cast => format!("CAST('{value}' AS CHAR)"),
            Notation::Concatenated => format!("CONCAT('{left}', '{right}')"),
            Notation::Called => format!("LOWER('{value}')"),
            Notation::Collated => format!("'{value}' COLLATE utf8mb4_bin"),
            Notation::Conditional => format!("/*!40000 '{value}' */"),
            Notation::Subselect => format!("(SELECT '{value}')"),
            Notation::Negative => format!("-{}", marker::NUMBER),
        }
    }
}

/// The digits of a bit literal.
pub(super) fn bits(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:08b}")).collect()
}

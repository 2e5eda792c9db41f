//! What a client does in a session: texts, messages and rows, with values that are protected wherever they stand.
//!
//! The rule of the generator, on which the target's main assertion rests: a value of [`marker`] is only ever written
//! where it is stored in a protected column, or in a statement that stores it there in a way that is refused. Prepared
//! statements with parameters store the first one in a protected column, all of them, so a value may be bound to any.

use super::marker::{self, Notation};
use crate::fixture::pieces;
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
    Query(Vec<Statement>),
    Parse {
        name: u8,
        statement: Prepared,
        declares: Option<bool>,
    },
    ParsePlain {
        statement: Plain,
    },
    Bind {
        portal: u8,
        name: u8,
        binary: bool,
        form: Form,
    },
    BindPlain {
        binary: bool,
    },
    Describe(u8),
    Execute {
        portal: u8,
    },
    Close(u8),
    Sync,
    Flush,
    FunctionCall,
    Copy(Copy),
    StrayData,
    StrayEnd {
        fails: bool,
    },
    /// The server takes so many messages.
    Serve(u8),
    /// The server fails the statement after so many.
    Fail(u8),
}

/// A literal that is stored.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Literal {
    notation: Notation,
    cut: u8,
}

/// How a text is written.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Style {
    table: u8,
    blank: u8,
    lower: bool,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Statement {
    Store(u8, Style, Literal, Literal),
    Execute(u8, Literal),
    Prepare(u8, u8, Style, Literal),
    Plain(Plain),
}

/// A statement with parameters.
#[derive(Arbitrary, Debug)]
pub(super) struct Prepared(u8, Style, Literal);

/// A statement without values.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Plain(u8);

/// What is bound.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Form {
    Null,
    Text,
    Hex,
    Escaped,
}

#[derive(Arbitrary, Debug)]
pub(super) struct Copy {
    pub(super) extended: bool,
    /// The client sends rows only when it is asked to.
    pub(super) waits: bool,
    options: u8,
    style: Style,
    only: bool,
    rows: Vec<Row>,
    cuts: Vec<u8>,
    pub(super) end: Option<bool>,
}

#[derive(Arbitrary, Debug)]
enum Row {
    Null,
    Value(Form),
    Quoted,
    Marker,
}

/// Numbers the values of a run.
#[derive(Default)]
pub(super) struct Values(usize);

impl Values {
    fn next(&mut self) -> String {
        self.0 += 1;
        marker::value(self.0)
    }
}

const STORE: [&str; 27] = [
    "INSERT INTO {t} (id, ssn) VALUES (1, {v})",
    "INSERT INTO {t} (ssn, name) VALUES ({v}, 'n'), ({w}, 'm')",
    "INSERT INTO {t} VALUES (1, 'n', {v}, {w})",
    "UPDATE {t} SET ssn = {v}, name = 'x' WHERE id = 3",
    "UPDATE {t} SET (ssn, card) = ({v}, {w})",
    "INSERT INTO {t} (id, ssn) VALUES (1, {v}) ON CONFLICT (id) DO UPDATE SET ssn = {w} RETURNING *",
    "INSERT INTO {t} (ssn) SELECT {v}",
    "WITH c AS (INSERT INTO {t} (ssn) VALUES ({v}) RETURNING 1) SELECT * FROM c",
    "INSERT INTO audit.log (id, entry) VALUES (1, {v})",
    "INSERT INTO vault (secret) VALUES ({v}), ({w})",
    "UPDATE {t} SET ssn = CASE WHEN id = 1 THEN {v} ELSE {w} END",
    "MERGE INTO {t} c USING (VALUES (1)) x(i) ON c.id = x.i WHEN NOT MATCHED THEN INSERT (ssn) VALUES ({v})",
    "INSERT INTO partners (id, token) VALUES (1, {v})",
    "INSERT INTO partners (id, key) VALUES (1, {v})",
    "EXPLAIN INSERT INTO {t} (ssn) VALUES ({v})",
    "INSERT INTO {t} (ssn) SELECT {v} UNION ALL SELECT {w}",
    "INSERT INTO {t} (ssn) VALUES (DEFAULT), (NULL), ({v})",
    "WITH x AS (SELECT {v} AS s) INSERT INTO {t} (ssn) SELECT s FROM x",
    "INSERT INTO {t} (ssn) VALUES({v}),({w})RETURNING*",
    "UPDATE {t} SET ssn={v}",
    "INSERT INTO {t}(ssn)SELECT{v}",
    "UPDATE {t} AS c SET ssn = CASE id WHEN 1 THEN{v} ELSE{w} END FROM other o WHERE o.id = c.id",
    "SELECT * FROM {t} WHERE ssn = {v}",
    "DELETE FROM {t} WHERE card IN ({v}, {w})",
    "INSERT INTO people (id, email, note) VALUES (1, {v}, {w})",
    "UPDATE people SET phone = {v} WHERE email = {w}",
    "SELECT id, phone FROM people WHERE email = {v} OR phone IN ({w}, {v})",
];

const PREPARED: [&str; 9] = [
    "INSERT INTO {t} (ssn, id) VALUES ($1, $2)",
    "UPDATE {t} SET ssn = $1 WHERE id = $2",
    "INSERT INTO {t} (ssn, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET ssn = excluded.ssn RETURNING *",
    "INSERT INTO {t} (ssn, id) SELECT $1, $2",
    "UPDATE {t} SET ssn = $1::bytea WHERE id = $2",
    "WITH x AS (SELECT $1 AS s, $2 AS i) INSERT INTO {t} (ssn, id) SELECT s, i FROM x",
    "INSERT INTO {t} (ssn, id) VALUES (lower($1), $2)",
    "INSERT INTO {t} (ssn, id) VALUES ($1, $2), ({v}, 3)",
    "UPDATE {t} SET ssn = CASE WHEN id = $2 THEN $1 ELSE {v} END",
];

const PLAIN: [&str; 26] = [
    "SELECT id, ssn, name FROM customers",
    "SELECT * FROM customers",
    "SELECT 1",
    "SELECT ssn FROM customers WHERE id IN (1, 2, 3) ORDER BY 1",
    "SELECT ssn FROM customers WHERE ssn = 'x'",
    "TABLE customers",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SET standard_conforming_strings = off",
    "SET standard_conforming_strings = on",
    "SET client_encoding = UTF8",
    "SET client_encoding = LATIN1",
    "SET client_encoding = SJIS",
    "SELECT set_config('standard_conforming_strings', 'off', false)",
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "COPY customers TO STDOUT",
    "COPY (SELECT id, name, ssn FROM customers) TO STDOUT (FORMAT csv)",
    "COPY customers TO STDOUT (FORMAT binary)",
    "UPDATE customers SET ssn = lower(name)",
    "DELETE FROM customers WHERE id = 1 RETURNING ssn",
    "UPDATE other SET name = 'it''s' WHERE name = E'\\'' AND id > 7",
    "DO $$BEGIN UPDATE customers SET ssn = NULL; END$$",
    UNTERMINATED,
    "",
];

/// Nothing may follow it in a text: what looks like a value there need not be one.
pub(super) const UNTERMINATED: &str = "SELECT 'a";

const TABLES: [&str; 7] = [
    "customers",
    "CUSTOMERS",
    "\"customers\"",
    "public.customers",
    "U&\"\\0063ustomers\"",
    "u&\"c!0075stomers\" UESCAPE '!'",
    "public . Customers",
];

const BLANKS: [&str; 5] = [
    " ",
    "\n",
    "\t/* it's $1 */ ",
    " -- \"it's\n",
    " /* /* ' */ */ ",
];

fn pick<'a>(from: &[&'a str], number: u8) -> &'a str {
    from[usize::from(number) % from.len()]
}

impl Style {
    /// The text of a template: values are put in last and stay as they are.
    fn write(self, template: &str, values: [&str; 2]) -> String {
        let text = match self.lower {
            true => template.to_ascii_lowercase(),
            false => template.to_owned(),
        };
        text.replace(' ', pick(&BLANKS, self.blank))
            .replace("{t}", pick(&TABLES, self.table))
            .replace("{v}", values[0])
            .replace("{w}", values[1])
    }
}

impl Literal {
    fn write(self, values: &mut Values) -> String {
        self.notation.write(&values.next(), self.cut)
    }
}

/// Names of statements with parameters.
pub(super) fn statement_name(number: u8) -> &'static str {
    pick(&["", "p1", "p2"], number)
}

/// The name of the statement without parameters.
pub(super) const PLAIN_NAME: &str = "plain";

/// Names of portals.
pub(super) fn portal_name(number: u8) -> &'static str {
    pick(&["", "c1", PLAIN_NAME], number)
}

impl Statement {
    pub(super) fn write(&self, values: &mut Values) -> String {
        match self {
            Self::Store(template, style, first, second) => {
                let literals = [first.write(values), second.write(values)];
                style.write(pick(&STORE, *template), [&literals[0], &literals[1]])
            }
            Self::Execute(name, literal) => {
                let name = pick(&["p1", "p2"], *name);
                format!("EXECUTE {name}({}, 2)", literal.write(values))
            }
            Self::Prepare(name, template, style, literal) => {
                let name = pick(&["p1", "p2"], *name);
                let text = Prepared(*template, *style, *literal).write(values);
                format!("PREPARE {name} AS {text}")
            }
            Self::Plain(plain) => plain.write().to_owned(),
        }
    }
}

impl Prepared {
    pub(super) fn write(&self, values: &mut Values) -> String {
        let Self(template, style, literal) = self;
        let literal = literal.write(values);
        style.write(pick(&PREPARED, *template), [&literal, ""])
    }
}

impl Plain {
    pub(super) fn write(self) -> &'static str {
        pick(&PLAIN, self.0)
    }
}

impl Form {
    /// The value of a parameter or cell.
    pub(super) fn write(self, binary: bool, values: &mut Values) -> Option<Vec<u8>> {
        let value = values.next();
        match self {
            Self::Null => None,
            Self::Hex if !binary => Some(format!("\\x{}", const_hex::encode(value)).into_bytes()),
            Self::Escaped if !binary => {
                let octal = value.bytes().map(|byte| format!("\\{byte:03o}"));
                Some(octal.collect::<String>().into_bytes())
            }
            Self::Text | Self::Hex | Self::Escaped => Some(value.into_bytes()),
        }
    }
}

const OPTIONS: [(&str, &str); 7] = [
    ("", "text"),
    ("(FORMAT text, DELIMITER '|', NULL 'nil')", "bar"),
    ("WITH (FORMAT csv)", "csv"),
    ("(FORMAT csv, HEADER, FORCE_NULL (ssn))", "header"),
    ("(FORMAT binary)", "binary"),
    ("(FORMAT csv) WHERE ssn = 'x'", "csv"),
    ("(FORMAT csv, SOMETHING)", "csv"),
];

impl Copy {
    pub(super) fn statement(&self) -> String {
        let (options, _) = OPTIONS[usize::from(self.options) % OPTIONS.len()];
        let columns = if self.only {
            "(ssn)"
        } else {
            "(id, name, ssn)"
        };
        let table = pick(&TABLES, self.style.table);
        format!("COPY {table} {columns} FROM STDIN {options}")
    }

    /// The rows in pieces.
    pub(super) fn data(&self, values: &mut Values) -> Vec<Vec<u8>> {
        let (_, form) = OPTIONS[usize::from(self.options) % OPTIONS.len()];
        let mut stream = Vec::new();
        match form {
            "binary" => stream.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"),
            "header" => stream.extend_from_slice(b"these,are,names\n"),
            _ => {}
        }
        for row in &self.rows {
            match form {
                "binary" => self.binary(row, values, &mut stream),
                _ => self.line(row, form, values, &mut stream),
            }
        }
        if form == "binary" {
            stream.extend_from_slice(&[0xff, 0xff]);
        }
        pieces(&stream, &self.cuts).map(<[u8]>::to_vec).collect()
    }

    fn binary(&self, row: &Row, values: &mut Values, stream: &mut Vec<u8>) {
        let cell = match row {
            Row::Null | Row::Marker => None,
            Row::Value(form) => form.write(true, values),
            Row::Quoted => Form::Text.write(true, values),
        };
        match self.only {
            true => stream.extend_from_slice(&[0, 1]),
            false => stream.extend_from_slice(b"\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\x01n"),
        }
        match cell {
            None => stream.extend_from_slice(&[0xff; 4]),
            Some(cell) => {
                stream.extend_from_slice(&(cell.len() as u32).to_be_bytes());
                stream.extend_from_slice(&cell);
            }
        }
    }

    fn line(&self, row: &Row, form: &str, values: &mut Values, stream: &mut Vec<u8>) {
        let is_csv = matches!(form, "csv" | "header");
        let (delimiter, null) = match form {
            "text" => ("\t", "\\N"),
            "bar" => ("|", "nil"),
            _ => (",", ""),
        };
        if matches!(row, Row::Marker) {
            // What follows it is not read by the server, and still a client's data.
            stream.extend_from_slice(b"\\.\n");
            return;
        }
        if !self.only {
            stream.extend_from_slice(format!("1{delimiter}a \\\\ b{delimiter}").as_bytes());
        }
        let cell = match row {
            Row::Null | Row::Marker => None,
            Row::Value(form) => form.write(false, values),
            Row::Quoted => {
                let value = values.next();
                Some(match is_csv {
                    true => format!("\"{value}\"").into_bytes(),
                    false => marker_in_escapes(&value),
                })
            }
        };
        match cell {
            None => stream.extend_from_slice(null.as_bytes()),
            // A backslash is written twice.
            Some(cell) if !is_csv && !matches!(row, Row::Quoted) => {
                for byte in cell {
                    stream.push(byte);
                    stream.extend((byte == b'\\').then_some(byte));
                }
            }
            Some(cell) => stream.extend_from_slice(&cell),
        }
        stream.push(b'\n');
    }
}

/// A value as COPY reads it back from octal and hexadecimal escapes.
fn marker_in_escapes(value: &str) -> Vec<u8> {
    let (left, right) = value.split_at(7);
    let mut out: String = left.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    out.extend(right.bytes().map(|byte| format!("\\x{byte:02x}")));
    out.into_bytes()
}

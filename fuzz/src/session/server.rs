//! A small model of a PostgreSQL server: it answers every message as a server would, without doing anything.
//!
//! What a text asks for it sees by the first word of each statement; statements fail when they are told to. States are
//! the server's own: transactions, skipping up to Sync, copies from the client, names of statements and portals.

use crate::fixture::block;
use crate::messages::{complete, data_row, message, ready, row_description, syntax_error};
use acra_engine::wire::cursor::Reader;
use std::collections::{HashMap, VecDeque};

/// What is stored in the protected columns of every row.
pub(super) const STORED: &[u8] = b"stored in the database";

/// A text and what is left to do of it.
type Statements = VecDeque<String>;

#[derive(Default)]
pub(super) struct Server {
    statements: HashMap<Vec<u8>, String>,
    portals: HashMap<Vec<u8>, (String, u16)>,
    transaction: Transaction,
    skipping: bool,
    copy_in: Option<CopyIn>,
    /// Settings to tell of before ReadyForQuery.
    settings: Vec<(&'static str, &'static str)>,
    /// So many statements from now on one fails.
    pub(super) fails: Option<u8>,
    /// The connection is over.
    pub(super) closed: bool,
    out: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Transaction {
    #[default]
    None,
    Open,
    Failed,
}

/// A copy from the client, and what comes after it of a simple query.
struct CopyIn(Option<Statements>);

/// The statement has failed, and its error is sent.
struct Failed;

impl Server {
    /// Takes a message and gives the answers.
    pub(super) fn take(&mut self, tag: u8, body: &[u8]) -> Vec<Vec<u8>> {
        if self.closed {
            return Vec::new();
        }
        if self.copy_in.is_some() {
            self.during_copy(tag, body);
        } else if !self.skipping || tag == b'S' {
            self.message(tag, body);
        }
        std::mem::take(&mut self.out)
    }

    /// Whether rows of the client are awaited.
    pub(super) fn copies_in(&self) -> bool {
        self.copy_in.is_some()
    }

    fn during_copy(&mut self, tag: u8, body: &[u8]) {
        if matches!(tag, b'd' | b'H' | b'S') {
            return;
        }
        let Some(CopyIn(rest)) = self.copy_in.take() else {
            return;
        };
        match tag {
            b'c' => {
                self.send(complete("COPY 1"));
                if let Some(rest) = rest {
                    self.simple(rest);
                }
                return;
            }
            b'f' => self.error("57014", &String::from_utf8_lossy(body).replace('\0', "")),
            _ => {
                // Its body has not been read: the server cannot go on.
                self.error("08P01", "unexpected message type during COPY from stdin");
                let last = b"SFATAL\0VFATAL\0C08P01\0Mprotocol synchronization was lost\0\0";
                self.send(message(b'E', last));
                self.closed = true;
                return;
            }
        }
        match rest {
            Some(_) => self.ready(),
            None => self.skipping = true,
        }
    }

    fn message(&mut self, tag: u8, body: &[u8]) {
        let extended = match tag {
            b'Q' => {
                self.statements.remove(&b""[..]);
                let text = String::from_utf8_lossy(&body[..body.len() - 1]).into_owned();
                return self.simple(split(&text));
            }
            b'S' => {
                self.skipping = false;
                return self.ready();
            }
            b'F' => {
                self.send(message(b'V', &[0xff; 4]));
                return self.ready();
            }
            b'P' => self.parse(body),
            b'B' => self.bind(body),
            b'D' => self.describe(body),
            b'E' => self.execute(body),
            b'C' => {
                match body[0] {
                    b'S' => drop(self.statements.remove(name(&body[1..]))),
                    _ => drop(self.portals.remove(name(&body[1..]))),
                }
                self.send(message(b'3', b""));
                Ok(())
            }
            _ => Ok(()),
        };
        if extended.is_err() {
            self.skipping = true;
        }
    }

    fn parse(&mut self, body: &[u8]) -> Result<(), Failed> {
        let mut reader = Reader::new(body);
        let name = reader.cstr("name").expect("a Parse").to_vec();
        let text = reader.cstr("text").expect("a Parse");
        let text = String::from_utf8_lossy(text).into_owned();
        self.may_fail(&text)?;
        if !name.is_empty() && self.statements.contains_key(&name) {
            return self.fail("42P05", "prepared statement already exists");
        }
        self.statements.insert(name, text);
        self.send(message(b'1', b""));
        Ok(())
    }

    fn bind(&mut self, body: &[u8]) -> Result<(), Failed> {
        let mut reader = Reader::new(body);
        let portal = reader.cstr("portal").expect("a Bind").to_vec();
        let statement = reader.cstr("statement").expect("a Bind");
        let Some(text) = self.statements.get(statement).cloned() else {
            return self.fail("26000", "prepared statement does not exist");
        };
        self.may_fail(&text)?;
        let format = body.last().copied().unwrap_or(0);
        self.portals.insert(portal, (text, u16::from(format)));
        self.send(message(b'2', b""));
        Ok(())
    }

    fn describe(&mut self, body: &[u8]) -> Result<(), Failed> {
        let name = name(&body[1..]);
        let found = match body[0] {
            b'S' => self.statements.get(name).map(|text| (text.clone(), 0)),
            _ => self.portals.get(name).cloned(),
        };
        let Some((text, format)) = found else {
            return self.fail("26000", "there is none of this name");
        };
        if body[0] == b'S' {
            self.send(message(b't', b"\0\0"));
        }
        match returns_rows(&text) {
            true => self.send(columns(format)),
            false => self.send(message(b'n', b"")),
        }
        Ok(())
    }

    fn execute(&mut self, body: &[u8]) -> Result<(), Failed> {
        let Some((text, format)) = self.portals.get(name(body)).cloned() else {
            return self.fail("34000", "portal does not exist");
        };
        match split(&text).pop_front() {
            Some(statement) => self.run(&statement, Some(format)),
            None => {
                self.send(message(b'I', b""));
                Ok(())
            }
        }
    }

    /// Runs what is left of a simple query.
    fn simple(&mut self, mut statements: Statements) {
        if statements.is_empty() {
            self.send(message(b'I', b""));
        }
        while let Some(statement) = statements.pop_front() {
            if self.run(&statement, None).is_err() {
                break;
            }
            if self.copy_in.is_some() {
                self.copy_in = Some(CopyIn(Some(statements)));
                return;
            }
        }
        self.ready();
    }

    /// Runs a statement; with a format it is that of a portal.
    fn run(&mut self, statement: &str, format: Option<u16>) -> Result<(), Failed> {
        let words = statement.to_ascii_uppercase();
        let mut words =
            words.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let first = words.next().unwrap_or_default();
        let ends = matches!(first, "ROLLBACK" | "COMMIT");
        if self.transaction == Transaction::Failed && !ends {
            return self.fail("25P02", "current transaction is aborted");
        }
        self.may_fail(statement)?;
        let tag = match first {
            "BEGIN" => {
                self.transaction = Transaction::Open;
                "BEGIN"
            }
            "ROLLBACK" | "COMMIT" => {
                self.transaction = Transaction::None;
                "ROLLBACK"
            }
            "SET" => {
                self.set(statement);
                "SET"
            }
            "PREPARE" => {
                let name = words.find(|word| !word.is_empty()).unwrap_or_default();
                let name = name.to_ascii_lowercase().into_bytes();
                if self.statements.contains_key(&name) {
                    return self.fail("42P05", "prepared statement already exists");
                }
                let (_, text) = statement.split_once(" AS ").unwrap_or_default();
                self.statements.insert(name, text.to_owned());
                "PREPARE"
            }
            "EXECUTE" => {
                let name = words.find(|word| !word.is_empty()).unwrap_or_default();
                if !self
                    .statements
                    .contains_key(name.to_ascii_lowercase().as_bytes())
                {
                    return self.fail("26000", "prepared statement does not exist");
                }
                "INSERT 0 1"
            }
            "DEALLOCATE" => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            "DISCARD" => {
                self.statements.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            "COPY" => return self.copy(statement),
            _ if returns_rows(statement) => {
                self.rows(format);
                "SELECT 2"
            }
            _ => "INSERT 0 1",
        };
        self.send(complete(tag));
        Ok(())
    }

    fn set(&mut self, statement: &str) {
        for (name, value) in [
            ("standard_conforming_strings", "on"),
            ("standard_conforming_strings", "off"),
            ("client_encoding", "UTF8"),
            ("client_encoding", "LATIN1"),
            ("client_encoding", "SJIS"),
        ] {
            if statement.contains(name) && statement.ends_with(value) {
                self.settings.push((name, value));
            }
        }
    }

    fn copy(&mut self, statement: &str) -> Result<(), Failed> {
        let binary = statement.contains("binary");
        let count: u16 = if statement.contains("(ssn) FROM") {
            1
        } else {
            3
        };
        let mut begins = vec![u8::from(binary)];
        begins.extend_from_slice(&count.to_be_bytes());
        for _ in 0..count {
            begins.extend_from_slice(&u16::from(binary).to_be_bytes());
        }
        if statement.contains("FROM STDIN") {
            self.send(message(b'G', &begins));
            self.copy_in = Some(CopyIn(None));
            return Ok(());
        }
        self.send(message(b'H', &begins));
        let stored = block(STORED);
        let hex = const_hex::encode(&stored);
        let row = match binary {
            false if statement.contains("csv") => format!("1,n,\\x{hex}\n").into_bytes(),
            false => format!("1\tn\t\\\\x{hex}\n").into_bytes(),
            true => {
                let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
                self.send(message(b'd', header));
                let length = (stored.len() as u32).to_be_bytes();
                let before = b"\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\x01n";
                [&before[..], &length, &stored].concat()
            }
        };
        self.send(message(b'd', &row));
        self.send(message(b'd', &row));
        self.send(message(b'c', b""));
        self.send(complete("COPY 2"));
        Ok(())
    }

    fn rows(&mut self, format: Option<u16>) {
        if format.is_none() {
            self.send(columns(0));
        }
        let stored = block(STORED);
        let hex = format!("\\x{}", const_hex::encode(&stored));
        let (number, cell): (&[u8], &[u8]) = match format {
            Some(1) => (&[0, 0, 0, 1], &stored),
            _ => (b"1", hex.as_bytes()),
        };
        self.send(data_row(&[Some(number), Some(cell), None]));
        self.send(data_row(&[Some(number), None, Some(b"text")]));
    }

    fn ready(&mut self) {
        let status = match self.transaction {
            Transaction::None => b'I',
            Transaction::Open => b'T',
            Transaction::Failed => b'E',
        };
        for (name, value) in std::mem::take(&mut self.settings) {
            self.send(message(b'S', format!("{name}\0{value}\0").as_bytes()));
        }
        if status == b'I' {
            self.portals.clear();
        }
        self.send(ready(status));
    }

    /// Fails a text that fails on purpose, and one whose turn has come.
    fn may_fail(&mut self, text: &str) -> Result<(), Failed> {
        if text == "acra-server refused this statement" {
            self.send(syntax_error());
            self.fail_transaction();
            return Err(Failed);
        }
        match self.fails {
            Some(0) => {
                self.fails = None;
                self.fail("23505", "duplicate key value violates unique constraint")
            }
            Some(more) => {
                self.fails = Some(more - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn fail(&mut self, code: &str, text: &str) -> Result<(), Failed> {
        self.error(code, text);
        Err(Failed)
    }

    fn error(&mut self, code: &str, text: &str) {
        self.send(message(
            b'E',
            format!("SERROR\0C{code}\0M{text}\0\0").as_bytes(),
        ));
        self.fail_transaction();
    }

    fn fail_transaction(&mut self) {
        self.settings.clear();
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
    }

    fn send(&mut self, message: Vec<u8>) {
        self.out.push(message);
    }
}

/// The statements of a text. No string of a script has a semicolon.
fn split(text: &str) -> Statements {
    let statements = text.split(';').map(|statement| statement.trim().to_owned());
    statements
        .filter(|statement| !statement.is_empty())
        .collect()
}

fn returns_rows(statement: &str) -> bool {
    ["SELECT", "TABLE", "WITH", "EXPLAIN"]
        .iter()
        .any(|word| statement.to_ascii_uppercase().starts_with(word))
        || statement.contains("RETURNING")
}

fn columns(format: u16) -> Vec<u8> {
    row_description(&[23, 17, 25], format)
}

/// A name up to its zero byte.
fn name(bytes: &[u8]) -> &[u8] {
    crate::fixture::text(bytes)
}

//! A small model of a MySQL server: it answers every command as a server would, without doing anything.

use crate::fixture::block;
use crate::mysql_messages::{OK, answer, column, ended, text_row};
use acra_engine::wire::mysql::lenenc;
use std::collections::HashMap;

/// What is stored in the protected columns of every row.
pub(super) const STORED: &[u8] = b"stored in the database";

const LONG: u8 = 3;
const BLOB: u8 = 252;
const VARCHAR: u8 = 253;
const BINARY: u16 = 63;
const UTF8MB4: u16 = 45;
const ERROR: &[u8] = b"\xff\x28\x04#42000no";

pub(super) struct Server {
    /// Whether a statement gives rows, by its number.
    statements: HashMap<u32, bool>,
    last: u32,
    mode: &'static str,
    charset: &'static str,
    /// So many statements from now on one fails.
    pub(super) fails: Option<u8>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            statements: HashMap::new(),
            last: 0,
            mode: "",
            charset: "utf8mb4",
            fails: None,
        }
    }
}

impl Server {
    /// Takes a command and gives the answer.
    pub(super) fn take(&mut self, command: &[u8]) -> Vec<u8> {
        let Some((kind, rest)) = command.split_first() else {
            return answer(&[ERROR]);
        };
        let number = rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let has_rows = number
            .and_then(|number| self.statements.get(&number))
            .copied();
        match kind {
            0x03 => self.query(&String::from_utf8_lossy(rest)),
            0x16 => self.prepare(&String::from_utf8_lossy(rest)),
            0x17 => match has_rows {
                _ if self.is_failing() => answer(&[ERROR]),
                None => answer(&[ERROR]),
                Some(false) => answer(&[OK]),
                Some(true) => payloads(result(&binary_row(), false)),
            },
            0x18 => Vec::new(),
            0x19 => {
                number.map(|number| self.statements.remove(&number));
                Vec::new()
            }
            0x1a => answer(&[if has_rows.is_some() { OK } else { ERROR }]),
            0x1f => {
                *self = Self {
                    last: self.last,
                    fails: self.fails,
                    ..Self::default()
                };
                answer(&[OK])
            }
            0x02 | 0x0e => answer(&[OK]),
            _ => answer(&[ERROR]),
        }
    }

    fn is_failing(&mut self) -> bool {
        match self.fails {
            Some(0) => {
                self.fails = None;
                true
            }
            Some(left) => {
                self.fails = Some(left - 1);
                false
            }
            None => false,
        }
    }

    fn query(&mut self, text: &str) -> Vec<u8> {
        // The literals that reach a server have no semicolon.
        let statements: Vec<&str> = text.split(';').collect();
        let mut out: Vec<Vec<u8>> = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            let more = place + 1 < statements.len();
            if self.is_failing() {
                out.push(ERROR.to_vec());
                break;
            }
            self.set(statement);
            let is_read = ["SELECT", "EXPLAIN", "SHOW"]
                .iter()
                .any(|word| statement.trim_start().starts_with(word));
            if statement.contains("@@SESSION.sql_mode") {
                // The schema in hex, and no proof of a version.
                let settings = [self.mode, self.charset, "utf8mb4", "73686F70", "0"];
                let row = text_row(&settings.map(|setting| Some(setting.as_bytes())));
                out.extend(rows(&[VARCHAR; 5], &row, more));
            } else if is_read {
                let row = text_row(&[Some(b"1"), Some(&block(STORED)), Some(b"n")]);
                out.extend(result(&row, more));
            } else {
                let status = if more { 10 } else { 2 };
                out.push(vec![0, 0, 0, status, 0, 0, 0]);
            }
        }
        payloads(out)
    }

    fn set(&mut self, statement: &str) {
        for mode in ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", ""] {
            if statement.trim() == format!("SET sql_mode = '{mode}'") {
                self.mode = mode;
            }
        }
        for charset in ["latin1", "gbk", "utf8mb4"] {
            if statement.trim() == format!("SET NAMES {charset}") {
                self.charset = charset;
            }
        }
    }

    fn prepare(&mut self, text: &str) -> Vec<u8> {
        if self.is_failing() {
            return answer(&[ERROR]);
        }
        self.last += 1;
        let has_rows = text.trim_start().starts_with("SELECT");
        self.statements.insert(self.last, has_rows);
        let parameters = text.matches('?').count() as u16;
        let columns: u16 = if has_rows { 3 } else { 0 };
        let head = [
            &[0][..],
            &self.last.to_le_bytes(),
            &columns.to_le_bytes(),
            &parameters.to_le_bytes(),
            &[0, 0, 0],
        ];
        let mut out = vec![head.concat()];
        if parameters > 0 {
            out.extend((0..parameters).map(|_| column(VARCHAR, UTF8MB4)));
            out.push(ended(false).to_vec());
        }
        if columns > 0 {
            out.extend([
                column(LONG, BINARY),
                column(BLOB, BINARY),
                column(VARCHAR, UTF8MB4),
            ]);
            out.push(ended(false).to_vec());
        }
        payloads(out)
    }
}

/// A row of a prepared statement: 1, a container, `n`.
fn binary_row() -> Vec<u8> {
    let mut row = vec![0, 0, 1, 0, 0, 0];
    lenenc::write_string(&mut row, &block(STORED));
    lenenc::write_string(&mut row, b"n");
    row
}

/// A result of an integer, bytes and a text.
fn result(row: &[u8], more: bool) -> Vec<Vec<u8>> {
    rows(&[LONG, BLOB, VARCHAR], row, more)
}

fn rows(kinds: &[u8], row: &[u8], more: bool) -> Vec<Vec<u8>> {
    let mut out = vec![vec![kinds.len() as u8]];
    out.extend(kinds.iter().map(|kind| match *kind {
        VARCHAR => column(VARCHAR, UTF8MB4),
        kind => column(kind, BINARY),
    }));
    out.push(ended(false).to_vec());
    out.push(row.to_vec());
    out.push(ended(more).to_vec());
    out
}

fn payloads(payloads: Vec<Vec<u8>>) -> Vec<u8> {
    answer(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

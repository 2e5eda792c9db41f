//! Statements around a statement, told from their tokens: `EXPLAIN`, MariaDB's `ANALYZE`, `PREPARE`, `DECLARE CURSOR`, `CREATE VIEW`,
//! `CREATE TABLE AS`.

use super::Source;
use std::ops::Range;

/// What is around a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapper {
    /// Nothing: its rows are for this client, now or by `DECLARE … CURSOR FOR`.
    Client,
    /// `EXPLAIN`: it may run, and its rows go nowhere.
    Explain,
    /// `PREPARE`: tokens of the types that are given for its parameters.
    Prepare(Vec<Range<usize>>),
    /// `CREATE VIEW`
    View,
    /// `CREATE TABLE … AS`, `CREATE MATERIALIZED VIEW`
    NewTable,
}

/// A statement and what is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// What is around it.
    pub wrapper: Wrapper,
    /// Tokens of the statement inside.
    pub inner: (usize, usize),
}

/// Takes off what is around a statement. `None`, if that is not known.
pub fn unwrap(source: &Source<'_>) -> Option<Wrapped> {
    let cursor = Cursor {
        source,
        at: source.range.0,
        end: source.range.1,
    };
    let wrapped = cursor.unwrap()?;
    let outside = (source.range.0..wrapped.inner.0).chain(wrapped.inner.1..source.range.1);
    // A value outside would not be looked at.
    let data = outside
        .filter_map(|token| source.kind(token))
        .any(|kind| kind.is_data());
    (!data).then_some(wrapped)
}

/// A place in a statement.
#[derive(Clone)]
struct Cursor<'s, 'a> {
    source: &'s Source<'a>,
    at: usize,
    end: usize,
}

impl Cursor<'_, '_> {
    fn unwrap(mut self) -> Option<Wrapped> {
        let mysql = self.source.dialect.is_mysql();
        if self.take("explain") || mysql && self.takes_explain_of_mysql() {
            if mysql {
                while ["analyze", "extended", "partitions"]
                    .iter()
                    .any(|word| self.take(word))
                {}
                if self.take("format") {
                    self.at += 2;
                }
            } else if !self.parentheses() {
                while ["analyze", "analyse", "verbose"]
                    .iter()
                    .any(|word| self.take(word))
                {}
            }
            let explained = self.unwrap()?;
            return Some(Wrapped {
                wrapper: match explained.wrapper {
                    Wrapper::Client => Wrapper::Explain,
                    other => other,
                },
                ..explained
            });
        }
        if self.take("prepare") {
            self.at += 1;
            let types = self.at;
            let types = match self.parentheses() {
                true => self.list(types + 1, self.at - 1),
                false => Vec::new(),
            };
            return self
                .take("as")
                .then(|| self.inside(Wrapper::Prepare(types)));
        }
        if self.take("declare") {
            self.at += 1;
            while ["binary", "asensitive", "insensitive", "no", "scroll"]
                .iter()
                .any(|word| self.take(word))
            {}
            if !self.take("cursor") {
                return None;
            }
            if self.take("with") || self.take("without") {
                self.take("hold");
            }
            return self.take("for").then(|| self.inside(Wrapper::Client));
        }
        if self.take("create") {
            return self.create();
        }
        Some(self.inside(Wrapper::Client))
    }

    /// Other words for `EXPLAIN`; MariaDB's `ANALYZE` has the name of a statement that has to do with tables alone.
    fn takes_explain_of_mysql(&mut self) -> bool {
        let of_tables = ["table", "tables", "local", "no_write_to_binlog"];
        let mut next = self.clone();
        next.at += 1;
        self.take("describe")
            || self.take("desc")
            || !of_tables.iter().any(|word| next.take(word)) && self.take("analyze")
    }

    fn create(mut self) -> Option<Wrapped> {
        if self.take("or") {
            self.take("replace");
        }
        while ["global", "local", "temp", "temporary", "unlogged"]
            .iter()
            .any(|word| self.take(word))
        {}
        let materialized = self.take("materialized");
        let wrapper = match () {
            () if self.take("table") => Wrapper::NewTable,
            () if self.take("view") && materialized => Wrapper::NewTable,
            () if self.is_before("view") => Wrapper::View,
            () => return None,
        };
        let mut depth = 0_usize;
        let starts = (self.at..self.end).find(|at| {
            depth += usize::from(self.is_symbol(*at, b'('));
            depth = depth.saturating_sub(usize::from(self.is_symbol(*at, b')')));
            depth == 0 && self.is(*at, "as")
        })?;
        self.at = starts + 1;
        self.cut(&["with", "data"]);
        self.cut(&["with", "no", "data"]);
        self.cut(&["with", "check", "option"]);
        self.cut(&["with", "local", "check", "option"]);
        self.cut(&["with", "cascaded", "check", "option"]);
        Some(self.inside(wrapper))
    }

    fn inside(&self, wrapper: Wrapper) -> Wrapped {
        Wrapped {
            wrapper,
            inner: (self.at.min(self.end), self.end),
        }
    }

    /// Cuts these words off the end.
    fn cut(&mut self, words: &[&str]) {
        let Some(start) = self.end.checked_sub(words.len()) else {
            return;
        };
        let ends = words
            .iter()
            .enumerate()
            .all(|(index, word)| self.is(start + index, word));
        if start >= self.at && ends {
            self.end = start;
        }
    }

    fn is(&self, at: usize, word: &str) -> bool {
        at < self.end && self.source.is(at, word)
    }

    fn is_before(&self, word: &str) -> bool {
        self.at.checked_sub(1).is_some_and(|at| self.is(at, word))
    }

    fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        at < self.end && self.source.is_symbol(at, symbol)
    }

    fn take(&mut self, word: &str) -> bool {
        let is = self.is(self.at, word);
        self.at += usize::from(is);
        is
    }

    /// Takes what is in parentheses; says whether there were any.
    fn parentheses(&mut self) -> bool {
        if !self.is_symbol(self.at, b'(') {
            return false;
        }
        let mut depth = 0_usize;
        for at in self.at..self.end {
            depth += usize::from(self.is_symbol(at, b'('));
            if self.is_symbol(at, b')') {
                depth -= 1;
                if depth == 0 {
                    self.at = at + 1;
                    return true;
                }
            }
        }
        self.at = self.end;
        true
    }

    /// What is between commas.
    fn list(&self, start: usize, end: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, start);
        for at in start..end {
            depth += usize::from(self.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(self.is_symbol(at, b')')));
            if depth == 0 && self.is_symbol(at, b',') {
                parts.push(from..at);
                from = at + 1;
            }
        }
        parts.push(from..end);
        parts
    }
}

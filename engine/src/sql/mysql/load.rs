//! The LOAD DATA statement, read from its tokens (MySQL documentation, "LOAD DATA Statement"; `sql_yacc.yy`, `load_stmt`).
//!
//! What is not known here is an error, so that nothing that changes the meaning of the data is passed over.

use crate::sql::ClientEncoding;
use crate::sql::cursor::{Cursor, Unreadable};
use crate::sql::lexical::Lexical;
use crate::sql::token::{Kind, Token};
use std::ops::Range;

/// The statement; names are numbers of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadStatement {
    /// The schema of the table.
    pub(crate) schema: Option<usize>,
    /// The table.
    pub(crate) table: usize,
    /// The character set of the file, if it is told.
    pub(crate) encoding: Option<ClientEncoding>,
    /// How the file is written.
    pub(crate) dialect: LoadDialect,
    /// The columns and variables that the cells go to, if they are listed.
    pub(crate) targets: Option<Vec<usize>>,
    /// The assignments.
    pub(crate) set: Option<Range<usize>>,
    /// What tells how the file is written, and all that follows.
    pub(crate) tail: Range<usize>,
}

/// How the rows of a file are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadDialect {
    /// Between cells.
    pub cell_end: Box<[u8]>,
    /// Around a cell.
    pub quote: Option<u8>,
    /// Before a byte that stands for another one.
    pub escape: Option<u8>,
    /// In front of each row; what comes before it is passed over.
    pub row_start: Box<[u8]>,
    /// After a row.
    pub row_end: Box<[u8]>,
    /// Rows at the start that are passed over.
    pub skipped: u64,
}

/// Whether a statement is a LOAD DATA of a file of the client.
pub(crate) fn is_load(text: &[u8], statement: &[Token]) -> bool {
    let is = |at: usize, word| {
        let token: Option<&Token> = statement.get(at);
        token.is_some_and(|token| token.is_word(text, word))
    };
    is(0, "load") && is(1, "data") && (is(2, "local") || is(3, "local"))
}

/// Reads the LOAD DATA LOCAL of these tokens.
///
/// # Errors
///
/// [`Unreadable`]: the syntax is wrong or has something that is not known here.
pub(crate) fn read(
    text: &[u8],
    tokens: &[Token],
    range: Range<usize>,
    lexical: &Lexical,
) -> Result<LoadStatement, Unreadable> {
    let mut reader = Reader {
        cursor: Cursor::new(text, tokens, range, lexical),
        dialect: LoadDialect {
            cell_end: b"\t".as_slice().into(),
            quote: None,
            escape: (!lexical.standard_conforming_strings).then_some(b'\\'),
            row_start: Box::default(),
            row_end: b"\n".as_slice().into(),
            skipped: 0,
        },
    };
    reader.statement()
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    dialect: LoadDialect,
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<LoadStatement, Unreadable> {
        let cursor = &mut self.cursor;
        cursor.expect(|it| it.word("load") && it.word("data"))?;
        let _ = cursor.word("low_priority") || cursor.word("concurrent");
        cursor.expect(|it| it.word("local") && it.word("infile"))?;
        cursor.string()?;
        let _ = cursor.word("replace") || cursor.word("ignore");
        cursor.expect(|it| it.word("into") && it.word("table"))?;
        let (mut schema, mut table) = (None, cursor.name()?);
        if cursor.symbol(b'.') {
            schema = Some(table);
            table = cursor.name()?;
        }
        if cursor.word("partition") {
            cursor.expect(|it| it.symbol(b'('))?;
            cursor.parenthesised()?;
        }
        let has_charset = match cursor.word("character") {
            true => {
                cursor.expect(|it| it.word("set"))?;
                true
            }
            false => cursor.word("charset"),
        };
        let encoding = match has_charset {
            true => Some(ClientEncoding::of_charset(&self.charset()?)),
            false => None,
        };
        let tail = self.cursor.rest();
        self.fields()?;
        self.lines()?;
        self.skipped()?;
        let targets = self.targets()?;
        let set = self.cursor.word("set").then(|| self.cursor.rest());
        if set.is_none() && !self.cursor.is_done() {
            return Err(Unreadable);
        }
        self.check()?;
        Ok(LoadStatement {
            schema,
            table,
            encoding,
            dialect: self.dialect.clone(),
            targets,
            set,
            tail,
        })
    }

    /// A name or a string.
    fn charset(&mut self) -> Result<Vec<u8>, Unreadable> {
        match self.cursor.peek() {
            Some(token) if token.kind.is_name() => Ok(self.cursor.decoded_name()?.into_owned()),
            _ => Ok(self.cursor.string()?.into_owned()),
        }
    }

    fn fields(&mut self) -> Result<(), Unreadable> {
        if !self.cursor.word("fields") && !self.cursor.word("columns") {
            return Ok(());
        }
        loop {
            if self.cursor.word("terminated") {
                self.dialect.cell_end = self.by()?;
            } else if self.cursor.word("optionally") || self.is_next("enclosed") {
                self.cursor.expect(|it| it.word("enclosed"))?;
                self.dialect.quote = at_most_one(&self.by()?)?;
            } else if self.cursor.word("escaped") {
                self.dialect.escape = at_most_one(&self.by()?)?;
            } else {
                return Ok(());
            }
        }
    }

    fn lines(&mut self) -> Result<(), Unreadable> {
        if !self.cursor.word("lines") {
            return Ok(());
        }
        loop {
            if self.cursor.word("starting") {
                self.dialect.row_start = self.by()?;
            } else if self.cursor.word("terminated") {
                self.dialect.row_end = self.by()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skipped(&mut self) -> Result<(), Unreadable> {
        if !self.cursor.word("ignore") {
            return Ok(());
        }
        let number = self.cursor.peek().filter(|it| it.kind == Kind::Number);
        let digits = number.ok_or(Unreadable)?.text(self.cursor.text);
        let digits = std::str::from_utf8(digits).map_err(|_| Unreadable)?;
        self.dialect.skipped = digits.parse().map_err(|_| Unreadable)?;
        self.cursor.skip();
        self.cursor.expect(|it| it.word("lines") || it.word("rows"))
    }

    fn targets(&mut self) -> Result<Option<Vec<usize>>, Unreadable> {
        if !self.cursor.symbol(b'(') || self.cursor.symbol(b')') {
            return Ok(None);
        }
        let mut targets = Vec::new();
        loop {
            let next = self.cursor.peek().ok_or(Unreadable)?;
            if next.kind != Kind::Variable && !next.kind.is_name() {
                return Err(Unreadable);
            }
            targets.push(self.cursor.rest().start);
            self.cursor.skip();
            if self.cursor.symbol(b')') {
                return Ok(Some(targets));
            }
            self.cursor.expect(|it| it.symbol(b','))?;
        }
    }

    fn is_next(&self, word: &str) -> bool {
        let next = self.cursor.peek();
        next.is_some_and(|token| token.is_word(self.cursor.text, word))
    }

    fn by(&mut self) -> Result<Box<[u8]>, Unreadable> {
        self.cursor.expect(|it| it.word("by"))?;
        let value = self.cursor.string()?;
        match value.is_ascii() {
            true => Ok(value.into()),
            false => Err(Unreadable),
        }
    }

    /// Rows of a fixed width are not read here, nor separators of which nobody can tell which one is meant.
    fn check(&self) -> Result<(), Unreadable> {
        let LoadDialect {
            cell_end,
            quote,
            escape,
            row_end,
            ..
        } = &self.dialect;
        let (Some(cell), Some(row)) = (cell_end.first(), row_end.first()) else {
            return Err(Unreadable);
        };
        let overlaps = |byte: &Option<u8>| byte.is_some_and(|byte| byte == *cell || byte == *row);
        match cell_end == row_end || overlaps(quote) || overlaps(escape) {
            true => Err(Unreadable),
            false => Ok(()),
        }
    }
}

fn at_most_one(value: &[u8]) -> Result<Option<u8>, Unreadable> {
    match value {
        [] => Ok(None),
        [byte] => Ok(Some(*byte)),
        _ => Err(Unreadable),
    }
}

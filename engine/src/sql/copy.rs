//! The COPY statement, read from its tokens (PostgreSQL documentation, "COPY"; `gram.y`, `CopyStmt`).
//!
//! Both syntaxes of options are read, that of servers before 9.0 and that with parentheses. What is not known here is
//! an error, so that nothing that changes the meaning of the data is passed over.

use super::ClientEncoding;
use super::cursor::Cursor;
pub use super::cursor::Unreadable;
use super::lexical::Lexical;
use super::token::{Kind, Token};
use std::borrow::Cow;
use std::ops::Range;

/// The statement; names are numbers of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStatement {
    /// What is copied.
    pub target: Target,
    /// Whether rows go into the table.
    pub from: bool,
    /// Whether the rows are on the client's connection, and not in a file or program of the server.
    pub with_client: bool,
    /// How rows are written.
    pub dialect: Dialect,
    /// Columns in which a quoted null string is NULL.
    pub force_null: Listed,
    /// Columns in which a null string that is not quoted is not NULL.
    pub force_not_null: Listed,
    /// The tokens of the condition on rows.
    pub filter: Option<Range<usize>>,
}

/// What is copied; names are numbers of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A table.
    Table {
        /// Its schema.
        schema: Option<usize>,
        /// Its name.
        table: usize,
        /// Its columns, if they are listed.
        columns: Option<Vec<usize>>,
    },
    /// The rows of a query; its tokens, without the parentheses.
    Query(Range<usize>),
}

/// Columns that an option is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listed {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those with these names.
    Columns(Vec<Box<[u8]>>),
}

impl Listed {
    /// Whether a column is meant.
    pub fn has(&self, column: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Columns(names) => names.iter().any(|name| **name == *column),
        }
    }
}

/// How the rows of a COPY are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// The file format.
    pub format: CopyFormat,
    /// Between cells.
    pub delimiter: u8,
    /// Stands for NULL.
    pub null: Box<[u8]>,
    /// Stands for the default of a column.
    pub default: Option<Box<[u8]>>,
    /// The first line has the names of columns.
    pub header: bool,
    /// Around a cell of CSV.
    pub quote: u8,
    /// Before a quote in a quoted cell of CSV.
    pub escape: u8,
    /// The encoding of the rows, if it is not the client's.
    pub encoding: Option<ClientEncoding>,
}

/// The file formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Lines with backslash escapes.
    Text,
    /// Comma separated values.
    Csv,
    /// Length-prefixed values.
    Binary,
}

/// Whether a statement is a COPY.
pub fn is_copy(text: &[u8], statement: &[Token]) -> bool {
    statement
        .first()
        .is_some_and(|first| first.is_word(text, "copy"))
}

/// Whether there could be a COPY in a text: looks for the letters only.
pub fn may_hold_copy(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'y', b'Y', text).any(|last| {
        last.checked_sub(3)
            .and_then(|first| text.get(first..last))
            .is_some_and(|word| word.eq_ignore_ascii_case(b"cop"))
    })
}

/// Reads the COPY statement of these tokens.
///
/// # Errors
///
/// [`Unreadable`]: the syntax is wrong or has something that is not known here.
pub fn read(
    text: &[u8],
    tokens: &[Token],
    range: Range<usize>,
    lexical: &Lexical,
) -> Result<CopyStatement, Unreadable> {
    let mut reader = Reader {
        cursor: Cursor::new(text, tokens, range, lexical),
        options: Options::default(),
    };
    reader.statement()
}

/// Options as they were written.
#[derive(Default)]
struct Options {
    format: Option<CopyFormat>,
    delimiter: Option<u8>,
    null: Option<Box<[u8]>>,
    default: Option<Box<[u8]>>,
    header: bool,
    quote: Option<u8>,
    escape: Option<u8>,
    encoding: Option<ClientEncoding>,
    force_null: Listed,
    force_not_null: Listed,
}

impl Options {
    fn dialect(&mut self) -> Dialect {
        let format = self.format.unwrap_or(CopyFormat::Text);
        let is_csv = format == CopyFormat::Csv;
        let quote = self.quote.unwrap_or(b'"');
        Dialect {
            format,
            delimiter: self.delimiter.unwrap_or(if is_csv { b',' } else { b'\t' }),
            null: self
                .null
                .take()
                .unwrap_or_else(|| if is_csv { b"".as_slice() } else { b"\\N" }.into()),
            default: self.default.take(),
            header: self.header,
            quote,
            escape: self.escape.unwrap_or(quote),
            encoding: self.encoding,
        }
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    options: Options,
}

impl<'a> Reader<'a> {
    fn statement(&mut self) -> Result<CopyStatement, Unreadable> {
        self.cursor.expect(|it| it.word("copy"))?;
        if self.cursor.word("binary") {
            self.options.format = Some(CopyFormat::Binary);
        }
        let target = match self.cursor.symbol(b'(') {
            true => Target::Query(self.cursor.parenthesised()?),
            false => self.table()?,
        };
        let from = self.cursor.word("from");
        if !from {
            self.cursor.expect(|it| it.word("to"))?;
        }
        let is_program = self.cursor.word("program");
        let with_client = !is_program && (self.cursor.word("stdin") || self.cursor.word("stdout"));
        if !with_client {
            self.cursor.string()?;
        }
        let using = self.cursor.word("using");
        if self.cursor.word("delimiters") {
            self.options.delimiter = Some(self.one_byte()?);
        } else if using {
            return Err(Unreadable);
        }
        self.cursor.word("with");
        match self.cursor.symbol(b'(') {
            true => self.generic_options()?,
            false => self.old_options()?,
        }
        let filter = self.cursor.word("where").then_some(self.cursor.rest());
        if filter.is_none() && !self.cursor.is_done() {
            return Err(Unreadable);
        }
        Ok(CopyStatement {
            target,
            from,
            with_client,
            dialect: self.options.dialect(),
            force_null: std::mem::take(&mut self.options.force_null),
            force_not_null: std::mem::take(&mut self.options.force_not_null),
            filter,
        })
    }

    fn table(&mut self) -> Result<Target, Unreadable> {
        let (mut schema, mut table) = (None, self.cursor.name()?);
        while self.cursor.symbol(b'.') {
            schema = Some(table);
            table = self.cursor.name()?;
        }
        let columns = match self.cursor.symbol(b'(') {
            true => {
                let mut columns = vec![self.cursor.name()?];
                while self.cursor.symbol(b',') {
                    columns.push(self.cursor.name()?);
                }
                self.cursor.expect(|it| it.symbol(b')'))?;
                Some(columns)
            }
            false => None,
        };
        Ok(Target::Table {
            schema,
            table,
            columns,
        })
    }

    fn old_options(&mut self) -> Result<(), Unreadable> {
        loop {
            if self.cursor.word("binary") {
                self.options.format = Some(CopyFormat::Binary);
            } else if self.cursor.word("csv") {
                self.options.format = Some(CopyFormat::Csv);
            } else if self.cursor.word("header") {
                self.options.header = true;
            } else if self.cursor.word("freeze") {
                // Changes nothing of the data.
            } else if self.cursor.word("delimiter") {
                self.cursor.word("as");
                self.options.delimiter = Some(self.one_byte()?);
            } else if self.cursor.word("null") {
                self.cursor.word("as");
                self.options.null = Some(self.cursor.string()?.into());
            } else if self.cursor.word("quote") {
                self.cursor.word("as");
                self.options.quote = Some(self.one_byte()?);
            } else if self.cursor.word("escape") {
                self.cursor.word("as");
                self.options.escape = Some(self.one_byte()?);
            } else if self.cursor.word("encoding") {
                self.options.encoding = Some(ClientEncoding::of_name(&self.cursor.string()?));
            } else if self.cursor.word("force") {
                if self.cursor.word("quote") {
                    self.columns()?;
                } else if self.cursor.word("not") {
                    self.cursor.expect(|it| it.word("null"))?;
                    self.options.force_not_null = self.columns()?;
                } else {
                    self.cursor.expect(|it| it.word("null"))?;
                    self.options.force_null = self.columns()?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn generic_options(&mut self) -> Result<(), Unreadable> {
        loop {
            match &*self.cursor.decoded_name()? {
                b"format" => {
                    self.options.format = Some(match &*self.value()? {
                        b"text" => CopyFormat::Text,
                        b"csv" => CopyFormat::Csv,
                        b"binary" => CopyFormat::Binary,
                        _ => return Err(Unreadable),
                    });
                }
                b"delimiter" => self.options.delimiter = Some(single(&self.value()?)?),
                b"null" => self.options.null = Some(self.value()?.into()),
                b"default" => self.options.default = Some(self.value()?.into()),
                b"header" => self.options.header = self.header()?,
                b"quote" => self.options.quote = Some(single(&self.value()?)?),
                b"escape" => self.options.escape = Some(single(&self.value()?)?),
                b"encoding" => {
                    self.options.encoding = Some(ClientEncoding::of_name(&self.value()?));
                }
                b"force_quote" => drop(self.listed()?),
                b"force_null" => self.options.force_null = self.listed()?,
                b"force_not_null" => self.options.force_not_null = self.listed()?,
                // These change nothing of how the data are read.
                b"freeze" | b"on_error" | b"log_verbosity" | b"reject_limit" => {
                    if !self.is_end_of_option() {
                        self.value()?;
                    }
                }
                _ => return Err(Unreadable),
            }
            if self.cursor.symbol(b')') {
                return Ok(());
            }
            self.cursor.expect(|it| it.symbol(b','))?;
        }
    }

    fn is_end_of_option(&self) -> bool {
        self.cursor.peek().is_none_or(|token| {
            token.is(self.cursor.text, b',') || token.is(self.cursor.text, b')')
        })
    }

    /// The argument of an option in parentheses: a word, a string or a number.
    fn value(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        match self.cursor.peek() {
            Some(token) if token.kind.is_name() => self.cursor.decoded_name(),
            Some(token) if token.kind == Kind::Number => {
                self.cursor.skip();
                Ok(Cow::Borrowed(token.text(self.cursor.text)))
            }
            _ => self.cursor.string(),
        }
    }

    fn header(&mut self) -> Result<bool, Unreadable> {
        if self.is_end_of_option() {
            return Ok(true);
        }
        match &*self.value()?.to_ascii_lowercase() {
            b"true" | b"on" | b"1" | b"match" => Ok(true),
            b"false" | b"off" | b"0" => Ok(false),
            _ => Err(Unreadable),
        }
    }

    /// `*` or names in parentheses.
    fn listed(&mut self) -> Result<Listed, Unreadable> {
        if self.cursor.symbol(b'*') {
            return Ok(Listed::All);
        }
        self.cursor.expect(|it| it.symbol(b'('))?;
        let columns = self.columns()?;
        self.cursor.expect(|it| it.symbol(b')'))?;
        Ok(columns)
    }

    /// `*` or names.
    fn columns(&mut self) -> Result<Listed, Unreadable> {
        if self.cursor.symbol(b'*') {
            return Ok(Listed::All);
        }
        let mut names = vec![self.cursor.decoded_name()?.into()];
        while self.cursor.symbol(b',') {
            names.push(self.cursor.decoded_name()?.into());
        }
        Ok(Listed::Columns(names))
    }

    fn one_byte(&mut self) -> Result<u8, Unreadable> {
        single(&self.cursor.string()?)
    }
}

/// The one byte of a delimiter, quote or escape.
fn single(value: &[u8]) -> Result<u8, Unreadable> {
    match value {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(Unreadable),
    }
}

//! The COPY statement, read from its tokens (PostgreSQL documentation, "COPY"; `gram.y`, `CopyStmt`).
//!
//! Both syntaxes of options are read, that of servers before 9.0 and that with parentheses. What is not known here is
//! an error, so that nothing that changes the meaning of the data is passed over.

use super::lexical::Lexical;
use super::literal;
use super::token::{Kind, Token};
use super::{ClientEncoding, ident};
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

/// A COPY that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

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
        text,
        tokens,
        at: range.start,
        end: range.end,
        lexical,
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
    text: &'a [u8],
    tokens: &'a [Token],
    at: usize,
    end: usize,
    lexical: &'a Lexical,
    options: Options,
}

impl<'a> Reader<'a> {
    fn statement(&mut self) -> Result<CopyStatement, Unreadable> {
        self.expect(|it| it.word("copy"))?;
        if self.word("binary") {
            self.options.format = Some(CopyFormat::Binary);
        }
        let target = match self.symbol(b'(') {
            true => Target::Query(self.parenthesised()?),
            false => self.table()?,
        };
        let from = self.word("from");
        if !from {
            self.expect(|it| it.word("to"))?;
        }
        let is_program = self.word("program");
        let with_client = !is_program && (self.word("stdin") || self.word("stdout"));
        if !with_client {
            self.string()?;
        }
        let using = self.word("using");
        if self.word("delimiters") {
            self.options.delimiter = Some(self.one_byte()?);
        } else if using {
            return Err(Unreadable);
        }
        self.word("with");
        match self.symbol(b'(') {
            true => self.generic_options()?,
            false => self.old_options()?,
        }
        let filter = self.word("where").then_some(self.at..self.end);
        if filter.is_none() && self.at != self.end {
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

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).filter(|_| self.at < self.end)
    }

    fn expect(&mut self, step: impl FnOnce(&mut Self) -> bool) -> Result<(), Unreadable> {
        match step(self) {
            true => Ok(()),
            false => Err(Unreadable),
        }
    }

    /// Takes this keyword if it is next.
    fn word(&mut self, word: &str) -> bool {
        let is = self
            .peek()
            .is_some_and(|token| token.is_word(self.text, word));
        self.at += usize::from(is);
        is
    }

    fn symbol(&mut self, symbol: u8) -> bool {
        let is = self.peek().is_some_and(|token| token.is(self.text, symbol));
        self.at += usize::from(is);
        is
    }

    fn name(&mut self) -> Result<usize, Unreadable> {
        let at = self.at;
        self.peek()
            .filter(|token| token.kind.is_name())
            .ok_or(Unreadable)?;
        self.at += 1;
        Ok(at)
    }

    fn decoded_name(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        let at = self.name()?;
        let token = self.tokens.get(at).ok_or(Unreadable)?;
        Ok(ident::name(token, self.text))
    }

    fn string(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        let value = self
            .peek()
            .filter(|token| token.kind != Kind::National)
            .and_then(|token| literal::string(token, self.text, self.lexical))
            .ok_or(Unreadable)?;
        self.at += 1;
        Ok(value)
    }

    /// From after an opening parenthesis to after the one that closes it; what is between them.
    fn parenthesised(&mut self) -> Result<Range<usize>, Unreadable> {
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.peek() {
            self.at += 1;
            if token.is(self.text, b'(') {
                depth += 1;
            } else if token.is(self.text, b')') {
                depth -= 1;
                if depth == 0 {
                    return Ok(start..self.at - 1);
                }
            }
        }
        Err(Unreadable)
    }

    fn table(&mut self) -> Result<Target, Unreadable> {
        let (mut schema, mut table) = (None, self.name()?);
        while self.symbol(b'.') {
            schema = Some(table);
            table = self.name()?;
        }
        let columns = match self.symbol(b'(') {
            true => {
                let mut columns = vec![self.name()?];
                while self.symbol(b',') {
                    columns.push(self.name()?);
                }
                self.expect(|it| it.symbol(b')'))?;
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
            if self.word("binary") {
                self.options.format = Some(CopyFormat::Binary);
            } else if self.word("csv") {
                self.options.format = Some(CopyFormat::Csv);
            } else if self.word("header") {
                self.options.header = true;
            } else if self.word("freeze") {
                // Changes nothing of the data.
            } else if self.word("delimiter") {
                self.word("as");
                self.options.delimiter = Some(self.one_byte()?);
            } else if self.word("null") {
                self.word("as");
                self.options.null = Some(self.string()?.into());
            } else if self.word("quote") {
                self.word("as");
                self.options.quote = Some(self.one_byte()?);
            } else if self.word("escape") {
                self.word("as");
                self.options.escape = Some(self.one_byte()?);
            } else if self.word("encoding") {
                self.options.encoding = Some(ClientEncoding::of_name(&self.string()?));
            } else if self.word("force") {
                if self.word("quote") {
                    self.columns()?;
                } else if self.word("not") {
                    self.expect(|it| it.word("null"))?;
                    self.options.force_not_null = self.columns()?;
                } else {
                    self.expect(|it| it.word("null"))?;
                    self.options.force_null = self.columns()?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn generic_options(&mut self) -> Result<(), Unreadable> {
        loop {
            match &*self.decoded_name()? {
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
            if self.symbol(b')') {
                return Ok(());
            }
            self.expect(|it| it.symbol(b','))?;
        }
    }

    fn is_end_of_option(&self) -> bool {
        self.peek()
            .is_none_or(|token| token.is(self.text, b',') || token.is(self.text, b')'))
    }

    /// The argument of an option in parentheses: a word, a string or a number.
    fn value(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        match self.peek() {
            Some(token) if token.kind.is_name() => self.decoded_name(),
            Some(token) if token.kind == Kind::Number => {
                self.at += 1;
                Ok(Cow::Borrowed(token.text(self.text)))
            }
            _ => self.string(),
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
        if self.symbol(b'*') {
            return Ok(Listed::All);
        }
        self.expect(|it| it.symbol(b'('))?;
        let columns = self.columns()?;
        self.expect(|it| it.symbol(b')'))?;
        Ok(columns)
    }

    /// `*` or names.
    fn columns(&mut self) -> Result<Listed, Unreadable> {
        if self.symbol(b'*') {
            return Ok(Listed::All);
        }
        let mut names = vec![self.decoded_name()?.into()];
        while self.symbol(b',') {
            names.push(self.decoded_name()?.into());
        }
        Ok(Listed::Columns(names))
    }

    fn one_byte(&mut self) -> Result<u8, Unreadable> {
        single(&self.string()?)
    }
}

/// The one byte of a delimiter, quote or escape.
fn single(value: &[u8]) -> Result<u8, Unreadable> {
    match value {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(Unreadable),
    }
}

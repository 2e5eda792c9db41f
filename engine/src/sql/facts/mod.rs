//! What a statement does with the columns of its tables, before any policy.
//!
//! What is not recognised beyond doubt has no facts, and says what it was. Every name and every literal of the text is
//! looked at once, which is checked against the parser library's own walk and against our tokens.

mod cast;
mod compare;
mod from;
mod mysql;
mod places;
mod reader;
mod survey;
mod term;
pub mod tree;
mod words;
mod wrapped;
mod write;

use super::feed::{self, Unfit};
use super::hidden::Hidden;
use super::lexical::Dialect;
use super::parse;
use super::token::{Kind, Token};
use reader::Reader;
use std::ops::Range;
use survey::Survey;

pub use cast::{named, typed};
pub use tree::Facts;
pub use wrapped::{Wrapped, Wrapper, unwrap};

/// Why a statement has no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFacts {
    /// The form is known and not supported; what stands out in it.
    Form(&'static str),
    /// The parser library cannot read it, or read something else than the lexer.
    NotUnderstood,
    /// It has too many tokens.
    TooLong,
}

/// Whatever is not data manipulation.
pub const OTHER_STATEMENT: NoFacts = NoFacts::Form(
    "a statement other than SELECT, INSERT, UPDATE, DELETE, MERGE and what contains them",
);

/// A clause of another database.
const FOREIGN: NoFacts = NoFacts::Form("a clause that the database does not have");

/// A statement as it was read.
#[derive(Debug)]
pub struct Reading {
    /// Names that the parser library took for relations: schema and name.
    pub relations: Vec<(Option<usize>, usize)>,
    /// All names that it found.
    pub names: Vec<usize>,
    /// Those that it took for aliases of tables.
    pub aliases: Vec<usize>,
    /// Whether `relations` is all that the statement reads or writes.
    pub complete: bool,
    /// The facts.
    pub facts: Result<Facts, NoFacts>,
}

/// The tokens of one statement.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The text.
    pub text: &'a [u8],
    /// All tokens of the text.
    pub tokens: &'a [Token],
    /// First and last token of the statement.
    pub range: (usize, usize),
    /// Tokens that repeat others, see [`super::shape`].
    pub folded: &'a [Range<usize>],
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// Tokens of parameters that have their numbers by their places, of the whole text.
    pub params: &'a [usize],
}

impl<'a> Source<'a> {
    /// The statement's tokens with their numbers, without repeated ones.
    pub fn tokens(&self) -> impl Iterator<Item = (usize, &'a Token)> {
        let before = self
            .folded
            .partition_point(|range| range.end <= self.range.0);
        let mut next = self.folded.iter().skip(before).peekable();
        self.tokens
            .iter()
            .enumerate()
            .take(self.range.1)
            .skip(self.range.0)
            .filter(move |(index, _)| {
                while next.next_if(|range| range.end <= *index).is_some() {}
                next.peek().is_none_or(|range| !range.contains(index))
            })
    }

    /// The number of the one token that the parser library had in this place.
    fn token_at(&self, span: sqlparser::tokenizer::Span) -> Option<usize> {
        feed::index_of(span).filter(|token| (self.range.0..self.range.1).contains(token))
    }

    /// The number of a parameter; the protocols have 65 535 of them.
    pub fn param_number(&self, token: usize) -> Option<u16> {
        let text = self.tokens.get(token)?.text(self.text);
        if text == b"?" {
            let before = self.params.binary_search(&token).ok()?;
            return u16::try_from(before + 1).ok();
        }
        std::str::from_utf8(text.get(1..)?).ok()?.parse().ok()
    }

    /// What a token is.
    pub fn kind(&self, token: usize) -> Option<Kind> {
        self.tokens.get(token).map(|token| token.kind)
    }
}

/// Whether a statement administers tables and can carry neither values nor expressions.
pub fn is_maintenance(source: &Source<'_>) -> bool {
    const WORDS: [&str; 10] = [
        "analyze", "analyse", "vacuum", "truncate", "lock", "reindex", "cluster", "grant",
        "revoke", "drop",
    ];
    if source.dialect.is_mysql() {
        let range = source.range.0..source.range.1;
        let statement = source.tokens.get(range).unwrap_or_default();
        return super::mysql::is_harmless(source.text, statement);
    }
    let mut tokens = source.tokens().map(|(_, token)| token);
    tokens
        .next()
        .is_some_and(|first| WORDS.iter().any(|word| first.is_word(source.text, word)))
        && !tokens.any(|token| token.kind.is_data())
}

/// Reads one statement and hands it to `then`, on a stack that is large enough for its depth.
///
/// # Errors
///
/// [`NoFacts`], if not even its relations are known.
pub fn read<T>(source: &Source<'_>, then: impl FnOnce(Reading) -> T) -> Result<T, NoFacts> {
    const WORDS: [&str; 8] = [
        "select", "insert", "update", "delete", "merge", "with", "values", "table",
    ];
    let is_dml = source.tokens().next().is_some_and(|(_, first)| {
        first.is(source.text, b'(')
            || source.dialect.is_mysql() && first.is_word(source.text, "replace")
            || WORDS.iter().any(|word| first.is_word(source.text, word))
    });
    if !is_dml {
        return Err(OTHER_STATEMENT);
    }
    let hidden = Hidden::of(source);
    let tokens = feed::feed(source, &hidden).map_err(|unfit| match unfit {
        Unfit::TooLong => NoFacts::TooLong,
        Unfit::Unknown => NoFacts::NotUnderstood,
    })?;
    parse::with_statement(tokens, source.dialect, |statement| {
        let survey = Survey::of(statement, source, &hidden)?;
        let mut reader = Reader::new(source, &hidden);
        let facts = reader
            .statement(statement)
            .and_then(|facts| reader.has_seen(&survey).map(|()| facts));
        Ok(then(Reading {
            complete: reader::is_dml(statement) && !survey.selects_into,
            relations: survey.relations,
            names: survey.names,
            aliases: survey.aliases,
            facts,
        }))
    })
    .map_err(|_| NoFacts::NotUnderstood)?
}

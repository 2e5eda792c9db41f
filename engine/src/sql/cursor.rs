//! Going through the tokens of a statement whose grammar is read by hand.

use super::lexical::Lexical;
use super::token::{Kind, Token};
use super::{ident, literal};
use std::borrow::Cow;
use std::ops::Range;

/// A statement that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// A place in a statement.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    tokens: &'a [Token],
    at: usize,
    end: usize,
    lexical: &'a Lexical,
}

impl<'a> Cursor<'a> {
    /// At the first of these tokens.
    pub(super) fn new(
        text: &'a [u8],
        tokens: &'a [Token],
        range: Range<usize>,
        lexical: &'a Lexical,
    ) -> Self {
        Self {
            text,
            tokens,
            at: range.start,
            end: range.end,
            lexical,
        }
    }

    /// The tokens that are left.
    pub(super) fn rest(&self) -> Range<usize> {
        self.at..self.end
    }

    /// Whether none are left.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    /// Goes on by one token.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).filter(|_| self.at < self.end)
    }

    /// Takes what has to be next.
    pub(super) fn expect(
        &mut self,
        step: impl FnOnce(&mut Self) -> bool,
    ) -> Result<(), Unreadable> {
        match step(self) {
            true => Ok(()),
            false => Err(Unreadable),
        }
    }

    /// Takes this keyword if it is next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let is = self
            .peek()
            .is_some_and(|token| token.is_word(self.text, word));
        self.at += usize::from(is);
        is
    }

    /// Takes this byte of punctuation if it is next.
    pub(super) fn symbol(&mut self, symbol: u8) -> bool {
        let is = self.peek().is_some_and(|token| token.is(self.text, symbol));
        self.at += usize::from(is);
        is
    }

    /// The number of the token of a name.
    pub(super) fn name(&mut self) -> Result<usize, Unreadable> {
        let at = self.at;
        self.peek()
            .filter(|token| token.kind.is_name())
            .ok_or(Unreadable)?;
        self.at += 1;
        Ok(at)
    }

    /// A name as the server knows it.
    pub(super) fn decoded_name(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        let at = self.name()?;
        let token = self.tokens.get(at).ok_or(Unreadable)?;
        Ok(ident::name(token, self.text))
    }

    /// The bytes of a string.
    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        let value = self
            .peek()
            .filter(|token| token.kind != Kind::National)
            .and_then(|token| literal::string(token, self.text, self.lexical))
            .ok_or(Unreadable)?;
        self.at += 1;
        Ok(value)
    }

    /// From after an opening parenthesis to after the one that closes it; what is between them.
    pub(super) fn parenthesised(&mut self) -> Result<Range<usize>, Unreadable> {
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
}

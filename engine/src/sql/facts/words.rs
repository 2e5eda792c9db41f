//! What stands at a place of a statement. Behind its end stands nothing.

use super::Source;
use super::tree::TableName;
use crate::sql::token::Token;
use std::ops::Range;

impl Source<'_> {
    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).filter(|_| at < self.range.1)
    }

    /// Whether this keyword is at a place.
    pub(crate) fn is(&self, at: usize, word: &str) -> bool {
        let token = self.token(at);
        token.is_some_and(|token| token.is_word(self.text, word))
    }

    /// Whether one of these keywords is.
    pub(crate) fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Whether these keywords follow each other from a place on.
    pub(crate) fn are(&self, at: usize, words: &[&str]) -> bool {
        let mut places = (at..).zip(words);
        places.all(|(at, word)| self.is(at, word))
    }

    /// Whether this byte of punctuation is.
    pub(crate) fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        let token = self.token(at);
        token.is_some_and(|token| token.is(self.text, symbol))
    }

    /// Whether a name is.
    pub(crate) fn is_name(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| token.kind.is_name())
    }

    /// A name with dots, and the place after it.
    pub(crate) fn table(&self, mut at: usize) -> Option<(TableName, usize)> {
        let mut names = Vec::new();
        loop {
            if !self.is_name(at) {
                return None;
            }
            names.push(at);
            at += 1;
            if !self.is_symbol(at, b'.') {
                break;
            }
            at += 1;
        }
        let table = names.pop()?;
        let schema = names.pop();
        Some((TableName { schema, table }, at))
    }

    /// The place of the parenthesis that closes the one at `at`.
    pub(crate) fn close(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (at..self.range.1).find(|at| {
            depth += usize::from(self.is_symbol(*at, b'('));
            let closes = self.is_symbol(*at, b')');
            depth = depth.saturating_sub(usize::from(closes));
            closes && depth == 0
        })
    }

    /// What is between commas that are in no parentheses.
    pub(crate) fn list(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, range.start);
        for at in range.clone() {
            depth += usize::from(self.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(self.is_symbol(at, b')')));
            if depth == 0 && self.is_symbol(at, b',') {
                parts.push(from..at);
                from = at + 1;
            }
        }
        parts.push(from..range.end);
        parts
    }
}

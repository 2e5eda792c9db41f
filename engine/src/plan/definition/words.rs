//! The tokens of one statement, by their places.

use crate::sql::facts::Source;
use crate::sql::facts::tree::TableName;
use std::ops::Range;

#[derive(Clone, Copy)]
pub(super) struct Words<'s, 'a> {
    pub(super) source: &'s Source<'a>,
}

impl Words<'_, '_> {
    /// Whether this keyword is at a place.
    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        let token = self.source.tokens.get(at);
        at < self.source.range.1 && token.is_some_and(|token| token.is_word(self.source.text, word))
    }

    /// Whether one of these keywords is.
    pub(super) fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Whether these keywords follow each other from a place on.
    pub(super) fn are(&self, at: usize, words: &[&str]) -> bool {
        let mut places = (at..).zip(words);
        places.all(|(at, word)| self.is(at, word))
    }

    pub(super) fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        let token = self.source.tokens.get(at);
        at < self.source.range.1 && token.is_some_and(|token| token.is(self.source.text, symbol))
    }

    pub(super) fn is_name(&self, at: usize) -> bool {
        at < self.source.range.1 && self.source.kind(at).is_some_and(|kind| kind.is_name())
    }

    /// A name with dots, and the place after it.
    pub(super) fn table(&self, mut at: usize) -> Option<(TableName, usize)> {
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
    pub(super) fn close(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (at..self.source.range.1).find(|at| {
            depth += usize::from(self.is_symbol(*at, b'('));
            let closes = self.is_symbol(*at, b')');
            depth = depth.saturating_sub(usize::from(closes));
            closes && depth == 0
        })
    }

    /// What is between commas that are in no parentheses.
    pub(super) fn list(&self, range: Range<usize>) -> Vec<Range<usize>> {
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

//! The shape of a text: its tokens with the data taken out.
//!
//! The shape is the key of the plan cache and is compared whole. A literal leaves only its kind in it and gets the number
//! of a *slot*, so that a plan can say what happens to the literal of each slot of any text of that shape. Equally
//! shaped rows of a `VALUES` list and members of an `IN` list leave one copy; the literals of the others get its slots.

use super::lexical::Lexical;
use super::token::{Kind, Token};
use std::ops::Range;

/// Stands in the key for one or more repetitions of what is before it.
const REPEATED: u8 = b'*';

/// A literal and its place in the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifted {
    /// Number of the token.
    pub token: u32,
    /// Number of the slot.
    pub slot: u32,
}

/// The shape of a text, with memory that is used again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shape {
    key: Vec<u8>,
    literals: Vec<Lifted>,
    folded: Vec<Range<usize>>,
    /// By range of `folded`: the tokens of one repetition.
    periods: Vec<usize>,
    slots: u32,
}

impl Shape {
    /// What is equal for all texts of this shape and for no other.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The literals in the order of the text.
    pub fn literals(&self) -> &[Lifted] {
        &self.literals
    }

    /// Tokens that repeat what is before them, in the order of the text.
    pub fn folded(&self) -> &[Range<usize>] {
        &self.folded
    }

    /// The same with the number of tokens of one repetition: a comma, and as many as right before the range.
    pub fn repetitions(&self) -> impl Iterator<Item = (&Range<usize>, usize)> {
        self.folded.iter().zip(self.periods.iter().copied())
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.slots as usize
    }

    /// The slot of a token.
    pub fn slot(&self, token: usize) -> Option<usize> {
        let token = u32::try_from(token).ok()?;
        let at = self
            .literals
            .binary_search_by_key(&token, |lifted| lifted.token)
            .ok()?;
        self.literals.get(at).map(|lifted| lifted.slot as usize)
    }

    /// Becomes the same as another one.
    pub fn copy_from(&mut self, other: &Self) {
        self.key.clone_from(&other.key);
        self.literals.clone_from(&other.literals);
        self.folded.clone_from(&other.folded);
        self.periods.clone_from(&other.periods);
        self.slots = other.slots;
    }

    /// About how many bytes of memory its parts take.
    pub fn held(&self) -> usize {
        self.key.capacity()
            + self.literals.capacity() * size_of::<Lifted>()
            + self.folded.capacity() * size_of::<Range<usize>>()
            + self.periods.capacity() * size_of::<usize>()
    }

    /// Gives back memory above what usual texts need.
    pub fn trim(&mut self) {
        self.key.shrink_to(1 << 14);
        self.literals.shrink_to(1 << 10);
        self.folded.shrink_to(1 << 8);
        self.periods.shrink_to(1 << 8);
    }

    /// Computes the shape of a text.
    pub fn compute(&mut self, text: &[u8], tokens: &[Token], lexical: &Lexical) {
        self.key.clear();
        self.literals.clear();
        self.folded.clear();
        self.periods.clear();
        self.slots = 0;
        self.key.push(u8::from(lexical.standard_conforming_strings));
        self.key.push(lexical.encoding as u8);
        self.key.push(lexical.dialect.code());
        if let Some(schema) = &lexical.schema {
            self.key.extend_from_slice(schema.as_bytes());
        }
        // What no name has in it ends it.
        self.key.push(0);
        let mut builder = Builder {
            shape: self,
            text,
            tokens,
            keep_numbers: false,
            keeps_case: lexical.dialect.is_mysql(),
            unclosed: false,
            params: 0,
        };
        builder.run();
    }
}

struct Builder<'a> {
    shape: &'a mut Shape,
    text: &'a [u8],
    tokens: &'a [Token],
    /// After `ORDER BY` and `GROUP BY` a number may be the place of a column.
    keep_numbers: bool,
    /// Words are told apart by their case: a name may become the label of a column, which MySQL shows as it is written.
    keeps_case: bool,
    /// A parenthesis has no end: the text is no SQL, and is not searched for another one's end.
    unclosed: bool,
    /// Parameters that have no number of their own.
    params: u32,
}

impl Builder<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            self.take(at);
            at += 1;
            if token.kind == Kind::Punctuation && token.is(self.text, b';') {
                self.keep_numbers = false;
            }
            if token.kind != Kind::Word {
                continue;
            }
            if token.is_word(self.text, "values") && self.is(at, b'(') {
                at = self.rows(at);
            } else if token.is_word(self.text, "in") && self.is(at, b'(') {
                at = self.members(at);
            } else if token.is_word(self.text, "by") {
                self.keep_numbers = true;
            }
        }
    }

    fn is(&self, at: usize, symbol: u8) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is(self.text, symbol))
    }

    /// Adds one token to the key.
    fn take(&mut self, at: usize) {
        let Some(token) = self.tokens.get(at) else {
            return;
        };
        if self.is_truth(at) {
            self.shape.key.push(TRUTH);
            self.lift(at, self.shape.slots);
            self.shape.slots += 1;
            return;
        }
        self.shape.key.push(token.kind as u8);
        let is_kept = token.kind == Kind::Number && (self.keep_numbers || self.is_of_type(at));
        if token.kind.is_literal() && !is_kept {
            self.lift(at, self.shape.slots);
            self.shape.slots += 1;
            return;
        }
        let raw = token.text(self.text);
        if token.kind == Kind::Param && raw == b"?" {
            // It is another one in each place, so that no row with it repeats another.
            self.params += 1;
            self.shape.key.extend_from_slice(&self.params.to_le_bytes());
            return;
        }
        match u8::try_from(raw.len()) {
            Ok(length) if length < u8::MAX => self.shape.key.push(length),
            _ => {
                self.shape.key.push(u8::MAX);
                let length = token.end - token.start;
                self.shape.key.extend_from_slice(&length.to_le_bytes());
            }
        }
        if token.kind == Kind::Word && !self.keeps_case {
            self.shape
                .key
                .extend(raw.iter().map(u8::to_ascii_lowercase));
        } else {
            self.shape.key.extend_from_slice(raw);
        }
    }

    /// Whether it is `TRUE` or `FALSE` where a value is written; elsewhere the word may be a label.
    fn is_truth(&self, at: usize) -> bool {
        let is_word = |at: usize, words: &[&str]| {
            let token = self.tokens.get(at);
            token.is_some_and(|token| words.iter().any(|word| token.is_word(self.text, word)))
        };
        let Some(before) = at
            .checked_sub(1)
            .filter(|_| is_word(at, &["true", "false"]))
        else {
            return false;
        };
        let follows_operator =
            self.tokens.get(before).map(|token| token.kind) == Some(Kind::Operator);
        follows_operator
            || self.is(before, b'(')
            || self.is(before, b',')
            || is_word(before, &["then", "else", "when"])
    }

    /// Whether a number belongs to a type, as its length or precision, which are no data.
    fn is_of_type(&self, at: usize) -> bool {
        const TYPES: [&str; 9] = [
            "varchar",
            "varying",
            "char",
            "character",
            "numeric",
            "decimal",
            "time",
            "timestamp",
            "timestamptz",
        ];
        let is_second = self.is(at.wrapping_sub(1), b',')
            && self.tokens.get(at.wrapping_sub(2)).map(|first| first.kind) == Some(Kind::Number);
        let open = at.checked_sub(if is_second { 3 } else { 1 });
        let Some(open) = open.filter(|open| self.is(*open, b'(')) else {
            return false;
        };
        let word = open.checked_sub(1).and_then(|word| self.tokens.get(word));
        word.is_some_and(|word| TYPES.iter().any(|name| word.is_word(self.text, name)))
    }

    fn lift(&mut self, at: usize, slot: u32) {
        self.shape.literals.push(Lifted {
            token: at as u32,
            slot,
        });
    }

    /// The place after the parenthesis that closes the one at `at`.
    fn close(&mut self, at: usize) -> Option<usize> {
        if self.unclosed {
            return None;
        }
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(at) {
            if token.is(self.text, b'(') {
                depth += 1;
            } else if token.is(self.text, b')') {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
        }
        self.unclosed = true;
        None
    }

    /// Takes the rows of a `VALUES` list; `at` is its first parenthesis. Returns the place after what was taken.
    fn rows(&mut self, mut at: usize) -> usize {
        // The row that the next ones are compared with: its place in the key, its first slot.
        let mut pattern: Option<(Range<usize>, u32)> = None;
        let mut marked = false;
        while let Some(end) = self.close(at) {
            let (key_start, slot) = (self.shape.key.len(), self.shape.slots);
            let literals = self.shape.literals.len();
            for token in at..end {
                self.take(token);
            }
            let range = key_start..self.shape.key.len();
            match &pattern {
                Some((earlier, first)) if self.same(earlier, &range) => {
                    let first = *first;
                    for lifted in self.shape.literals.iter_mut().skip(literals) {
                        lifted.slot = lifted.slot - slot + first;
                    }
                    self.shape.slots = slot;
                    // The comma before the row goes with it.
                    self.fold(at - 1..end, end - (at - 1));
                    self.shape.key.truncate(key_start - COMMA.len());
                    if !marked {
                        self.shape.key.push(REPEATED);
                        marked = true;
                    }
                }
                _ => {
                    pattern = Some((range, slot));
                    marked = false;
                }
            }
            if !(self.is(end, b',') && self.is(end + 1, b'(')) {
                return end;
            }
            self.take(end);
            at = end + 1;
        }
        at
    }

    /// Takes the members of an `IN` list as long as they are literals; `at` is its parenthesis.
    fn members(&mut self, at: usize) -> usize {
        self.take(at);
        let mut last = at + 1;
        let Some(kind) = self.tokens.get(last).map(|token| token.kind) else {
            return last;
        };
        if !kind.is_literal() || (self.keep_numbers && kind == Kind::Number) {
            return last;
        }
        let slot = self.shape.slots;
        self.take(last);
        let first = last;
        while self.is(last + 1, b',')
            && self.tokens.get(last + 2).map(|token| token.kind) == Some(kind)
            && (self.is(last + 3, b',') || self.is(last + 3, b')'))
        {
            self.lift(last + 2, slot);
            last += 2;
        }
        if last > first {
            self.fold(first + 1..last + 1, 2);
            self.shape.key.push(REPEATED);
        }
        last + 1
    }

    fn same(&self, one: &Range<usize>, other: &Range<usize>) -> bool {
        self.shape.key.get(one.clone()) == self.shape.key.get(other.clone())
    }

    /// Notes that these tokens are repetitions of so many tokens each.
    fn fold(&mut self, tokens: Range<usize>, period: usize) {
        match self.shape.folded.last_mut() {
            Some(last) if last.end == tokens.start => last.end = tokens.end,
            _ => {
                self.shape.folded.push(tokens);
                self.shape.periods.push(period);
            }
        }
    }
}

/// Stands in the key for `TRUE` or `FALSE`.
const TRUTH: u8 = b'T';

/// What a comma leaves in the key.
const COMMA: [u8; 3] = [Kind::Punctuation as u8, 1, b','];

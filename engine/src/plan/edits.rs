//! Changes of a text that are the same for all texts of its shape.
//!
//! A plan cannot know the tokens of a text, since equally shaped rows and members of lists are counted once. It says which
//! token *of the shape* is changed; the token of a text follows from where the text repeats others.

use super::{Edit, Plan, Scratch};
use crate::sql::shape::Shape;
use crate::sql::{Token, splice};
use std::borrow::Cow;
use std::ops::Range;

/// Where a text is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Before the token.
    Before,
    /// In the place of the token and of as many more.
    Over(u32),
    /// After the token.
    After,
}

/// What is written where; the token is one of the text that was planned, or of its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertion {
    pub(super) token: usize,
    pub(super) place: Place,
    pub(super) text: Cow<'static, str>,
}

/// A number that must have the value that it is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Its token; in a plan, its slot.
    pub(super) token: usize,
    pub(super) expected: usize,
}

impl Number {
    /// Whether the text of a number has the value.
    pub(super) fn is(self, text: &[u8]) -> bool {
        let number = std::str::from_utf8(text).ok();
        number.and_then(|number| number.parse().ok()) == Some(self.expected)
    }
}

impl Insertion {
    /// Writes something else in the place of tokens.
    pub(super) fn over(tokens: &Range<usize>, text: impl Into<Cow<'static, str>>) -> Self {
        let more = u32::try_from(tokens.len().saturating_sub(1)).unwrap_or(u32::MAX);
        Self {
            token: tokens.start,
            place: Place::Over(more),
            text: text.into(),
        }
    }

    /// The same by the tokens of the shape.
    pub(super) fn of_shape(self, shape: &Shape) -> Self {
        let before = shape.folded().iter();
        let repeats: usize = before
            .take_while(|folded| folded.end <= self.token)
            .map(ExactSizeIterator::len)
            .sum();
        Self {
            token: self.token - repeats,
            ..self
        }
    }

    /// Bytes that it holds besides itself.
    pub(super) fn held(&self) -> usize {
        match &self.text {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        }
    }

    fn edit(&self, token: usize, tokens: &[Token]) -> Option<Edit> {
        let first = tokens.get(token)?;
        let span = match self.place {
            Place::Before => first.start..first.start,
            Place::After => first.end..first.end,
            Place::Over(more) => first.start..tokens.get(token + more as usize)?.end,
        };
        Some(Edit {
            span: span.start as usize..span.end as usize,
            text: self.text.as_bytes().to_vec(),
        })
    }
}

/// A text with these edits, which are in no order. What is inserted after a token comes before what is inserted in front of
/// the next.
pub fn edited(text: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let longer: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = Vec::with_capacity(text.len() + longer);
    splice(text, &edits, &mut out);
    out
}

impl Plan {
    /// What is changed in a text besides its literals, in no order. `scratch` is as [`super::Planner::plan`] left it for
    /// this text.
    pub fn edits<'a>(&'a self, scratch: &'a Scratch) -> impl Iterator<Item = Edit> + 'a {
        self.insertions.iter().flat_map(move |insertion| {
            let places = places(insertion.token, &scratch.shape);
            places.filter_map(|token| insertion.edit(token, &scratch.tokens))
        })
    }
}

/// The tokens of a text that one of its shape stands for: one, and its repetitions.
fn places(token: usize, shape: &Shape) -> impl Iterator<Item = usize> + use<> {
    let mut first = token;
    let (mut count, mut period) = (0, 0);
    for (range, tokens) in shape.repetitions() {
        if first >= range.start {
            first += range.len();
            continue;
        }
        // What is repeated stands right before its repetitions.
        if first + tokens > range.start {
            (count, period) = (range.len() / tokens, tokens);
        }
        break;
    }
    (0..=count).map(move |repetition| first + repetition * period)
}

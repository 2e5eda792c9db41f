//! The copy of a statement that the parser library sees.
//!
//! It has the length of the original, so that a column of the copy is a byte of the text. All data is overwritten, quoted
//! names lose their content, comments, repeated rows and words that the library does not know are blank, and every byte is ASCII. Long blanks are a comment,
//! since the library makes a token of every single one.

use super::token::{Kind, Token};
use std::ops::Range;

/// A copy of the tokens `range` of a text. It begins with the first of them.
pub fn sanitise(
    text: &[u8],
    tokens: &[Token],
    range: Range<usize>,
    folded: &[Range<usize>],
) -> String {
    let statement = tokens.get(range.clone()).unwrap_or_default();
    let (Some(first), Some(last)) = (statement.first(), statement.last()) else {
        return String::new();
    };
    let base = first.start as usize;
    let mut copy = vec![b' '; last.end as usize - base];
    let before = folded.partition_point(|folded| folded.end <= range.start);
    let mut folded = folded.iter().skip(before).peekable();
    let mut written = 0;
    for (index, token) in tokens.iter().enumerate().take(range.end).skip(range.start) {
        while folded.next_if(|range| range.end <= index).is_some() {}
        let repeats = folded.peek().is_some_and(|range| range.contains(&index));
        if repeats || is_unknown(text, tokens, index) {
            continue;
        }
        let span = token.span();
        if let Some(gap) = copy.get_mut(written..span.start - base) {
            comment(gap);
        }
        written = span.end - base;
        if let Some(place) = copy.get_mut(span.start - base..written) {
            write(token, token.text(text), place);
        }
    }
    if let Some(gap) = copy.get_mut(written..) {
        comment(gap);
    }
    // All of it is ASCII.
    String::from_utf8(copy).unwrap_or_default()
}

/// Words that the library does not know in their place and that change nothing of what is read or written: `ONLY` before a
/// table, `NO KEY` and `KEY` in locks, `OVERRIDING … VALUE`.
fn is_unknown(text: &[u8], tokens: &[Token], index: usize) -> bool {
    let is = |at: Option<usize>, word: &str| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| token.is_word(text, word))
    };
    let at = |distance: isize| index.checked_add_signed(distance);
    let word = |distance: isize, word: &str| is(at(distance), word);
    if word(0, "only") {
        let before = at(-1).and_then(|at| tokens.get(at));
        return ["from", "update", "join", "using"]
            .iter()
            .any(|before| word(-1, before))
            || before.is_some_and(|before| before.is(text, b','));
    }
    let overriding = |first: isize| {
        word(first, "overriding")
            && (word(first + 1, "user") || word(first + 1, "system"))
            && word(first + 2, "value")
    };
    word(-1, "for") && word(0, "no") && word(1, "key") && word(2, "update")
        || word(-2, "for") && word(-1, "no") && word(0, "key") && word(1, "update")
        || word(-1, "for") && word(0, "key") && word(1, "share")
        || (0..3).any(|distance| overriding(-distance))
}

fn write(token: &Token, raw: &[u8], place: &mut [u8]) {
    match token.kind {
        Kind::Quoted | Kind::UnicodeQuoted => enclose(place, b'"'),
        kind if kind.is_string() => enclose(place, b'\''),
        Kind::Bits => enclose(place, b'\''),
        Kind::Number | Kind::OddNumber => place.fill(b'1'),
        _ => {
            for (to, from) in place.iter_mut().zip(raw) {
                *to = if from.is_ascii() { *from } else { b'z' };
            }
        }
    }
}

/// Makes one comment of a gap between tokens. It keeps a blank at either end, so that it joins no operator.
fn comment(gap: &mut [u8]) {
    if let [_, inner @ .., _] = gap
        && let [b1, b2, .., b3, b4] = inner
    {
        (*b1, *b2, *b3, *b4) = (b'/', b'*', b'*', b'/');
    }
}

fn enclose(place: &mut [u8], quote: u8) {
    place.fill(b'z');
    if let [first, .., last] = place {
        *first = quote;
        *last = quote;
    }
}

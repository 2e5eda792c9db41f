//! The copy of a statement that the parser library sees.
//!
//! It has the length of the original, so that a column of the copy is a byte of the text. All data is overwritten, quoted
//! names lose their content, comments, repeated rows and what the library does not know are blank, and every byte is ASCII. Long blanks are a comment,
//! since the library makes a token of every single one.

use super::facts::Source;
use super::hidden::Hidden;
use super::token::{Kind, Token};

/// A copy of a statement, without what is hidden. It begins with the first token.
pub fn sanitise(source: &Source<'_>, hidden: &Hidden) -> String {
    let Source {
        text,
        tokens,
        range: (start, end),
        ..
    } = *source;
    let statement = tokens.get(start..end).unwrap_or_default();
    let (Some(first), Some(last)) = (statement.first(), statement.last()) else {
        return String::new();
    };
    let base = first.start as usize;
    let mut copy = vec![b' '; last.end as usize - base];
    let mut written = 0;
    for (index, token) in source.tokens() {
        if hidden.hides(index) {
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

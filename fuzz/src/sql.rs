//! Lexer, shape, facts and splice.
//!
//! Tokens cover the text but for blanks and comments, and each reads alike on its own; characters stay whole; a shape
//! does not depend on what is in literals; what the parser library finds are tokens of the statement.

use crate::fixture::{Reading, text};
use acra_engine::sql::effects::statements;
use acra_engine::sql::facts::{self, Source};
use acra_engine::sql::shape::Shape;
use acra_engine::sql::{
    ClientEncoding, Dialect, Edit, Kind, Lexical, Token, ident, lex, literal, splice,
};
use arbitrary::{Arbitrary, Unstructured};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    reading: Reading,
    text: &'a [u8],
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let (text, lexical) = (text(input.text), input.reading.lexical());
    let mut tokens = Vec::new();
    if lex(text, &lexical, &mut tokens).is_err() {
        return;
    }
    // What stands in a comment that the server reads is no comment by itself.
    if !has_version(text) {
        cover(text, &tokens, &lexical);
    }
    for token in &tokens {
        let _ = literal::string(token, text, &lexical);
        let name = ident::name(token, text);
        ident::with_name(token, text, |other| assert_eq!(*name, *other));
    }
    let mut shape = Shape::default();
    shape.compute(text, &tokens, &lexical);
    other_literals(text, &tokens, &shape, &lexical);
    for range in statements(text, &tokens) {
        read(&Source {
            text,
            tokens: &tokens,
            range: (range.start, range.end),
            folded: shape.folded(),
            dialect: lexical.dialect,
            params: &[],
        });
    }
}

fn has_version(text: &[u8]) -> bool {
    ["/*!", "/*M!", "/*m!"]
        .iter()
        .any(|begin| memchr::memmem::find(text, begin.as_bytes()).is_some())
}

/// Tokens in order, nothing but blanks and comments between them.
fn cover(text: &[u8], tokens: &[Token], lexical: &Lexical) {
    let mut alone = Vec::new();
    let mut at = 0;
    let utf8 = std::str::from_utf8(text).ok();
    let utf8 = utf8.filter(|_| lexical.encoding == ClientEncoding::Utf8);
    for token in tokens {
        let span = token.span();
        assert!(at <= span.start && span.start < span.end && span.end <= text.len());
        assert!(
            lex(&text[at..span.start], lexical, &mut alone).is_ok() && alone.is_empty(),
            "between tokens: {:?}",
            text[at..span.start].escape_ascii().to_string()
        );
        let raw = token.text(text);
        // A label of MySQL is told from a string by what stands before it.
        let kind = match token.kind {
            Kind::Label => Kind::String,
            kind => kind,
        };
        // In MySQL what follows a dot is a name, which may look like a number.
        let after_dot = lexical.dialect.is_mysql()
            && token.kind == Kind::Word
            && text[..span.start].ends_with(b".");
        assert!(
            after_dot
                || lex(raw, lexical, &mut alone).is_ok()
                    && alone.len() == 1
                    && alone[0].kind == kind
                    && alone[0].span() == (0..raw.len()),
            "{:?} alone: {:?}, {alone:?}",
            token.kind,
            raw.escape_ascii().to_string()
        );
        if let Some(utf8) = utf8 {
            assert!(utf8.is_char_boundary(span.start) && utf8.is_char_boundary(span.end));
        }
        at = span.end;
    }
    let left = lex(&text[at..], lexical, &mut alone);
    assert!(left.is_ok() && alone.is_empty());
}

/// The same text with other data has the same shape, and tokens of the same kinds.
fn other_literals(text: &[u8], tokens: &[Token], shape: &Shape, lexical: &Lexical) {
    let mut edits = Vec::new();
    let mut last = None;
    for lifted in shape.literals() {
        assert!((lifted.slot as usize) < shape.slots());
        assert!(last < Some(lifted.token), "literals in order, each once");
        last = Some(lifted.token);
        let token = &tokens[lifted.token as usize];
        edits.push(Edit {
            span: token.span(),
            text: other(token.kind, token.text(text), lexical.dialect),
        });
    }
    let lifted = tokens.iter().filter(|token| token.kind.is_string()).count();
    assert!(edits.len() >= lifted, "every string is lifted");
    let mut changed = Vec::new();
    splice(text, &edits, &mut changed);
    let mut others = Vec::new();
    let read = lex(&changed, lexical, &mut others);
    let kinds = |tokens: &[Token]| tokens.iter().map(|token| token.kind).collect::<Vec<_>>();
    assert!(
        read.is_ok() && kinds(tokens) == kinds(&others),
        "with other data: {}",
        changed.escape_ascii()
    );
    let mut other = Shape::default();
    other.compute(&changed, &others, lexical);
    assert_eq!(shape.key(), other.key());
    assert_eq!(shape.literals(), other.literals());
    assert_eq!(shape.folded(), other.folded());
}

/// Another literal of this kind. A number keeps its form, which decides what may follow it.
fn other(kind: Kind, raw: &[u8], dialect: Dialect) -> Vec<u8> {
    let other = match kind {
        // One that could be a label is none.
        Kind::String if dialect.is_mysql() => match raw {
            [b'"', ..] => "\"z\" \"z\"",
            [b'\'', ..] => "'z' 'z'",
            _ => "x'7a'",
        },
        // With the quotes that it had, or what else MySQL has: a prefix decides what may stand before it.
        Kind::String => match raw {
            [b'"', ..] => "\"z\"",
            [b'\'', ..] => "'z'",
            _ => "x'7a'",
        },
        Kind::Escape => "E'z'",
        Kind::Unicode => "U&'z'",
        Kind::National => "N'z'",
        Kind::Dollar => "$$z$$",
        Kind::Bits => "B'1'",
        // TRUE or FALSE.
        Kind::Word => "false",
        Kind::Number | Kind::OddNumber => {
            let seven = |byte: &u8| if byte.is_ascii_digit() { b'7' } else { *byte };
            return raw.iter().map(seven).collect();
        }
        _ => panic!("{kind:?} was lifted"),
    };
    other.as_bytes().to_vec()
}

/// Names that the parser library found are those of the statement, each a token that is none of the repeated ones.
fn read(source: &Source<'_>) {
    let _ = facts::read(source, |reading| {
        for name in reading.names {
            assert!((source.range.0..source.range.1).contains(&name));
            assert!(source.kind(name).is_some_and(Kind::is_name));
            assert!(!source.folded.iter().any(|folded| folded.contains(&name)));
        }
    });
}

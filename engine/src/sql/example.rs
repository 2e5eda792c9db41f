//! Reading a text by another one that was read before and differs in literals alone.
//!
//! Programs send the same few texts with other values. What is not a literal is compared as bytes; of a literal no more is looked at
//! than where it ends, and only if it is of the plainest kind. So the outcome is what [`lex`](super::lex()) and
//! [`Shape::compute`] would say, or none.

use super::lexical::{ClientEncoding, Lexical};
use super::shape::Shape;
use super::token::{Kind, Token};
use memchr::memchr2;

/// Longest text that serves as an example, in bytes.
const MAX_TEXT: usize = 1 << 11;

/// A text that was read.
#[derive(Debug)]
pub struct Example {
    text: Box<[u8]>,
    lexical: Lexical,
    tokens: Box<[Token]>,
    shape: Shape,
    ambiguous: bool,
}

/// What a text begins with up to its first literal, or what looks like one; `None`: there is none, or it comes late.
pub fn opening(text: &[u8]) -> Option<&[u8]> {
    let start = text.get(..text.len().min(MAX_TEXT)).unwrap_or_default();
    let mut before = b' ';
    let end = start.iter().position(|byte| {
        let begins =
            *byte == b'\'' || byte.is_ascii_digit() && !super::lex::is_identifier_part(before);
        before = *byte;
        begins
    });
    start.get(..end?)
}

impl Example {
    /// Whether a text is short enough for an example.
    pub fn fits(text: &[u8]) -> bool {
        text.len() <= MAX_TEXT
    }

    /// Keeps a text with its tokens, its shape, and what [`lex`](super::lex()) has returned.
    pub fn new(
        text: &[u8],
        lexical: &Lexical,
        tokens: &[Token],
        shape: &Shape,
        ambiguous: bool,
    ) -> Self {
        let mut kept = Shape::default();
        kept.copy_from(shape);
        Self {
            text: text.into(),
            lexical: lexical.clone(),
            tokens: tokens.into(),
            shape: kept,
            ambiguous,
        }
    }

    /// Reads a text, and returns what [`lex`](super::lex()) would. `None`: it has to be read in another way, and what is in
    /// `tokens` and `shape` is of no use.
    pub fn read(
        &self,
        text: &[u8],
        lexical: &Lexical,
        tokens: &mut Vec<Token>,
        shape: &mut Shape,
    ) -> Option<bool> {
        let is_safe = lexical.encoding != ClientEncoding::Unsafe || text.is_ascii();
        if *lexical != self.lexical || !is_safe || u32::try_from(text.len()).is_err() {
            return None;
        }
        tokens.clear();
        // Where the rest of each of the two texts begins.
        let (mut known, mut at) = (0, 0);
        for lifted in self.shape.literals() {
            let number = lifted.token as usize;
            let literal = self.tokens.get(number)?;
            let between = self.text.get(known..literal.start as usize)?;
            let rest = text.get(at..)?.strip_prefix(between)?;
            at += between.len();
            let length = length(literal, &self.text, rest)?;
            self.copy_up_to(number, literal.start as usize, at, tokens);
            tokens.push(Token {
                kind: literal.kind,
                start: at as u32,
                end: (at + length) as u32,
            });
            (known, at) = (literal.end as usize, at + length);
        }
        if self.text.get(known..)? != text.get(at..)? {
            return None;
        }
        self.copy_up_to(self.tokens.len(), known, at, tokens);
        shape.copy_from(&self.shape);
        Some(self.ambiguous)
    }

    /// Adds the next tokens before this number, which stand before the place `known` here as they do before `at`.
    fn copy_up_to(&self, number: usize, known: usize, at: usize, tokens: &mut Vec<Token>) {
        // Where they are is within 4 GiB; both differences are modulo that.
        let shift = (at as u32).wrapping_sub(known as u32);
        let those = self.tokens.get(tokens.len()..number).unwrap_or_default();
        tokens.extend(those.iter().map(|token| Token {
            kind: token.kind,
            start: token.start.wrapping_add(shift),
            end: token.end.wrapping_add(shift),
        }));
    }

    /// About how many bytes of memory it takes.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.text.len() + size_of_val(&*self.tokens) + self.shape.held()
    }
}

/// How long the literal is with which `rest` begins, in the place of one of an example.
fn length(literal: &Token, example: &[u8], rest: &[u8]) -> Option<usize> {
    let written = literal.text(example);
    match literal.kind {
        Kind::Number if written.iter().all(u8::is_ascii_digit) => {
            let end = rest.iter().position(|byte| !byte.is_ascii_digit());
            Some(end.unwrap_or(rest.len())).filter(|length| *length > 0)
        }
        Kind::String if plain_string(written) == Some(written.len()) => plain_string(rest),
        _ => rest.starts_with(written).then_some(written.len()),
    }
}

/// How long the string is with which some bytes begin, if nothing in it is a quote or a backslash.
fn plain_string(bytes: &[u8]) -> Option<usize> {
    let [b'\'', inner @ ..] = bytes else {
        return None;
    };
    let end = memchr2(b'\'', b'\\', inner)?;
    let [b'\'', behind @ ..] = inner.get(end..)? else {
        return None;
    };
    (behind.first() != Some(&b'\'')).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{MySql, lex};
    use proptest::prelude::*;

    fn read(text: &[u8], lexical: &Lexical) -> Option<(Vec<Token>, Shape, bool)> {
        let (mut tokens, mut shape) = (Vec::new(), Shape::default());
        let ambiguous = lex(text, lexical, &mut tokens).ok()?;
        shape.compute(text, &tokens, lexical);
        Some((tokens, shape, ambiguous))
    }

    fn by(example: &[u8], text: &[u8], lexical: &Lexical) -> Option<(Vec<Token>, Shape, bool)> {
        let (tokens, shape, ambiguous) = read(example, lexical)?;
        let example = Example::new(example, lexical, &tokens, &shape, ambiguous);
        let (mut tokens, mut shape) = (Vec::new(), Shape::default());
        let ambiguous = example.read(text, lexical, &mut tokens, &mut shape)?;
        Some((tokens, shape, ambiguous))
    }

    fn dialects() -> [Lexical; 4] {
        let ansi = MySql {
            ansi_quotes: true,
            ..MySql::default()
        };
        [
            Lexical::default(),
            Lexical::mysql(MySql::default()),
            Lexical::mysql(ansi),
            Lexical {
                encoding: ClientEncoding::Unsafe,
                ..Lexical::default()
            },
        ]
    }

    #[test]
    fn other_literals_are_read() {
        let example = "SELECT a FROM t WHERE id = 5 AND b IN ('x', 'y') ORDER BY 1";
        for (text, is_read) in [
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('x', 'y') ORDER BY 1",
                true,
            ),
            (
                "SELECT a FROM t WHERE id = 12345 AND b IN ('', 'lang; -- /*') ORDER BY 1",
                true,
            ),
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('x', 'y') ORDER BY 2",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5.1 AND b IN ('x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5e1 AND b IN ('x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 0x5 AND b IN ('x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = AND b IN ('x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('x''', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('\\x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('x', 'y', 'z') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM u WHERE id = 5 AND b IN ('x', 'y') ORDER BY 1",
                false,
            ),
            (
                "SELECT a FROM t WHERE id = 5 AND b IN ('x', 'y') ORDER BY 1;",
                false,
            ),
            ("", false),
        ] {
            for lexical in dialects() {
                let found = by(example.as_bytes(), text.as_bytes(), &lexical);
                assert_eq!(found.is_some(), is_read, "{text}");
                if is_read {
                    assert_eq!(found, read(text.as_bytes(), &lexical), "{text}");
                }
            }
        }
        let sjis = &dialects()[3];
        assert_eq!(by(b"SELECT 'a'", "SELECT 'ä'".as_bytes(), sjis), None);
    }

    #[test]
    fn texts_of_one_opening() {
        for (text, expected) in [
            (
                "SELECT a1 FROM t WHERE b = 5",
                Some("SELECT a1 FROM t WHERE b = "),
            ),
            (
                "INSERT INTO t VALUES ('x', 1)",
                Some("INSERT INTO t VALUES ("),
            ),
            ("SELECT $1, @2x, 3", Some("SELECT $1, @")),
            ("SELECT a FROM t", None),
            ("5", Some("")),
            ("", None),
        ] {
            assert_eq!(
                opening(text.as_bytes()),
                expected.map(str::as_bytes),
                "{text}"
            );
        }
    }

    const PIECES: [&str; 34] = [
        "SELECT ",
        "a",
        ".",
        ", ",
        " ",
        "5",
        "12",
        "0x1f",
        "1.5",
        "1e3",
        "e",
        "_",
        "'x'",
        "'it''s'",
        "'\\'",
        "''",
        "\"q\"",
        "E'\\n'",
        "X'1f'",
        "N'n'",
        "_utf8mb4'u'",
        "`b`",
        "(",
        ")",
        " VALUES ",
        " IN ",
        " ORDER BY ",
        "/*! 1 */",
        "-- c\n",
        "$1",
        "?",
        "TRUE",
        "= TRUE",
        "é",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever is read by an example is read as it is without one.
        #[test]
        fn an_example_changes_nothing(
            parts in proptest::collection::vec((0..PIECES.len(), 0..PIECES.len(), 0..4_u8), 0..14),
        ) {
            let example: String = parts.iter().map(|(piece, ..)| PIECES[*piece]).collect();
            // Mostly the same, with other literals here and there.
            let other = |(piece, other, how): &(usize, usize, u8)| match (how, PIECES[*piece]) {
                (0, _) => PIECES[*other],
                (1, "5" | "12") => "007",
                (1, "'x'" | "''") => "'-- /* y'",
                (2, "'x'" | "''") => "'é'",
                (_, piece) => piece,
            };
            let text: String = parts.iter().map(other).collect();
            for lexical in dialects() {
                if let Some(found) = by(example.as_bytes(), text.as_bytes(), &lexical) {
                    prop_assert_eq!(Some(found), read(text.as_bytes(), &lexical), "{} {}", example, text);
                }
            }
        }
    }
}

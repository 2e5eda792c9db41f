//! The tokens of a text.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An unquoted identifier or keyword.
    Word = b'w',
    /// `"…"`.
    Quoted = b'q',
    /// `U&"…"`, with its `UESCAPE` clause if one follows.
    UnicodeQuoted = b'u',
    /// A quoted name of MySQL, or one that is longer than PostgreSQL's.
    Backtick = b'`',
    /// A label of MySQL in quotes of a string.
    Label = b'l',
    /// `@name` or `@@name` of MySQL.
    Variable = b'@',
    /// `'…'`, with what continues it on later lines. In MySQL also `"…"`, `X'…'`, `0x…`, `N'…'`, and the name of a
    /// character set in front of them.
    String = b's',
    /// `E'…'`.
    Escape = b'e',
    /// `U&'…'`, with its `UESCAPE` clause if one follows.
    Unicode = b'U',
    /// `N'…'`.
    National = b'N',
    /// `$tag$…$tag$`.
    Dollar = b'd',
    /// `B'…'` or `X'…'`.
    Bits = b'b',
    /// A number in plain decimal notation.
    Number = b'n',
    /// A number in another notation (`0x1F`, `1_000`), or followed by letters.
    OddNumber = b'o',
    /// `$1`; in MySQL `?`.
    Param = b'p',
    /// A run of operator characters.
    Operator = b'+',
    /// `( ) [ ] , ; : . :: .. :=`
    Punctuation = b'.',
    /// A byte that starts no token.
    Other = b'?',
}

impl Kind {
    /// Whether it is a name.
    pub fn is_name(self) -> bool {
        matches!(
            self,
            Self::Word | Self::Quoted | Self::UnicodeQuoted | Self::Backtick | Self::Label
        )
    }

    /// Whether it is a character string.
    pub fn is_string(self) -> bool {
        matches!(
            self,
            Self::String | Self::Escape | Self::Unicode | Self::National | Self::Dollar
        )
    }

    /// Whether a value can be in it: a string, or a parameter. Numbers also stand where no value does.
    pub fn is_data(self) -> bool {
        self.is_string() || matches!(self, Self::Bits | Self::Param)
    }

    /// Whether it is data of any kind.
    pub fn is_literal(self) -> bool {
        self.is_string() || matches!(self, Self::Bits | Self::Number | Self::OddNumber)
    }
}

/// A piece of the text, `start..end` in bytes. Blanks and comments belong to no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

impl Token {
    /// Its place.
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "a token without bytes is none")]
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Its bytes.
    pub fn text<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.span()).unwrap_or_default()
    }

    /// Whether it is this one byte of punctuation or operator.
    pub fn is(&self, text: &[u8], symbol: u8) -> bool {
        matches!(self.kind, Kind::Punctuation | Kind::Operator)
            && self.len() == 1
            && text.get(self.start as usize) == Some(&symbol)
    }

    /// Whether it is this keyword; `word` is in lower case.
    pub fn is_word(&self, text: &[u8], word: &str) -> bool {
        // Most words are told by their length.
        self.kind == Kind::Word
            && self.len() == word.len()
            && self.text(text).eq_ignore_ascii_case(word.as_bytes())
    }
}

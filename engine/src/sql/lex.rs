//! Text → tokens, by the rules of PostgreSQL's `scan.l`.

use super::lexical::{ClientEncoding, Dialect, Lexical};
use super::mysql;
use super::token::{Kind, Token};
use memchr::{memchr, memchr2, memmem};

/// Most tokens of a text.
pub const MAX_TOKENS: usize = 4 << 20;

/// Why a text has no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexError {
    /// A string, identifier or comment has no end.
    Unterminated,
    /// There are more than [`MAX_TOKENS`], or more than 4 GiB of text.
    TooLong,
    /// Characters cannot be told apart in the client's encoding.
    Encoding,
    /// What it says depends on the server and its version.
    Version,
}

/// Reads a text into `tokens`, which is cleared first. Returns whether there is a string with a backslash in it,
/// whose meaning depends on `standard_conforming_strings`, or a `"…"` of MySQL, whose meaning depends on `ANSI_QUOTES`.
///
/// # Errors
///
/// [`LexError`]; the tokens are then of no use.
pub fn lex(text: &[u8], lexical: &Lexical, tokens: &mut Vec<Token>) -> Result<bool, LexError> {
    tokens.clear();
    if lexical.encoding == ClientEncoding::Unsafe && !text.is_ascii() {
        return Err(LexError::Encoding);
    }
    if u32::try_from(text.len()).is_err() {
        return Err(LexError::TooLong);
    }
    if let Dialect::MySql(mysql) = lexical.dialect {
        return mysql::lex(text, lexical, mysql, tokens);
    }
    let mut lexer = Lexer {
        text,
        at: 0,
        backslash_escapes: !lexical.standard_conforming_strings,
        ambiguous: false,
    };
    loop {
        lexer.skip_blanks()?;
        let start = lexer.at;
        let Some(kind) = lexer.token()? else {
            return Ok(lexer.ambiguous);
        };
        if tokens.len() == MAX_TOKENS {
            return Err(LexError::TooLong);
        }
        tokens.push(Token {
            kind,
            start: start as u32,
            end: lexer.at as u32,
        });
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    backslash_escapes: bool,
    ambiguous: bool,
}

impl<'a> Lexer<'a> {
    fn byte(&self, ahead: usize) -> u8 {
        // A text holds no zero byte, so zero stands for its end.
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest
            .iter()
            .position(|byte| !wanted(*byte))
            .unwrap_or(rest.len());
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    }

    fn skip_blanks(&mut self) -> Result<(), LexError> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c', _) => self.at += 1,
                (b'-', b'-') => self.skip_line(),
                (b'/', b'*') => self.skip_block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// Comments of this kind nest.
    fn skip_block_comment(&mut self) -> Result<(), LexError> {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            self.at += memchr2(b'/', b'*', rest).ok_or(LexError::Unterminated)?;
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads one token; `None` at the end of the text.
    fn token(&mut self) -> Result<Option<Kind>, LexError> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let kind = match (self.byte(0), self.byte(1)) {
            (b'\'', _) => {
                self.plain_string(0)?;
                Kind::String
            }
            (b'e' | b'E', b'\'') => {
                self.quoted_string(1, true)?;
                Kind::Escape
            }
            (b'n' | b'N', b'\'') => {
                self.plain_string(1)?;
                Kind::National
            }
            (b'b' | b'B' | b'x' | b'X', b'\'') => {
                self.quoted_string(1, false)?;
                Kind::Bits
            }
            (b'u' | b'U', b'&') if self.byte(2) == b'\'' => {
                // The server refuses this form where plain strings have escapes.
                self.quoted_string(2, false)?;
                self.uescape()?;
                Kind::Unicode
            }
            (b'u' | b'U', b'&') if self.byte(2) == b'"' => {
                self.at += 2;
                self.quoted_identifier()?;
                self.uescape()?;
                Kind::UnicodeQuoted
            }
            (b'"', _) => {
                self.quoted_identifier()?;
                Kind::Quoted
            }
            (first, _) if is_identifier_start(first) => {
                self.skip_while(is_identifier_part);
                Kind::Word
            }
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => self.number(),
            (b'$', _) => self.dollar()?,
            (b':', b':' | b'=') | (b'.', b'.') => {
                self.at += 2;
                Kind::Punctuation
            }
            (b'(' | b')' | b'[' | b']' | b',' | b';' | b':' | b'.', _) => {
                self.at += 1;
                Kind::Punctuation
            }
            (first, _) if is_operator(first) => {
                self.operator();
                Kind::Operator
            }
            _ => {
                self.at += 1;
                Kind::Other
            }
        };
        Ok(Some(kind))
    }

    /// A string whose reading depends on `standard_conforming_strings`.
    fn plain_string(&mut self, prefix: usize) -> Result<(), LexError> {
        let start = self.at;
        self.quoted_string(prefix, self.backslash_escapes)?;
        self.ambiguous |= self
            .text
            .get(start..self.at)
            .is_some_and(|string| memchr(b'\\', string).is_some());
        Ok(())
    }

    /// Reads `'…'` after a prefix of this length, and every part that continues it on a later line.
    fn quoted_string(&mut self, prefix: usize, escapes: bool) -> Result<(), LexError> {
        self.at += prefix;
        loop {
            self.at += 1;
            self.quoted_part(escapes)?;
            match continuation(self.rest()) {
                Some(quote) => self.at += quote,
                None => return Ok(()),
            }
        }
    }

    /// From after an opening quote to after the closing one.
    fn quoted_part(&mut self, escapes: bool) -> Result<(), LexError> {
        loop {
            let rest = self.rest();
            let stop = if escapes {
                memchr2(b'\'', b'\\', rest)
            } else {
                memchr(b'\'', rest)
            };
            self.at += stop.ok_or(LexError::Unterminated)?;
            match (self.byte(0), self.byte(1)) {
                (b'\'', b'\'') => self.at += 2,
                (b'\'', _) => {
                    self.at += 1;
                    return Ok(());
                }
                _ if self.rest().len() < 2 => return Err(LexError::Unterminated),
                _ => self.at += 2,
            }
        }
    }

    fn quoted_identifier(&mut self) -> Result<(), LexError> {
        self.at += 1;
        loop {
            let rest = self.rest();
            self.at += memchr(b'"', rest).ok_or(LexError::Unterminated)? + 1;
            if self.byte(0) != b'"' {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// Takes a `UESCAPE '…'` that follows into the token.
    fn uescape(&mut self) -> Result<(), LexError> {
        let end = self.at;
        self.skip_blanks()?;
        let is_clause = self
            .rest()
            .get(..7)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"uescape"))
            && !is_identifier_part(self.byte(7));
        if is_clause {
            self.at += 7;
            self.skip_blanks()?;
            if self.byte(0) == b'\'' {
                return self.quoted_string(0, false);
            }
        }
        self.at = end;
        Ok(())
    }

    fn number(&mut self) -> Kind {
        self.skip_while(|byte| byte.is_ascii_digit());
        // `1..2` is a range.
        if self.byte(0) == b'.' && self.byte(1) != b'.' {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        let exponent = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'e' | b'E', b'0'..=b'9', _) => 1,
            (b'e' | b'E', b'+' | b'-', b'0'..=b'9') => 2,
            _ => 0,
        };
        self.at += exponent;
        if exponent > 0 {
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if !is_identifier_start(self.byte(0)) {
            return Kind::Number;
        }
        self.skip_while(is_identifier_part);
        Kind::OddNumber
    }

    /// `$1`, `$tag$…$tag$`, or a stray dollar.
    fn dollar(&mut self) -> Result<Kind, LexError> {
        if self.byte(1).is_ascii_digit() {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
            if !is_identifier_start(self.byte(0)) {
                return Ok(Kind::Param);
            }
            self.skip_while(is_identifier_part);
            return Ok(Kind::Other);
        }
        let rest = self.rest();
        let is_tag = |byte: u8| is_identifier_part(byte) && byte != b'$';
        let tag = rest
            .get(1..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| is_tag(**byte))
            .count();
        let Some(delimiter) = rest.get(..tag + 2).filter(|text| text.ends_with(b"$")) else {
            self.at += 1;
            return Ok(Kind::Other);
        };
        let body = rest.get(delimiter.len()..).unwrap_or_default();
        let end = memmem::find(body, delimiter).ok_or(LexError::Unterminated)?;
        self.at += end + 2 * delimiter.len();
        Ok(Kind::Dollar)
    }

    /// A run of operator characters, which a comment ends. A trailing sign is not part of it, unless the operator has
    /// a character that the SQL standard has no operator with.
    fn operator(&mut self) {
        let rest = self.rest();
        let mut length = rest
            .iter()
            .position(|byte| !is_operator(*byte))
            .unwrap_or(rest.len());
        let run = rest.get(..length).unwrap_or_default();
        let comment = [memmem::find(run, b"--"), memmem::find(run, b"/*")];
        length = comment.into_iter().flatten().min().unwrap_or(length);
        let run = rest.get(..length).unwrap_or_default();
        if !run.iter().any(|byte| b"~!@#^&|`?%".contains(byte)) {
            while length > 1 && matches!(rest.get(length - 1), Some(b'+' | b'-')) {
                length -= 1;
            }
        }
        self.at += length.max(1);
    }
}

/// Where the quote is that continues a string: after blanks with at least one line end among them. Only `--` comments
/// may stand between.
pub(super) fn continuation(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut line_ended = false;
    loop {
        match rest.get(at)? {
            b' ' | b'\t' | b'\x0b' | b'\x0c' => at += 1,
            b'\n' | b'\r' => {
                line_ended = true;
                at += 1;
            }
            b'-' if rest.get(at + 1) == Some(&b'-') => {
                at += memchr2(b'\n', b'\r', rest.get(at..)?)?;
            }
            b'\'' if line_ended => return Some(at),
            _ => return None,
        }
    }
}

/// What a byte can be, by bits.
const START: u8 = 1;
const PART: u8 = 2;
const OPERATOR: u8 = 4;

#[expect(
    clippy::indexing_slicing,
    reason = "computed at compile time, where an index that is wrong is an error"
)]
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let start = (byte as u8).is_ascii_alphabetic() || byte == b'_' as usize || byte >= 0x80;
        let part = start || (byte as u8).is_ascii_digit() || byte == b'$' as usize;
        classes[byte] = if start { START } else { 0 } | if part { PART } else { 0 };
        byte += 1;
    }
    let mut operators: &[u8] = b"+-*/<>=~!@#%^&|`?";
    while let [operator, rest @ ..] = operators {
        classes[*operator as usize] |= OPERATOR;
        operators = rest;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|classes| classes & class != 0)
}

fn is_identifier_start(byte: u8) -> bool {
    is(byte, START)
}

/// Whether a byte can stand inside an unquoted identifier.
pub(in crate::sql) fn is_identifier_part(byte: u8) -> bool {
    is(byte, PART)
}

fn is_operator(byte: u8) -> bool {
    is(byte, OPERATOR)
}

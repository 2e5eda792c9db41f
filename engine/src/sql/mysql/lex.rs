//! Text → tokens, by the rules of MySQL (reference manual, chapter 11) and MariaDB.

use super::labels::is_label;
use super::literal::is_charset;
use crate::sql::lex::{LexError, MAX_TOKENS, is_identifier_part};
use crate::sql::lexical::{ClientEncoding, Lexical, MySql};
use crate::sql::token::{Kind, Token};
use memchr::{memchr, memmem};

/// Longest word that is a token of kind [`Kind::Word`]: names are cut nowhere, and no keyword is as long.
const MAX_WORD: usize = 63;

/// Comments for versions below this are read by every server that is supported.
const ALWAYS: u32 = 50_700;

/// MariaDB does not read comments for these versions of MySQL.
const NOT_MARIADB: std::ops::RangeInclusive<u32> = 50_700..=99_999;

/// The first version of MySQL that takes six digits before a blank for a version; others take five of them.
const SIX_DIGITS: u32 = 90_000;

/// Comments of MariaDB for versions up to this are read by all of it that is supported.
const ALWAYS_MARIADB: u32 = 100_000;

/// And those for this version by none: `mariadb-dump` begins with one, which speaks to its client alone.
const NEVER_MARIADB: u32 = 999_999;

/// As [`crate::sql::lex()`], which has looked at the length and at unsafe encodings.
pub(crate) fn lex(
    text: &[u8],
    lexical: &Lexical,
    mysql: MySql,
    tokens: &mut Vec<Token>,
) -> Result<bool, LexError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        mysql,
        escapes: !lexical.standard_conforming_strings,
        ascii_names: !matches!(lexical.encoding, ClientEncoding::Utf8),
        in_version: false,
        ambiguous: false,
    };
    loop {
        let blanks_from = lexer.at;
        lexer.skip_blanks()?;
        let start = lexer.at;
        if start >= text.len() {
            return match lexer.in_version {
                true => Err(LexError::Unterminated),
                false => Ok(lexer.ambiguous),
            };
        }
        // Right after a name and a dot there is a name, whatever it looks like.
        let touches = blanks_from == start;
        let dotted = match &**tokens {
            [.., name, dot] => {
                touches && name.kind.is_name() && name.end == dot.start && dot.is(text, b'.')
            }
            _ => false,
        };
        let after_name = touches && tokens.last().is_some_and(|last| last.kind.is_name());
        let kind = match lexer.token(dotted, after_name)? {
            Kind::String if lexer.is_label(start, tokens) => Kind::Label,
            kind => kind,
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
    mysql: MySql,
    escapes: bool,
    /// Which characters other bytes are, and whether they are blanks, is not known outside of strings.
    ascii_names: bool,
    /// Inside of a comment that the server reads.
    in_version: bool,
    ambiguous: bool,
}

/// What a comment is to the server.
enum Comment {
    Ignored,
    /// Its text is read; this long is what stands in front of it.
    Read(usize),
}

impl<'a> Lexer<'a> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn run(&self, from: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest().get(from..).unwrap_or_default();
        let stop = rest.iter().position(|byte| !wanted(*byte));
        stop.unwrap_or(rest.len())
    }

    fn skip_blanks(&mut self) -> Result<(), LexError> {
        loop {
            // What most tokens begin with.
            if self.byte(0).is_some_and(is_identifier_part) {
                return Ok(());
            }
            match (self.byte(0), self.byte(1)) {
                (Some(byte), _) if is_blank(byte) => self.at += 1,
                (Some(b'#'), _) => self.skip_line(),
                (Some(b'-'), Some(b'-'))
                    if self.byte(2).is_none_or(|byte| byte <= b' ' || byte == 0x7F) =>
                {
                    self.skip_line();
                }
                (Some(b'/'), Some(b'*')) => self.comment()?,
                (Some(b'*'), Some(b'/')) if self.in_version => {
                    self.in_version = false;
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    /// A zero byte ends a comment too.
    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += memchr::memchr2(b'\n', 0, rest).unwrap_or(rest.len());
    }

    fn comment(&mut self) -> Result<(), LexError> {
        if self.in_version {
            // Servers do not agree on where the outer one ends.
            return Err(LexError::Version);
        }
        match self.kind_of_comment()? {
            Comment::Read(prefix) => {
                self.at += prefix;
                self.in_version = true;
            }
            Comment::Ignored => {
                let body = self.rest().get(2..).unwrap_or_default();
                let end = memmem::find(body, b"*/").ok_or(LexError::Unterminated)?;
                self.at += 2 + end + 2;
            }
        }
        Ok(())
    }

    /// `/*!`, `/*!50000`, `/*M!`, `/*M!100000` are read by servers of that version and newer ones.
    fn kind_of_comment(&self) -> Result<Comment, LexError> {
        let (prefix, maria) = match (self.byte(2), self.byte(3)) {
            (Some(b'!'), _) => (3, false),
            (Some(b'M'), Some(b'!')) => (4, true),
            _ => return Ok(Comment::Ignored),
        };
        if maria && !self.mysql.mariadb {
            return Ok(Comment::Ignored);
        }
        // Fewer digits belong to the text.
        let Some(digits) = self.digits_of_version(prefix)? else {
            return Ok(Comment::Read(prefix));
        };
        let number = self.rest().get(prefix..prefix + digits);
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let version: u32 = number.ok_or(LexError::Version)?;
        let is_read = match self.mysql.version {
            _ if self.mysql.mariadb && !maria && NOT_MARIADB.contains(&version) => false,
            Some(own) => version <= own,
            None if version < ALWAYS || maria && version <= ALWAYS_MARIADB => true,
            None if maria && version == NEVER_MARIADB => false,
            None => return Err(LexError::Version),
        };
        match is_read {
            true => Ok(Comment::Read(prefix + digits)),
            false if self.in_one_piece() => Ok(Comment::Ignored),
            false => Err(LexError::Version),
        }
    }

    /// How many of the digits from here on are a version, if they are one.
    fn digits_of_version(&self, from: usize) -> Result<Option<usize>, LexError> {
        let digits = self.run(from, |byte| byte.is_ascii_digit());
        if digits <= 5 {
            return Ok((digits == 5).then_some(5));
        }
        if self.mysql.mariadb {
            return Ok(Some(6));
        }
        match self.mysql.version {
            Some(own) if own >= SIX_DIGITS => {
                let ends = digits == 6 && self.byte(from + 6).is_some_and(is_blank);
                Ok(Some(if ends { 6 } else { 5 }))
            }
            _ => Err(LexError::Version),
        }
    }

    /// Whether nothing in the comment here looks like another one.
    fn in_one_piece(&self) -> bool {
        let body = self.rest().get(2..).unwrap_or_default();
        let end = memmem::find(body, b"*/").unwrap_or(body.len());
        body.get(..end)
            .is_none_or(|body| memmem::find(body, b"/*").is_none())
    }

    fn token(&mut self, dotted: bool, after_name: bool) -> Result<Kind, LexError> {
        let Some(first) = self.byte(0) else {
            return Err(LexError::Unterminated);
        };
        if dotted && is_identifier_part(first) {
            return self.word();
        }
        Ok(match (first, self.byte(1)) {
            (b'\'', _) => self.strings()?,
            (b'"', _) => {
                self.ambiguous = true;
                match self.mysql.ansi_quotes {
                    true => {
                        self.quoted_name(b'"')?;
                        Kind::Backtick
                    }
                    false => self.strings()?,
                }
            }
            (b'`', _) => {
                self.quoted_name(b'`')?;
                Kind::Backtick
            }
            (b'n' | b'N', Some(b'\'')) => {
                self.at += 1;
                self.strings()?
            }
            (b'x' | b'X', Some(b'\'')) => {
                self.digits_in_quotes(|digit| digit.is_ascii_hexdigit(), Kind::String)?
            }
            (b'b' | b'B', Some(b'\'')) => {
                self.digits_in_quotes(|digit| matches!(digit, b'0' | b'1'), Kind::Bits)?
            }
            (b'_', _) => self.introduced()?,
            (b'0'..=b'9', _) => self.number_or_word()?,
            (b'.', Some(b'0'..=b'9')) if !after_name => {
                self.at += 1;
                self.at += self.run(0, |byte| byte.is_ascii_digit());
                self.exponent()?;
                Kind::Number
            }
            (b'@', _) => self.variable()?,
            (b'?', _) => {
                self.at += 1;
                Kind::Param
            }
            (byte, _) if is_identifier_part(byte) => self.word()?,
            (b':', Some(b'=')) => {
                self.at += 2;
                Kind::Punctuation
            }
            (b'(' | b')' | b',' | b';' | b'.', _) => {
                self.at += 1;
                Kind::Punctuation
            }
            _ => self.operator(),
        })
    }

    /// Strings one after another are one.
    fn strings(&mut self) -> Result<Kind, LexError> {
        loop {
            let Some(quote) = self.byte(0) else {
                return Err(LexError::Unterminated);
            };
            self.at += 1;
            self.string_from(quote)?;
            let end = self.at;
            let version = self.in_version;
            self.skip_blanks()?;
            match self.byte(0) {
                Some(b'\'') => {}
                Some(b'"') => {
                    self.ambiguous = true;
                    if self.mysql.ansi_quotes {
                        self.at = end;
                        self.in_version = version;
                        return Ok(Kind::String);
                    }
                }
                _ => {
                    self.at = end;
                    self.in_version = version;
                    return Ok(Kind::String);
                }
            }
            if version != self.in_version
                || memmem::find(self.text.get(end..self.at).unwrap_or_default(), b"/*!").is_some()
            {
                // What becomes of a value must not leave half a comment.
                return Err(LexError::Version);
            }
        }
    }

    /// From after an opening quote to after the closing one.
    fn string_from(&mut self, quote: u8) -> Result<(), LexError> {
        loop {
            let rest = self.rest();
            let stop = memchr::memchr2(quote, b'\\', rest).ok_or(LexError::Unterminated)?;
            let is_quote = rest.get(stop) == Some(&quote);
            let next = rest.get(stop + 1).copied();
            self.at += stop + 1;
            if is_quote {
                if next != Some(quote) {
                    return Ok(());
                }
                self.at += 1;
            } else {
                self.ambiguous = true;
                if self.escapes {
                    next.ok_or(LexError::Unterminated)?;
                    self.at += 1;
                }
            }
        }
    }

    fn quoted_name(&mut self, quote: u8) -> Result<(), LexError> {
        self.at += 1;
        loop {
            let end = memchr(quote, self.rest()).ok_or(LexError::Unterminated)?;
            self.check_name(end)?;
            self.at += end + 1;
            if self.byte(0) != Some(quote) {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// `X'…'`, `b'…'`
    fn digits_in_quotes(
        &mut self,
        wanted: impl Fn(u8) -> bool,
        kind: Kind,
    ) -> Result<Kind, LexError> {
        self.at += 2;
        self.at += self.run(0, wanted);
        match self.byte(0) {
            Some(b'\'') => {
                self.at += 1;
                Ok(kind)
            }
            // The server refuses it.
            _ => Err(LexError::Unterminated),
        }
    }

    /// The name of a character set and the string that it belongs to, or a word.
    fn introduced(&mut self) -> Result<Kind, LexError> {
        let length = self.run(0, is_identifier_part);
        let word = self.rest().get(1..length).unwrap_or_default();
        if !is_charset(word) {
            return self.word();
        }
        let (start, version) = (self.at, self.in_version);
        self.at += length;
        self.skip_blanks()?;
        if self.in_version != version {
            return Err(LexError::Version);
        }
        match (self.byte(0), self.byte(1)) {
            (Some(b'\''), _) => self.strings(),
            (Some(b'"'), _) if !self.mysql.ansi_quotes => {
                self.ambiguous = true;
                self.strings()
            }
            (Some(b'x' | b'X' | b'b' | b'B' | b'n' | b'N'), Some(b'\''))
            | (Some(b'0'), Some(b'x' | b'b')) => {
                let kind = self.token(false, false)?;
                Ok(match kind {
                    Kind::Bits => Kind::Bits,
                    Kind::String => Kind::String,
                    _ => Kind::Other,
                })
            }
            _ => {
                self.at = start;
                self.word()
            }
        }
    }

    fn word(&mut self) -> Result<Kind, LexError> {
        let rest = self.rest();
        let stop = rest.iter().position(|byte| !is_identifier_part(*byte));
        let name = rest.get(..stop.unwrap_or(rest.len())).unwrap_or_default();
        let ascii = name.is_ascii();
        if self.ascii_names && !ascii {
            return Err(LexError::Encoding);
        }
        self.at += name.len();
        Ok(match name.len() > MAX_WORD || !ascii {
            true => Kind::Backtick,
            false => Kind::Word,
        })
    }

    /// What letters the bytes of a name are.
    fn check_name(&self, length: usize) -> Result<(), LexError> {
        let name = self.rest().get(..length).unwrap_or_default();
        match self.ascii_names && !name.is_ascii() {
            true => Err(LexError::Encoding),
            false => Ok(()),
        }
    }

    /// What begins with a digit: a number, or a name.
    fn number_or_word(&mut self) -> Result<Kind, LexError> {
        let is_digit = |byte: u8| byte.is_ascii_digit();
        let length = self.run(0, is_identifier_part);
        let word = self.rest().get(..length).unwrap_or_default();
        match word {
            [b'0', b'x', digits @ ..]
                if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) =>
            {
                self.at += length;
                return Ok(Kind::String);
            }
            [b'0', b'b', digits @ ..]
                if !digits.is_empty()
                    && digits.iter().all(|digit| matches!(digit, b'0' | b'1')) =>
            {
                self.at += length;
                return Ok(Kind::Bits);
            }
            _ => {}
        }
        let digits = self.run(0, is_digit);
        if digits == length {
            self.at += digits;
            if self.byte(0) == Some(b'.') {
                self.at += 1;
                self.at += self.run(0, is_digit);
                self.exponent()?;
            }
            return Ok(Kind::Number);
        }
        if matches!(self.byte(digits), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(digits + 1), Some(b'+' | b'-')));
            let power = self.run(digits + 1 + sign, is_digit);
            if power > 0 {
                self.at += digits + 1 + sign + power;
                return Ok(Kind::Number);
            }
        }
        self.word()
    }

    /// The exponent behind a number with a point. One without digits is passed over by MySQL together with the number
    /// and a sign, and is an error or a name for others.
    fn exponent(&mut self) -> Result<(), LexError> {
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            let power = self.run(1 + sign, |byte| byte.is_ascii_digit());
            if power == 0 {
                return Err(LexError::Version);
            }
            self.at += 1 + sign + power;
        }
        Ok(())
    }

    /// `@name`, `@'name'`, `@@name`. A name in quotes of a string is read as a string is, backslashes included.
    fn variable(&mut self) -> Result<Kind, LexError> {
        self.at += 1;
        self.at += usize::from(self.byte(0) == Some(b'@'));
        match self.byte(0) {
            Some(b'\'') => {
                self.at += 1;
                self.string_from(b'\'')?;
            }
            Some(b'"') if !self.mysql.ansi_quotes => {
                self.ambiguous = true;
                self.at += 1;
                self.string_from(b'"')?;
            }
            Some(quote @ (b'`' | b'"')) => self.quoted_name(quote)?,
            // A user variable may have dots in its name.
            _ => self.at += self.run(0, |byte| is_identifier_part(byte) || byte == b'.'),
        }
        Ok(Kind::Variable)
    }

    /// Whether the string that has just been read, from here on, is a label.
    fn is_label(&self, start: usize, before: &[Token]) -> bool {
        let raw = self.text.get(start..self.at).unwrap_or_default();
        let is_known = !self.ascii_names || raw.is_ascii();
        is_known && is_label(self.text, before, raw, self.escapes)
    }

    fn operator(&mut self) -> Kind {
        const LONG: [&[u8]; 11] = [
            b"<=>", b"->>", b"<=", b">=", b"<>", b"!=", b"<<", b">>", b"||", b"&&", b"->",
        ];
        let rest = self.rest();
        let long = LONG.iter().find(|operator| rest.starts_with(operator));
        if let Some(operator) = long {
            self.at += operator.len();
            return Kind::Operator;
        }
        let is_operator = rest
            .first()
            .is_some_and(|byte| b"+-*/%<>=!~^&|".contains(byte));
        self.at += 1;
        match is_operator {
            true => Kind::Operator,
            false => Kind::Other,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

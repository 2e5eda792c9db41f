//! What the parser library gets: our tokens, without data.
//!
//! The library's tokenizer is not used, so there is one reading of a text and not two. Strings, parameters and names are empty, numbers
//! are `1`, and of a word only the keyword that it is, if any, is told; so nothing of the text is copied. Repeated rows and what
//! the library does not know are left out. A token's number is its place, by which it is found again in the tree.

use super::facts::Source;
use super::hidden::Hidden;
use super::lexical::{Dialect, MySql};
use super::token::{Kind, Token};
use foldhash::{HashMap, HashMapExt as _};
use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};
use sqlparser::tokenizer::{Location, Span, Token as Fed, TokenWithSpan, Word};
use std::sync::LazyLock;

/// Most tokens of a statement that is parsed.
pub(super) const MAX_TOKENS: usize = 100_000;

/// Why there is nothing for the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// There are more than [`MAX_TOKENS`].
    TooLong,
    /// A token that no statement has.
    Unknown,
}

/// The tokens of a statement as the library knows them.
pub(super) fn feed(source: &Source<'_>, hidden: &Hidden) -> Result<Vec<TokenWithSpan>, Unfit> {
    let expected = source.range.1.saturating_sub(source.range.0);
    let mut fed = Vec::with_capacity(expected.min(MAX_TOKENS));
    for (index, token) in source.tokens() {
        if hidden.hides(index) {
            continue;
        }
        if fed.len() == MAX_TOKENS {
            return Err(Unfit::TooLong);
        }
        fed.push(TokenWithSpan {
            token: match hidden.keyword(index) {
                Some(keyword) => Fed::make_keyword(keyword),
                None => fed_token(token, source).ok_or(Unfit::Unknown)?,
            },
            span: place_of(index as u64),
        });
    }
    Ok(fed)
}

/// Where the library believes the token of this number to be.
fn place_of(index: u64) -> Span {
    let column = |column| Location { line: 1, column };
    Span {
        start: column(index),
        end: column(index + 1),
    }
}

/// The number of the one token that is in this place.
pub(super) fn index_of(span: Span) -> Option<usize> {
    let index = span.start.column;
    (span == place_of(index))
        .then(|| usize::try_from(index).ok())
        .flatten()
}

fn fed_token(token: &Token, source: &Source<'_>) -> Option<Fed> {
    let text = source.text;
    Some(match token.kind {
        Kind::Word => word(token.text(text)),
        Kind::Quoted | Kind::UnicodeQuoted => Fed::Word(Word {
            value: String::new(),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        }),
        // The server gives some of them types of their own, which is not the library's business.
        Kind::Backtick | Kind::Label => Fed::Word(Word {
            value: String::new(),
            quote_style: Some('`'),
            keyword: Keyword::NoKeyword,
        }),
        // It is a value that no text tells.
        Kind::Variable => Fed::Number("1".to_owned(), false),
        Kind::String
        | Kind::Escape
        | Kind::Unicode
        | Kind::National
        | Kind::Dollar
        | Kind::Bits => Fed::SingleQuotedString(String::new()),
        Kind::Number | Kind::OddNumber => Fed::Number("1".to_owned(), false),
        Kind::Param => Fed::Placeholder(String::new()),
        Kind::Operator => match source.dialect {
            Dialect::MySql(mysql) => mysql_operator(token.text(text), mysql),
            Dialect::PostgreSql => operator(token.text(text)),
        },
        Kind::Punctuation => punctuation(token.text(text))?,
        Kind::Other => return None,
    })
}

/// Keywords of the library in capitals.
static KEYWORDS: LazyLock<HashMap<&'static [u8], Keyword>> = LazyLock::new(|| {
    let mut keywords = HashMap::with_capacity(ALL_KEYWORDS.len());
    let words = ALL_KEYWORDS.iter().map(|word| word.as_bytes());
    keywords.extend(words.zip(ALL_KEYWORDS_INDEX.iter().copied()));
    keywords
});

/// Longer than any keyword.
const LONG: usize = 48;

fn keyword(word: &[u8]) -> Keyword {
    let mut capitals = [0; LONG];
    let Some(capitals) = capitals.get_mut(..word.len()) else {
        return Keyword::NoKeyword;
    };
    capitals.copy_from_slice(word);
    capitals.make_ascii_uppercase();
    KEYWORDS
        .get(&*capitals)
        .copied()
        .unwrap_or(Keyword::NoKeyword)
}

fn word(raw: &[u8]) -> Fed {
    let keyword = keyword(raw);
    Fed::Word(Word {
        value: spelling(raw, keyword).to_owned(),
        quote_style: None,
        keyword,
    })
}

/// Words that the library tells from others by their spelling: `from` is no column, `xml` and what begins with `_` may be
/// the type of a string, `xmlparse` has arguments of its own.
fn spelling(raw: &[u8], keyword: Keyword) -> &'static str {
    match raw {
        [b'_', ..] => "_",
        _ if keyword == Keyword::FROM => "from",
        _ if raw.eq_ignore_ascii_case(b"xml") => "xml",
        _ if raw.eq_ignore_ascii_case(b"xmlparse") => "xmlparse",
        _ => "",
    }
}

fn punctuation(raw: &[u8]) -> Option<Fed> {
    Some(match raw {
        b"(" => Fed::LParen,
        b")" => Fed::RParen,
        b"," => Fed::Comma,
        b"." => Fed::Period,
        b"::" => Fed::DoubleColon,
        b"[" => Fed::LBracket,
        b"]" => Fed::RBracket,
        b":" => Fed::Colon,
        b":=" => Fed::Assignment,
        b";" => Fed::SemiColon,
        _ => return None,
    })
}

/// What it means does not matter where it is not a comparison; how it binds does.
fn mysql_operator(raw: &[u8], mysql: MySql) -> Fed {
    match raw {
        // Otherwise it binds more strongly than any comparison, as with PostgreSQL.
        b"||" if !mysql.pipes_as_concat => Fed::make_keyword("OR"),
        b"&&" => Fed::make_keyword("AND"),
        // It compares with NULL, too.
        b"<=>" => Fed::Eq,
        b"!" => Fed::Minus,
        raw => operator(raw),
    }
}

fn operator(raw: &[u8]) -> Fed {
    match raw {
        b"=" => Fed::Eq,
        b"<>" | b"!=" => Fed::Neq,
        b"<" => Fed::Lt,
        b">" => Fed::Gt,
        b"<=" => Fed::LtEq,
        b">=" => Fed::GtEq,
        b"+" => Fed::Plus,
        b"-" => Fed::Minus,
        b"*" => Fed::Mul,
        b"/" => Fed::Div,
        b"%" => Fed::Mod,
        b"^" => Fed::Caret,
        b"||" => Fed::StringConcat,
        b"=>" => Fed::RArrow,
        b"&" => Fed::Ampersand,
        b"|" => Fed::Pipe,
        b"#" => Fed::Sharp,
        b"~" => Fed::Tilde,
        b"<<" => Fed::ShiftLeft,
        b">>" => Fed::ShiftRight,
        b"!" => Fed::ExclamationMark,
        b"!!" => Fed::DoubleExclamationMark,
        b"@" => Fed::AtSign,
        b"|/" => Fed::PGSquareRoot,
        b"||/" => Fed::PGCubeRoot,
        b"~*" => Fed::TildeAsterisk,
        b"!~" => Fed::ExclamationMarkTilde,
        b"!~*" => Fed::ExclamationMarkTildeAsterisk,
        b"~~" => Fed::DoubleTilde,
        b"~~*" => Fed::DoubleTildeAsterisk,
        b"!~~" => Fed::ExclamationMarkDoubleTilde,
        b"!~~*" => Fed::ExclamationMarkDoubleTildeAsterisk,
        b"^@" => Fed::CaretAt,
        b"&&" => Fed::Overlap,
        b"->" => Fed::Arrow,
        b"->>" => Fed::LongArrow,
        b"#>" => Fed::HashArrow,
        b"#>>" => Fed::HashLongArrow,
        b"#-" => Fed::HashMinus,
        b"@>" => Fed::AtArrow,
        b"<@" => Fed::ArrowAt,
        b"@?" => Fed::AtQuestion,
        b"@@" => Fed::AtAt,
        b"?" => Fed::Question,
        b"?&" => Fed::QuestionAnd,
        b"?|" => Fed::QuestionPipe,
        b"@-@" => Fed::AtDashAt,
        b"##" => Fed::DoubleSharp,
        b"?-" => Fed::QuestionMarkDash,
        b"?#" => Fed::QuestionMarkSharp,
        b"?-|" => Fed::QuestionMarkDashVerticalBar,
        b"?||" => Fed::QuestionMarkDoubleVerticalBar,
        // Any other stands between two operands.
        _ => Fed::CustomBinaryOperator(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL_KEYWORDS, KEYWORDS, LONG, keyword};
    use sqlparser::keywords::Keyword;

    #[test]
    fn keywords_are_found_in_any_case() {
        assert_eq!(KEYWORDS.len(), ALL_KEYWORDS.len());
        assert!(ALL_KEYWORDS.iter().all(|word| word.len() < LONG));
        assert_eq!(keyword(b"seLect"), Keyword::SELECT);
        assert_eq!(keyword(b"selected"), Keyword::NoKeyword);
        assert_eq!(keyword(&[b'a'; 2 * LONG]), Keyword::NoKeyword);
    }
}

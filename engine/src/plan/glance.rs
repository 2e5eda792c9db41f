//! What a text for MySQL shows at one walk over its bytes, before it is read: whether it has to be read at all.
//!
//! Wherever a text can mean more than one thing to servers and their settings, it is taken for all of them.

use super::mention::{may_name_variable, mentions_beyond_ascii, quotes_unicode_name};
use crate::columns::{Columns, in_word};
use crate::sql::{mysql, spells};
use memchr::memmem;

/// A text for MySQL or MariaDB at first sight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Glance {
    /// It may name a protected table, or a variable for a column of one.
    named: bool,
    /// Keywords that it has, as bits.
    keywords: u8,
    /// It is one statement that does nothing to the session.
    plain: bool,
}

const EXECUTE: u8 = 1;
const PREPARE: u8 = 1 << 1;
const CALL: u8 = 1 << 2;
const DEFINITION: u8 = 1 << 3;

const KEYWORDS: [(&[u8], u8); 7] = [
    (b"call", CALL),
    (b"drop", DEFINITION),
    (b"alter", DEFINITION),
    (b"create", DEFINITION),
    (b"rename", DEFINITION),
    (b"execute", EXECUTE),
    (b"prepare", PREPARE),
];

/// `;`, which parts statements.
const SEMICOLON: u8 = 1;
/// `/`, with which comments begin, of which servers read some.
const SLASH: u8 = 1 << 1;
/// `&`, which may stand in front of a name with escapes.
const AMPERSAND: u8 = 1 << 2;
/// `\`, behind which letters of a string are others.
const BACKSLASH: u8 = 1 << 3;
/// What is no ASCII.
const HIGH: u8 = 1 << 4;
/// `@`, with which variables begin.
const AT: u8 = 1 << 5;

impl Glance {
    /// Looks at a text for these columns; whether a name of them is not ASCII, and so depends on the encoding of the client.
    pub(super) fn at(text: &[u8], columns: &Columns, foreign_names: bool) -> Self {
        let mut glance = Self {
            named: columns.has_wordless_name(),
            keywords: 0,
            plain: false,
        };
        let mut marks = 0;
        let mut first: &[u8] = &[];
        let mut rest = text;
        while let Some(byte) = rest.first() {
            if !in_word(byte) {
                marks |= mark(*byte);
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| !in_word(byte));
            let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
            if first.is_empty() {
                first = word;
            }
            glance.named |= columns.has_word(word);
            glance.keywords |= keyword(word);
            rest = behind;
        }
        glance.named |= marks & AMPERSAND != 0 && quotes_unicode_name(text)
            || marks & HIGH != 0 && (foreign_names || mentions_beyond_ascii(columns, text))
            || marks & AT != 0 && may_name_variable(columns, text);
        let may_hide = marks & BACKSLASH != 0 || marks & SLASH != 0 && has_read_comment(text);
        if may_hide {
            // The digits of a version, and what a backslash escapes, look like the begin of the word behind them.
            let hidden = KEYWORDS.iter().filter(|(word, _)| spells(text, word));
            glance.keywords |= hidden.fold(0, |all, (_, bit)| all | bit);
        }
        glance.plain = marks & SEMICOLON == 0
            && !may_hide
            && text.trim_ascii_start().starts_with(first)
            && mysql::changes_nothing(first);
        glance
    }

    /// Whether it may concern a protected table, however it is read.
    pub fn may_concern(self) -> bool {
        self.named || self.keywords & EXECUTE != 0
    }

    /// Whether it may prepare a string, which may name a table by escapes.
    pub fn may_prepare(self) -> bool {
        self.keywords & PREPARE != 0
    }

    /// Whether it may call a procedure.
    pub fn may_call(self) -> bool {
        self.keywords & CALL != 0
    }

    /// Whether it may change definitions.
    pub fn may_define(self) -> bool {
        self.keywords & DEFINITION != 0
    }

    /// Whether it has one of the words that more depends on than a plan says.
    pub(super) fn has_keywords(self) -> bool {
        self.keywords != 0
    }

    /// Whether it can pass unread: it is one statement that concerns no protected table and does nothing to the session.
    pub fn passes(self) -> bool {
        self.plain && !self.named && self.keywords == 0
    }
}

/// What a byte between words tells.
fn mark(byte: u8) -> u8 {
    match byte {
        b';' => SEMICOLON,
        b'/' => SLASH,
        b'&' => AMPERSAND,
        b'\\' => BACKSLASH,
        b'@' => AT,
        0x80.. => HIGH,
        _ => 0,
    }
}

/// The bit of a keyword; zero: it is none.
fn keyword(word: &[u8]) -> u8 {
    if !(4..=7).contains(&word.len()) {
        return 0;
    }
    let is = |(keyword, _): &&(&[u8], u8)| {
        keyword.len() == word.len() && word.eq_ignore_ascii_case(keyword)
    };
    KEYWORDS.iter().find(is).map_or(0, |(_, bit)| *bit)
}

/// Whether there is a comment that some servers read.
fn has_read_comment(text: &[u8]) -> bool {
    [&b"/*!"[..], b"/*M!"]
        .iter()
        .any(|begin| memmem::find(text, begin).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Database;
    use crate::plan::mention::mentions;
    use proptest::prelude::*;

    fn columns(name: &str) -> Columns {
        let yaml = format!("schemas: [{{table: '{name}', encrypted: [{{column: ssn}}]}}]");
        Columns::parse(yaml.as_bytes(), Database::MySql)
            .unwrap()
            .columns
    }

    #[test]
    fn one_plain_statement_on_other_tables_passes() {
        let columns = columns("secret");
        for (text, passes) in [
            ("SELECT 1 FROM t WHERE id = 5", true),
            ("\n select 'ä', \"b\" from `t` /* why */ -- because", true),
            ("INSERT INTO t VALUES (1)", true),
            ("COMMIT", true),
            ("SELECT created_at FROM t", true),
            ("SELECT ssn FROM secret", false),
            ("SELECT ssn FROM `SECRET`", false),
            ("SELECT 1; SET sql_mode = ''", false),
            ("SELECT 1;", false),
            ("SELECT 1 /*! + 2 */", false),
            ("SELECT 1 /*M!100000 + 2 */", false),
            ("/* first */ SELECT 1", false),
            ("(SELECT 1)", false),
            ("# SELECT\nSET sql_mode = ''", false),
            ("SELECT 'a\\nb'", false),
            ("SELECT call FROM t", false),
            ("SET NAMES latin1", false),
            ("SET STATEMENT sql_mode = '' FOR SELECT 1", false),
            ("USE other", false),
            ("CALL p()", false),
            ("SELECT @a, @@version", true),
            ("SELECT @secret__ssn := 'x'", false),
            ("CREATE TABLE t (a INT)", false),
            ("DROP PREPARE s", false),
            ("BEGIN NOT ATOMIC SET sql_mode = ''", false),
            ("PREPARE s FROM 'SELECT 1'", false),
            ("EXECUTE s", false),
            ("", false),
            ("5", false),
        ] {
            assert_eq!(
                Glance::at(text.as_bytes(), &columns, false).passes(),
                passes,
                "{text}"
            );
        }
    }

    #[test]
    fn names_are_seen_where_they_are_mentioned() {
        for (name, text, expected) in [
            ("my-table", "INSERT INTO `my-table` VALUES ('\\')", true),
            ("my-table", "SELECT 1 FROM my_table", false),
            ("- -", "SELECT 1", true),
            ("naïve", "SELECT 1 FROM naïve", true),
            ("naïve", "SELECT 1 FROM na", false),
            ("secret", "SELECT 1 FROM éſecret, é`secret`", true),
            ("other", "SELECT 1 FROM U&\"\\0061\"", true),
        ] {
            let glance = Glance::at(text.as_bytes(), &columns(name), false);
            assert_eq!(glance.may_concern(), expected, "{name}: {text}");
        }
    }

    #[test]
    fn keywords_are_seen_behind_versions_and_escapes() {
        let columns = columns("secret");
        for (text, expected) in [
            ("SELECT 1; Prepare s FROM 'SELECT 1'", PREPARE),
            ("/*!50000EXECUTE s*/", EXECUTE),
            ("EXECUTE IMMEDIATE '\\nDROP TABLE t'", EXECUTE | DEFINITION),
            ("call p()", CALL),
            ("ALTER TABLE a RENAME TO b", DEFINITION),
            ("SELECT executed, prepared, recall FROM t", 0),
        ] {
            let glance = Glance::at(text.as_bytes(), &columns, false);
            assert_eq!(glance.keywords, expected, "{text}");
        }
    }

    proptest! {
        /// The walk sees what a search for each of the words sees.
        #[test]
        fn nothing_is_overlooked(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "secret", "SECRET", "execute", "Call", "drop", " ", "; ", "`", "'", "\\n", "/*!", "*/", "é", "_", "&\"", "1",
                ]),
                0..12,
            ),
        ) {
            let (text, columns) = (parts.concat(), columns("secret"));
            let glance = Glance::at(text.as_bytes(), &columns, false);
            prop_assert_eq!(
                glance.named,
                mentions(&columns, text.as_bytes())
            );
            let words: Vec<_> = text.split(|letter: char| !letter.is_ascii() || !in_word(&(letter as u8))).collect();
            for (word, bit) in KEYWORDS {
                let stands = words.iter().any(|there| there.as_bytes().eq_ignore_ascii_case(word));
                prop_assert!(!stands || glance.keywords & bit != 0, "{}", text);
            }
        }
    }
}

//! Whether raw bytes speak of a protected table, or may hold values for one, where they cannot be read as SQL.

use crate::columns::{Columns, in_word};
use crate::sql::spells;
use memchr::memchr_iter;

/// Whether any word in these bytes is the name of a protected table in any case, or of a name that is several words the longest one.
///
/// Meant for function bodies in any language, strings that are run later and texts that cannot be read: it does not
/// see names that are put together, takes a word inside a comment for a name, and any name with Unicode escapes
/// (`U&"…"`) for a protected one.
pub(super) fn mentions(columns: &Columns, bytes: &[u8]) -> bool {
    columns.has_wordless_name()
        || quotes_unicode_name(bytes)
        || bytes
            .split(|byte| !in_word(byte))
            .any(|word| columns.has_word(word))
        || !bytes.is_ascii() && mentions_beyond_ascii(columns, bytes)
}

/// Whether a name with Unicode escapes may stand there.
pub(super) fn quotes_unicode_name(bytes: &[u8]) -> bool {
    memchr_iter(b'&', bytes).any(|at| bytes.get(at + 1) == Some(&b'"'))
}

/// Whether a word is such a name if bytes above 0x7F belong to it: they may be part of a name or, in some encodings, of the
/// character before it.
pub(super) fn mentions_beyond_ascii(columns: &Columns, bytes: &[u8]) -> bool {
    bytes
        .split(|byte| byte.is_ascii() && !in_word(byte))
        .any(|word| columns.has_word(word))
}

/// Whether a text may name a user variable of MySQL that is for a protected column. Names in quotes may be written with escapes, and
/// servers take letters that are not ASCII for others.
pub(super) fn may_name_variable(columns: &Columns, text: &[u8]) -> bool {
    let delimiter = columns.variable_delimiter().as_bytes();
    memchr_iter(b'@', text).any(|at| {
        let rest = text.get(at + 1..).unwrap_or_default();
        if matches!(rest.first(), Some(b'\'' | b'"' | b'`')) {
            return true;
        }
        let is_part = |byte: &u8| in_word(byte) || *byte == b'.' || !byte.is_ascii();
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let name = rest.get(..length).unwrap_or_default();
        !name.is_ascii() || spells(name, delimiter)
    })
}

/// Whether a text that cannot be read may run a prepared statement, whose protected parameters it then has values for.
pub(super) fn may_execute(bytes: &[u8]) -> bool {
    spells(bytes, b"execute")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Database;

    #[test]
    fn names_of_several_words_and_of_none_are_seen() {
        let columns = |name: &str| {
            let yaml = format!("schemas: [{{table: '{name}', encrypted: [{{column: ssn}}]}}]");
            Columns::parse(yaml.as_bytes(), Database::MySql)
                .unwrap()
                .columns
        };
        for (name, text, expected) in [
            ("my-table", "INSERT INTO `my-table` VALUES ('\\')", true),
            ("my-table", "insert into `My-TABLE` values ('x')", true),
            ("my-table", "INSERT INTO my VALUES ('x')", false),
            ("my-table", "SELECT 1 FROM my_table", false),
            ("a`b c", "SELECT 1 FROM `a``b c`", true),
            ("é t", "SELECT 1 FROM `é t`", true),
            ("- -", "SELECT 1", true),
            ("naïve", "SELECT 1 FROM naïve", true),
            ("naïve", "SELECT 1 FROM na", false),
        ] {
            let found = mentions(&columns(name), text.as_bytes());
            assert_eq!(found, expected, "{name}: {text}");
        }
    }
}

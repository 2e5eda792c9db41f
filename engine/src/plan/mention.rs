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
    let is_word = |word: &[u8]| columns.has_word(word);
    if columns.has_wordless_name() {
        return true;
    }
    if memchr_iter(b'&', bytes).any(|at| bytes.get(at + 1) == Some(&b'"')) {
        return true;
    }
    // A byte above 0x7F may be part of a name or, in some encodings, of the character before it.
    bytes.split(|byte| !in_word(byte)).any(is_word)
        || !bytes.is_ascii()
            && bytes
                .split(|byte| byte.is_ascii() && !in_word(byte))
                .any(is_word)
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

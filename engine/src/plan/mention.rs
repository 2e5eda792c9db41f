//! Whether raw bytes speak of a protected table, or may hold values for one, where they cannot be read as SQL.

use crate::columns::Columns;
use crate::sql::spells;
use memchr::memchr_iter;

/// Whether any word in these bytes is the name of a protected table in any case.
///
/// Meant for function bodies in any language, strings that are run later and texts that cannot be read: it does not
/// see names that are put together, takes a word inside a comment for a name, and any name with Unicode escapes
/// (`U&"…"`) for a protected one.
pub(super) fn mentions(columns: &Columns, bytes: &[u8]) -> bool {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let in_lower_case = |word: &[u8]| {
        word.iter().any(u8::is_ascii_uppercase) && columns.names_table(&word.to_ascii_lowercase())
    };
    let is_name = |word: &[u8]| {
        columns.has_name_of(word.len()) && (columns.names_table(word) || in_lower_case(word))
    };
    if memchr_iter(b'&', bytes).any(|at| bytes.get(at + 1) == Some(&b'"')) {
        return true;
    }
    // A byte above 0x7F may be part of a name or, in some encodings, of the character before it.
    bytes.split(|byte| !in_word(byte)).any(is_name)
        || !bytes.is_ascii()
            && bytes
                .split(|byte| byte.is_ascii() && !in_word(byte))
                .any(is_name)
}

/// Whether a text that cannot be read may run a prepared statement, whose protected parameters it then has values for.
pub(super) fn may_execute(bytes: &[u8]) -> bool {
    spells(bytes, b"execute")
}

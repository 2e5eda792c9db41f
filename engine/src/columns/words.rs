//! The words of tables' names, by which text that is not read as SQL tells that it may name a table.

use super::table::Columns;
use foldhash::HashSet;

/// Of each name that is more than one word, one of its words.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// The longest one, in lower case.
    words: HashSet<Box<[u8]>>,
    /// There is a name without one.
    wordless: bool,
}

impl Words {
    /// Takes note of a name.
    pub(super) fn add(&mut self, name: &str) {
        let name = name.as_bytes();
        if name.iter().all(|byte| in_word(byte) || !byte.is_ascii()) {
            return;
        }
        let longest = name
            .split(|byte| !in_word(byte))
            .max_by_key(|word| word.len())
            .unwrap_or_default();
        match longest {
            [] => self.wordless = true,
            word => drop(self.words.insert(word.to_ascii_lowercase().into())),
        }
    }
}

impl Columns {
    /// Whether a text may name a table in which this is one of several words, and in whatever quotes the name is.
    pub fn has_word(&self, word: &[u8]) -> bool {
        !self.words.words.is_empty() && self.words.words.contains(&*word.to_ascii_lowercase())
    }

    /// Whether the name of a table has no word in it, so that any text may name it.
    pub fn has_wordless_name(&self) -> bool {
        self.words.wordless
    }
}

/// Whether an ASCII byte belongs to a word: names that are more have quotes around them.
pub fn in_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

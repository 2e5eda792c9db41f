//! The words of tables' names, by which text that is not read as SQL tells that it may name a table.

use super::table::{Columns, length_bit};
use foldhash::HashSet;

/// A word of each name.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Names that are one word as they are; of others the longest word, in lower case.
    words: HashSet<Box<[u8]>>,
    /// The lengths of these words, a bit each.
    lengths: u64,
    /// There is a name without one.
    wordless: bool,
}

impl Words {
    /// Takes note of a name.
    pub(super) fn add(&mut self, name: &str) {
        let name = name.as_bytes();
        if name.iter().all(|byte| in_word(byte) || !byte.is_ascii()) {
            return self.insert(name.into());
        }
        let longest = name
            .split(|byte| !in_word(byte))
            .max_by_key(|word| word.len())
            .unwrap_or_default();
        match longest {
            [] => self.wordless = true,
            word => self.insert(word.to_ascii_lowercase().into()),
        }
    }

    fn insert(&mut self, word: Box<[u8]>) {
        self.lengths |= length_bit(word.len());
        self.words.insert(word);
    }

    fn has(&self, word: &[u8]) -> bool {
        self.words.contains(word)
            || word.iter().any(u8::is_ascii_uppercase)
                && self.words.contains(&*word.to_ascii_lowercase())
    }
}

impl Columns {
    /// Whether a text with this word may name a table: it is the name, in any case and quotes, or a word of it.
    #[inline]
    pub fn has_word(&self, word: &[u8]) -> bool {
        // Most words of a text are told from these by their length.
        self.words.lengths & length_bit(word.len()) != 0 && self.words.has(word)
    }

    /// Whether the name of a table has no word in it, so that any text may name it.
    pub fn has_wordless_name(&self) -> bool {
        self.words.wordless
    }
}

/// Whether an ASCII byte belongs to a word: names that are more have quotes around them.
#[inline]
pub fn in_word(byte: &u8) -> bool {
    // Every byte of every text is asked for.
    IN_WORD.get(usize::from(*byte)).is_some_and(|is| *is)
}

#[expect(
    clippy::indexing_slicing,
    reason = "computed at compile time, where an index that is wrong is an error"
)]
static IN_WORD: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'$');
        byte += 1;
    }
    bytes
};

//! Under which names records are kept (tokens.md 3).

use super::value::type_id;
use crate::columns::TokenType;
use sha2::{Digest as _, Sha256};

const DELIMITER: &[u8; 26] = b"tokenizator hash delimiter";

/// Whose tokens they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A client, by its id.
    Client(&'a str),
    /// A zone, by its id: data of Acra before 0.95.
    Zone(&'a str),
}

impl<'a> Owner<'a> {
    /// The word and the id that stand for it in what is hashed.
    fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Client(id) => ("client", id),
            Self::Zone(id) => ("zone", id),
        }
    }
}

/// Groups the records of an owner.
pub fn context_digest(owner: Owner<'_>) -> [u8; 32] {
    let (word, id) = owner.parts();
    Sha256::new()
        .chain_update(word)
        .chain_update(id)
        .finalize()
        .into()
}

/// Names a value or a token, given by its bytes ([`encode`](super::encode)), of an owner and a type.
pub fn data_id(bytes: &[u8], owner: Owner<'_>, token_type: TokenType) -> [u8; 32] {
    let (word, id) = owner.parts();
    Sha256::new()
        .chain_update(DELIMITER)
        .chain_update(bytes)
        .chain_update(word)
        .chain_update(id)
        .chain_update(DELIMITER)
        .chain_update(type_id(token_type).to_string())
        .finalize()
        .into()
}

/// The whole name of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// Of its owner: [`context_digest`].
    pub context: [u8; 32],
    /// `t.` or `h.`, and the [`data_id`] of what it is looked up by.
    pub entry: [u8; 34],
}

impl EntryKey {
    /// Of the record that gives the value of a token.
    pub fn of_token(token: &[u8], owner: Owner<'_>, token_type: TokenType) -> Self {
        Self::new(b"t.", token, owner, token_type)
    }

    /// Of the record that gives the consistent token of a value.
    pub fn of_value(value: &[u8], owner: Owner<'_>, token_type: TokenType) -> Self {
        Self::new(b"h.", value, owner, token_type)
    }

    fn new(kind: &[u8; 2], bytes: &[u8], owner: Owner<'_>, token_type: TokenType) -> Self {
        let mut entry = [0; 34];
        let (prefix, id) = entry.split_at_mut(kind.len());
        prefix.copy_from_slice(kind);
        id.copy_from_slice(&data_id(bytes, owner, token_type));
        Self {
            context: context_digest(owner),
            entry,
        }
    }
}

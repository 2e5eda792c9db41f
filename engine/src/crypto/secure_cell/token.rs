//! The part of a Secure Cell before its ciphertext.

use super::gcm::{Cipher, IV_LENGTH, TAG_LENGTH};

/// AES-256-GCM with a key: the only algorithm word that is written for keys.
const WORD_KEY_256: u32 = 0x4001_0100;
/// AES-256-GCM with a passphrase.
pub(super) const WORD_PASSPHRASE: u32 = 0x4101_0100;

/// Which kind of cell is expected. They differ in the algorithm word and in the passphrase's additional length field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Key,
    Passphrase,
}

/// What a token says.
pub(in crate::crypto) struct Token<'a> {
    /// 128, 192 or 256.
    pub(in crate::crypto) key_bits: u32,
    /// The message length as it stands in the token, which is how the KDF wants it.
    pub(in crate::crypto) length: [u8; 4],
    pub(super) iv: &'a [u8; IV_LENGTH],
    pub(super) tag: &'a [u8; TAG_LENGTH],
    /// What stands behind the tag: salt and iterations of a passphrase; surplus otherwise.
    pub(super) rest: &'a [u8],
}

impl Token<'_> {
    /// Opens the ciphertext that belongs to this token in place. False: it does not open, and is as before.
    pub(in crate::crypto) fn open_in_place(
        &self,
        cipher: &Cipher,
        context: &[u8],
        message: &mut [u8],
    ) -> bool {
        cipher.open(self.iv, context, message, self.tag).is_some()
    }

    /// Appends a token for a key, with an empty tag.
    pub(super) fn write(length: [u8; 4], iv: [u8; IV_LENGTH], out: &mut Vec<u8>) {
        out.extend_from_slice(&WORD_KEY_256.to_le_bytes());
        out.extend_from_slice(&[IV_LENGTH as u8, 0, 0, 0, TAG_LENGTH as u8, 0, 0, 0]);
        out.extend_from_slice(&length);
        out.extend_from_slice(&iv);
        out.extend_from_slice(&[0; TAG_LENGTH]);
    }
}

/// Takes a cell apart: the ciphertext is the last L bytes, the token what is before it. `None`: not a cell, or an empty one.
pub(super) fn split(cell: &[u8], form: Form) -> Option<(Token<'_>, &[u8])> {
    let length: &[u8; 4] = cell.get(12..)?.first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length == 0 {
        return None;
    }
    let (token, ciphertext) = cell.split_at_checked(cell.len().checked_sub(length)?)?;
    Some((read(token, form)?, ciphertext))
}

/// Reads a token.
pub(super) fn read(token: &[u8], form: Form) -> Option<Token<'_>> {
    let (word, rest) = token.split_first_chunk()?;
    let (iv_length, rest) = rest.split_first_chunk()?;
    let (tag_length, rest) = rest.split_first_chunk()?;
    let (length, mut rest) = rest.split_first_chunk()?;
    if form == Form::Passphrase {
        let (context_length, after) = rest.split_first_chunk()?;
        rest = after;
        // The KDF context must be there whole; how long it really is, its own salt length says.
        let needed = u64::from(u32::from_le_bytes(*iv_length))
            .checked_add(u32::from_le_bytes(*tag_length).into())?
            .checked_add(u32::from_le_bytes(*context_length).into())?;
        if needed > rest.len() as u64 {
            return None;
        }
    }
    let key_bits = match (u32::from_le_bytes(*word), form) {
        (WORD_KEY_256, Form::Key) | (WORD_PASSPHRASE, Form::Passphrase) => 256,
        (0x4001_00c0, Form::Key) => 192,
        (0x4001_0080, Form::Key) => 128,
        _ => return None,
    };
    let iv_length = usize::try_from(u32::from_le_bytes(*iv_length)).ok()?;
    let tag_length = usize::try_from(u32::from_le_bytes(*tag_length)).ok()?;
    let (iv, rest) = rest.split_at_checked(iv_length)?;
    let (tag, rest) = rest.split_at_checked(tag_length)?;
    Some(Token {
        key_bits,
        length: *length,
        iv: iv.first_chunk()?,
        tag: tag.first_chunk()?,
        rest,
    })
}

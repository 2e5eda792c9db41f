//! Files of a key store v1 (keystore.md 4): their names, ages and contents.
//!
//! A key file is a Secure Cell and nothing else: the key, sealed with the master key, with a context that follows from
//! the file's name.

pub mod bundle;
mod gob;
mod names;
mod time_stamp;

pub use names::{
    Entry, LOCK, POISON_DIRECTORY, VERSION, VERSION_2, context, file, is_public, is_temporary,
    is_unfinished, old_directory, public, temporary, without_generation, without_old,
};
pub use time_stamp::TimeStamp;

use super::MasterKey;
use crate::crypto::{CryptoError, Secret, secure_cell};
use rand::CryptoRng;

/// Bytes of a symmetric key.
pub const KEY_LENGTH: usize = 32;

/// Longest content of a key file that is read: no key is near it.
pub const MAX_FILE: usize = 64 << 10;

/// The content of the file of a private or symmetric key. `name` is its path within the key directory.
///
/// # Errors
///
/// An empty key.
pub fn seal(
    master: &MasterKey,
    name: &str,
    key: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, CryptoError> {
    let mut file = Vec::new();
    secure_cell::seal(
        rng,
        master.as_bytes(),
        context(name).as_bytes(),
        key,
        &mut file,
    )?;
    Ok(file)
}

/// The key in the file of a private or symmetric key.
///
/// A symmetric key of poison records also opens with the context of their pair, under which imports of Acra seal it.
///
/// # Errors
///
/// The file is damaged, or was written with another master key or for another name.
pub fn open(master: &MasterKey, name: &str, file: &[u8]) -> Result<Secret, CryptoError> {
    let context = context(name);
    let opened = open_with(master, context, file);
    match names::context_of_import(context) {
        Some(other) if opened.is_err() => open_with(master, other, file),
        _ => opened,
    }
}

fn open_with(master: &MasterKey, context: &str, file: &[u8]) -> Result<Secret, CryptoError> {
    // Room for all of it, so that the key is not left behind in memory that was too small.
    let mut key = Vec::with_capacity(file.len());
    secure_cell::open(master.as_bytes(), context.as_bytes(), file, &mut key)?;
    Ok(Secret::from(key))
}

//! Master keys, under which the keys of a key store are sealed (keystore.md 3).

mod base64;
mod error;
mod v1;
mod v2;

pub use error::MasterKeyError;
pub use v1::MasterKey;
pub use v2::MasterKeys;

/// Bytes of a key that is made, and the least that one may have.
const LENGTH: usize = 32;

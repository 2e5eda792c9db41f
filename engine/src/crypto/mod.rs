//! Containers and what they are made of.
//!
//! Job: the byte formats of containers.md: the Soter KDF, the Themis Secure Cell and Secure Message, key pairs on P-256 and X25519,
//! AcraBlock, AcraStruct, the serialized container and their detection in a cell. What must not be known here: where keys are stored, whose they are, what a column is.
//!
//! Every length that comes from outside is compared as a 64-bit number and never reserves memory.

pub mod acrablock;
pub mod acrastruct;
mod block_key;
pub mod container;
pub mod detect;
pub mod ec;
mod error;
pub mod kdf;
mod key_container;
mod key_pair;
pub mod rsa;
pub mod search_hash;
mod secret;
pub mod secure_cell;
pub mod secure_message;
pub mod x25519;

pub use block_key::BlockKey;
pub use error::CryptoError;
pub use key_pair::{KeyPairType, PrivateKey, PublicKey};
pub use secret::Secret;

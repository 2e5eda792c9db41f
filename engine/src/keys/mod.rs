//! Whose keys there are, and the form in which they are stored.
//!
//! Job: client ids, a client's keys, the master key, and the names and contents of key store files (keystore.md). What
//! must not be known here: directories, databases, the environment, the time.

mod calendar;
pub mod certificate;
mod client_id;
mod kind;
mod master;
mod ring;
mod sealed;
pub mod v1;
pub mod v2;

pub use client_id::{ClientId, ClientIdError};
pub use kind::KeyKind;
pub use master::{MasterKey, MasterKeyError, MasterKeys};
pub use ring::ClientKeys;
pub use sealed::SealedKeys;

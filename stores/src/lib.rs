//! Where keys live: key store back ends and master key sources.
//!
//! The formats are the engine's ([`acra_engine::keys::v1`]); here is what needs a file system, a clock and threads. The
//! environment is read by programs, not here.

mod cache;
mod error;
mod file;
mod master_file;
mod safe_file;

pub use cache::KeyCache;
pub use error::KeyStoreError;
pub use file::{FileKeyStore, Notice, Version, version_of};
pub use master_file::generate_master_key;

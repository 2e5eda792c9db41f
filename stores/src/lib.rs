//! Where keys and tokens live: key store back ends, master key sources, token stores.
//!
//! The formats are the engine's ([`acra_engine::keys::v1`], [`acra_engine::keys::v2`]); here is what needs a file system, a clock and threads. The
//! environment is read by programs, not here.

mod bundle;
mod cache;
mod clock;
#[cfg(test)]
mod crash_tests;
mod directory;
mod disk;
mod error;
mod key_store;
mod listed;
mod lock;
mod master_file;
mod memory;
mod migrate;
mod notice;
mod output_files;
mod safe_file;
pub mod tokens;
mod v1;
mod v2;
mod version;

pub use bundle::{Bundle, Imported, Selection};
pub use cache::{CacheSize, KeyCache};
pub use error::KeyStoreError;
pub use key_store::KeyStore;
pub use listed::ListedKey;
pub use master_file::{generate_master_key, generate_master_keys};
pub use memory::forbid_core_dumps;
pub use migrate::{Destination, UnreadKey, migrate};
pub use notice::Notice;
pub use output_files::{OutputError, write_files};
pub use version::{Version, version_of};

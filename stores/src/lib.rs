//! Where keys live: key store back ends and master key sources.
//!
//! The formats are the engine's ([`acra_engine::keys::v1`]); here is what needs a file system, a clock and threads. The
//! environment is read by programs, not here.

mod cache;
mod directory;
mod error;
mod key_store;
mod listed;
mod master_file;
mod memory;
mod notice;
mod safe_file;
mod v1;
mod version;

pub use cache::{CacheSize, KeyCache};
pub use error::KeyStoreError;
pub use key_store::KeyStore;
pub use listed::ListedKey;
pub use master_file::generate_master_key;
pub use memory::forbid_core_dumps;
pub use notice::Notice;
pub use version::{Version, version_of};

//! Files of a key store v2 (keystore.md 7, 8.3): key rings and bundles of them.
//!
//! A ring holds all generations of one key and is signed for its path. Its private and symmetric keys are sealed with the
//! master key, each for its number in the ring. What changes a ring is here; files, locks and clocks are not.

mod bundle;
mod codec;
mod der;
mod error;
mod extend;
mod file;
mod material;
mod path;
mod ring;
mod signed;
#[cfg(test)]
mod tests;
mod utc_time;

pub use bundle::{BundleError, open as open_bundle, write as write_bundle};
pub use error::RingError;
pub use file::MAX_RING;
pub use path::{Entry, RingPath, is_new};
pub use ring::{Format, Key, KeyData, KeyRing, NewKey, Sealed, State};
pub use utc_time::UtcTime;

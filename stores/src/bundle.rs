//! Keys on their way from one key store to another (keystore.md 8).

use crate::{ListedKey, Version};
use acra_engine::crypto::Secret;
use acra_engine::keys::KeyKind;

/// Exported keys, and what opens them. The two travel apart.
#[derive(Debug)]
pub struct Bundle {
    /// The keys, encrypted: the content of the file `--key_bundle_file`.
    pub data: Vec<u8>,
    /// What they are encrypted with: the content of the file `--key_bundle_secret`.
    pub secret: Secret,
}

impl Bundle {
    /// Of which version of the key store it is: v2 if the data looks like DER and the secret like JSON.
    pub fn version(&self) -> Version {
        match (self.data.first(), self.secret.as_bytes().trim_ascii_start()) {
            (Some(0x30), [b'{', ..]) => Version::V2,
            _ => Version::V1,
        }
    }
}

/// Which keys are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them, older generations included.
    All,
    /// These.
    Keys(Vec<KeyKind>),
}

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// How many records or key rings the bundle has; those that the key store has already count too.
    pub count: usize,
    /// The keys as a list shows them now, in the order of the bundle. Keys of kinds that Acra no longer uses are not
    /// among them.
    pub keys: Vec<ListedKey>,
}

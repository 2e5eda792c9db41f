//! Bundles of exported keys (keystore.md 8).

use crate::ListedKey;
use crate::Version;
use acra_engine::crypto::Secret;
use acra_engine::keys::KeyKind;

/// First byte of the data of a v2 bundle.
const DER_SEQUENCE: u8 = 0x30;

/// Keys that were taken out of a key store: what the two files of a bundle hold.
#[derive(Debug)]
pub struct Bundle {
    /// The keys, encrypted with the secret.
    pub data: Vec<u8>,
    /// What opens them: 32 raw bytes (v1), or a JSON object with two keys (v2).
    pub secret: Secret,
}

impl Bundle {
    /// Which version of key stores it belongs to.
    pub fn version(&self) -> Version {
        let is_object = self.secret.as_bytes().trim_ascii_start().first() == Some(&b'{');
        match self.data.first() == Some(&DER_SEQUENCE) && is_object {
            true => Version::V2,
            false => Version::V1,
        }
    }
}

/// Which keys are taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All that there are.
    All,
    /// These; of a key store v2 with all of their generations.
    Keys(Vec<KeyKind>),
}

/// What was brought in.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files (v1) or key rings (v2) of the bundle, those that were there already included.
    pub count: usize,
    /// The same as a list shows them, in the order of the bundle. Keys of zones are not listed.
    pub keys: Vec<ListedKey>,
}

//! Bundles of exported key rings (keystore.md 8.3).
//!
//! `Seal(encryption key, SEQUENCE { SET OF KeyRing }, context)` as an OCTET STRING in a signed container, with keys of the bundle's
//! own. The rings hold their keys in the clear, or only the public ones.

use super::codec;
use super::der::{self, OCTET_STRING, SEQUENCE, SET};
use super::error::RingError;
use super::path::RingPath;
use super::ring::{Format, Key, KeyData, KeyRing};
use super::signed::{self, Content};
use super::utc_time::UtcTime;
use crate::crypto::{PrivateKey, PublicKey, Secret, secure_cell};
use crate::keys::MasterKeys;
use rand::CryptoRng;
use std::collections::BTreeSet;
use std::fmt;

/// The context of the signature and of the cell.
const CONTEXT: &str = "AKSv2 keystore: exported key rings";

/// Why a bundle is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleError {
    /// The path of the ring that it is about, as the bundle has it.
    pub ring: Option<String>,
    /// What is wrong.
    pub error: RingError,
}

impl From<RingError> for BundleError {
    fn from(error: RingError) -> Self {
        let ring = None;
        Self { ring, error }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ring {
            Some(ring) => write!(f, "key ring {ring:?} of the bundle: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl std::error::Error for BundleError {}

/// Makes a bundle.
///
/// # Errors
///
/// It would be too long.
pub fn write(
    rings: &[KeyRing<Secret>],
    now: UtcTime,
    master: &MasterKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, RingError> {
    let rings = der::write_set(rings.iter().map(codec::write).collect());
    let keys = der::write_all(SEQUENCE, &[rings]);
    let mut cell = Vec::new();
    let key = master.encryption().as_bytes();
    secure_cell::seal(rng, key, CONTEXT.as_bytes(), &keys, &mut cell)?;
    let data = der::write(OCTET_STRING, &[&cell]);
    signed::write(
        data,
        Content::EncryptedKeys,
        now,
        CONTEXT,
        master.signature(),
    )
}

/// Opens a bundle and checks all of its rings.
///
/// # Errors
///
/// It is not signed and sealed with these keys, or is malformed; a ring has a path of no key, occurs twice, or has a key
/// that cannot be one.
pub fn open(data: &[u8], master: &MasterKeys) -> Result<Vec<KeyRing<Secret>>, BundleError> {
    let (data, _) = signed::open(data, Content::EncryptedKeys, CONTEXT, master.signature())?;
    let cell = der::only(OCTET_STRING, data)?.rest();
    // Room for all of it, so that no keys are left behind in memory that was too small.
    let mut keys = Vec::with_capacity(cell.len());
    let key = master.encryption().as_bytes();
    secure_cell::open(key, CONTEXT.as_bytes(), cell, &mut keys).map_err(RingError::Crypto)?;
    let keys = Secret::from(keys);
    let mut outer = der::only(SEQUENCE, keys.as_bytes())?;
    let mut set = outer.constructed(SET)?;
    outer.end()?;
    let mut rings = Vec::new();
    let mut paths = BTreeSet::new();
    while !set.is_empty() {
        let mut name = None;
        let ring = codec::read(set.constructed(SEQUENCE)?, |purpose| {
            let purpose = String::from_utf8_lossy(purpose).into_owned();
            let path = RingPath::parse(&purpose).ok_or(RingError::Purpose);
            name = Some(purpose);
            path
        });
        let ring = ring.and_then(|mut ring| {
            check(&mut ring)?;
            match paths.insert(ring.path.as_str().to_owned()) {
                true => Ok(ring),
                false => Err(RingError::DuplicateRing),
            }
        });
        rings.push(ring.map_err(|error| BundleError { ring: name, error })?);
    }
    Ok(rings)
}

fn check(ring: &mut KeyRing<Secret>) -> Result<(), RingError> {
    let format = Format::of(&ring.path);
    for key in &mut ring.keys {
        check_key(key, format)?;
        if key.is_destroyed() {
            // It has none, whatever the bundle says.
            key.data.clear();
        }
    }
    Ok(())
}

fn check_key(key: &Key<Secret>, format: Format) -> Result<(), RingError> {
    if key.valid_since > key.valid_until {
        return Err(RingError::Cryptoperiod);
    }
    let is_repeated = |data: &KeyData<Secret>| {
        let same = key.data.iter().filter(|other| other.format == data.format);
        same.count() > 1
    };
    if key.data.iter().any(is_repeated) {
        return Err(RingError::FormatTwice);
    }
    if key.is_destroyed() {
        return Ok(());
    }
    let is_zero = |key: &[u8]| key.iter().all(|byte| *byte == 0);
    let secrets = key.data.iter().flat_map(|data| {
        let secrets = data.private.iter().chain(&data.symmetric);
        secrets.map(Secret::as_bytes).chain(data.public.as_deref())
    });
    if secrets.into_iter().any(is_zero) {
        return Err(RingError::ZeroKey);
    }
    let data = key.data(format)?;
    if format == Format::SYMMETRIC {
        return data
            .symmetric
            .as_ref()
            .map(drop)
            .ok_or(RingError::NoKeyData);
    }
    let public = PublicKey::from_container(data.public()?).map_err(|_| RingError::BadKey)?;
    let belongs = |private: &Secret| {
        PrivateKey::from_container(private.as_bytes())
            .and_then(|private| private.public())
            .is_ok_and(|other| other == public)
    };
    match data.private.as_ref().is_none_or(belongs) {
        true => Ok(()),
        false => Err(RingError::BadKey),
    }
}

//! Plain value → sealed value.

use crate::crypto::container;
use crate::keys::ClientKeys;
use rand::CryptoRng;

/// A value that may be written where a protected value goes. Only [`seal`] makes one.
#[derive(Debug)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The container's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Why a value could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// The client has no current storage key.
    NoKey,
    /// The cipher refused, for instance a value of 4 GiB or more.
    Failed,
}

/// Seals a value into a serialized AcraBlock under the client's current key.
///
/// `None`: the value stays as it is, because it is empty or already is a container (containers.md 12).
pub fn seal(
    value: &[u8],
    keys: &ClientKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Option<Sealed>, SealError> {
    if value.is_empty() || container::is_container(value) {
        return Ok(None);
    }
    let key = keys.current().ok_or(SealError::NoKey)?;
    let mut out = Vec::new();
    container::seal_block(key, rng, value, &mut out).map_err(|_| SealError::Failed)?;
    Ok(Some(Sealed(out)))
}

//! The file of a key ring (keystore.md 7.2, 7.3).

use super::codec;
use super::der::{self, SEQUENCE};
use super::error::RingError;
use super::path::RingPath;
use super::ring::{KeyRing, Sealed};
use super::signed::{self, Content};
use super::utc_time::UtcTime;
use crate::keys::MasterKeys;

/// Longest file of a key ring that is read: room for tens of thousands of generations.
pub const MAX_RING: usize = 16 << 20;

/// The signature is for a path, so that a ring that was copied to another name is not taken for that one.
fn context(path: &RingPath) -> String {
    format!("AKSv2 keystore: key ring signature: {path}")
}

impl KeyRing<Sealed> {
    /// Reads the file of a ring by the path under which it was found, and tells when it was written.
    ///
    /// # Errors
    ///
    /// It is not signed with this master key for this path, or is malformed.
    pub fn read(
        path: &RingPath,
        file: &[u8],
        master: &MasterKeys,
    ) -> Result<(Self, UtcTime), RingError> {
        let context = context(path);
        let (ring, written) = signed::open(file, Content::KeyRing, &context, master.signature())?;
        let ring = codec::read(der::only(SEQUENCE, ring)?, |purpose| {
            match purpose == path.as_str().as_bytes() {
                true => Ok(path.clone()),
                false => Err(RingError::Signature),
            }
        })?;
        Ok((ring, written))
    }

    /// The file of the ring, signed.
    ///
    /// # Errors
    ///
    /// There is no master key for signatures, which does not happen.
    pub fn write(&self, now: UtcTime, master: &MasterKeys) -> Result<Vec<u8>, RingError> {
        let context = context(&self.path);
        signed::write(
            codec::write(self),
            Content::KeyRing,
            now,
            &context,
            master.signature(),
        )
    }
}

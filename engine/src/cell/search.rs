//! Value → the hash that it is searched by (containers.md 9).

use super::seal::SealError;
use crate::crypto::container::{self, Envelope};
use crate::crypto::search_hash::LENGTH;
use crate::crypto::{acrablock, acrastruct};
use crate::keys::ClientKeys;
use zeroize::Zeroizing;

/// The hash of a value that a searchable column is compared with; of a container, that of its content.
///
/// # Errors
///
/// There is no key for searchable encryption, or the value is a container that does not open.
pub fn hash(value: &[u8], keys: &ClientKeys) -> Result<[u8; LENGTH], SealError> {
    let key = keys.search.as_ref().ok_or(SealError::NoSearchKey)?;
    let hash = match content(value, keys)? {
        Some(plain) => key.hash(&plain),
        None => key.hash(value),
    };
    hash.ok_or(SealError::Failed)
}

/// What is in a container; `None` if the value is none.
pub(super) fn content(
    value: &[u8],
    keys: &ClientKeys,
) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
    let Ok((envelope, inner)) = container::parse(value) else {
        return Ok(None);
    };
    // Room for all of it, so that it is not left behind in memory that was too small.
    let mut plain = Zeroizing::new(Vec::with_capacity(inner.len()));
    let opened = match envelope {
        Envelope::AcraBlock => acrablock::open(&keys.symmetric, inner, &mut plain),
        Envelope::AcraStruct => acrastruct::open(&keys.private, inner, &mut plain),
    };
    opened.map_err(|_| SealError::Closed)?;
    Ok(Some(plain))
}

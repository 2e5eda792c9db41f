//! The containers of P-256 keys (containers.md 3).
//!
//! The frame is that of [`key_container`] with the tag "UEC2" for a public and "REC2" for a private key. Key data:
//!
//! ```text
//! public   compressed point (33), or uncompressed (65)
//! private  the scalar, big-endian, in 33 bytes of which the first is zero, or in 32
//! ```

use super::super::key_container;
use super::super::secret::Secret;
use super::{COMPRESSED, FIELD, POINT};
pub use key_container::CONTAINER;

/// Bytes of the longest container that is read.
pub const MAX_CONTAINER: usize = key_container::HEADER + POINT;

const PUBLIC: [u8; 4] = *b"UEC2";
const PRIVATE: [u8; 4] = *b"REC2";

/// The point in the container of a public key: of one of the two lengths and with a matching first byte.
pub(super) fn public(container: &[u8]) -> Option<&[u8]> {
    let point = key_container::read(container, PUBLIC, MAX_CONTAINER)?;
    let is_point = match point.len() {
        COMPRESSED => matches!(point.first(), Some(2 | 3)),
        POINT => point.first() == Some(&4),
        _ => false,
    };
    is_point.then_some(point)
}

/// The scalar in the container of a private key, which may be out of range.
pub(super) fn private(container: &[u8]) -> Option<&[u8; FIELD]> {
    match key_container::read(container, PRIVATE, MAX_CONTAINER)? {
        [0, scalar @ ..] if scalar.len() == FIELD => scalar.try_into().ok(),
        scalar => scalar.try_into().ok(),
    }
}

pub(super) fn write_public([sign, x @ ..]: &[u8; COMPRESSED]) -> [u8; CONTAINER] {
    key_container::write_public(PUBLIC, *sign, x)
}

/// The private key has as many bytes as the compressed public one.
pub(super) fn write_private(scalar: &[u8; FIELD]) -> Secret {
    key_container::write_private(PRIVATE, 0, scalar)
}

//! The signed container around key rings and bundles (keystore.md 7.2, 7.3).
//!
//! ```text
//! SignedContainer ::= SEQUENCE {
//!     payload    SEQUENCE { contentType INTEGER, version INTEGER, lastModified UTCTime, data ANY },
//!     signatures SET OF SEQUENCE { algorithm OBJECT IDENTIFIER, signature OCTET STRING }
//! }
//! ```
//!
//! A signature is `HMAC-SHA256(signature master key, context || ": " || payload)`, payload with its tag and length as they are
//! stored. Nothing in the payload is looked at before the signature is known to be right.

use super::codec::write_time;
use super::der::{self, Element, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, UTC_TIME};
use super::error::RingError;
use super::utc_time::UtcTime;
use crate::crypto::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The identifier of SHA-256, 2.16.840.1.101.3.4.2.1, which here means HMAC-SHA256.
const HMAC_SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The only version there is.
const VERSION: i64 = 2;

/// What a container holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A key ring.
    KeyRing = 1,
    /// Encrypted key rings.
    EncryptedKeys = 4,
}

fn mac(key: &Secret, context: &str, payload: &[u8]) -> Result<Hmac<Sha256>, RingError> {
    // Any length of key will do.
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| RingError::Signature)?;
    Ok(mac
        .chain_update(context)
        .chain_update(": ")
        .chain_update(payload))
}

/// Verifies a container and gives its data, an element, and when it was written.
pub(super) fn open<'a>(
    container: &'a [u8],
    content: Content,
    context: &str,
    key: &Secret,
) -> Result<(&'a [u8], UtcTime), RingError> {
    let mut parts = der::only(SEQUENCE, container)?;
    let payload = parts.whole(SEQUENCE)?;
    let mut signatures = parts.constructed(SET)?;
    parts.end()?;
    let mut verified = false;
    while !signatures.is_empty() {
        let mut signature = signatures.constructed(SEQUENCE)?;
        let algorithm = signature.object_identifier()?;
        let value = signature.element(OCTET_STRING)?;
        signature.end()?;
        if algorithm == HMAC_SHA256 {
            // In constant time.
            mac(key, context, payload)?
                .verify_slice(value)
                .map_err(|_| RingError::Signature)?;
            verified = true;
        }
    }
    if !verified {
        return Err(RingError::MissingSignature);
    }
    read_payload(payload, content)
}

fn read_payload(payload: &[u8], content: Content) -> Result<(&[u8], UtcTime), RingError> {
    let mut payload = der::only(SEQUENCE, payload)?;
    if payload.integer()? != content as i64 {
        return Err(RingError::ContentType);
    }
    if payload.integer()? != VERSION {
        return Err(RingError::Version);
    }
    let time = UtcTime::parse(payload.element(UTC_TIME)?).ok_or(RingError::Encoding("UTCTime"))?;
    Ok((payload.rest(), time))
}

/// A container with one signature around an element.
pub(super) fn write(
    data: Element,
    content: Content,
    now: UtcTime,
    context: &str,
    key: &Secret,
) -> Result<Vec<u8>, RingError> {
    let payload = der::write_all(
        SEQUENCE,
        &[
            der::write_integer(content as i64),
            der::write_integer(VERSION),
            write_time(now),
            data,
        ],
    );
    let signature = mac(key, context, &payload)?.finalize().into_bytes();
    let signature = der::write_all(
        SEQUENCE,
        &[
            der::write(OBJECT_IDENTIFIER, &[HMAC_SHA256]),
            der::write(OCTET_STRING, &[&signature]),
        ],
    );
    let signatures = der::write_set(vec![signature]);
    Ok(der::write_all(SEQUENCE, &[payload, signatures]).to_vec())
}

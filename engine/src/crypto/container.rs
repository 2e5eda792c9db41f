//! The serialized container around an AcraBlock or AcraStruct (containers.md 7).
//!
//! ```text
//! 0   3     tag 25 25 25
//! 3   8     total length T, LE64
//! 11  1     envelope id: F0 AcraBlock, F1 AcraStruct
//! 12  T-12  inner container
//! ```

use super::block_key::BlockKey;
use super::error::CryptoError;
use super::key_pair::PublicKey;
use super::{acrablock, acrastruct};
use rand::CryptoRng;

/// What every serialized container begins with.
pub const TAG: [u8; 3] = *b"%%%";

/// Bytes before the inner container.
pub const HEADER: usize = 12;

/// Which kind of container is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Symmetric: a client's storage key seals and opens.
    AcraBlock,
    /// Asymmetric: anyone with a client's public key can seal.
    AcraStruct,
}

impl Envelope {
    /// The byte that stands for it.
    pub fn id(self) -> u8 {
        match self {
            Self::AcraBlock => 0xf0,
            Self::AcraStruct => 0xf1,
        }
    }

    /// What a byte stands for.
    pub fn from_id(id: u8) -> Option<Self> {
        match id {
            0xf0 => Some(Self::AcraBlock),
            0xf1 => Some(Self::AcraStruct),
            _ => None,
        }
    }

    /// Whether `inner` has this envelope's form. An AcraBlock may have bytes behind it, an AcraStruct may not.
    pub fn matches(self, inner: &[u8]) -> bool {
        match self {
            Self::AcraBlock => acrablock::parse(inner).is_some(),
            Self::AcraStruct => acrastruct::is_whole(inner),
        }
    }
}

/// The header at the start of `bytes`: envelope and declared total length, which nobody has checked.
///
/// `None` also if nothing follows the header, or the envelope is not known.
pub(super) fn header(bytes: &[u8]) -> Option<(Envelope, u64)> {
    if bytes.len() <= HEADER {
        return None;
    }
    let (tag, rest) = bytes.split_first_chunk()?;
    let (total, rest) = rest.split_first_chunk()?;
    if *tag != TAG {
        return None;
    }
    Some((
        Envelope::from_id(*rest.first()?)?,
        u64::from_le_bytes(*total),
    ))
}

/// The inner container of the serialized container with this declared length, at the start of `bytes`.
pub(super) fn inner(bytes: &[u8], total: u64) -> Option<&[u8]> {
    bytes.get(..usize::try_from(total).ok()?)?.get(HEADER..)
}

/// Envelope and inner container of what stands at the start of `bytes`: a serialized container, whatever follows it, or
/// one of the older forms without wrapper.
///
/// # Errors
///
/// [`CryptoError::ContainerFormat`] for anything else and for a declared length that cannot be;
/// [`CryptoError::Envelope`] for an unknown envelope; [`CryptoError::InnerContainer`] if the inner container does not
/// have its envelope's form.
pub fn parse(bytes: &[u8]) -> Result<(Envelope, &[u8]), CryptoError> {
    let (envelope, inner) = if let Some((envelope, total)) = header(bytes) {
        (
            envelope,
            inner(bytes, total).ok_or(CryptoError::ContainerFormat)?,
        )
    } else if acrastruct::is_whole(bytes) {
        (Envelope::AcraStruct, bytes)
    } else if acrablock::parse(bytes).is_some() {
        (Envelope::AcraBlock, bytes)
    } else if bytes.starts_with(&TAG) && bytes.len() > HEADER {
        return Err(CryptoError::Envelope);
    } else {
        return Err(CryptoError::ContainerFormat);
    };
    if envelope.matches(inner) {
        Ok((envelope, inner))
    } else {
        Err(CryptoError::InnerContainer)
    }
}

/// Whether a value to be written already is a container of any form, and so is stored as it is (containers.md 12).
pub fn is_container(value: &[u8]) -> bool {
    parse(value).is_ok()
}

/// Appends the serialized form of `inner` to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyContainer`].
pub fn serialize(envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    if inner.is_empty() {
        return Err(CryptoError::EmptyContainer);
    }
    out.reserve(HEADER + inner.len());
    write_header(envelope, inner.len(), out);
    out.extend_from_slice(inner);
    Ok(())
}

fn write_header(envelope: Envelope, inner: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&TAG);
    out.extend_from_slice(&((HEADER + inner) as u64).to_le_bytes());
    out.push(envelope.id());
}

/// Seals `plain` into a serialized AcraBlock without context and appends it to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyMessage`], [`CryptoError::TooLong`]; `out` is then as before.
pub fn seal_block(
    key: &BlockKey,
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let inner = acrablock::OVERHEAD + plain.len();
    wrap(Envelope::AcraBlock, inner, out, |out| {
        acrablock::seal(key, rng, plain, out)
    })
}

/// Seals `plain` into a serialized AcraStruct without context and appends it to `out`.
///
/// # Errors
///
/// Those of [`acrastruct::seal`]; `out` is then as before.
pub fn seal_struct(
    recipient: &PublicKey,
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let inner = acrastruct::OVERHEAD + plain.len();
    wrap(Envelope::AcraStruct, inner, out, |out| {
        acrastruct::seal(recipient, rng, plain, out)
    })
}

fn wrap(
    envelope: Envelope,
    inner: usize,
    out: &mut Vec<u8>,
    seal: impl FnOnce(&mut Vec<u8>) -> Result<(), CryptoError>,
) -> Result<(), CryptoError> {
    let start = out.len();
    out.reserve(HEADER + inner);
    write_header(envelope, inner, out);
    let sealed = seal(out);
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed
}

//! What can be wrong with a key ring or a bundle of them.

use crate::crypto::CryptoError;
use std::fmt;

/// Why a key ring or a bundle cannot be used or changed as asked (keystore.md 7, 8.3). The texts are Acra's where there
/// is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingError {
    /// Not DER, or not of this form: what was wrong.
    Encoding(&'static str),
    /// Something follows what is complete.
    ExtraData,
    /// A signature is wrong, or the ring is another one than its path says.
    Signature,
    /// No signature of a kind that is known.
    MissingSignature,
    /// Signed, but something else.
    ContentType,
    /// Signed, but of another version.
    Version,
    /// Two keys have the same number.
    DuplicateSeqnum,
    /// The ring has no current key.
    NoCurrent,
    /// The ring says that a key is current which it does not have.
    NoSuchSeqnum,
    /// The key has been destroyed.
    Destroyed,
    /// The key has nothing in the format that this ring needs.
    FormatNotAvailable,
    /// A key pair without public key.
    KeyFormat,
    /// The key lacks the part that is asked for.
    NoKeyData,
    /// A key cannot go from its state to this one.
    Transition,
    /// There is no rotated key with this index.
    Index,
    /// A key number would be greater than there are.
    Seqnum,
    /// A key is damaged, or was sealed with another master key.
    Crypto(CryptoError),
    /// A ring of a bundle has a path that no key store has.
    Purpose,
    /// A bundle has a ring twice.
    DuplicateRing,
    /// A key of a bundle ends before it begins.
    Cryptoperiod,
    /// A key of a bundle has two elements of the same format.
    FormatTwice,
    /// A key of a bundle is all zero: written by an export of Acra that lost it.
    ZeroKey,
    /// A key of a bundle is no key of its kind, or its halves do not belong together.
    BadKey,
}

impl From<CryptoError> for RingError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding(what) => return write!(f, "malformed ASN.1 data: {what}"),
            Self::Crypto(error) => return error.fmt(f),
            Self::ExtraData => "unexpected extra ASN.1 data",
            Self::Signature => "invalid key ring signature",
            Self::MissingSignature => "missing key ring signature",
            Self::ContentType => "incorrect ASN.1 ContentType",
            Self::Version => "unsupported ASN.1 Version",
            Self::DuplicateSeqnum => "duplicate key with seqnum in key ring",
            Self::NoCurrent => "key ring has no current key",
            Self::NoSuchSeqnum => "no key with such seqnum",
            Self::Destroyed => "key has been destroyed",
            Self::FormatNotAvailable => "key format not available",
            Self::KeyFormat => "invalid key format",
            Self::NoKeyData => "no key data",
            Self::Transition => "invalid state transition",
            Self::Index => "invalid index value provided",
            Self::Seqnum => "there is no greater seqnum for another key",
            Self::Purpose => "not the path of a key ring",
            Self::DuplicateRing => "key ring occurs twice",
            Self::Cryptoperiod => "invalid key cryptoperiod",
            Self::FormatTwice => "key format used multiple times",
            Self::ZeroKey => "key is all zero",
            Self::BadKey => "not a key of this kind, or its halves do not belong together",
        })
    }
}

impl std::error::Error for RingError {}

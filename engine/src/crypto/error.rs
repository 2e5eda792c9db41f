//! Why a cryptographic operation failed.

use std::fmt;

/// Why something could not be sealed, opened or read.
///
/// The texts are those of Acra and Themis where containers.md gives one. None tells more about a failed opening than
/// that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoError {
    /// A key without bytes.
    EmptyKey,
    /// A Secure Cell holds at least one byte.
    EmptyMessage,
    /// Context Imprint needs a context.
    EmptyContext,
    /// A Secure Cell holds less than 4 GiB.
    TooLong,
    /// The KDF gives 1 to 32 bytes.
    OutputLength,
    /// A Secure Cell that is damaged, or not for this key and context.
    Cell,
    /// Not the container of a key of the kind that is wanted.
    KeyContainer,
    /// Two keys do not agree: the public one is not a point of the curve or of low order, or they are of two kinds.
    Agreement,
    /// The source of randomness is broken.
    Random,
    /// A Secure Message that is damaged, of another kind, or not for these keys.
    Message,
    /// Not an AcraBlock, or one that none of the keys opens.
    AcraBlock,
    /// Too short for an AcraStruct.
    StructLength,
    /// Does not begin like an AcraStruct.
    StructTag,
    /// An AcraStruct with more or fewer bytes than it says.
    StructData,
    /// There is no key to try.
    NoStructKeys,
    /// There is nothing to wrap into a serialized container.
    EmptyContainer,
    /// Not a serialized container, and no older form of one.
    ContainerFormat,
    /// A serialized container with an envelope that nobody knows.
    Envelope,
    /// What a serialized container holds is not what it says.
    InnerContainer,
    /// Not an RSA key of the kind that is wanted.
    RsaKey,
    /// Not encrypted to this RSA key, or too long for it.
    Rsa,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyKey => "empty symmetric key for Secure Cell",
            Self::EmptyMessage => "empty message for Secure Cell",
            Self::EmptyContext => "empty context for Secure Cell",
            Self::TooLong => "Secure Cell failed to encrypt: the message is 4 GiB or longer",
            Self::OutputLength => "key derivation gives 1 to 32 bytes",
            Self::Cell => "Secure Cell failed to decrypt",
            Self::KeyContainer => "not a key of a key pair, or a damaged one",
            Self::Agreement => {
                "the keys do not agree: the public one cannot be used with the private one"
            }
            Self::Random => "the source of randomness is broken",
            Self::Message => "failed to decrypt message",
            Self::AcraBlock => "invalid AcraBlock",
            Self::StructLength => "AcraStruct has incorrect length",
            Self::StructTag => "AcraStruct has incorrect TagBegin",
            Self::StructData => "AcraStruct has incorrect data length value",
            Self::NoStructKeys => "cannot decrypt AcraStruct with empty key list",
            Self::EmptyContainer => "empty encrypted data",
            Self::ContainerFormat => "incorrect serialized container format",
            Self::Envelope => "handler not found in registry",
            Self::InnerContainer => "invalid internal container",
            Self::RsaKey => "not an RSA key of 2048 to 8192 bits",
            Self::Rsa => "not encrypted to this RSA key, or too long for it",
        })
    }
}

impl std::error::Error for CryptoError {}

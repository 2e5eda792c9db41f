//! Why there is no token.

use std::fmt;

/// Why a value could not be tokenized, or its token not be looked up.
///
/// The texts start with those of Acra where tokens.md gives one. None has a value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// The value is no decimal number.
    NotANumber,
    /// The number does not fit the type.
    OutOfRange,
    /// A number in a column of text that would come back in another form: with a sign or zeros in front that it does
    /// not need.
    NotCanonical,
    /// Too short for an e-mail address that is a token.
    TooShort,
    /// An empty value has no consistent token.
    Empty,
    /// No unused token was found: there are few of this length.
    Exhausted,
    /// There is a token for the value, and it is disabled.
    Disabled,
    /// The record of the token of this value does not open: it is damaged, or its key is gone.
    Unopened,
    /// Another writer was faster, twice.
    Exists,
    /// The client has no current storage key.
    NoKey,
    /// The client's keys cannot be read.
    KeysUnavailable,
    /// The record could not be encrypted.
    Seal,
    /// The token store cannot be reached, or refuses.
    StoreUnavailable,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "the value is not a decimal number",
            Self::OutOfRange => "the number is out of the range of the token type",
            Self::NotCanonical => {
                "the number is not in its shortest form and would not come back as it was written"
            }
            Self::TooShort => "a token of type email needs at least 3 bytes",
            Self::Empty => "an empty value has no consistent token",
            Self::Exhausted => "can't generate new random value, try count exceed",
            Self::Disabled => "disabled token accessed",
            Self::Unopened => "the stored token of this value cannot be decrypted",
            Self::Exists => "token already exists",
            Self::NoKey => "there is no storage key",
            Self::KeysUnavailable => "the key store cannot be read",
            Self::Seal => "the token cannot be encrypted for the token store",
            Self::StoreUnavailable => "the token store is not available",
        })
    }
}

impl std::error::Error for TokenFault {}

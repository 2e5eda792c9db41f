//! Why a text is no master key.

use std::fmt;

/// Why a text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterKeyError {
    /// There is none.
    Empty,
    /// It is not standard base64 with padding.
    Base64,
    /// It has fewer than 32 bytes, or one of two keys has.
    Short,
    /// It is not a JSON object with keys in base64.
    Json,
    /// The two keys are the same.
    Equal,
}

impl fmt::Display for MasterKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "master key is empty",
            Self::Base64 => "master key is not standard base64 with padding",
            Self::Short => "master key must have 32 length in bytes",
            Self::Json => {
                "master key of keystore v2 is not JSON of the form {\"encryption\":\"...\",\"signature\":\"...\"}"
            }
            Self::Equal => "encryption and signature master keys are equal",
        })
    }
}

impl std::error::Error for MasterKeyError {}

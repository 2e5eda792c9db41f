//! The master key of a key store v1 (keystore.md 3.1).

use crate::crypto::Secret;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a key that is made, and the least that one may have.
const LENGTH: usize = 32;

/// Standard base64 as Go reads it: with padding, unused bits not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// The key under which the keys of a key store are sealed.
#[derive(Debug)]
pub struct MasterKey(Secret);

impl MasterKey {
    /// Makes a new one of 32 bytes.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = vec![0; LENGTH];
        rng.fill_bytes(&mut key);
        Self(Secret::from(key))
    }

    /// Reads standard base64 with padding; line breaks anywhere do not count.
    ///
    /// # Errors
    ///
    /// It is empty, not base64, or of fewer than 32 bytes. Longer keys are used whole.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        if text.is_empty() {
            return Err(MasterKeyError::Empty);
        }
        let characters: Zeroizing<Vec<u8>> = Zeroizing::new(
            text.bytes()
                .filter(|byte| !matches!(byte, b'\r' | b'\n'))
                .collect(),
        );
        let mut key = Zeroizing::new(vec![0; characters.len()]);
        let length = BASE64
            .decode_slice(&*characters, &mut key)
            .map_err(|_| MasterKeyError::Base64)?;
        match key.get(..length) {
            Some(key) if key.len() >= LENGTH => Ok(Self(Secret::from(key.to_vec()))),
            _ => Err(MasterKeyError::Short),
        }
    }

    /// The raw bytes, as they stand in a master key file.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterKeyError {
    /// There is none.
    Empty,
    /// It is not standard base64 with padding.
    Base64,
    /// It has fewer than 32 bytes.
    Short,
}

impl fmt::Display for MasterKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "master key is empty",
            Self::Base64 => "master key is not standard base64 with padding",
            Self::Short => "master key must have 32 length in bytes",
        })
    }
}

impl std::error::Error for MasterKeyError {}

#[cfg(test)]
mod tests {
    use super::{MasterKey, MasterKeyError};

    #[test]
    fn base64_as_go_reads_it() {
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let broken = format!("{}\r\n{}\n", &text[..7], &text[7..]);
        for text in [text, &broken, &text.replace("h8=", "h9=")] {
            let key = MasterKey::from_base64(text).unwrap();
            assert_eq!(key.as_bytes().len(), 32);
            assert_eq!(key.as_bytes()[31], 31);
        }
        for (text, error) in [
            ("", MasterKeyError::Empty),
            ("AAEC", MasterKeyError::Short),
            ("\n", MasterKeyError::Short),
            (&format!(" {text}"), MasterKeyError::Base64),
            (text.trim_end_matches('='), MasterKeyError::Base64),
        ] {
            assert_eq!(MasterKey::from_base64(text).unwrap_err(), error);
        }
    }
}

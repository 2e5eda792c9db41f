//! The master key of a key store v1 (keystore.md 3.1).

use super::{LENGTH, MasterKeyError, base64};
use crate::crypto::Secret;
use rand::CryptoRng;

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
        let key = base64::decode(text)?;
        match key.len() >= LENGTH {
            true => Ok(Self(Secret::from(key.to_vec()))),
            false => Err(MasterKeyError::Short),
        }
    }

    /// The raw bytes, as they stand in a master key file.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

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

//! RSA with OAEP (SHA-1), by which MySQL's clients hide a password where the connection is not encrypted.
//!
//! Public keys travel as PEM of a SubjectPublicKeyInfo. SHA-1 is the protocol's; OAEP does not need its resistance to
//! collisions.

use super::CryptoError;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

const PUBLIC: (&str, &str) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
const PRIVATE: (&str, &str) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
/// Characters in a line of PEM.
const LINE: usize = 64;

/// A key pair.
pub struct RsaKey {
    private: OaepPrivateDecryptingKey,
    public_pem: String,
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey")
    }
}

impl RsaKey {
    /// A new one of 2048 bits, as MySQL makes it.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Random`].
    pub fn generate() -> Result<Self, CryptoError> {
        let private =
            PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|_| CryptoError::Random)?;
        Self::new(private)
    }

    /// Of a PKCS #8 document in PEM, not encrypted.
    ///
    /// # Errors
    ///
    /// [`CryptoError::RsaKey`]: it is none, or not one of 2048 to 8192 bits.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CryptoError> {
        let der = der(pem, PRIVATE).ok_or(CryptoError::RsaKey)?;
        let private = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| CryptoError::RsaKey)?;
        Self::new(private)
    }

    fn new(private: PrivateDecryptingKey) -> Result<Self, CryptoError> {
        let public = private.public_key();
        let der = public.as_der().map_err(|_| CryptoError::RsaKey)?;
        let text = STANDARD.encode(der.as_ref());
        let (begin, end) = PUBLIC;
        let mut public_pem = format!("{begin}\n");
        for (index, character) in text.chars().enumerate() {
            if index > 0 && index % LINE == 0 {
                public_pem.push('\n');
            }
            public_pem.push(character);
        }
        public_pem.push_str(&format!("\n{end}\n"));
        Ok(Self {
            private: OaepPrivateDecryptingKey::new(private).map_err(|_| CryptoError::RsaKey)?,
            public_pem,
        })
    }

    /// The public key as PEM.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// Opens what was encrypted to the public key.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Rsa`].
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut plain = Zeroizing::new(vec![0; self.private.min_output_size()]);
        let length = self
            .private
            .decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut plain, None)
            .map_err(|_| CryptoError::Rsa)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// Encrypts to a public key in PEM.
///
/// # Errors
///
/// [`CryptoError::RsaKey`]: it is none; [`CryptoError::Rsa`]: the value is too long for it.
pub fn encrypt(public_pem: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let der = der(public_pem, PUBLIC).ok_or(CryptoError::RsaKey)?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| CryptoError::RsaKey)?;
    let key = OaepPublicEncryptingKey::new(key).map_err(|_| CryptoError::RsaKey)?;
    let mut out = vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA1_MGF1SHA1, plain, &mut out, None)
        .map_err(|_| CryptoError::Rsa)?;
    Ok(out)
}

/// What stands in PEM between two lines.
fn der(pem: &[u8], (begin, end): (&str, &str)) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, text) = text.split_once(begin)?;
    let (text, _) = text.split_once(end)?;
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    digits.extend(text.split_whitespace());
    STANDARD.decode(&*digits).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_to_a_key_is_opened_by_it_alone() {
        let (own, other) = (RsaKey::generate().unwrap(), RsaKey::generate().unwrap());
        assert!(own.public_pem().lines().all(|line| line.len() <= LINE));
        let sealed = encrypt(own.public_pem().as_bytes(), b"a password\0").unwrap();
        assert_eq!(&**own.decrypt(&sealed).unwrap(), b"a password\0");
        assert!(other.decrypt(&sealed).is_err());
        assert!(own.decrypt(b"short").is_err());
        assert_eq!(encrypt(b"no key", b"x"), Err(CryptoError::RsaKey));
        let long = [0; 300];
        let pem = own.public_pem().as_bytes();
        assert_eq!(encrypt(pem, &long), Err(CryptoError::Rsa));
        assert_eq!(format!("{own:?}"), "RsaKey");
        assert!(RsaKey::from_pem(pem).is_err());
    }
}

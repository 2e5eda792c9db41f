//! The master keys of a key store v2, and the keys of a bundle (keystore.md 3.2).
//!
//! ```text
//! {"encryption":"<base64>","signature":"<base64>"}
//! ```

use super::{LENGTH, MasterKeyError, base64};
use crate::crypto::Secret;
use rand::CryptoRng;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

const ENCRYPTION: &str = "encryption";
const SIGNATURE: &str = "signature";

/// One key that seals and one that signs.
#[derive(Debug)]
pub struct MasterKeys {
    encryption: Secret,
    signature: Secret,
}

impl MasterKeys {
    /// Makes new ones of 32 bytes each.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = || {
            let mut key = vec![0; LENGTH];
            rng.fill_bytes(&mut key);
            Secret::from(key)
        };
        Self {
            encryption: key(),
            signature: key(),
        }
    }

    /// Reads the value of an environment variable: the base64 of the JSON text.
    ///
    /// # Errors
    ///
    /// It is empty, not base64, or not of this form.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        match text {
            "" => Err(MasterKeyError::Empty),
            text => Self::from_json(&base64::decode(text)?),
        }
    }

    /// Reads the JSON text, as it stands in a file.
    ///
    /// Names match without regard to case, the last of several counts, others do not.
    ///
    /// # Errors
    ///
    /// It is not of this form, the two keys are equal, or one is missing or has fewer than 32 bytes.
    pub fn from_json(text: &[u8]) -> Result<Self, MasterKeyError> {
        let Members {
            encryption,
            signature,
        } = serde_json::from_slice(text).map_err(|_| MasterKeyError::Json)?;
        if encryption.ct_eq(&signature).into() {
            return Err(MasterKeyError::Equal);
        }
        if encryption.len() < LENGTH || signature.len() < LENGTH {
            return Err(MasterKeyError::Short);
        }
        Ok(Self {
            encryption: Secret::from(encryption.to_vec()),
            signature: Secret::from(signature.to_vec()),
        })
    }

    /// The JSON text, as it is written to files: without blanks and newline.
    pub fn to_json(&self) -> Secret {
        // Four letters for three bytes, and what stands around them.
        let keys = self.encryption.as_bytes().len() + self.signature.as_bytes().len();
        let mut text = String::with_capacity(keys / 3 * 4 + 64);
        for (open, key) in [
            ("{\"encryption\":\"", &self.encryption),
            ("\",\"signature\":\"", &self.signature),
        ] {
            text.push_str(open);
            base64::encode(key.as_bytes(), &mut text);
        }
        text.push_str("\"}");
        Secret::from(text.into_bytes())
    }

    /// The key that keys are sealed with.
    pub fn encryption(&self) -> &Secret {
        &self.encryption
    }

    /// The key that signs.
    pub fn signature(&self) -> &Secret {
        &self.signature
    }
}

/// The members as they are decoded; missing ones are empty.
#[derive(Default)]
struct Members {
    encryption: Zeroizing<Vec<u8>>,
    signature: Zeroizing<Vec<u8>>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            if name.eq_ignore_ascii_case(ENCRYPTION) {
                members.encryption = map.next_value::<Base64>()?.0;
            } else if name.eq_ignore_ascii_case(SIGNATURE) {
                members.signature = map.next_value::<Base64>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(members)
    }
}

/// A text in base64, or null, which is empty.
struct Base64(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Base64Visitor)
    }
}

struct Base64Visitor;

impl Visitor<'_> for Base64Visitor {
    type Value = Base64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Base64, E> {
        base64::decode(text).map(Base64).map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<Base64, E> {
        Ok(Base64(Zeroizing::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::{MasterKeyError, MasterKeys};

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    #[test]
    fn what_is_written_is_read() {
        let keys = MasterKeys::generate(&mut rand::rng());
        let text = keys.to_json();
        let read = MasterKeys::from_json(text.as_bytes()).unwrap();
        assert_eq!(read.encryption.as_bytes(), keys.encryption.as_bytes());
        assert_eq!(read.signature.as_bytes(), keys.signature.as_bytes());
    }

    #[test]
    fn json_as_go_reads_it() {
        for text in [
            format!(r#"{{"encryption":"{ONE}","signature":"{TWO}"}}"#),
            format!(r#" {{ "SIGNATURE" : "{TWO}", "x":[{{}},null], "Encryption":"{ONE}" }} "#),
            format!(r#"{{"encryption":"{TWO}","signature":"{TWO}","encryption":"\n{ONE}\r\n"}}"#),
            format!(
                r#"{{"encryption":"\u0041{}","signature":"{TWO}"}}"#,
                &ONE[1..]
            ),
        ] {
            let keys = MasterKeys::from_json(text.as_bytes()).unwrap();
            assert_eq!(keys.encryption.as_bytes()[31], 31, "{text}");
            assert_eq!(keys.signature.as_bytes()[31], 63, "{text}");
        }
        for (text, error) in [
            ("{}".to_owned(), MasterKeyError::Equal),
            (
                format!(r#"{{"encryption":"{ONE}","signature":"{ONE}"}}"#),
                MasterKeyError::Equal,
            ),
            (
                format!(r#"{{"encryption":"{ONE}"}}"#),
                MasterKeyError::Short,
            ),
            (
                format!(r#"{{"encryption":"{ONE}","signature":null}}"#),
                MasterKeyError::Short,
            ),
            (
                format!(r#"{{"encryption":"{ONE}","signature":"AAEC"}}"#),
                MasterKeyError::Short,
            ),
            (
                format!(r#"{{"encryption":"{ONE}","signature":"{TWO}"}}x"#),
                MasterKeyError::Json,
            ),
            (
                format!(r#"{{"encryption":"{ONE}","signature":7}}"#),
                MasterKeyError::Json,
            ),
            (
                format!(r#"{{"encryption":"{ONE}","signature":" {TWO}"}}"#),
                MasterKeyError::Json,
            ),
            ("[]".to_owned(), MasterKeyError::Json),
            (String::new(), MasterKeyError::Json),
        ] {
            assert_eq!(
                MasterKeys::from_json(text.as_bytes()).unwrap_err(),
                error,
                "{text}"
            );
        }
        assert_eq!(
            MasterKeys::from_base64("").unwrap_err(),
            MasterKeyError::Empty
        );
    }
}

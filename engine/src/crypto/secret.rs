//! Bytes that nobody may see.

use std::fmt;
use zeroize::Zeroizing;

/// Secret bytes: wiped when dropped, without text form, not comparable by accident.
///
/// The vector it is made from must not have been grown before, or copies of its bytes stay in memory that was given back.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from(vec![7; 32])), "Secret(..)");
    }
}

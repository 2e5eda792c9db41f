//! Base64 of secrets, as Go reads it (keystore.md 3.1).

use super::MasterKeyError;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Standard base64 with padding, unused bits not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes; line breaks anywhere do not count. No copy of the result stays behind.
pub(super) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    let mut decoded = Zeroizing::new(vec![0; characters.len()]);
    let length = BASE64
        .decode_slice(&*characters, &mut decoded)
        .map_err(|_| MasterKeyError::Base64)?;
    decoded.truncate(length);
    Ok(decoded)
}

/// Appends the base64 of `bytes` to a text that has room for it.
pub(super) fn encode(bytes: &[u8], text: &mut String) {
    BASE64.encode_string(bytes, text);
}

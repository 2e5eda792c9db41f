//! `COM_CHANGE_USER`: another user on the same connection.
//!
//! After the command's byte: user up to a zero, authentication data with their length (1 byte), schema up to a zero,
//! character set 2, plugin's name up to a zero, attributes; from the character set on it may be left out.

use super::Capabilities;
use crate::wire::cursor::{Malformed, Reader};

/// The user's name.
///
/// # Errors
///
/// The message is shorter than it should be.
pub fn user(payload: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(payload);
    reader.u8("COM_CHANGE_USER")?;
    reader.cstr("user")
}

/// The plugin of the first answer to authentication; `None` if it is not named.
///
/// # Errors
///
/// The message is shorter than it should be.
pub fn plugin(payload: &[u8], capabilities: Capabilities) -> Result<Option<&[u8]>, Malformed> {
    let mut reader = Reader::new(payload);
    reader.u8("COM_CHANGE_USER")?;
    reader.cstr("user")?;
    let length = reader.u8("length of authentication data")?;
    reader.bytes(usize::from(length), "authentication data")?;
    reader.cstr("schema")?;
    if reader.left() == 0 || !capabilities.has(Capabilities::PLUGIN_AUTH) {
        return Ok(None);
    }
    reader.u16_le("character set")?;
    let mut named = reader.clone();
    Ok(Some(match named.cstr("plugin name") {
        Ok(name) => name,
        Err(_) => reader.rest(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_may_be_named() {
        let payload = b"\x11bob\0\x02ab\0\x2d\0caching_sha2_password\0";
        let with = Capabilities::PLUGIN_AUTH;
        assert_eq!(
            plugin(payload, with),
            Ok(Some(&b"caching_sha2_password"[..]))
        );
        assert_eq!(plugin(&payload[..9], with), Ok(None));
        assert_eq!(plugin(payload, Capabilities::default()), Ok(None));
        assert!(plugin(&payload[..6], with).is_err());
        assert_eq!(user(payload), Ok(&b"bob"[..]));
    }
}

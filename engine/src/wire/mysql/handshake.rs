//! The client's first message: a request for TLS, or who it is (`SSLRequest`, `HandshakeResponse41`).
//!
//! Both begin with capabilities 4, greatest length of a message 4, character set 1 and 23 reserved bytes, the last four of
//! which are MariaDB's capabilities. In the request for TLS nothing follows. Else: user up to a zero; authentication data
//! with a length before them; if it is said so by a capability, schema up to a zero, plugin's name up to a zero, and
//! attributes with their length, and the level of compression by Zstandard.

use super::{Capabilities, lenenc};
use crate::wire::cursor::{Malformed, Reader};
use std::ops::Range;

/// Length of a request for TLS, and of what both forms begin with.
pub const FIXED: usize = 32;

/// Reserved bytes before those of MariaDB's capabilities.
const RESERVED: usize = 19;

/// Capabilities of either form.
///
/// # Errors
///
/// It is shorter than [`FIXED`], or without [`Capabilities::PROTOCOL_41`].
pub fn capabilities(payload: &[u8]) -> Result<Capabilities, Malformed> {
    let mut reader = Reader::new(payload);
    let base = reader.u32_le("capabilities")?;
    if !Capabilities::new(base, 0).has(Capabilities::PROTOCOL_41) {
        return Err(Malformed("a client of MySQL 4.1 or later"));
    }
    reader.bytes(4 + 1 + RESERVED, "first part of the handshake response")?;
    let extended = reader.u32_le("reserved bytes")?;
    // Of MySQL's clients these bytes are reserved, and zero.
    Ok(Capabilities::new(base, extended))
}

/// Replaces the capabilities of either form.
pub fn set_capabilities(payload: &mut [u8], capabilities: Capabilities) {
    let mut put = |at: usize, bits: u32| {
        if let Some(place) = payload.get_mut(at..at + 4) {
            place.copy_from_slice(&bits.to_le_bytes());
        }
    };
    put(0, capabilities.base());
    put(FIXED - 4, capabilities.extended());
}

/// What a client says of itself. The authentication data are secret; they stand in the payload alone.
pub struct HandshakeResponse<'a> {
    /// What it wants to use.
    pub capabilities: Capabilities,
    /// Its user's name.
    pub user: &'a [u8],
    /// Its first answer to authentication.
    pub auth: &'a [u8],
    /// The schema it wants to begin in.
    pub schema: Option<&'a [u8]>,
    /// The plugin that `auth` is of.
    pub plugin: Option<&'a [u8]>,
    /// Names and values of attributes, all with their lengths.
    pub attributes: Option<&'a [u8]>,
    /// Where `auth` stands in the payload, its length included.
    pub auth_range: Range<usize>,
    /// Where the attributes stand, their length included; they are the last, but for the level of compression.
    pub attributes_range: Range<usize>,
    /// Whether it has every field that its capabilities say. Servers take messages that end early.
    pub is_complete: bool,
}

impl<'a> HandshakeResponse<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let capabilities = capabilities(payload)?;
        let mut reader = Reader::new(payload);
        reader.bytes(FIXED, "first part of the handshake response")?;
        let user = reader.cstr("user")?;
        let start = reader.position();
        let auth = if capabilities.has(Capabilities::PLUGIN_AUTH_LENENC) {
            lenenc::string(&mut reader, "authentication data")?
        } else if capabilities.has(Capabilities::SECURE_CONNECTION) {
            let length = reader.u8("length of authentication data")?;
            reader.bytes(usize::from(length), "authentication data")?
        } else {
            reader.cstr("authentication data")?
        };
        let auth_range = start..reader.position();
        // Servers take messages that end early; clients are known that leave out the last zero.
        let mut optional = |wanted: Capabilities| -> Option<&'a [u8]> {
            if !capabilities.has(wanted) || reader.left() == 0 {
                return None;
            }
            let mut terminated = reader.clone();
            match terminated.cstr("text") {
                Ok(text) => {
                    reader = terminated;
                    Some(text)
                }
                Err(_) => Some(reader.rest()),
            }
        };
        let schema = optional(Capabilities::CONNECT_WITH_DB);
        let plugin = optional(Capabilities::PLUGIN_AUTH);
        let start = reader.position();
        let attributes = match capabilities.has(Capabilities::CONNECT_ATTRS) && reader.left() > 0 {
            true => Some(lenenc::string(&mut reader, "attributes")?),
            false => None,
        };
        let is_missing = |field: Option<&[u8]>, wanted| field.is_none() && capabilities.has(wanted);
        let is_complete = !(is_missing(schema, Capabilities::CONNECT_WITH_DB)
            || is_missing(plugin, Capabilities::PLUGIN_AUTH)
            || is_missing(attributes, Capabilities::CONNECT_ATTRS));
        Ok(Self {
            capabilities,
            user,
            auth,
            schema,
            plugin,
            attributes,
            auth_range,
            attributes_range: start..reader.position(),
            is_complete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payload(capabilities: Capabilities, auth: &[u8]) -> Vec<u8> {
        let mut out = vec![0; FIXED];
        out[8] = 45;
        set_capabilities(&mut out, capabilities);
        out.extend_from_slice(b"alice\0");
        if capabilities.has(Capabilities::PLUGIN_AUTH_LENENC) {
            lenenc::write_string(&mut out, auth);
        } else {
            out.push(auth.len() as u8);
            out.extend_from_slice(auth);
        }
        if capabilities.has(Capabilities::CONNECT_WITH_DB) {
            out.extend_from_slice(b"shop\0");
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) {
            out.extend_from_slice(b"mysql_native_password\0");
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) {
            let mut attributes = Vec::new();
            lenenc::write_string(&mut attributes, b"_os");
            lenenc::write_string(&mut attributes, b"Linux");
            lenenc::write_string(&mut out, &attributes);
        }
        out
    }

    #[test]
    fn the_last_zero_may_be_missing() {
        let capabilities = Capabilities::PROTOCOL_41
            .with(Capabilities::SECURE_CONNECTION)
            .with(Capabilities::CONNECT_WITH_DB);
        let mut payload = payload(capabilities, b"");
        payload.pop();
        let response = HandshakeResponse::read(&payload).unwrap();
        assert_eq!(response.schema, Some(&b"shop"[..]));
    }

    proptest! {
        #[test]
        fn every_field_is_where_its_capability_says(bits in any::<u64>(), auth in proptest::collection::vec(any::<u8>(), 0..255)) {
            let capabilities = Capabilities(bits)
                .with(Capabilities::PROTOCOL_41)
                .with(Capabilities::SECURE_CONNECTION);
            let payload = payload(capabilities, &auth);
            let response = HandshakeResponse::read(&payload).unwrap();
            prop_assert_eq!(response.capabilities, capabilities);
            prop_assert_eq!((response.user, response.auth), (&b"alice"[..], &auth[..]));
            let schema = capabilities.has(Capabilities::CONNECT_WITH_DB).then_some(&b"shop"[..]);
            prop_assert_eq!(response.schema, schema);
            prop_assert_eq!(response.plugin.is_some(), capabilities.has(Capabilities::PLUGIN_AUTH));
            prop_assert_eq!(response.attributes.is_some(), capabilities.has(Capabilities::CONNECT_ATTRS));
            prop_assert!(payload[response.auth_range.clone()].ends_with(&auth));
            prop_assert!(response.is_complete && response.attributes_range.end == payload.len());
            prop_assert_eq!(response.attributes_range.is_empty(), response.attributes.is_none());
            for cut in 0..response.auth_range.start {
                prop_assert!(HandshakeResponse::read(&payload[..cut]).is_err());
            }
        }
    }
}

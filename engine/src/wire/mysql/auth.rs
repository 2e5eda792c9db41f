//! What a server says while a client proves who it is.
//!
//! `0xfe`: go on with another plugin, its name up to a zero and its data, which may end with a zero that is not one of
//! them; `0x01`: data of the plugin; `0x02`: begin with the plugin of the next factor, as `0xfe`.

use super::{error, ok};
use crate::wire::cursor::{Malformed, Reader};

/// The plugin that the default of MySQL since 8.0 names.
pub const CACHING_SHA2: &[u8] = b"caching_sha2_password";
/// The plugin that always needs the password itself.
pub const SHA256: &[u8] = b"sha256_password";

/// `caching_sha2_password`: the server knows the client already, and OK follows.
pub const FAST_AUTH_DONE: &[u8] = &[3];
/// `caching_sha2_password`: the server needs the password itself.
pub const FULL_AUTH_NEEDED: &[u8] = &[4];

/// A message of the server during authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMessage<'a> {
    /// The client is who it says.
    Ok,
    /// It is not, or may not.
    Error,
    /// Authentication goes on with this plugin.
    Switch {
        /// Its name.
        plugin: &'a [u8],
        /// Its data, mostly a scramble.
        data: &'a [u8],
    },
    /// Data of the plugin in use.
    More(&'a [u8]),
}

impl<'a> AuthMessage<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is none of these.
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        Ok(match reader.u8("message of authentication")? {
            ok::OK => Self::Ok,
            error::ERR => Self::Error,
            0x01 => Self::More(reader.rest()),
            // Alone: the plugin of MySQL before 4.1, with the scramble of the greeting.
            0xfe if reader.left() == 0 => Self::Switch {
                plugin: b"mysql_old_password",
                data: b"",
            },
            0xfe | 0x02 => {
                let plugin = reader.cstr("plugin name")?;
                let data = reader.rest();
                Self::Switch {
                    plugin,
                    data: data.strip_suffix(&[0]).unwrap_or(data),
                }
            }
            _ => return Err(Malformed("message of authentication")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_told_apart() {
        for (payload, expected) in [
            (&b"\x00\0\0\x02\0\0\0"[..], AuthMessage::Ok),
            (b"\xff\x15\x04#28000no", AuthMessage::Error),
            (
                b"\xfeclient_ed25519\0abc\0",
                AuthMessage::Switch {
                    plugin: b"client_ed25519",
                    data: b"abc",
                },
            ),
            (
                b"\x02dialog\0x",
                AuthMessage::Switch {
                    plugin: b"dialog",
                    data: b"x",
                },
            ),
            (b"\x01\x04", AuthMessage::More(FULL_AUTH_NEEDED)),
        ] {
            assert_eq!(AuthMessage::read(payload), Ok(expected));
        }
        assert!(AuthMessage::read(b"").is_err());
        assert!(AuthMessage::read(b"\x03").is_err());
        assert!(AuthMessage::read(b"\xfename").is_err());
    }
}

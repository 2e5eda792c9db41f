//! The server's greeting, the first message of a connection (`HandshakeV10`).
//!
//! Protocol version 1, server version up to a zero, thread id 4, first part of the authentication data 8, a zero,
//! capabilities 2, character set 1, status 2, capabilities 2 (high half), length of the authentication data 1, reserved 6
//! and 4 more, which are MariaDB's capabilities if [`Capabilities::LONG_PASSWORD`] is clear, the rest of the
//! authentication data (at least 13, the last of which is a zero), name of the plugin up to a zero.

use super::Capabilities;
use crate::wire::cursor::{Malformed, Reader};

/// The version of the protocol that is spoken here.
pub const VERSION: u8 = 10;

/// A greeting that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting<'a> {
    /// The server's version, as it says it.
    pub version: &'a [u8],
    /// What the server can do.
    pub capabilities: Capabilities,
    /// Both parts of the authentication data, without the zero at the end.
    pub scramble: [&'a [u8]; 2],
    /// The default plugin; empty without [`Capabilities::PLUGIN_AUTH`].
    pub plugin: &'a [u8],
    /// Offset of the lower half of the capabilities.
    low: usize,
}

/// From the lower half of the capabilities to the higher one: character set and status are between.
const HIGH: usize = 2 + 1 + 2;
/// From there to MariaDB's: the high half, a length and reserved bytes are between.
const EXTENDED: usize = HIGH + 2 + 1 + 6;

impl<'a> Greeting<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be, of another version, or of a server without [`Capabilities::PROTOCOL_41`].
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8("protocol version")? != VERSION {
            return Err(Malformed("protocol version 10"));
        }
        let version = reader.cstr("server version")?;
        reader.u32_le("thread id")?;
        let first = reader.bytes(8, "authentication data")?;
        reader.u8("filler")?;
        let low = reader.position();
        let low_bits = reader.u16_le("capabilities")?;
        reader.bytes(3, "character set and status")?;
        let high_bits = reader.u16_le("capabilities")?;
        let length = reader.u8("length of authentication data")?;
        reader.bytes(6, "reserved bytes")?;
        let extended = reader.u32_le("reserved bytes")?;
        let base = u32::from(low_bits) | u32::from(high_bits) << 16;
        let is_mysql = Capabilities::new(base, 0).has(Capabilities::LONG_PASSWORD);
        let capabilities = Capabilities::new(base, if is_mysql { 0 } else { extended });
        if !capabilities.has(Capabilities::PROTOCOL_41) {
            return Err(Malformed("a server of MySQL 4.1 or later"));
        }
        let length = usize::from(length).saturating_sub(8).max(13);
        let second = reader.bytes(length, "authentication data")?;
        let plugin = match capabilities.has(Capabilities::PLUGIN_AUTH) {
            true => reader.cstr("plugin name")?,
            false => b"",
        };
        Ok(Self {
            version,
            capabilities,
            scramble: [first, second.strip_suffix(&[0]).unwrap_or(second)],
            plugin,
            low,
        })
    }

    /// Where its capabilities stand, to be replaced.
    pub fn places(&self) -> Places {
        Places {
            low: self.low,
            is_mysql: self.capabilities.has(Capabilities::LONG_PASSWORD),
        }
    }
}

/// Where the capabilities of a greeting stand.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    low: usize,
    is_mysql: bool,
}

impl Places {
    /// Replaces the capabilities in the payload that they were read from.
    pub fn set(self, payload: &mut [u8], capabilities: Capabilities) {
        let [a, b, c, d] = capabilities.base().to_le_bytes();
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(place) = payload.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        put(self.low, &[a, b]);
        put(self.low + HIGH, &[c, d]);
        if !self.is_mysql {
            put(self.low + EXTENDED, &capabilities.extended().to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As MariaDB 10.11 and MySQL 9 send them, with a scramble of digits.
    fn greetings() -> [Vec<u8>; 2] {
        let greeting = |version: &[u8], caps: [u8; 4], extended: [u8; 4], plugin: &[u8]| {
            [
                &[10][..],
                version,
                &[0, 7, 0, 0, 0],
                b"12345678\0",
                &caps[..2],
                &[45, 2, 0],
                &caps[2..],
                &[21, 0, 0, 0, 0, 0, 0],
                &extended,
                b"901234567890\0",
                plugin,
                &[0],
            ]
            .concat()
        };
        [
            greeting(
                b"5.5.5-10.11.19-MariaDB",
                [0xfe, 0xf7, 0xff, 0x81],
                [0x1d, 0, 0, 0],
                b"mysql_native_password",
            ),
            greeting(
                b"9.7.4",
                [0xff, 0xff, 0xff, 0xdf],
                [0; 4],
                b"caching_sha2_password",
            ),
        ]
    }

    #[test]
    fn both_kinds_of_servers_are_read() {
        let [mariadb, mysql] = greetings();
        let greeting = Greeting::read(&mariadb).unwrap();
        assert_eq!(greeting.capabilities, Capabilities(0x1d_81ff_f7fe));
        assert_eq!(greeting.scramble.concat(), b"12345678901234567890");
        let greeting = Greeting::read(&mysql).unwrap();
        assert_eq!(greeting.capabilities, Capabilities(0xdfff_ffff));
        assert_eq!(greeting.plugin, b"caching_sha2_password");
    }

    #[test]
    fn capabilities_are_replaced_and_nothing_else() {
        for payload in greetings() {
            let greeting = Greeting::read(&payload).unwrap();
            let mut changed = payload.clone();
            let fewer = greeting.capabilities.without(
                Capabilities::COMPRESS
                    .with(Capabilities::QUERY_ATTRIBUTES.with(Capabilities::MARIADB_PROGRESS)),
            );
            greeting.places().set(&mut changed, fewer);
            assert_eq!(Greeting::read(&changed).unwrap().capabilities, fewer);
            Greeting::read(&changed)
                .unwrap()
                .places()
                .set(&mut changed, greeting.capabilities);
            assert_eq!(changed, payload);
        }
    }

    #[test]
    fn other_servers_are_refused() {
        let [mut mariadb, _] = greetings();
        mariadb[0] = 9;
        assert_eq!(
            Greeting::read(&mariadb),
            Err(Malformed("protocol version 10"))
        );
    }

    proptest! {
        #[test]
        fn a_shorter_greeting_is_none(cut in 0usize..100) {
            for payload in greetings() {
                if cut < payload.len() {
                    prop_assert!(Greeting::read(&payload[..cut]).is_err());
                }
            }
        }
    }
}

//! The untagged packets that a client sends before anything else.

use crate::wire::cursor::{Malformed, Reader};

/// The server's own limit for a startup packet, in bytes.
pub const MAX_STARTUP: usize = 10_000;

/// Bytes of the length at the front of a packet.
pub const LENGTH: usize = 4;

/// A startup packet by its code (PostgreSQL documentation, "Message Formats").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startup {
    /// StartupMessage of protocol 3, any minor version.
    Session,
    /// SSLRequest, 80877103.
    Tls,
    /// GSSENCRequest, 80877104.
    Gss,
    /// CancelRequest, 80877102, with a process id and a key of 4 to 256 bytes.
    Cancel,
    /// A protocol that is not spoken here.
    Unknown {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
}

/// Total length of the packet at the front of `bytes`; `None` until its first four bytes are there.
pub fn packet_length(bytes: &[u8]) -> Option<Result<usize, Malformed>> {
    let field = bytes.first_chunk::<LENGTH>()?;
    let length = u32::from_be_bytes(*field);
    Some(match usize::try_from(length) {
        Ok(length) if (8..=MAX_STARTUP).contains(&length) => Ok(length),
        _ => Err(Malformed("length of the startup packet")),
    })
}

impl Startup {
    /// Reads a whole packet.
    pub fn read(packet: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(packet);
        reader.u32("length of the startup packet")?;
        match reader.u32("protocol version")? {
            80_877_102 if (12..=264).contains(&packet.len().saturating_sub(4)) => Ok(Self::Cancel),
            80_877_102 => Err(Malformed("key of the cancel request")),
            80_877_103 => Ok(Self::Tls),
            80_877_104 => Ok(Self::Gss),
            version if version >> 16 == 3 => Ok(Self::Session),
            version => Ok(Self::Unknown {
                major: (version >> 16) as u16,
                minor: version as u16,
            }),
        }
    }
}

/// The value of a parameter of a StartupMessage.
pub fn parameter<'a>(packet: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut reader = Reader::new(packet);
    reader.bytes(8, "header").ok()?;
    loop {
        match reader.cstr("parameter name").ok()? {
            b"" => return None,
            name => {
                let value = reader.cstr("parameter value").ok()?;
                if name == wanted {
                    return Some(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart_by_their_code() {
        let packet = |code: u32, body: &[u8]| {
            let mut bytes = (8 + body.len() as u32).to_be_bytes().to_vec();
            bytes.extend_from_slice(&code.to_be_bytes());
            bytes.extend_from_slice(body);
            bytes
        };
        assert_eq!(Startup::read(&packet(80_877_103, b"")), Ok(Startup::Tls));
        assert_eq!(Startup::read(&packet(80_877_104, b"")), Ok(Startup::Gss));
        assert_eq!(
            Startup::read(&packet(80_877_102, &[0; 8])),
            Ok(Startup::Cancel)
        );
        assert_eq!(
            Startup::read(&packet(80_877_102, &[0; 260])),
            Ok(Startup::Cancel)
        );
        assert!(Startup::read(&packet(80_877_102, &[0; 2])).is_err());
        let session = packet(196_610, b"user\0me\0database\0db\0\0");
        assert_eq!(Startup::read(&session), Ok(Startup::Session));
        assert_eq!(parameter(&session, b"database"), Some(&b"db"[..]));
        assert_eq!(parameter(&session, b"replication"), None);
        assert_eq!(
            Startup::read(&packet(131_072, b"")),
            Ok(Startup::Unknown { major: 2, minor: 0 })
        );
    }
}

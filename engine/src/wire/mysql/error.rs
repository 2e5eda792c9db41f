//! ERR packets: `0xff`, code 2, then, with [`Capabilities::PROTOCOL_41`](super::Capabilities), `#` and SQLSTATE 5, then the text.

use super::packet::write_message;
use crate::wire::cursor::{Malformed, Reader};

/// First byte of an ERR packet.
pub const ERR: u8 = 0xff;

/// The code of a report of progress, which only looks like an error (MariaDB documentation, "ERR_Packet").
const PROGRESS: u16 = 0xffff;

/// The code of an error.
///
/// # Errors
///
/// It is shorter than it should be.
pub fn code(payload: &[u8]) -> Result<u16, Malformed> {
    let mut reader = Reader::new(payload);
    reader.u8("ERR packet")?;
    reader.u16_le("code of an error")
}

/// Whether it reports progress, and the answer is still to come.
pub fn is_progress(payload: &[u8]) -> bool {
    payload.first() == Some(&ERR) && code(payload) == Ok(PROGRESS)
}

/// An error that we write.
#[derive(Debug, Clone, Copy)]
pub struct ErrorFields<'a> {
    /// MySQL's number.
    pub code: u16,
    /// SQLSTATE; left out in front of the client's capabilities.
    pub sqlstate: Option<&'a str>,
    /// The text.
    pub message: &'a str,
}

/// Appends an ERR packet.
pub fn write(out: &mut Vec<u8>, sequence: &mut u8, fields: ErrorFields<'_>) {
    let mut payload = vec![ERR];
    payload.extend_from_slice(&fields.code.to_le_bytes());
    if let Some(sqlstate) = fields.sqlstate {
        payload.push(b'#');
        payload.extend_from_slice(sqlstate.as_bytes());
    }
    payload.extend_from_slice(fields.message.as_bytes());
    write_message(out, sequence, &payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_state_if_the_client_may_read_one() {
        let (mut out, mut sequence) = (Vec::new(), 1);
        let fields = ErrorFields {
            code: 1317,
            sqlstate: Some("70100"),
            message: "no",
        };
        write(&mut out, &mut sequence, fields);
        assert_eq!(out, b"\x0b\0\0\x01\xff\x25\x05#70100no");
        assert_eq!(sequence, 2);
        assert_eq!(code(&out[4..]), Ok(1317));
        out.clear();
        let sqlstate = None;
        write(&mut out, &mut sequence, ErrorFields { sqlstate, ..fields });
        assert_eq!(out, b"\x05\0\0\x02\xff\x25\x05no");
        assert!(!is_progress(&out[4..]));
        assert!(is_progress(b"\xff\xff\xff\x01\x01"));
        assert!(!is_progress(b"\xff\xff"));
    }
}

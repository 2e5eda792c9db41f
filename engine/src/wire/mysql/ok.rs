//! OK and EOF packets: a command is done, or a part of its answer.
//!
//! OK: `0x00` (or `0xfe` at the end of rows with [`Capabilities::DEPRECATE_EOF`]), affected rows and last insert id as
//! length-encoded integers, status 2, warnings 2, then a text, and changes of the session if the status says so. EOF:
//! `0xfe`, warnings 2, status 2.

use super::{Capabilities, lenenc};
use crate::wire::cursor::{Malformed, Reader};

/// First byte of an OK packet.
pub const OK: u8 = 0x00;
/// First byte of an EOF packet, and of the OK packet in its place.
pub const EOF: u8 = 0xfe;
/// An EOF packet is shorter than this; a row may begin like one.
const EOF_LIMIT: usize = 9;

/// The status of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status(pub u16);

impl Status {
    /// Whether a transaction is open.
    pub fn is_in_transaction(self) -> bool {
        self.0 & 0x0001 != 0
    }

    /// Whether another result of the same command follows.
    pub fn has_more_results(self) -> bool {
        self.0 & 0x0008 != 0
    }

    /// Whether the rows stay with the server, to be fetched.
    pub fn has_cursor(self) -> bool {
        self.0 & 0x0040 != 0
    }

    /// Whether the result is of the parameters that a procedure has given values to.
    pub fn is_out_parameters(self) -> bool {
        self.0 & 0x1000 != 0
    }

    /// Whether changes of the session follow.
    fn has_state_changes(self) -> bool {
        self.0 & 0x4000 != 0
    }
}

/// An OK packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ok<'a> {
    /// Status after it.
    pub status: Status,
    /// Changes of the session, see [`changes`].
    pub state: &'a [u8],
}

impl<'a> Ok<'a> {
    /// Reads the payload of an OK packet with either first byte.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("OK packet")?;
        lenenc::integer(&mut reader, "affected rows")?;
        lenenc::integer(&mut reader, "last insert id")?;
        let status = Status(reader.u16_le("status")?);
        reader.u16_le("warnings")?;
        let mut state = &b""[..];
        // Without changes the text may be left out.
        if capabilities.has(Capabilities::SESSION_TRACK) && reader.left() > 0 {
            lenenc::string(&mut reader, "text of an OK packet")?;
            if status.has_state_changes() {
                state = lenenc::string(&mut reader, "state changes")?;
            }
        }
        Ok(Self { status, state })
    }
}

/// What an EOF packet, or the OK packet in its place, says of the session.
///
/// # Errors
///
/// It is shorter than it should be.
pub fn end_status(payload: &[u8], capabilities: Capabilities) -> Result<Status, Malformed> {
    if capabilities.has(Capabilities::DEPRECATE_EOF) && payload.len() >= 7 {
        return Ok::read(payload, capabilities).map(|ok| ok.status);
    }
    let mut reader = Reader::new(payload);
    reader.u8("EOF packet")?;
    reader.u16_le("warnings")?;
    reader.u16_le("status").map(Status)
}

/// Whether a message that begins with this byte, and whose first packet is of this length, ends rows or definitions.
pub fn is_end(first: u8, length: usize, capabilities: Capabilities) -> bool {
    let limit = match capabilities.has(Capabilities::DEPRECATE_EOF) {
        // A row's first value of 16 MiB or more begins with the same byte, and fills its first packet.
        true => super::packet::MAX_PAYLOAD,
        false => EOF_LIMIT,
    };
    first == EOF && length < limit
}

/// A change of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// A system variable has a new value.
    Variable {
        /// Its name.
        name: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// The default schema.
    Schema(&'a [u8]),
    /// Another kind.
    Other {
        /// Its number.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

/// The changes in an OK packet.
pub fn changes(state: &[u8]) -> impl Iterator<Item = Result<Change<'_>, Malformed>> {
    let mut reader = Reader::new(state);
    std::iter::from_fn(move || {
        if reader.left() == 0 {
            return None;
        }
        let change = change(&mut reader);
        if change.is_err() {
            // Nothing after it can be told apart.
            reader.rest();
        }
        Some(change)
    })
}

fn change<'a>(reader: &mut Reader<'a>) -> Result<Change<'a>, Malformed> {
    let kind = reader.u8("kind of a state change")?;
    let data = lenenc::string(reader, "state change")?;
    let mut inner = Reader::new(data);
    Ok(match kind {
        0 => Change::Variable {
            name: lenenc::string(&mut inner, "name of a variable")?,
            value: lenenc::string(&mut inner, "value of a variable")?,
        },
        1 => Change::Schema(lenenc::string(&mut inner, "schema")?),
        kind => Change::Other { kind, data },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_state_is_read() {
        let mut variable = Vec::new();
        lenenc::write_string(&mut variable, b"sql_mode");
        lenenc::write_string(&mut variable, b"ANSI_QUOTES");
        let mut state = vec![0];
        lenenc::write_string(&mut state, &variable);
        state.extend_from_slice(&[1, 5, 4]);
        state.extend_from_slice(b"shop");
        state.extend_from_slice(&[2, 1, b'1']);
        let mut payload = vec![OK, 1, 0xfc, 0, 1, 0x09, 0x40, 2, 0, 0];
        lenenc::write_string(&mut payload, &state);
        let ok = Ok::read(&payload, Capabilities::SESSION_TRACK).unwrap();
        assert!(ok.status.is_in_transaction() && ok.status.has_more_results());
        let changes: Vec<_> = changes(ok.state).map(Result::unwrap).collect();
        assert_eq!(
            changes,
            [
                Change::Variable {
                    name: b"sql_mode",
                    value: b"ANSI_QUOTES"
                },
                Change::Schema(b"shop"),
                Change::Other {
                    kind: 2,
                    data: b"1"
                },
            ]
        );
        for cut in 1..payload.len() {
            let part = Ok::read(&payload[..cut], Capabilities::SESSION_TRACK);
            // What is left out may be the text and the changes.
            assert_eq!(part.is_ok(), cut == 9, "{cut}");
        }
    }

    #[test]
    fn rows_are_not_taken_for_their_end() {
        let deprecated = Capabilities::DEPRECATE_EOF;
        assert!(is_end(EOF, 5, Capabilities::default()));
        assert!(!is_end(EOF, 9, Capabilities::default()));
        assert!(is_end(EOF, 200, deprecated));
        assert!(!is_end(EOF, 0xff_ff_ff, deprecated));
        assert!(!is_end(OK, 7, deprecated));
        assert_eq!(
            end_status(&[EOF, 0, 0, 8, 0], Capabilities::default()),
            Ok(Status(8))
        );
        assert_eq!(
            end_status(&[EOF, 0, 0, 8, 0, 0, 0], deprecated),
            Ok(Status(8))
        );
        // MariaDB answers some commands with an EOF packet all the same.
        assert_eq!(end_status(&[EOF, 0, 0, 2, 0], deprecated), Ok(Status(2)));
    }
}

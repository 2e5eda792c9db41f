//! The first packet of the answer to `COM_STMT_PREPARE`.
//!
//! `0x00`, statement 4, number of columns 2, number of parameters 2, a zero, warnings 2; with
//! [`Capabilities::OPTIONAL_RESULTSET_METADATA`] whether definitions follow 1. Then come the definitions of parameters
//! and those of columns, each list ended by an EOF packet unless that is deprecated.

use super::Capabilities;
use crate::wire::cursor::{Malformed, Reader};

/// What a statement is, once it is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// The number to call it by.
    pub statement: u32,
    /// Number of columns of its result.
    pub columns: usize,
    /// Number of its parameters.
    pub parameters: usize,
    /// Whether their definitions follow.
    pub has_definitions: bool,
}

impl Prepared {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &[u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("answer to COM_STMT_PREPARE")?;
        let statement = reader.u32_le("statement number")?;
        let columns = reader.u16_le("number of columns")?;
        let parameters = reader.u16_le("number of parameters")?;
        reader.bytes(3, "warnings")?;
        let has_definitions = match capabilities.has(Capabilities::OPTIONAL_RESULTSET_METADATA) {
            true => reader.u8("whether definitions follow")? != 0,
            false => true,
        };
        Ok(Self {
            statement,
            columns: columns.into(),
            parameters: parameters.into(),
            has_definitions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_may_be_left_out() {
        let payload = [0, 5, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0];
        let with = Capabilities::OPTIONAL_RESULTSET_METADATA;
        let prepared = Prepared::read(&payload, with).unwrap();
        assert!(!prepared.has_definitions);
        let prepared = Prepared::read(&payload[..12], Capabilities::default()).unwrap();
        assert!(prepared.has_definitions);
        assert_eq!(
            (prepared.statement, prepared.columns, prepared.parameters),
            (5, 2, 1)
        );
        assert!(Prepared::read(&payload[..12], with).is_err());
    }
}

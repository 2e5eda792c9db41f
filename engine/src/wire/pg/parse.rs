//! Parse: statement name, text, declared parameter types.

use crate::wire::cursor::{Malformed, Reader};

/// OID of `bytea`.
pub const BYTEA: u32 = 17;
/// OID of `int8`.
pub const INT8: u32 = 20;
/// OID of `int2`.
pub const INT2: u32 = 21;
/// OID of `int4`.
pub const INT4: u32 = 23;

/// A borrowed Parse message.
#[derive(Debug)]
pub struct Parse<'a> {
    /// Name of the statement, empty for the unnamed one.
    pub name: &'a [u8],
    /// The statement's text without its terminator.
    pub text: &'a [u8],
    /// Declared parameter types, four bytes each; 0 leaves a type to the server.
    pub types: &'a [u8],
}

impl<'a> Parse<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let name = reader.cstr("statement name")?;
        let text = reader.cstr("statement text")?;
        let count = reader.u16("number of parameter types")?;
        let types = reader.bytes(usize::from(count) * 4, "parameter types")?;
        reader.end("end of Parse")?;
        Ok(Self { name, text, types })
    }
}

//! `COM_QUERY`: a text, in front of which there may be attributes.
//!
//! With [`Capabilities::QUERY_ATTRIBUTES`]: number of attributes and number of sets (1), length-encoded; if there are
//! any, a NULL bitmap, a 1, for each its type (2 bytes) and name, then their values in the form of the binary protocol.

use super::execute::{Parameters, Types};
use super::{Capabilities, lenenc};
use crate::wire::cursor::{Malformed, Reader};

/// A text and its attributes.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The attributes, if the client may send some.
    pub attributes: Option<Parameters<'a>>,
    /// Offset of the text in the payload.
    pub text_at: usize,
    /// The text.
    pub text: &'a [u8],
}

impl<'a> Query<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be, or the attributes have not the one form that servers take.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("COM_QUERY")?;
        let attributes = match capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            true => Some(attributes(&mut reader)?),
            false => None,
        };
        let text_at = reader.position();
        Ok(Self {
            attributes,
            text_at,
            text: reader.rest(),
        })
    }
}

fn attributes<'a>(reader: &mut Reader<'a>) -> Result<Parameters<'a>, Malformed> {
    let count = lenenc::integer(reader, "number of attributes")?;
    if lenenc::integer(reader, "number of sets of attributes")? != 1 {
        return Err(Malformed("one set of attributes"));
    }
    let count = usize::try_from(count).map_err(|_| Malformed("number of attributes"))?;
    let parameters = Parameters::read(reader, count, true)?;
    let Types::New(types) = &parameters.types else {
        return match count {
            0 => Ok(parameters),
            _ => Err(Malformed("types of attributes")),
        };
    };
    // The text begins where they end.
    parameters.skip(types, reader)?;
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mysql::value::Type;

    #[test]
    fn the_example_of_the_documentation() {
        let payload = [
            &[3, 1, 1, 0, 1, 0xfe, 0, 1][..],
            b"a\x011select @@version_comment limit 1",
        ]
        .concat();
        let query = Query::read(&payload, Capabilities::QUERY_ATTRIBUTES).unwrap();
        assert_eq!(query.text, b"select @@version_comment limit 1");
        assert_eq!(&payload[query.text_at..], query.text);
        let attributes = query.attributes.unwrap();
        let Types::New(types) = &attributes.types else {
            panic!("no types");
        };
        assert_eq!((types[0].kind, types[0].name), (Type(254), &b"a"[..]));
        let values: Vec<_> = attributes.values(types).map(Result::unwrap).collect();
        assert_eq!(values, [Some(&b"1"[..])]);
    }

    #[test]
    fn a_text_without_attributes() {
        let with = Capabilities::QUERY_ATTRIBUTES;
        let query = Query::read(b"\x03\0\x01SELECT 1", with).unwrap();
        assert_eq!(query.text, b"SELECT 1");
        let query = Query::read(b"\x03SELECT 1", Capabilities::default()).unwrap();
        assert_eq!((query.text, query.text_at), (&b"SELECT 1"[..], 1));
        assert!(Query::read(b"\x03\0\x02SELECT 1", with).is_err());
        assert!(Query::read(b"\x03\x05\x01\0\x01", with).is_err());
    }
}

//! RowDescription: the columns of a result.

use super::Format;
use crate::wire::cursor::{Malformed, Reader};

/// What is read of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// OID of the relation that the column is of; 0 if it is of none.
    pub relation: u32,
    /// The column's number in the relation.
    pub number: i16,
    /// OID of the column's type.
    pub type_oid: u32,
    /// Format of the values; text in the answer to a Describe of a statement.
    pub format: Format,
}

/// Reads the fields of a body.
pub fn read(body: &[u8]) -> Result<Vec<Field>, Malformed> {
    let mut reader = Reader::new(body);
    let count = reader.u16("number of fields")?;
    let mut fields = Vec::with_capacity(usize::from(count).min(body.len() / 19));
    for _ in 0..count {
        reader.cstr("field name")?;
        let relation = reader.u32("table of a field")?;
        let number = reader.u16("attribute of a field")?.cast_signed();
        let type_oid = reader.u32("type of a field")?;
        reader.bytes(6, "length and modifier of a field")?;
        let format = match reader.u16("format of a field")? {
            1 => Format::Binary,
            _ => Format::Text,
        };
        fields.push(Field {
            relation,
            number,
            type_oid,
            format,
        });
    }
    reader.end("end of RowDescription")?;
    Ok(fields)
}

/// Replaces types in a body; `shown` tells OID and length of the new one of a field by its place from 0 on. It has no
/// modifier.
pub fn retype(
    body: &mut [u8],
    shown: impl Fn(usize) -> Option<(u32, i16)>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(body);
    let count = reader.u16("number of fields")?;
    let mut places = Vec::new();
    for at in 0..usize::from(count) {
        reader.cstr("field name")?;
        reader.bytes(6, "table and attribute of a field")?;
        places.extend(shown(at).map(|shown| (reader.position(), shown)));
        reader.bytes(12, "type and format of a field")?;
    }
    for (start, (oid, size)) in places {
        let rest = body.get_mut(start..).unwrap_or_default();
        if let Some(field) = rest.first_chunk_mut::<10>() {
            let [a, b, c, d] = oid.to_be_bytes();
            let [e, f] = size.to_be_bytes();
            *field = [a, b, c, d, e, f, 0xff, 0xff, 0xff, 0xff];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_type_and_format_are_read() {
        let mut body = vec![0, 1];
        body.extend_from_slice(b"ssn\0\0\0\x40\x01\0\x02\0\0\0\x11\xff\xff\xff\xff\xff\xff\0\x01");
        assert_eq!(
            read(&body),
            Ok(vec![Field {
                relation: 0x4001,
                number: 2,
                type_oid: 17,
                format: Format::Binary
            }])
        );
        retype(&mut body, |at| (at == 0).then_some((23, 4))).unwrap();
        assert_eq!(read(&body).unwrap()[0].type_oid, 23);
        assert!(body.ends_with(b"\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01"));
        body.pop();
        assert!(read(&body).is_err() && retype(&mut body, |_| None).is_err());
    }
}

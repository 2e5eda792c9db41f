//! ParameterDescription: the types of a statement's parameters.

use crate::wire::cursor::{Malformed, Reader};

/// Reads the OIDs of the types in a body.
pub fn read(body: &[u8]) -> Result<Vec<u32>, Malformed> {
    let mut reader = Reader::new(body);
    let count = reader.u16("number of parameters")?;
    let types = reader.bytes(usize::from(count) * 4, "types of parameters")?;
    reader.end("end of ParameterDescription")?;
    let oid = |field: &[u8]| field.try_into().map_or(0, u32::from_be_bytes);
    Ok(types.chunks_exact(4).map(oid).collect())
}

/// Replaces types in a body that has been read; `oid` tells the new one of a parameter by its number from 1 on.
pub fn retype(body: &mut [u8], oid: impl Fn(u16) -> Option<u32>) {
    let types = body.get_mut(2..).unwrap_or_default();
    for (number, field) in (1..=u16::MAX).zip(types.chunks_exact_mut(4)) {
        if let Some(oid) = oid(number) {
            field.copy_from_slice(&oid.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{read, retype};

    #[test]
    fn types_are_read_and_replaced_by_number() {
        let mut body = [0, 2, 0, 0, 0, 17, 0, 0, 0, 17];
        assert_eq!(read(&body), Ok(vec![17, 17]));
        retype(&mut body, |number| (number == 2).then_some(0x102));
        assert_eq!(body, [0, 2, 0, 0, 0, 17, 0, 0, 1, 2]);
        assert!(read(&body[..9]).is_err());
        assert!(read(&[]).is_err());
    }
}

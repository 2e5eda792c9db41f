//! ParameterDescription: the types of a statement's parameters.

use crate::wire::cursor::{Malformed, Reader};

/// Replaces types in a body; `oid` tells the new one of a parameter by its number from 1 on.
pub fn retype(body: &mut [u8], oid: impl Fn(u16) -> Option<u32>) -> Result<(), Malformed> {
    let mut reader = Reader::new(body);
    let count = reader.u16("number of parameters")?;
    reader.bytes(usize::from(count) * 4, "types of parameters")?;
    reader.end("end of ParameterDescription")?;
    let types = body.get_mut(2..).unwrap_or_default();
    for (number, field) in (1..=count).zip(types.chunks_exact_mut(4)) {
        if let Some(oid) = oid(number) {
            field.copy_from_slice(&oid.to_be_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::retype;

    #[test]
    fn types_are_replaced_by_number() {
        let mut body = [0, 2, 0, 0, 0, 17, 0, 0, 0, 17];
        retype(&mut body, |number| (number == 2).then_some(0x102)).unwrap();
        assert_eq!(body, [0, 2, 0, 0, 0, 17, 0, 0, 1, 2]);
        assert!(retype(&mut body[..9], |_| None).is_err());
        assert!(retype(&mut [], |_| None).is_err());
    }
}

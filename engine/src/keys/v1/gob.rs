//! Go's gob encoding of a list of records, as far as bundles of key store v1 need it (keystore.md 8.2).

use super::bundle::{BundleError, Record};
use crate::crypto::Secret;
use zeroize::Zeroizing;

/// The two type definitions that begin every stream: 65 is a list of 64, 64 a record of `Name` and `Content`.
const DEFINITIONS: [u8; 47] = [
    0x0d, 0xff, 0x81, 0x02, 0x01, 0x02, 0xff, 0x82, 0x00, 0x01, 0xff, 0x80, 0x00, 0x00, 0x20, 0x7f,
    0x03, 0x01, 0x02, 0xff, 0x80, 0x00, 0x01, 0x02, 0x01, 0x04, 0x4e, 0x61, 0x6d, 0x65, 0x01, 0x0c,
    0x00, 0x01, 0x07, 0x43, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x01, 0x0a, 0x00, 0x00, 0x00,
];

/// What begins the message of the value: type 65, and a byte that says that it is no structure.
const VALUE: [u8; 3] = [0xff, 0x82, 0x00];

/// Most bytes of a number in a stream: its own, and eight of the value.
const MAX_NUMBER: usize = 9;

/// Writes a stream of one list. Bytes of keys are in no memory that is given back.
pub(super) fn write(records: &[Record]) -> Zeroizing<Vec<u8>> {
    let of_record =
        |record: &Record| record.name.len() + record.content.as_bytes().len() + 2 * MAX_NUMBER + 3;
    let room = MAX_NUMBER + records.iter().map(of_record).sum::<usize>();
    let mut list = Zeroizing::new(Vec::with_capacity(room));
    put_number(&mut list, records.len());
    for record in records {
        // The marker of a field is the distance from the one before.
        let mut marker = 1;
        for field in [record.name.as_bytes(), record.content.as_bytes()] {
            if field.is_empty() {
                marker += 1;
                continue;
            }
            put_number(&mut list, marker);
            put_number(&mut list, field.len());
            list.extend_from_slice(field);
            marker = 1;
        }
        list.push(0);
    }
    let room = DEFINITIONS.len() + MAX_NUMBER + VALUE.len() + list.len();
    let mut stream = Zeroizing::new(Vec::with_capacity(room));
    stream.extend_from_slice(&DEFINITIONS);
    put_number(&mut stream, VALUE.len() + list.len());
    stream.extend_from_slice(&VALUE);
    stream.extend_from_slice(&list);
    stream
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    match u8::try_from(number) {
        Ok(small @ ..0x80) => out.push(small),
        _ => {
            let bytes = number.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let bytes = bytes.get(zeros..).unwrap_or_default();
            // 256 less the number of bytes, which is at most 8.
            out.push((bytes.len() as u8).wrapping_neg());
            out.extend_from_slice(bytes);
        }
    }
}

/// Reads a stream of one list.
pub(super) fn read(stream: &[u8]) -> Result<Vec<Record>, BundleError> {
    let mut stream = Reader(stream);
    loop {
        let mut message = Reader(stream.bytes()?);
        if message.type_id()? < 0 {
            // A definition, of whatever.
            continue;
        }
        if message.byte()? != 0 {
            return Err(BundleError::Format);
        }
        let records = list(&mut message)?;
        return match (message.0, stream.0) {
            ([], []) => Ok(records),
            _ => Err(BundleError::Format),
        };
    }
}

fn list(message: &mut Reader<'_>) -> Result<Vec<Record>, BundleError> {
    let count = message.number()?;
    // Each record takes a byte at least, so nothing is reserved for records that are not there.
    if count > message.0.len() as u64 {
        return Err(BundleError::Format);
    }
    let mut records = Vec::new();
    for _ in 0..count {
        let (mut name, mut content) = (&[][..], &[][..]);
        let mut field = 0_u64;
        loop {
            match message.number()? {
                0 => break,
                distance => field = field.saturating_add(distance),
            }
            match field {
                1 => name = message.bytes()?,
                2 => content = message.bytes()?,
                _ => return Err(BundleError::Format),
            }
        }
        let name = std::str::from_utf8(name).map_err(|_| BundleError::Format)?;
        records.push(Record {
            name: name.to_owned(),
            content: Secret::from(content.to_vec()),
        });
    }
    Ok(records)
}

/// What is left of a stream or of a message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, BundleError> {
        let (byte, left) = self.0.split_first().ok_or(BundleError::Format)?;
        self.0 = left;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, BundleError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(first.into());
        }
        let length = usize::from(first.wrapping_neg());
        if length > 8 {
            return Err(BundleError::Format);
        }
        let bytes = self.take(length)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A signed number, whose lowest bit is the sign.
    fn type_id(&mut self) -> Result<i64, BundleError> {
        let number = self.number()?;
        let magnitude = (number >> 1).cast_signed();
        Ok(if number & 1 == 1 {
            !magnitude
        } else {
            magnitude
        })
    }

    /// Bytes with their number in front.
    fn bytes(&mut self) -> Result<&'a [u8], BundleError> {
        let length = usize::try_from(self.number()?).map_err(|_| BundleError::Format)?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BundleError> {
        let (bytes, left) = self.0.split_at_checked(length).ok_or(BundleError::Format)?;
        self.0 = left;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(name: &str, content: &[u8]) -> Record {
        Record {
            name: name.to_owned(),
            content: Secret::from(content.to_vec()),
        }
    }

    fn plain(records: &[Record]) -> Vec<(String, Vec<u8>)> {
        let plain = |record: &Record| (record.name.clone(), record.content.as_bytes().to_vec());
        records.iter().map(plain).collect()
    }

    fn value(rest: &[u8]) -> Vec<u8> {
        let mut stream = DEFINITIONS.to_vec();
        put_number(&mut stream, rest.len());
        stream.extend_from_slice(rest);
        stream
    }

    #[test]
    fn empty_fields_are_left_out() {
        let stream = write(&[record("", b"x"), record("y", b""), record("", b"")]);
        let expected = value(b"\xff\x82\0\x03\x02\x01x\0\x01\x01y\0\0");
        assert_eq!(*stream, expected);
        assert_eq!(read(&stream).unwrap().len(), 3);
    }

    #[test]
    fn streams_that_are_none() {
        for stream in [
            vec![],
            DEFINITIONS.to_vec(),
            value(b""),
            value(b"\xff\x82"),
            // No byte of zero in front, and one record that is not there.
            value(b"\xff\x82\x01\0"),
            value(b"\xff\x82\0\x01"),
            // Bytes behind the list, and a field that there is not.
            value(b"\xff\x82\0\0\0"),
            value(b"\xff\x82\0\x01\x03\x01x\0"),
            // Lengths greater than all that is left.
            value(b"\xff\x82\0\x01\x01\xf8\xff\xff\xff\xff\xff\xff\xff\xff"),
            value(b"\xff\x82\0\xf8\xff\xff\xff\xff\xff\xff\xff\xff"),
            value(b"\xff\x82\0\xf7\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            // A name that is no text.
            value(b"\xff\x82\0\x01\x01\x01\xff\0"),
            [value(b"\xff\x82\0\0"), vec![0]].concat(),
        ] {
            assert!(read(&stream).is_err(), "{stream:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            records in proptest::collection::vec((".{0,140}", proptest::collection::vec(any::<u8>(), 0..300)), 0..12),
        ) {
            let written: Vec<Record> = records.iter().map(|(name, content)| record(name, content)).collect();
            let stream = write(&written);
            prop_assert_eq!(plain(&read(&stream).unwrap()), records);
            // The room was enough, so nothing was moved.
            prop_assert!(stream.len() <= stream.capacity());
        }

        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200, flip in any::<u8>()) {
            let _ = read(&bytes);
            let _ = read(&value(&[b"\xff\x82\0", &bytes[..]].concat()));
            let mut stream = write(&[record("client_hmac", &bytes), record("x", b"y")]).to_vec();
            let at = cut % stream.len();
            stream[at] ^= flip;
            let _ = read(&stream);
            prop_assert!(read(&stream[..at.min(stream.len() - 1)]).is_err());
        }
    }
}

//! A bounds-checked reader over bytes that a peer sent.

/// What was expected where the bytes ended or did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Reads integers, byte runs and zero-terminated strings from the front of a slice. Integers are big-endian unless the
/// method says otherwise.
///
/// Every method takes the name of the field it reads; that name is the error when the bytes end too early.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next unread byte.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Number of unread bytes.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let rest = self.bytes.get(self.at..).ok_or(Malformed(field))?;
        let taken = rest.get(..length).ok_or(Malformed(field))?;
        self.at += length;
        Ok(taken)
    }

    /// An unsigned byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        match self.bytes(1, field)? {
            [byte] => Ok(*byte),
            _ => Err(Malformed(field)),
        }
    }

    /// A big-endian 16-bit count or code.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        let bytes = self.bytes(2, field)?;
        bytes
            .try_into()
            .map(u16::from_be_bytes)
            .map_err(|_| Malformed(field))
    }

    /// A big-endian 32-bit unsigned integer.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        let bytes = self.bytes(4, field)?;
        bytes
            .try_into()
            .map(u32::from_be_bytes)
            .map_err(|_| Malformed(field))
    }

    /// A little-endian 16-bit unsigned integer.
    pub fn u16_le(&mut self, field: &'static str) -> Result<u16, Malformed> {
        let bytes = self.bytes(2, field)?;
        bytes
            .try_into()
            .map(u16::from_le_bytes)
            .map_err(|_| Malformed(field))
    }

    /// A little-endian 32-bit unsigned integer.
    pub fn u32_le(&mut self, field: &'static str) -> Result<u32, Malformed> {
        let bytes = self.bytes(4, field)?;
        bytes
            .try_into()
            .map(u32::from_le_bytes)
            .map_err(|_| Malformed(field))
    }

    /// Everything that has not been read.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    /// A length-prefixed value: a big-endian 32-bit signed length, −1 for NULL, then the bytes.
    pub fn value(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        match self.u32(field)? {
            u32::MAX => Ok(None),
            length => self
                .bytes(
                    usize::try_from(length).map_err(|_| Malformed(field))?,
                    field,
                )
                .map(Some),
        }
    }

    /// A string up to, and without, its terminating zero byte, which is consumed.
    pub fn cstr(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let rest = self.bytes.get(self.at..).ok_or(Malformed(field))?;
        let length = memchr::memchr(0, rest).ok_or(Malformed(field))?;
        self.at += length + 1;
        rest.get(..length).ok_or(Malformed(field))
    }

    /// Fails unless everything has been read.
    pub fn end(&self, field: &'static str) -> Result<(), Malformed> {
        if self.left() == 0 {
            Ok(())
        } else {
            Err(Malformed(field))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_and_strings_are_read_in_order() {
        let mut reader = Reader::new(b"ab\0\xff\xff\xff\xff\0\0\0\x01z\0\x07");
        assert_eq!(reader.cstr("name"), Ok(&b"ab"[..]));
        assert_eq!(reader.value("null"), Ok(None));
        assert_eq!(reader.value("value"), Ok(Some(&b"z"[..])));
        assert_eq!(reader.u16("count"), Ok(7));
        assert_eq!(reader.end("end"), Ok(()));
        assert_eq!(reader.u8("more"), Err(Malformed("more")));
    }

    proptest! {
        #[test]
        fn reading_never_passes_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..64), steps in proptest::collection::vec(0u8..5, 0..32)) {
            let mut reader = Reader::new(&bytes);
            for step in steps {
                let before = reader.position();
                let failed = match step {
                    0 => reader.u8("a").is_err(),
                    1 => reader.u16("a").is_err(),
                    2 => reader.u32("a").is_err(),
                    3 => reader.cstr("a").is_err(),
                    _ => reader.value("a").is_err(),
                };
                prop_assert!(reader.position() <= bytes.len());
                prop_assert!(failed || reader.position() > before);
            }
        }
    }
}

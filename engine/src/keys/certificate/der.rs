//! Reading DER (X.690): one element after the other, nothing skipped or guessed.

/// Universal and context tags that are met in a certificate.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// NumericString.
    pub const NUMERIC_STRING: u8 = 0x12;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// T61String.
    pub const T61_STRING: u8 = 0x14;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// BMPString.
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE, and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET, and SET OF.
    pub const SET: u8 = 0x31;
}

/// Bytes that are not the DER that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDer;

/// What is left of a sequence of elements.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes from their beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub fn next_tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Nothing may be left.
    ///
    /// # Errors
    ///
    /// Something is.
    pub fn end(self) -> Result<(), NotDer> {
        self.is_empty().then_some(()).ok_or(NotDer)
    }

    /// Tag, content, and the whole element with its header.
    ///
    /// # Errors
    ///
    /// There is no element, it is cut off, or its length is not in the shortest form.
    pub fn any(&mut self) -> Result<(u8, &'a [u8], &'a [u8]), NotDer> {
        let (&tag, rest) = self.0.split_first().ok_or(NotDer)?;
        let (&first, rest) = rest.split_first().ok_or(NotDer)?;
        // Tags above 30 take more bytes and are in no certificate.
        if tag & 0x1f == 0x1f {
            return Err(NotDer);
        }
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).ok_or(NotDer)?;
            // Not the indefinite form, no leading zero, and the long form only where the short one is not enough.
            if !(1..=4).contains(&count) || bytes.first() == Some(&0) {
                return Err(NotDer);
            }
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            if length < 0x80 {
                return Err(NotDer);
            }
            (length, rest.get(count..).ok_or(NotDer)?)
        };
        let (content, after) = rest.split_at_checked(length).ok_or(NotDer)?;
        let whole = self.0.get(..self.0.len() - after.len()).ok_or(NotDer)?;
        self.0 = after;
        Ok((tag, content, whole))
    }

    /// The content of the next element, which must have this tag.
    ///
    /// # Errors
    ///
    /// It has another tag, or those of [`any`](Self::any).
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        match self.any()? {
            (found, content, _) if found == tag => Ok(content),
            _ => Err(NotDer),
        }
    }

    /// The elements in the next element, which must have this tag.
    ///
    /// # Errors
    ///
    /// It has another tag, or those of [`any`](Self::any).
    pub fn inside(&mut self, tag: u8) -> Result<Self, NotDer> {
        self.expect(tag).map(Self)
    }

    /// The content of the next element if it has this tag.
    ///
    /// # Errors
    ///
    /// It has the tag and is not well formed.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, NotDer> {
        if self.next_tag() == Some(tag) {
            self.expect(tag).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A BOOLEAN, or false if there is none.
    ///
    /// # Errors
    ///
    /// It is neither `00` nor `ff`.
    pub fn boolean_or_false(&mut self) -> Result<bool, NotDer> {
        match self.optional(tag::BOOLEAN)? {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(NotDer),
        }
    }
}

/// The dotted form of an object identifier's content.
///
/// # Errors
///
/// It is empty, cut off, not in the shortest form, or has a number above 2³¹ − 1.
pub fn dotted(content: &[u8]) -> Result<String, NotDer> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut value: u64 = 0;
    let mut is_inside = false;
    for byte in content {
        // A leading 0x80 would be a second way to write the same number.
        if !is_inside && *byte == 0x80 {
            return Err(NotDer);
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if value > i32::MAX as u64 {
            return Err(NotDer);
        }
        is_inside = byte & 0x80 != 0;
        if !is_inside {
            if arcs.is_empty() {
                let first = (value / 40).min(2);
                arcs.extend([first, value - 40 * first]);
            } else {
                arcs.push(value);
            }
            value = 0;
        }
    }
    if is_inside || arcs.is_empty() {
        return Err(NotDer);
    }
    let arcs: Vec<String> = arcs.iter().map(u64::to_string).collect();
    Ok(arcs.join("."))
}

/// Writes an element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = bytes.get(zeros..).unwrap_or_default();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(8));
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_length_is_der() {
        for bytes in [
            &[0x30, 0x81, 0x01, 0][..],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 2, 0],
            &[0x1f, 0x1f, 0],
            &[0x30],
            &[],
        ] {
            assert!(Reader::new(bytes).any().is_err(), "{bytes:?}");
        }
        let long = element(0x04, &[7; 300]);
        assert_eq!(long.get(..4), Some(&[0x04, 0x82, 1, 44][..]));
        assert_eq!(
            Reader::new(&long).expect(tag::OCTET_STRING),
            Ok(&[7; 300][..])
        );
    }

    #[test]
    fn identifiers_are_dotted() {
        assert_eq!(dotted(&[0x55, 4, 3]).as_deref(), Ok("2.5.4.3"));
        assert_eq!(dotted(&[0x2a, 0x03]).as_deref(), Ok("1.2.3"));
        assert_eq!(dotted(&[0x88, 0x37]).as_deref(), Ok("2.999"));
        assert!(dotted(&[]).is_err());
        assert!(dotted(&[0x55, 0x84]).is_err());
        assert!(dotted(&[0x55, 0x80, 0x01]).is_err());
        assert!(dotted(&[0x2a, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
    }
}

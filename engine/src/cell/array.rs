//! Arrays of values as a parameter holds them (PostgreSQL documentation, "Arrays"; `array_in`, `array_recv`).
//!
//! Only the elements are of interest. They are replaced where they stand; dimensions and bounds stay as they are.

use crate::types::Type;
use std::borrow::Cow;
use std::ops::Range;

/// Most dimensions of an array (`MAXDIM`).
const MAX_DIMENSIONS: usize = 6;

/// What is not an array, or not one of a type that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadArray;

/// An array and the elements of it that are not NULL.
#[derive(Debug)]
pub struct Array<'a> {
    bytes: &'a [u8],
    /// In the binary format the type of the elements.
    of: Option<Type>,
    elements: Vec<Element<'a>>,
}

/// An element that is not NULL.
#[derive(Debug)]
pub struct Element<'a> {
    /// What replaces it covers this.
    span: Range<usize>,
    /// The element without quotes and escapes.
    pub value: Cow<'a, [u8]>,
}

/// Where the binary format has the type of the elements.
const OF: Range<usize> = 8..12;

/// The OID of the arrays of a type.
pub fn oid_of(element: Type) -> u32 {
    match element {
        Type::Xml => 143,
        Type::Json => 199,
        Type::Bool => 1000,
        Type::Bytea => 1001,
        Type::Char => 1002,
        Type::Int2 => 1005,
        Type::Int4 => 1007,
        Type::Text => 1009,
        Type::Bpchar => 1014,
        Type::Varchar => 1015,
        Type::Int8 => 1016,
        Type::Float4 => 1021,
        Type::Float8 => 1022,
        Type::Timestamp => 1115,
        Type::Date => 1182,
        Type::Time => 1183,
        Type::Timestamptz => 1185,
        Type::Numeric => 1231,
        Type::Uuid => 2951,
        Type::Jsonb => 3807,
    }
}

/// The type of the elements of arrays of this OID.
pub fn of_oid(oid: u32) -> Option<Type> {
    Type::ALL.into_iter().find(|of| oid_of(*of) == oid)
}

impl<'a> Array<'a> {
    /// Reads the text format: `{a,"b \" c",NULL}`, with dimensions before it and arrays in it.
    ///
    /// # Errors
    ///
    /// [`BadArray`] for what the server would not take.
    pub fn text(bytes: &'a [u8]) -> Result<Self, BadArray> {
        let mut reader = TextReader { bytes, at: 0 };
        let mut elements = Vec::new();
        reader.blanks();
        if reader.peek() == Some(b'[') {
            while let Some(byte) = reader.next() {
                match byte {
                    b'=' => break,
                    b'[' | b']' | b':' | b'+' | b'-' | b'0'..=b'9' | b' ' => {}
                    _ => return Err(BadArray),
                }
            }
            reader.blanks();
        }
        reader.array(&mut elements)?;
        reader.blanks();
        match reader.peek() {
            Some(_) => Err(BadArray),
            None => Ok(Self {
                bytes,
                of: None,
                elements,
            }),
        }
    }

    /// Reads the binary format: dimensions, a flag, the type of the elements (each 4 bytes), size and lower bound of each dimension,
    /// and elements with their lengths.
    ///
    /// # Errors
    ///
    /// [`BadArray`] for what the server would not take, and for other types.
    pub fn binary(bytes: &'a [u8]) -> Result<Self, BadArray> {
        let mut at = 0;
        let dimensions = usize::try_from(integer(bytes, &mut at)?).map_err(|_| BadArray)?;
        integer(bytes, &mut at)?;
        let of = Type::of_oid(integer(bytes, &mut at)?).ok_or(BadArray)?;
        if dimensions > MAX_DIMENSIONS {
            return Err(BadArray);
        }
        let mut count = u64::from(dimensions > 0);
        for _ in 0..dimensions {
            let size = integer(bytes, &mut at)?;
            count = count.checked_mul(u64::from(size)).ok_or(BadArray)?;
            integer(bytes, &mut at)?;
        }
        let mut elements = Vec::new();
        for _ in 0..count {
            let start = at;
            let length = integer(bytes, &mut at)?;
            if length == u32::MAX {
                continue;
            }
            let end = at.checked_add(length as usize).ok_or(BadArray)?;
            let value = bytes.get(at..end).ok_or(BadArray)?;
            at = end;
            elements.push(Element {
                span: start..end,
                value: Cow::Borrowed(value),
            });
        }
        match at == bytes.len() {
            true => Ok(Self {
                bytes,
                of: Some(of),
                elements,
            }),
            false => Err(BadArray),
        }
    }

    /// The elements in their order.
    pub fn elements(&self) -> &[Element<'a>] {
        &self.elements
    }

    /// The type of the elements, which the binary format tells.
    pub fn of(&self) -> Option<Type> {
        self.of
    }

    /// The array with these in the place of elements, in their order and in the format of the array; `None` keeps one as it is.
    /// In the binary format all are of type `of`, if one is given.
    pub fn with(&self, replacements: &[Option<Vec<u8>>], of: Option<Type>) -> Vec<u8> {
        let more = replacements.iter().flatten().map(|new| new.len() + 8);
        let mut out = Vec::with_capacity(self.bytes.len() + more.sum::<usize>());
        let mut kept = 0;
        for (element, new) in self.elements.iter().zip(replacements) {
            let Some(new) = new else { continue };
            out.extend_from_slice(self.bytes.get(kept..element.span.start).unwrap_or_default());
            kept = element.span.end;
            match self.of {
                None => {
                    out.push(b'"');
                    for byte in new {
                        if matches!(byte, b'"' | b'\\') {
                            out.push(b'\\');
                        }
                        out.push(*byte);
                    }
                    out.push(b'"');
                }
                Some(_) => {
                    // Elements are shorter than messages, which have lengths of 32 bits.
                    out.extend_from_slice(&(new.len() as u32).to_be_bytes());
                    out.extend_from_slice(new);
                }
            }
        }
        out.extend_from_slice(self.bytes.get(kept..).unwrap_or_default());
        if let (Some(_), Some(of), Some(header)) = (self.of, of, out.get_mut(OF)) {
            header.copy_from_slice(&of.oid().to_be_bytes());
        }
        out
    }
}

fn integer(bytes: &[u8], at: &mut usize) -> Result<u32, BadArray> {
    let (number, _) = bytes
        .get(*at..)
        .and_then(|rest| rest.split_first_chunk())
        .ok_or(BadArray)?;
    *at += 4;
    Ok(u32::from_be_bytes(*number))
}

struct TextReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> TextReader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    /// From the opening to the closing brace.
    fn array(&mut self, elements: &mut Vec<Element<'a>>) -> Result<(), BadArray> {
        let mut depth = 0_usize;
        // An element or an array may follow; nothing but a comma or a brace may.
        let mut may_begin = true;
        loop {
            self.blanks();
            match self.peek().ok_or(BadArray)? {
                b'{' if may_begin && depth < MAX_DIMENSIONS => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' if depth > 0 && (!may_begin || self.is_empty()) => {
                    depth -= 1;
                    self.at += 1;
                    may_begin = false;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                b',' if depth > 0 && !may_begin => {
                    may_begin = true;
                    self.at += 1;
                }
                b'{' | b'}' | b',' => return Err(BadArray),
                b'"' if depth > 0 && may_begin => {
                    elements.push(self.quoted()?);
                    may_begin = false;
                }
                _ if depth > 0 && may_begin => {
                    elements.extend(self.unquoted()?);
                    may_begin = false;
                }
                _ => return Err(BadArray),
            }
        }
    }

    /// Whether the last thing before this place is an opening brace.
    fn is_empty(&self) -> bool {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        before.iter().rfind(|byte| !is_blank(**byte)) == Some(&b'{')
    }

    fn quoted(&mut self) -> Result<Element<'a>, BadArray> {
        let start = self.at;
        self.at += 1;
        let mut value = Vec::new();
        loop {
            match self.next().ok_or(BadArray)? {
                b'"' => break,
                b'\\' => value.push(self.next().ok_or(BadArray)?),
                byte => value.push(byte),
            }
        }
        Ok(Element {
            span: start..self.at,
            value: Cow::Owned(value),
        })
    }

    /// An element without quotes; `None` for NULL.
    fn unquoted(&mut self) -> Result<Option<Element<'a>>, BadArray> {
        let start = self.at;
        let mut value = Vec::new();
        // Blanks at the end do not count, unless they are escaped.
        let (mut length, mut end, mut escapes) = (0, start, false);
        loop {
            match self.peek().ok_or(BadArray)? {
                b',' | b'}' => break,
                b'{' | b'"' => return Err(BadArray),
                b'\\' => {
                    self.at += 1;
                    value.push(self.next().ok_or(BadArray)?);
                    escapes = true;
                    (length, end) = (value.len(), self.at);
                }
                byte => {
                    self.at += 1;
                    value.push(byte);
                    if !is_blank(byte) {
                        (length, end) = (value.len(), self.at);
                    }
                }
            }
        }
        value.truncate(length);
        if !escapes && value.eq_ignore_ascii_case(b"null") {
            return Ok(None);
        }
        Ok(Some(Element {
            span: start..end,
            value: Cow::Owned(value),
        }))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(array: &Array<'_>) -> Vec<Vec<u8>> {
        array
            .elements()
            .iter()
            .map(|one| one.value.to_vec())
            .collect()
    }

    fn text(bytes: &str) -> Result<Vec<String>, BadArray> {
        let values = values(&Array::text(bytes.as_bytes())?);
        Ok(values
            .into_iter()
            .map(|one| String::from_utf8(one).unwrap())
            .collect())
    }

    #[test]
    fn the_text_format_is_read_as_the_server_does() {
        for (written, elements) in [
            ("{}", &[][..]),
            (" { } ", &[]),
            ("{a,b}", &["a", "b"]),
            (r#"{ a b , "c,d" ,"e\"f\\"}"#, &["a b", "c,d", "e\"f\\"]),
            (r"{NULL,null,\null,nulls}", &["null", "nulls"]),
            (r#"{"NULL",a\ }"#, &["NULL", "a "]),
            ("{{a,b},{c,d}}", &["a", "b", "c", "d"]),
            ("[2:3]={a,b}", &["a", "b"]),
            (r#"{"\\x41"}"#, &[r"\x41"]),
        ] {
            assert_eq!(text(written).unwrap(), elements, "{written}");
        }
        for bad in [
            "",
            "a",
            "{",
            "{a",
            "{a}}",
            "{a}b",
            "{,a}",
            "{a,}",
            r#"{a"b"}"#,
            r#"{"a"b}"#,
            "{\"a",
            "{a{b}}",
            "[x]={a}",
        ] {
            assert_eq!(text(bad), Err(BadArray), "{bad}");
        }
    }

    #[test]
    fn replaced_elements_are_read_back() {
        let array = Array::text(br#"[0:2]={a, NULL ,"b,c"}"#).unwrap();
        let new = array.with(&[Some(br#"\x01"f"#.to_vec()), None], None);
        assert_eq!(new, br#"[0:2]={"\\x01\"f", NULL ,"b,c"}"#);
        assert_eq!(
            values(&Array::text(&new).unwrap()),
            [&br#"\x01"f"#[..], b"b,c"]
        );
    }

    #[test]
    fn other_types_and_lengths_are_refused() {
        let array = |of: u32, count: u32, rest: &[u8]| {
            let mut bytes = Vec::new();
            for number in [1, 0, of, count, 1] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            bytes.extend_from_slice(rest);
            bytes
        };
        assert!(Array::binary(&array(17, 1, &[0, 0, 0, 1, b'a'])).is_ok());
        for bad in [
            array(600, 1, &[0, 0, 0, 1, b'a']),
            array(17, 1, &[0, 0, 0, 2, b'a']),
            array(17, 2, &[0, 0, 0, 1, b'a']),
            array(17, 0, &[0, 0, 0, 1, b'a']),
            array(17, u32::MAX, &[]),
            vec![0, 0, 0, 7],
        ] {
            assert_eq!(Array::binary(&bad).map(drop), Err(BadArray));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for array in [Array::text(&bytes), Array::binary(&bytes)].into_iter().flatten() {
                let none = vec![None; array.elements().len()];
                prop_assert_eq!(array.with(&none, None), bytes.clone());
            }
        }

        #[test]
        fn elements_of_any_bytes_are_replaced(
            elements in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)), 1..10),
            changes in any::<bool>(),
        ) {
            let mut bytes = Vec::new();
            for number in [1, 1, 25, elements.len() as u32, 1] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            for element in &elements {
                let length = element.as_ref().map_or(u32::MAX, |element| element.len() as u32);
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(element.as_deref().unwrap_or_default());
            }
            let array = Array::binary(&bytes).unwrap();
            let plain: Vec<Vec<u8>> = elements.iter().flatten().cloned().collect();
            prop_assert_eq!(values(&array), plain.clone());
            let doubled: Vec<Option<Vec<u8>>> = plain.iter().map(|one| Some([&**one, one].concat())).collect();
            let of = if changes { Type::Bytea } else { Type::Text };
            let new = array.with(&doubled, changes.then_some(of));
            let read = Array::binary(&new).unwrap();
            prop_assert_eq!(read.of(), Some(of));
            prop_assert_eq!(values(&read), doubled.into_iter().flatten().collect::<Vec<_>>());
        }
    }
}

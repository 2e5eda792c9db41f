//! A subject as text, exactly as Go's `pkix.Name.String` prints it: the text is hashed to the client id, which selects
//! keys (keystore.md 2.2).

use super::der::{NotDer, Reader, dotted, element, tag};

/// The types with a name, in the order of the text; those that have one value only keep the last.
const KNOWN: &[(&[u8], &str, bool)] = &[
    (&[0x55, 4, 5], "SERIALNUMBER", true),
    (&[0x55, 4, 3], "CN", true),
    (&[0x55, 4, 11], "OU", false),
    (&[0x55, 4, 10], "O", false),
    (&[0x55, 4, 17], "POSTALCODE", false),
    (&[0x55, 4, 9], "STREET", false),
    (&[0x55, 4, 7], "L", false),
    (&[0x55, 4, 8], "ST", false),
    (&[0x55, 4, 6], "C", false),
];

/// The text of a Name's DER. A subject without attributes is the empty text.
pub(super) fn text(name: &[u8]) -> Result<String, NotDer> {
    let mut outer = Reader::new(name);
    let mut sequence = outer.inside(tag::SEQUENCE)?;
    outer.end()?;
    let mut known: [Vec<Vec<u8>>; KNOWN.len()] = Default::default();
    let mut others = Vec::new();
    while !sequence.is_empty() {
        let mut set = sequence.inside(tag::SET)?;
        while !set.is_empty() {
            let mut pair = set.inside(tag::SEQUENCE)?;
            let kind = pair.expect(tag::OID)?;
            let (value_tag, content, _) = pair.any()?;
            pair.end()?;
            let (kind_text, value) = (dotted(kind)?, string(value_tag, content)?);
            let place = KNOWN.iter().position(|(id, ..)| *id == kind);
            match place.and_then(|place| Some((known.get_mut(place)?, KNOWN.get(place)?.2))) {
                None => others.push(other(&kind_text, &value)),
                Some((values, is_single)) => {
                    if is_single {
                        values.clear();
                        // An empty last value leaves the type out.
                        if value.is_empty() {
                            continue;
                        }
                    }
                    values.push(value);
                }
            }
        }
    }
    let mut names: Vec<String> = Vec::new();
    for ((_, label, _), values) in KNOWN.iter().zip(&known) {
        let values: Vec<String> = values
            .iter()
            .map(|value| format!("{label}={}", escaped(value)))
            .collect();
        if !values.is_empty() {
            names.push(values.join("+"));
        }
    }
    names.extend(others.into_iter().rev());
    Ok(names.join(","))
}

/// The bytes of a character string, as UTF-8 where its type says what its characters are.
fn string(value_tag: u8, content: &[u8]) -> Result<Vec<u8>, NotDer> {
    let is_legal = match value_tag {
        tag::UTF8_STRING => std::str::from_utf8(content).is_ok(),
        tag::PRINTABLE_STRING => content
            .iter()
            .all(|byte| is_printable(*byte) || b"*&".contains(byte)),
        tag::IA5_STRING => content.is_ascii(),
        tag::NUMERIC_STRING => content
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b' '),
        tag::T61_STRING => true,
        tag::BMP_STRING => return bmp(content),
        _ => false,
    };
    is_legal.then(|| content.to_vec()).ok_or(NotDer)
}

/// UTF-16, big-endian; one final zero is dropped.
fn bmp(content: &[u8]) -> Result<Vec<u8>, NotDer> {
    let (units, odd) = content.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(NotDer);
    }
    let units = units.strip_suffix(&[[0, 0]]).unwrap_or(units);
    let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
    let text: String = char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Ok(text.into_bytes())
}

/// PrintableString without the two characters that are only read and never written.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// An attribute of a type without a name. The value is encoded anew, whatever its type was.
fn other(kind: &str, value: &[u8]) -> String {
    let value_tag = if value.iter().all(|byte| is_printable(*byte)) {
        tag::PRINTABLE_STRING
    } else if std::str::from_utf8(value).is_ok() {
        tag::UTF8_STRING
    } else {
        return format!("{kind}={}", escaped(value));
    };
    format!("{kind}=#{}", const_hex::encode(element(value_tag, value)))
}

/// A value with backslashes where the text form needs them.
fn escaped(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.len().saturating_sub(1);
    let mut at = 0;
    for letter in characters(value) {
        let is_escaped = match letter {
            Some(',' | '+' | '"' | '\\' | '<' | '>' | ';') => true,
            Some(' ') => at == 0 || at == last,
            Some('#') => at == 0,
            _ => false,
        };
        if is_escaped {
            out.push('\\');
        }
        out.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        at += letter.map_or(1, char::len_utf8);
    }
    out
}

/// The characters of UTF-8; each byte that is not part of it is none.
fn characters(bytes: &[u8]) -> impl Iterator<Item = Option<char>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let head = rest.get(..rest.len().min(4))?;
        let valid = match std::str::from_utf8(head) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        };
        let letter = valid.chars().next();
        if rest.is_empty() {
            return None;
        }
        rest = rest.get(letter.map_or(1, char::len_utf8)..)?;
        Some(letter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Name with one attribute per RDN.
    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets: Vec<u8> = attributes
            .iter()
            .flat_map(|(kind, value_tag, value)| {
                let pair = [element(tag::OID, kind), element(*value_tag, value)].concat();
                element(tag::SET, &element(tag::SEQUENCE, &pair))
            })
            .collect();
        element(tag::SEQUENCE, &sets)
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const O: &[u8] = &[0x55, 4, 10];
    const OU: &[u8] = &[0x55, 4, 11];
    const OWN: &[u8] = &[0x2a, 3, 4, 5];

    #[test]
    fn values_are_read_by_their_type() {
        let cases: &[(u8, &[u8], Option<&str>)] = &[
            (tag::UTF8_STRING, "й".as_bytes(), Some("CN=й")),
            (tag::UTF8_STRING, b"\xff", None),
            (tag::PRINTABLE_STRING, b"a*&", Some("CN=a*&")),
            (tag::PRINTABLE_STRING, b"a_b", None),
            (tag::IA5_STRING, b"a@b", Some("CN=a@b")),
            (tag::IA5_STRING, b"\x80", None),
            (tag::NUMERIC_STRING, b"1 2", Some("CN=1 2")),
            (tag::NUMERIC_STRING, b"a", None),
            (tag::BMP_STRING, b"\0a\x04\x39\0\0", Some("CN=aй")),
            (tag::BMP_STRING, b"\xd8\0\0a", Some("CN=\u{fffd}a")),
            (tag::BMP_STRING, b"\0", None),
            (
                tag::T61_STRING,
                b"a\xe9\xe9 ",
                Some("CN=a\u{fffd}\u{fffd}\\ "),
            ),
            (0x1a, b"visible", None),
            (0x1c, b"\0\0\0a", None),
            (tag::INTEGER, b"\x01", None),
        ];
        for (value_tag, value, expected) in cases {
            let found = text(&name(&[(CN, *value_tag, value)]));
            assert_eq!(found.as_deref().ok(), *expected, "{value_tag:x} {value:?}");
        }
    }

    #[test]
    fn unknown_types_are_encoded_anew() {
        let cases: &[(u8, &[u8], &str)] = &[
            (
                tag::IA5_STRING,
                b"golang.org",
                "1.2.3.4.5=#130a676f6c616e672e6f7267",
            ),
            (tag::UTF8_STRING, b"", "1.2.3.4.5=#1300"),
            (tag::PRINTABLE_STRING, b"a*", "1.2.3.4.5=#0c02612a"),
            (tag::T61_STRING, b"\xe9,", "1.2.3.4.5=\u{fffd}\\,"),
        ];
        for (value_tag, value, expected) in cases {
            let found = text(&name(&[(OWN, *value_tag, value)]));
            assert_eq!(found.as_deref(), Ok(*expected));
        }
    }

    #[test]
    fn empty_values_of_lists_stay_and_of_single_types_do_not() {
        let utf8 = tag::UTF8_STRING;
        let found = text(&name(&[
            (OU, utf8, b"a"),
            (O, utf8, b""),
            (CN, utf8, b"first"),
            (OU, utf8, b""),
            (CN, utf8, b""),
        ]));
        assert_eq!(found.as_deref(), Ok("OU=a+OU=,O="));
        assert_eq!(text(&name(&[])).as_deref(), Ok(""));
    }

    #[test]
    fn what_follows_or_is_cut_off_is_an_error() {
        let whole = name(&[(CN, tag::UTF8_STRING, b"x"), (O, tag::UTF8_STRING, b"y")]);
        for end in 0..whole.len() {
            assert!(text(whole.get(..end).unwrap_or_default()).is_err());
        }
        assert!(text(&[whole.as_slice(), &[0]].concat()).is_err());
    }
}

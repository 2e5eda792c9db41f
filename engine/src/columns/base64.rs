//! Standard base64 as Go's library reads it, with the offset it reports for what it does not.
//!
//! The rule that a whole configuration may be base64 (policy.md 1.1) and the error text of default values (1.8) depend
//! on exactly what is accepted: padding is required, line breaks are skipped anywhere, unused bits need not be zero.

/// The bytes that `text` stands for.
///
/// # Errors
///
/// The offset of the byte at which the reference gives up.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    // Characters that count; line breaks do not.
    let mut rest = text
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .peekable();
    loop {
        let mut bits: u32 = 0;
        let mut characters = 0;
        while characters < 4 {
            let Some((offset, byte)) = rest.next() else {
                // A group that is cut short is reported by where it began, line breaks not counted.
                return if characters == 0 {
                    Ok(bytes)
                } else {
                    Err(text.len().saturating_sub(characters))
                };
            };
            if let Some(value) = value(byte) {
                bits = bits << 6 | value;
                characters += 1;
                continue;
            }
            if byte != b'=' || characters < 2 {
                return Err(offset);
            }
            if characters == 2 {
                match rest.next() {
                    Some((_, b'=')) => {}
                    Some((second, _)) => return Err(second.saturating_sub(1)),
                    None => return Err(text.len()),
                }
            }
            if let Some((garbage, _)) = rest.peek() {
                return Err(*garbage);
            }
            let [_, first, second, _] = (bits << (6 * (4 - characters))).to_be_bytes();
            bytes.push(first);
            if characters == 3 {
                bytes.push(second);
            }
            return Ok(bytes);
        }
        let [_, group @ ..] = bits.to_be_bytes();
        bytes.extend(group);
    }
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_accepted() {
        for (text, bytes) in [
            ("", "" as &str),
            ("QQ==", "A"),
            ("QUI=", "AB"),
            ("QUJD", "ABC"),
            ("QUJDRA==", "ABCD"),
            ("Q\nQ\r\n=\n=\n", "A"),
            ("QR==", "A"),
            ("QUJD\n", "ABC"),
        ] {
            assert_eq!(
                decode(text.as_bytes()),
                Ok(bytes.as_bytes().to_vec()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_not() {
        for (text, offset) in [
            ("Q", 0),
            ("QQ", 0),
            ("QQ=", 3),
            ("=", 0),
            ("Q=", 1),
            ("QUJD!", 4),
            ("QQ=A", 2),
            ("QQ==A", 4),
            ("QUI=\nA", 5),
            ("QUI==", 4),
            ("schemas: []", 7),
        ] {
            assert_eq!(decode(text.as_bytes()), Err(offset), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_implementation(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            prop_assert_eq!(decode(STANDARD.encode(&bytes).as_bytes()), Ok(bytes));
        }

        #[test]
        fn any_text_is_read(text in "[A-C=\n!]{0,12}") {
            let strict = STANDARD.decode(text.replace('\n', ""));
            let ours = decode(text.as_bytes());
            // Ours is laxer about unused bits only.
            prop_assert!(strict.is_err() || ours == Ok(strict.unwrap()));
        }
    }
}

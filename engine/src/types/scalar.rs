//! `boolean`, `"char"`, integers in binary, `uuid`.

/// What the server takes for a boolean: unique beginnings of the words, whatever their case.
pub(super) fn bool_of(text: &str) -> Option<bool> {
    let word = text.to_ascii_lowercase();
    if word.is_empty() {
        return None;
    }
    let begins = |whole: &str| whole.starts_with(&word);
    match &*word {
        "1" | "on" => Some(true),
        "0" | "of" | "off" => Some(false),
        _ if begins("true") || begins("yes") => Some(true),
        _ if begins("false") || begins("no") => Some(false),
        _ => None,
    }
}

pub(super) fn show_bool(value: bool) -> &'static str {
    if value { "t" } else { "f" }
}

/// The text form of `"char"`: a byte, `\ooo` of one that is not ASCII, nothing for zero.
pub(super) fn read_char(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut byte = Vec::new();
    char_of(text, &mut byte) && show_char(&byte, out)
}

/// The byte of a text.
pub(super) fn char_of(text: &[u8], out: &mut Vec<u8>) -> bool {
    let byte = match text {
        [] => 0,
        [byte] => *byte,
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            (a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')
        }
        _ => return false,
    };
    out.push(byte);
    true
}

pub(super) fn show_char(value: &[u8], out: &mut Vec<u8>) -> bool {
    match value {
        [0] => true,
        [byte] if byte.is_ascii() => {
            out.push(*byte);
            true
        }
        [byte] => {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            true
        }
        _ => false,
    }
}

/// An integer of 2, 4 or 8 bytes.
pub(super) fn integer(value: &[u8]) -> Option<i64> {
    if let Ok(value) = value.try_into() {
        return Some(i64::from(i16::from_be_bytes(value)));
    }
    if let Ok(value) = value.try_into() {
        return Some(i64::from(i32::from_be_bytes(value)));
    }
    value.try_into().ok().map(i64::from_be_bytes)
}

/// Hexadecimal digits with a hyphen after any group of four, or none, and braces around.
pub(super) fn uuid_of(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut digits = Vec::with_capacity(32);
    let mut hyphen = false;
    for byte in inner.bytes() {
        match byte {
            b'-' if digits.len() % 4 == 0 && !digits.is_empty() && !hyphen => hyphen = true,
            byte if byte.is_ascii_hexdigit() && digits.len() < 32 => {
                digits.push(byte);
                hyphen = false;
            }
            _ => return None,
        }
    }
    let mut value = [0; 16];
    (!hyphen && const_hex::decode_to_slice(&digits, &mut value).is_ok()).then_some(value)
}

pub(super) fn show_uuid(value: &[u8; 16]) -> String {
    let digits = const_hex::encode(value);
    let mut out = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

//! Integers and booleans as Go reads them (cli.md 1), and Go's way of quoting text.

use std::fmt::Write as _;

/// Why a text is not an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntegerError {
    /// It has not the form of one.
    Syntax,
    /// It does not fit 64 bits.
    Range,
}

impl IntegerError {
    /// The reason in Go's words.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Syntax => "parse error",
            Self::Range => "value out of range",
        }
    }
}

/// Reads an integer with an optional sign, an optional base prefix (`0x`, `0o`, `0b`, `0`) and underscores between
/// digits.
pub(crate) fn integer(text: &str) -> Result<i64, IntegerError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let (base, digits, mut digit_before) = split_base(unsigned);
    let mut value: i128 = 0;
    let mut seen = false;
    let mut out_of_range = false;
    for character in digits.chars() {
        if character == '_' {
            // Legal only behind a digit or a base prefix, and not at the end.
            if !digit_before {
                return Err(IntegerError::Syntax);
            }
            digit_before = false;
            continue;
        }
        let digit = character.to_digit(base).ok_or(IntegerError::Syntax)?;
        digit_before = true;
        seen = true;
        // Go reports a bad digit before an overflow, so the rest of the text is still looked at.
        match value
            .checked_mul(i128::from(base))
            .and_then(|product| product.checked_add(i128::from(digit)))
        {
            Some(next) if next <= 1 << 64 => value = next,
            _ => out_of_range = true,
        }
    }
    if !digit_before || !(seen || base == 8) {
        return Err(IntegerError::Syntax);
    }
    if out_of_range {
        return Err(IntegerError::Range);
    }
    i64::try_from(if negative { -value } else { value }).map_err(|_| IntegerError::Range)
}

/// The base, the digits behind its prefix, and whether an underscore may follow at once.
fn split_base(text: &str) -> (u32, &str, bool) {
    for (prefixes, base) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        for prefix in prefixes {
            if let Some(digits) = text.strip_prefix(prefix) {
                // A prefix alone is no number: base 8 would accept it as the digit zero.
                return if digits.is_empty() {
                    (10, "x", false)
                } else {
                    (base, digits, true)
                };
            }
        }
    }
    match text.strip_prefix('0') {
        Some(digits) => (8, digits, true),
        None => (10, text, false),
    }
}

/// Reads one of Go's words for true and false.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Puts `text` in double quotes, with Go's escapes for what does not print.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                // Writing to a String cannot fail.
                let _ = if (other as u32) < 0x80 {
                    write!(quoted, "\\x{:02x}", other as u32)
                } else {
                    write!(quoted, "\\u{:04x}", other as u32)
                };
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_base() {
        for (text, value) in [
            ("0", 0),
            ("10", 10),
            ("-10", -10),
            ("+7", 7),
            ("0x0a", 10),
            ("0XFF", 255),
            ("0b1010", 10),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("0x_ff", 255),
            ("0_7", 7),
            ("-0", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_integer() {
        for text in [
            "", "-", "+", "x", "1x", "0x", "0b", "0o", "08", "0b2", "1__0", "_1", "1_", "0x1_",
            "1.0", " 1", "１",
        ] {
            assert_eq!(integer(text), Err(IntegerError::Syntax), "{text}");
        }
        let long = "9".repeat(100);
        for text in [
            "9223372036854775808",
            "-9223372036854775809",
            "0xffffffffffffffff",
            long.as_str(),
        ] {
            assert_eq!(integer(text), Err(IntegerError::Range), "{text}");
        }
    }

    #[test]
    fn quoting() {
        assert_eq!(
            quote("a\"b\\c\n\u{1}ä\u{85}"),
            "\"a\\\"b\\\\c\\n\\x01ä\\u0085\""
        );
    }
}

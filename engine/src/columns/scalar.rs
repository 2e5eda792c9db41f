//! Scalars of YAML 1.1, as far as the configuration needs them (policy.md 1.2).

use super::node::{Content, Node, Scalar};

/// What the text of a plain scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text,
}

impl Meaning {
    /// YAML's name for the type.
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Boolean(_) => "!!bool",
            Self::Integer(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text => "!!str",
        }
    }
}

impl Scalar {
    pub(super) fn meaning(&self) -> Meaning {
        if !self.plain {
            return Meaning::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                Meaning::Boolean(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off"
            | "OFF" => Meaning::Boolean(false),
            text => number(text),
        }
    }
}

/// An integer in any base, or a float; underscores are not looked at.
fn number(text: &str) -> Meaning {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Meaning::Text;
    }
    let text = text.replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    // The standard library would take a second sign.
    if digits.starts_with(['+', '-']) {
        return Meaning::Text;
    }
    let bases = [
        ("0x", 16),
        ("0X", 16),
        ("0b", 2),
        ("0B", 2),
        ("0o", 8),
        ("0O", 8),
        ("0", 8),
        ("", 10),
    ];
    for (prefix, base) in bases {
        if let Some(rest) = digits.strip_prefix(prefix)
            && !rest.starts_with(['+', '-'])
            && let Ok(value) = i128::from_str_radix(rest, base)
        {
            return Meaning::Integer(value.saturating_mul(sign));
        }
    }
    // `inf`, `nan` and the like are no numbers here; neither is a lone exponent or point.
    let float = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(value) if float => Meaning::Float(if sign < 0 { -value } else { value }),
        _ => Meaning::Text,
    }
}

/// Says that a value is of the wrong type, in the form of the reference, with the place behind.
pub(super) fn mismatch(node: &Node, wanted: &str, key: &str) -> String {
    let found = match &node.content {
        Content::Sequence(_) => "!!seq".to_owned(),
        Content::Mapping(_) => "!!map".to_owned(),
        Content::Scalar(scalar) => {
            let shown: String = if scalar.text.chars().count() > 10 {
                scalar.text.chars().take(7).chain("...".chars()).collect()
            } else {
                scalar.text.clone()
            };
            format!("{} `{shown}`", scalar.meaning().tag())
        }
    };
    format!(
        "  line {}: cannot unmarshal {found} into {wanted} (column {}, key \"{key}\")",
        node.line, node.column
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Meaning {
        Scalar {
            text: text.to_owned(),
            plain: true,
        }
        .meaning()
    }

    #[test]
    fn words() {
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(plain(text), Meaning::Null, "{text}");
        }
        for text in ["yes", "on", "True", "y", "ON"] {
            assert_eq!(plain(text), Meaning::Boolean(true), "{text}");
        }
        for text in ["no", "off", "FALSE", "N"] {
            assert_eq!(plain(text), Meaning::Boolean(false), "{text}");
        }
        for text in ["yEs", "truee", "none", "x", "nan", "inf", "e5"] {
            assert_eq!(plain(text), Meaning::Text, "{text}");
        }
        assert_eq!(
            Scalar {
                text: "true".to_owned(),
                plain: false
            }
            .meaning(),
            Meaning::Text
        );
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", 0),
            ("17", 17),
            ("+17", 17),
            ("-17", -17),
            ("0x11", 17),
            ("021", 17),
            ("0o21", 17),
            ("0b10001", 17),
            ("1_000", 1000),
            ("9223372036854775807", i128::from(i64::MAX)),
            ("-9223372036854775808", i128::from(i64::MIN)),
        ] {
            assert_eq!(plain(text), Meaning::Integer(value), "{text}");
        }
        assert_eq!(plain("23.0"), Meaning::Float(23.0));
        assert_eq!(plain("-1e3"), Meaning::Float(-1000.0));
        for text in [
            "--1", "+-1", "0x", "0x+5", "0-5", "1x", "-", "+", ".", "0.96.0", "1 2", "-x",
        ] {
            assert_eq!(plain(text), Meaning::Text, "{text}");
        }
    }
}

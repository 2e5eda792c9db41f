//! `real` and `double precision`.

use std::fmt::LowerExp;
use std::str::FromStr;

/// A number of this width.
pub(super) trait Float: FromStr + LowerExp + Copy {
    fn special(self) -> Option<&'static str>;
    fn is_zero(self) -> bool;
}

impl Float for f32 {
    fn special(self) -> Option<&'static str> {
        special(self.is_nan(), self.is_infinite(), self.is_sign_negative())
    }
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

impl Float for f64 {
    fn special(self) -> Option<&'static str> {
        special(self.is_nan(), self.is_infinite(), self.is_sign_negative())
    }
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

fn special(is_nan: bool, is_infinite: bool, is_negative: bool) -> Option<&'static str> {
    match (is_nan, is_infinite, is_negative) {
        (true, ..) => Some("NaN"),
        (_, true, false) => Some("Infinity"),
        (_, true, true) => Some("-Infinity"),
        _ => None,
    }
}

/// Reads a number as the server does: one that is too large, or too small to be told from zero, is none.
pub(super) fn parse<F: Float>(text: &str) -> Option<F> {
    let value: F = text.parse().ok()?;
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let underflows = value.is_zero() && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let overflows = is_number && value.special().is_some();
    (!underflows && !overflows).then_some(value)
}

/// The text of a `real`.
pub(super) fn show4(value: f32) -> String {
    show(value, 6)
}

/// The text of a `double precision`.
pub(super) fn show8(value: f64) -> String {
    show(value, 15)
}

/// The shortest digits that give the number again; with an exponent below −4 and from `digits` on.
fn show<F: Float>(value: F, digits: i32) -> String {
    if let Some(word) = value.special() {
        return word.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return scientific;
    };
    if !(-4..digits).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let figures: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let places = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
    if exponent < 0 {
        return format!("{sign}0.{}{figures}", "0".repeat(places - 1));
    }
    match figures.split_at_checked(places + 1) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, rest)) => format!("{sign}{whole}.{rest}"),
        None => format!("{sign}{figures}{}", "0".repeat(places + 1 - figures.len())),
    }
}

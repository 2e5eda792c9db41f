//! `numeric`: decimal numbers of any length.
//!
//! ```text
//! 0  2  number of digits n, of base 10 000
//! 2  2  weight of the first digit
//! 4  2  sign: 0000 positive, 4000 negative, C000 NaN, D000 infinity, F000 minus infinity
//! 6  2  digits behind the decimal point
//! 8  2n digits
//! ```

/// Most digits before the decimal point, and behind it, as with the server.
const MOST: usize = 131_072;
const MOST_BEHIND: usize = 16_383;

const NEGATIVE: u16 = 0x4000;

/// The numbers that are none.
const SPECIAL: [(u16, &str); 3] = [(0xc000, "NaN"), (0xd000, "Infinity"), (0xf000, "-Infinity")];

/// A number as decimal digits.
struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    behind: String,
}

fn special(text: &str) -> Option<(u16, &'static str)> {
    let word = text.to_ascii_lowercase();
    match word.strip_prefix('+').unwrap_or(&word) {
        "nan" => SPECIAL.first(),
        "inf" | "infinity" => SPECIAL.get(1),
        "-inf" | "-infinity" => SPECIAL.get(2),
        _ => None,
    }
    .copied()
}

fn parse(text: &str) -> Option<Decimal> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(behind) || whole.len() + behind.len() == 0 {
        return None;
    }
    let shift = usize::try_from(exponent.unsigned_abs()).ok()?;
    if shift > MOST || whole.len() > MOST || behind.len() > MOST_BEHIND {
        return None;
    }
    let (mut whole, mut behind) = (whole.to_owned(), behind.to_owned());
    if exponent > 0 {
        let zeros = "0".repeat(shift.saturating_sub(behind.len()));
        let rest = behind.split_off(shift.min(behind.len()));
        whole = whole + &behind + &zeros;
        behind = rest;
    } else if exponent < 0 {
        let zeros = "0".repeat(shift.saturating_sub(whole.len()));
        let moved = whole.split_off(whole.len().saturating_sub(shift));
        behind = zeros + &moved + &behind;
    }
    let whole = whole.trim_start_matches('0').to_owned();
    if whole.len() > MOST || behind.len() > MOST_BEHIND {
        return None;
    }
    let is_zero = whole.is_empty() && behind.bytes().all(|byte| byte == b'0');
    Some(Decimal {
        negative: negative && !is_zero,
        whole,
        behind,
    })
}

fn print(
    Decimal {
        negative,
        whole,
        behind,
    }: &Decimal,
) -> String {
    let sign = if *negative { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    match &**behind {
        "" => format!("{sign}{whole}"),
        behind => format!("{sign}{whole}.{behind}"),
    }
}

/// The canonical text of a number.
pub(super) fn canonical(text: &str) -> Option<String> {
    match special(text) {
        Some((_, word)) => Some(word.to_owned()),
        None => parse(text).as_ref().map(print),
    }
}

/// A number with so many digits, of which `scale` are behind the point, in canonical text; halves are rounded away from zero.
/// `None` if it is too large.
pub(super) fn round(text: &str, precision: usize, scale: usize) -> Option<String> {
    if let Some((_, word)) = special(text) {
        return (word == "NaN").then(|| word.to_owned());
    }
    let Decimal {
        negative,
        whole,
        mut behind,
    } = parse(text)?;
    let is_up = behind
        .as_bytes()
        .get(scale)
        .is_some_and(|digit| *digit >= b'5');
    behind.truncate(scale);
    let zeros = "0".repeat(scale - behind.len());
    let mut digits = format!("0{whole}{behind}{zeros}").into_bytes();
    let mut carry = is_up;
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    let digits = String::from_utf8(digits).ok()?;
    let (whole, behind) = digits.split_at_checked(digits.len() - scale)?;
    let whole = whole.trim_start_matches('0');
    let is_zero = whole.is_empty() && behind.bytes().all(|byte| byte == b'0');
    (whole.len() + scale <= precision).then(|| {
        print(&Decimal {
            negative: negative && !is_zero,
            whole: whole.to_owned(),
            behind: behind.to_owned(),
        })
    })
}

/// The binary form of a number in text.
pub(super) fn binary(text: &str) -> Option<Vec<u8>> {
    let header = |count: usize, weight: i16, sign: u16, scale: usize| {
        let mut out = Vec::with_capacity(8 + count * 2);
        out.extend_from_slice(&u16::try_from(count).ok()?.to_be_bytes());
        out.extend_from_slice(&weight.to_be_bytes());
        out.extend_from_slice(&sign.to_be_bytes());
        out.extend_from_slice(&u16::try_from(scale).ok()?.to_be_bytes());
        Some(out)
    };
    if let Some((sign, _)) = special(text) {
        return header(0, 0, sign, 0);
    }
    let Decimal {
        negative,
        whole,
        behind,
    } = parse(text)?;
    let scale = behind.len();
    let pad = |length: usize| "0".repeat(length.next_multiple_of(4) - length);
    let whole = pad(whole.len()) + &whole;
    let digits = whole.clone() + &behind + &pad(scale);
    let groups: Vec<u16> = digits
        .as_bytes()
        .chunks(4)
        .map(|group| {
            group
                .iter()
                .fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))
        })
        .collect();
    let first = groups.iter().position(|group| *group != 0);
    let last = groups.iter().rposition(|group| *group != 0);
    let kept = match (first, last) {
        (Some(first), Some(last)) => groups.get(first..=last)?,
        _ => &[],
    };
    let weight = match first {
        Some(first) => i16::try_from(whole.len() / 4).ok()? - 1 - i16::try_from(first).ok()?,
        None => 0,
    };
    let sign = if negative { NEGATIVE } else { 0 };
    let mut out = header(kept.len(), weight, sign, scale)?;
    out.extend(kept.iter().flat_map(|group| group.to_be_bytes()));
    Some(out)
}

/// The text of a number in binary.
pub(super) fn show(value: &[u8]) -> Option<String> {
    let (header, digits) = value.split_first_chunk::<8>()?;
    let field = |at: usize| {
        let bytes = header.get(at..at + 2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    };
    let (count, weight) = (usize::from(field(0)?), field(2)?.cast_signed());
    let (sign, scale) = (field(4)?, usize::from(field(6)?));
    if digits.len() != count * 2 || scale > MOST_BEHIND {
        return None;
    }
    if let Some((_, word)) = SPECIAL.iter().find(|(known, _)| *known == sign) {
        return (count == 0).then(|| (*word).to_owned());
    }
    if sign != 0 && sign != NEGATIVE {
        return None;
    }
    let mut groups = Vec::with_capacity(count);
    for group in digits.chunks_exact(2) {
        let group = u16::from_be_bytes(group.try_into().ok()?);
        groups.push((group < 10_000).then_some(group)?);
    }
    // The group whose last digit is the one before the decimal point has weight 0.
    let group = |weight_of: i32| {
        let at = i32::from(weight) - weight_of;
        let at = usize::try_from(at).ok();
        at.and_then(|at| groups.get(at)).copied().unwrap_or(0)
    };
    let mut whole = String::new();
    for at in (0..=i32::from(weight)).rev() {
        whole.push_str(&format!("{:04}", group(at)));
    }
    let mut behind = String::new();
    let mut at = -1;
    while behind.len() < scale {
        behind.push_str(&format!("{:04}", group(at)));
        at -= 1;
    }
    behind.truncate(scale);
    let whole = whole.trim_start_matches('0').to_owned();
    if whole.len() > MOST {
        return None;
    }
    let is_zero = whole.is_empty() && behind.bytes().all(|byte| byte == b'0');
    Some(print(&Decimal {
        negative: sign == NEGATIVE && !is_zero,
        whole,
        behind,
    }))
}

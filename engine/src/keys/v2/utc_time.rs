//! UTCTime, in the forms that Acra reads (keystore.md 7.2).

use crate::keys::calendar::{date, days};
use std::fmt;

/// A time in UTC in seconds since 1970, of the years 1950 to 2049.
///
/// It is written as `YYMMDDhhmmssZ`. Read are also offsets other than zero (`+hhmm`, `-hhmm`), which Acra writes, and forms
/// without seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime(i64);

/// 1950-01-01T00:00:00 to 2049-12-31T23:59:59.
const SECONDS: std::ops::RangeInclusive<i64> = -631_152_000..=2_524_607_999;

impl UtcTime {
    /// A time; one that the form has no room for becomes the nearest one it has.
    pub fn new(seconds: i64) -> Self {
        Self(seconds.clamp(*SECONDS.start(), *SECONDS.end()))
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Reads the contents of a UTCTime; `None` for what Acra refuses too.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = text
            .iter()
            .take_while(|letter| letter.is_ascii_digit())
            .count();
        let (time, zone) = text.split_at_checked(digits)?;
        let (date_and_minute, second) = match time.len() {
            12 => time.split_at_checked(10)?,
            10 => (time, &b"00"[..]),
            _ => return None,
        };
        let [year, month, day, hour, minute] = numbers(date_and_minute)?;
        let [second] = numbers(second)?;
        let year = if year < 50 { 2000 + year } else { 1900 + year };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let day_number = days(year, month, day);
        // Days that no month has do not survive the way back.
        if !(1..=12).contains(&month) || date(day_number) != (year, month, day) {
            return None;
        }
        let local = day_number * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Self::new(local - offset(zone)?))
    }
}

/// Seconds that a zone is ahead of UTC. A zero offset is not written as a number.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = zone.split_first()?;
    let sign = match sign {
        b'Z' if digits.is_empty() => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(digits)?;
    let is_valid = hours <= 24 && minutes < 60 && (hours, minutes) != (0, 0);
    is_valid.then_some(sign * (hours * 3600 + minutes * 60))
}

/// Exactly `N` numbers of two digits.
fn numbers<const N: usize>(digits: &[u8]) -> Option<[i64; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut values = [0; N];
    for (value, [tens, ones]) in values.iter_mut().zip(pairs) {
        let digit = |letter: &u8| letter.is_ascii_digit().then(|| i64::from(letter - b'0'));
        *value = digit(tens)? * 10 + digit(ones)?;
    }
    Some(values)
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        write!(
            f,
            "{:02}{month:02}{day:02}{:02}{:02}{:02}Z",
            year % 100,
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, UtcTime};
    use proptest::prelude::*;

    fn seconds(text: &str) -> Option<i64> {
        UtcTime::parse(text.as_bytes()).map(UtcTime::seconds)
    }

    #[test]
    fn forms() {
        for (text, expected) in [
            ("700101000000Z", 0),
            ("7001010000Z", 0),
            ("700101010000+0100", 0),
            ("691231223000-0130", 0),
            ("7001010530+0530", 0),
            ("500101000000Z", *SECONDS.start()),
            ("491231235959Z", *SECONDS.end()),
            ("240229120000Z", 1_709_208_000),
            ("000229000000Z", 951_782_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "Z",
            "700101000000",
            "700101000000+0000",
            "700101000000-0000",
            "700101000000+0060",
            "700101000000+2500",
            "700101000000+01",
            "700101000000+01000",
            "700101000000z",
            "700101000000ZZ",
            "700101000000.5Z",
            "19700101000000Z",
            "70010100000Z",
            "700100000000Z",
            "700001000000Z",
            "701301000000Z",
            "230229000000Z",
            "700101240000Z",
            "700101006000Z",
            "700101000060Z",
            "7001010000+1",
            "70010100:00Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn way_back(at in SECONDS) {
            prop_assert_eq!(seconds(&UtcTime::new(at).to_string()), Some(at));
        }

        #[test]
        fn any_bytes_are_judged(bytes: Vec<u8>, text in "[0-9]{10,12}[Z+-][0-9]{0,5}") {
            let _ = (UtcTime::parse(&bytes), UtcTime::parse(text.as_bytes()));
        }
    }
}

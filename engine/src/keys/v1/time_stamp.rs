//! The names of older generations: when they were replaced (keystore.md 4.1).

use crate::keys::calendar::{date, days};
use std::fmt;

/// A time in UTC as seconds since 1970 and nanoseconds.
///
/// Its text is `YYYY-MM-DDTHH:MM:SS.fffffffff` without the zeros at the end of the fraction, and without the dot if
/// nothing is left of it. The order of texts is the order of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeStamp {
    seconds: i64,
    nanoseconds: u32,
}

/// Years 0000 to 9999, which is what the text has room for.
const SECONDS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

impl TimeStamp {
    /// A time; one that the text has no room for becomes the nearest one it has.
    pub fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self {
            seconds: seconds.clamp(*SECONDS.start(), *SECONDS.end()),
            nanoseconds: nanoseconds.min(999_999_999),
        }
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// One nanosecond later.
    #[must_use]
    pub fn next(self) -> Self {
        match self.nanoseconds {
            999_999_999 => Self::new(self.seconds.saturating_add(1), 0),
            nanoseconds => Self::new(self.seconds, nanoseconds + 1),
        }
    }

    /// Reads exactly what [`fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (time, fraction) = match text.split_once('.') {
            Some((_, fraction)) if fraction.is_empty() || fraction.len() > 9 => return None,
            Some((time, fraction)) => (time, fraction),
            None => (text, ""),
        };
        let (date, clock) = time.split_once('T')?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let seconds = days(year.into(), month.into(), day.into()) * 86_400
            + i64::from(hour * 3600 + minute * 60 + second);
        let nanoseconds = match fraction {
            "" => 0,
            _ => number(fraction, fraction.len())? * 10_u32.pow(9 - fraction.len() as u32),
        };
        // Days that no month has, zeros at the end and the like do not survive the way back.
        Some(Self::new(seconds, nanoseconds)).filter(|time| time.to_string() == text)
    }
}

impl fmt::Display for TimeStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let second = second % 60;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanoseconds == 0 {
            return Ok(());
        }
        let fraction = format!("{:09}", self.nanoseconds);
        write!(f, ".{}", fraction.trim_end_matches('0'))
    }
}

fn numbers<const N: usize>(text: &str, by: char, lengths: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(by);
    let mut values = [0; N];
    for (value, length) in values.iter_mut().zip(lengths) {
        *value = number(parts.next()?, length)?;
    }
    parts.next().is_none().then_some(values)
}

fn number(text: &str, length: usize) -> Option<u32> {
    let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, TimeStamp};
    use proptest::prelude::*;

    #[test]
    fn texts() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00"),
            (951_782_399, 500_000_000, "2000-02-28T23:59:59.5"),
            (951_782_400, 1, "2000-02-29T00:00:00.000000001"),
            (1_795_452_084, 364_409_690, "2026-11-23T16:41:24.36440969"),
            (-1, 0, "1969-12-31T23:59:59"),
        ] {
            let time = TimeStamp::new(seconds, nanoseconds);
            assert_eq!(time.to_string(), text);
            assert_eq!(TimeStamp::parse(text), Some(time));
        }
        for text in [
            "2026-02-29T00:00:00",
            "2026-11-23T16:41:60",
            "2026-11-23T16:41:24.",
            "2026-11-23T16:41:24.50",
            "",
            "2026-11-23T16:41:24Z",
            "2026-13-01T00:00:00",
            "+026-11-23T16:41:24",
            "2026-11-23T16:41:24.1234567890",
        ] {
            assert_eq!(TimeStamp::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_and_way_back(a in SECONDS, b in SECONDS, x in 0_u32..1_000_000_000, y in 0_u32..1_000_000_000) {
            let (first, second) = (TimeStamp::new(a, x), TimeStamp::new(b, y));
            prop_assert_eq!(first.cmp(&second), first.to_string().cmp(&second.to_string()));
            prop_assert_eq!(TimeStamp::parse(&first.to_string()), Some(first));
            let same = TimeStamp::new(a, y);
            prop_assert_eq!(first.cmp(&same), first.to_string().cmp(&same.to_string()));
        }

        #[test]
        fn any_text_is_judged(text in "[0-9T:.-]{0,30}") {
            let _ = TimeStamp::parse(&text);
        }
    }
}

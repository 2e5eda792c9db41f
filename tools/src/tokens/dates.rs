//! Dates on the command line (cli.md 18): nine forms, in the local time zone unless one is given.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A moment with its fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    seconds: i64,
    has_fraction: bool,
}

impl Moment {
    /// The first whole second that is not before it.
    pub(super) fn first_second(self) -> i64 {
        self.seconds + i64::from(self.has_fraction)
    }

    /// The last whole second that is not after it.
    pub(super) fn last_second(self) -> i64 {
        self.seconds
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Reads a date; `None`: it has none of the forms, or there is no such day.
pub(super) fn read(text: &str) -> Option<Moment> {
    read_in(text, &TimeZone::system())
}

fn read_in(text: &str, local: &TimeZone) -> Option<Moment> {
    let mut left = Text(text);
    if let Some(month) = left.month() {
        left.literal(" ")?;
        let year = left.number(4, 4)?;
        return left
            .end()
            .and_then(|()| moment([year, month, 1, 0, 0, 0], 0, local));
    }
    let year = left.number(4, 4)?;
    if left.end().is_some() {
        return moment([year, 1, 1, 0, 0, 0], 0, local);
    }
    left.literal("-")?;
    let month = left.number(2, 2)?;
    left.literal("-")?;
    let day = left.number(2, 2)?;
    if left.end().is_some() {
        return moment([year, month, day, 0, 0, 0], 0, local);
    }
    let is_t = left.literal("T").is_some();
    if !is_t {
        left.literal(" ")?;
    }
    let hour = left.number(1, 2)?;
    left.literal(":")?;
    let minute = left.number(2, 2)?;
    if left.end().is_some() {
        return moment([year, month, day, hour, minute, 0], 0, local);
    }
    left.literal(":")?;
    let second = left.number(2, 2)?;
    let fraction = left.fraction()?;
    let parts = [year, month, day, hour, minute, second];
    if left.end().is_some() {
        return moment(parts, fraction, local);
    }
    // A zone wants the letter in the middle.
    let zone = is_t.then(|| left.zone()).flatten()?;
    left.end().and_then(|()| moment(parts, fraction, &zone))
}

/// What is left to read.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// A number of so many digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i16> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit);
        let (digits, rest) = self.0.split_at(digits.count());
        self.0 = rest;
        (digits.len() >= least).then(|| digits.parse().ok())?
    }

    /// A month by its name or the first three letters of it.
    fn month(&mut self) -> Option<i16> {
        let letters = self.0.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = self.0.split_at(letters);
        let is_word =
            |name: &&str| word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3]);
        let month = MONTHS.iter().position(is_word)?;
        self.0 = rest;
        i16::try_from(month + 1).ok()
    }

    /// A fraction of a second in nanoseconds, zero if there is none; further digits are cut off.
    fn fraction(&mut self) -> Option<i32> {
        if self.literal(".").or_else(|| self.literal(",")).is_none() {
            return Some(0);
        }
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(digits);
        self.0 = rest;
        let nanoseconds = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        let nanoseconds = nanoseconds.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
        (!digits.is_empty()).then_some(nanoseconds)
    }

    /// `Z` or `+hh:mm`.
    fn zone(&mut self) -> Option<TimeZone> {
        if self.literal("Z").is_some() {
            return Some(TimeZone::UTC);
        }
        let sign = match self.literal("-") {
            Some(()) => -1,
            None => self.literal("+").map(|()| 1)?,
        };
        let hours = self.number(2, 2).filter(|hours| *hours < 24)?;
        self.literal(":")?;
        let minutes = self.number(2, 2).filter(|minutes| *minutes < 60)?;
        let seconds = sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60);
        Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
    }
}

fn moment(parts: [i16; 6], nanoseconds: i32, zone: &TimeZone) -> Option<Moment> {
    let [year, month, day, hour, minute, second] = parts;
    let small = |number| i8::try_from(number).ok();
    let time = DateTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        // A leap second is none to Go.
        small(second).filter(|second| *second < 60)?,
        nanoseconds,
    )
    .ok()?;
    let at: Timestamp = zone.to_timestamp(time).ok()?;
    // Before 1970 the fraction counts from the other side.
    let seconds = at.as_nanosecond().div_euclid(1_000_000_000);
    Some(Moment {
        seconds: i64::try_from(seconds).ok()?,
        has_fraction: nanoseconds != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::{Moment, read_in};
    use jiff::tz::TimeZone;

    #[test]
    fn every_form() {
        let local = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (text, seconds, has_fraction) in [
            ("2006-01-02T15:04:05Z", 1_136_214_245, false),
            ("2006-01-02T15:04:05+07:00", 1_136_189_045, false),
            (
                "2006-01-02T15:04:05.999999999999-00:30",
                1_136_216_045,
                true,
            ),
            ("2006-01-02T15:04:05", 1_136_210_645, false),
            ("2006-01-02 15:04:05", 1_136_210_645, false),
            ("2006-01-02 15:04:05,5", 1_136_210_645, true),
            ("2006-01-02T15:04", 1_136_210_640, false),
            ("2006-01-02 5:04", 1_136_174_640, false),
            ("2006-01-02", 1_136_156_400, false),
            ("2006-07-02", 1_151_791_200, false),
            ("Jan 2006", 1_136_070_000, false),
            ("JANUARY 2006", 1_136_070_000, false),
            ("2006", 1_136_070_000, false),
            ("1969-12-31T23:59:59.5Z", -1, true),
        ] {
            let expected = Moment {
                seconds,
                has_fraction,
            };
            assert_eq!(read_in(text, &local), Some(expected), "{text}");
        }
        for text in [
            "",
            "06",
            "20060",
            " 2006",
            "2006 ",
            "2006-1-02",
            "2006-02-29",
            "2006-13-01",
            "2006-01-02T24:00",
            "2006-01-02T15:04:60",
            "2006-01-02T15:04Z",
            "2006-01-02 15:04:05Z",
            "2006-01-02T15:04:05.",
            "2006-01-02T15:04:05+7:00",
            "2006-01-02T15:04:05+24:00",
            "2006-01-02T15:04:05z",
            "2006-01-02t15:04",
            "2006-01-02T15:4",
            "Janu 2006",
            "Jan  2006",
            "Jan 06",
            "январь 2006",
            "ä",
        ] {
            assert_eq!(read_in(text, &local), None, "{text}");
        }
    }

    #[test]
    fn limits_are_inclusive_to_the_fraction() {
        let moment = read_in("1970-01-01T00:00:01.5Z", &TimeZone::UTC).unwrap();
        assert_eq!((moment.first_second(), moment.last_second()), (2, 1));
        let moment = read_in("1970-01-01T00:00:01Z", &TimeZone::UTC).unwrap();
        assert_eq!((moment.first_second(), moment.last_second()), (1, 1));
    }
}

//! The time of a line, in the two forms that the formats have.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, counted from the beginning of 1970; earlier ones are that beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Duration);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        )
    }

    #[cfg(test)]
    pub(crate) fn at(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// Seconds with three decimals, for machines.
    pub(crate) fn unix(self) -> impl fmt::Display {
        let (seconds, milliseconds) = (self.0.as_secs(), self.0.subsec_millis());
        fmt::from_fn(move |f| write!(f, "{seconds}.{milliseconds:03}"))
    }

    /// RFC 3339 in whole seconds.
    ///
    /// Always UTC (`Z`), where the reference uses the local zone: the zone can only be had from the C library, which is
    /// not safe to ask while other threads run, or by reading its files. Both forms say the same moment.
    pub(crate) fn rfc3339(self) -> impl fmt::Display {
        let seconds = self.0.as_secs();
        let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        fmt::from_fn(move |f| {
            write!(
                f,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            )
        })
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are taken to begin in March, so that the day that comes and goes is the last one of a year; 400 of them are
/// 146 097 days. At most 2^64 seconds are asked for, so nothing here overflows.
fn date(days: u64) -> (u64, u64, u64) {
    // From 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00Z 0.000"),
            (951_782_399_999, "2000-02-28T23:59:59Z 951782399.999"),
            (951_868_799_000, "2000-02-29T23:59:59Z 951868799.000"),
            (951_868_800_001, "2000-03-01T00:00:00Z 951868800.001"),
            (1_706_695_200_123, "2024-01-31T10:00:00Z 1706695200.123"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z 4107542399.000"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z 4107542400.000"),
        ] {
            let moment = Moment::at(milliseconds);
            assert_eq!(format!("{} {}", moment.rfc3339(), moment.unix()), expected);
        }
        // Far away, but no overflow.
        let _ = Moment(Duration::MAX).rfc3339().to_string();
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = date(0);
        for day in 1..800_000 {
            let after = date(day);
            assert!(
                after > before && after.1 <= 12 && after.2 <= 31,
                "{day}: {after:?}"
            );
            before = after;
        }
    }
}

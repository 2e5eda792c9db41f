//! The time of a line, in the two forms that the formats have.

use jiff::Timestamp;
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
        let seconds = i64::try_from(self.0.as_secs()).ok();
        seconds
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or(Timestamp::MAX)
    }
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
}

//! The present time, in the forms that key stores keep.

use acra_engine::keys::v1::TimeStamp;
use acra_engine::keys::v2::UtcTime;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock before 1970 is as good as 1970: older generations push time stamps forward.
fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// The present time in seconds since 1970.
pub(crate) fn unix_seconds() -> i64 {
    seconds(since_1970())
}

/// The present time as a name (v1).
pub(crate) fn time_stamp() -> TimeStamp {
    let now = since_1970();
    TimeStamp::new(seconds(now), now.subsec_nanos())
}

/// The present time as it stands in key rings (v2).
pub(crate) fn utc_time() -> UtcTime {
    UtcTime::new(unix_seconds())
}

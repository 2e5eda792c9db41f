//! `date`, `time`, `timestamp` and `timestamp with time zone`: days, or microseconds, since 2000-01-01; of `time`
//! since midnight.
//!
//! Texts are ISO 8601 as the server prints them with `DateStyle` ISO. Of what it reads, those that mean the same under
//! every setting are read: a blank or `T` between date and time, `BC` at the end, an offset from UTC or `Z`. Like the server, types
//! that have no zone drop one that is told, and a date drops the time: drivers bind such texts.

/// Days of 2000-01-01 since 1970-01-01.
const EPOCH: i64 = 10_957;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// First and last day, and microsecond, that the server has.
const DAYS: std::ops::Range<i64> = -2_451_545..2_145_031_949;
const MICROS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// The days since 1970-01-01 of a day of the proleptic Gregorian calendar; the year 0 is 1 BC.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day ends one.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let days = year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + days - 719_468)
}

/// Year, month and day of a day since 1970-01-01.
fn day_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    match month < 10 {
        true => (year, month + 3, day),
        false => (year + 1, month - 9, day),
    }
}

fn number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// `infinity` and `-infinity`.
fn infinity<T>(text: &str, last: T, first: T) -> Option<T> {
    match &*text.to_ascii_lowercase() {
        "infinity" => Some(last),
        "-infinity" => Some(first),
        _ => None,
    }
}

/// Days since 2000-01-01 of a date; `is_bc` if `BC` follows it.
fn date(text: &str, is_bc: bool) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4..=7)?;
    let month = number(parts.next()?, 1..=2)?;
    let day = number(parts.next()?, 1..=2)?;
    if parts.next().is_some() || year == 0 {
        return None;
    }
    let year = if is_bc { 1 - year } else { year };
    let days = days_of(year, month, day)? - EPOCH;
    DAYS.contains(&days).then_some(days)
}

/// Takes ` BC` off the end.
fn era(text: &str) -> (&str, bool) {
    let cut = text.len().saturating_sub(3);
    match text.split_at_checked(cut) {
        Some((rest, end)) if end.eq_ignore_ascii_case(" bc") => (rest, true),
        _ => (text, false),
    }
}

/// Days since 2000-01-01.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    if let Some(end) = infinity(text, i32::MAX, i32::MIN) {
        return Some(end);
    }
    let (text, is_bc) = era(text);
    let (day, time) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    time_of_day(time)?;
    i32::try_from(date(day, is_bc)?).ok()
}

pub(super) fn show_date(days: i32) -> Option<String> {
    match days {
        i32::MAX => return Some("infinity".to_owned()),
        i32::MIN => return Some("-infinity".to_owned()),
        _ => {}
    }
    if !DAYS.contains(&i64::from(days)) {
        return None;
    }
    let (date, is_bc) = date_of(i64::from(days));
    Some(date + if is_bc { " BC" } else { "" })
}

/// The text of a day, and whether it is BC.
fn date_of(days: i64) -> (String, bool) {
    let (year, month, day) = day_of(days + EPOCH);
    let (year, is_bc) = if year > 0 {
        (year, false)
    } else {
        (1 - year, true)
    };
    (format!("{year:04}-{month:02}-{day:02}"), is_bc)
}

/// Microseconds rounded to so many digits of the fraction of seconds: halves away from zero, as the server does
/// (`AdjustTimestampForTypmod`). Infinity stays.
pub(super) fn round(micros: i64, digits: u32) -> Option<i64> {
    if matches!(micros, i64::MAX | i64::MIN) {
        return Some(micros);
    }
    let unit = 10_i64.pow(6_u32.checked_sub(digits)?);
    let half = if unit > 1 { unit / 2 } else { 0 };
    let away = match micros < 0 {
        true => micros.checked_sub(half)?,
        false => micros.checked_add(half)?,
    };
    Some(away / unit * unit)
}

/// Microseconds since midnight, up to and with 24:00:00.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let mut parts = zone(text)?.0.split(':');
    let hours = number(parts.next()?, 1..=2)?;
    let minutes = number(parts.next()?, 2..=2)?;
    let (seconds, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (seconds, rest) = seconds.split_once('.').unwrap_or((seconds, "0"));
            // Digits beyond microseconds are rounded by the server; that would have to carry.
            let micros = number(rest, 1..=6)?;
            let scale = 10_i64.pow(u32::try_from(6 - rest.len()).ok()?);
            (number(seconds, 2..=2)?, micros * scale)
        }
    };
    if parts.next().is_some() || hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    let total = ((hours * 60 + minutes) * 60 + seconds) * SECOND + micros;
    (total <= DAY).then_some(total)
}

pub(super) fn show_time(micros: i64) -> Option<String> {
    if !(0..=DAY).contains(&micros) {
        return None;
    }
    let (seconds, rest) = (micros / SECOND, micros % SECOND);
    let time = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    Some(match rest {
        0 => time,
        rest => {
            let rest = format!("{rest:06}");
            format!("{time}.{}", rest.trim_end_matches('0'))
        }
    })
}

/// Microseconds since 2000-01-01.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    if let Some(end) = infinity(text, i64::MAX, i64::MIN) {
        return Some(end);
    }
    let (text, is_bc) = era(text);
    checked(moment(text, is_bc)?)
}

fn moment(text: &str, is_bc: bool) -> Option<i64> {
    let (day, time) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    date(day, is_bc)?
        .checked_mul(DAY)?
        .checked_add(time_of_day(time)?)
}

/// A time behind a date, of which at most the zone is there.
fn time_of_day(text: &str) -> Option<i64> {
    match zone(text)?.0 {
        "" => Some(0),
        time => parse_time(time),
    }
}

fn checked(micros: i64) -> Option<i64> {
    MICROS.contains(&micros).then_some(micros)
}

pub(super) fn show_timestamp(micros: i64) -> Option<String> {
    show(micros, "")
}

/// Microseconds since 2000-01-01 in UTC. The offset from UTC must be told.
pub(super) fn parse_timestamptz(text: &str) -> Option<i64> {
    if let Some(end) = infinity(text, i64::MAX, i64::MIN) {
        return Some(end);
    }
    let (text, is_bc) = era(text);
    let (_, time) = text.split_once([' ', 'T', 't'])?;
    let offset = zone(time)?.1?;
    checked(moment(text, is_bc)?.checked_sub(offset)?)
}

/// A time without the zone behind it, and the offset of that from UTC in microseconds, if there is one.
fn zone(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), Some(0)));
    }
    let Some(sign) = text.find(['+', '-']) else {
        return Some((text, None));
    };
    let (time, zone) = text.split_at_checked(sign)?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let mut parts = zone.split(':');
    let hours = parts.next()?;
    // Without colons, minutes follow the hours at once.
    let (hours, rest) = match hours.len() {
        4 => hours.split_at_checked(2)?,
        _ => (hours, parts.next().unwrap_or("00")),
    };
    let seconds = parts.next().unwrap_or("00");
    let (hours, minutes) = (number(hours, 1..=2)?, number(rest, 2..=2)?);
    let seconds = number(seconds, 2..=2)?;
    if parts.next().is_some() || hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    let offset = ((hours * 60 + minutes) * 60 + seconds) * SECOND;
    let offset = if sign == "-" { -offset } else { offset };
    Some((time.trim_end(), Some(offset)))
}

pub(super) fn show_timestamptz(micros: i64) -> Option<String> {
    show(micros, "+00")
}

fn show(micros: i64, zone: &str) -> Option<String> {
    match micros {
        i64::MAX => return Some("infinity".to_owned()),
        i64::MIN => return Some("-infinity".to_owned()),
        _ => {}
    }
    checked(micros)?;
    let (date, is_bc) = date_of(micros.div_euclid(DAY));
    let time = show_time(micros.rem_euclid(DAY))?;
    let bc = if is_bc { " BC" } else { "" };
    Some(format!("{date} {time}{zone}{bc}"))
}

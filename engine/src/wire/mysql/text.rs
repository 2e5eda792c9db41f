//! Values of the binary protocol as the text that a client of the other protocol would send for them.

use super::value::Type;
use crate::wire::cursor::{Malformed, Reader};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of a value of this type, without the length in front of it.
///
/// # Errors
///
/// It has not the length of its type.
pub fn text(kind: Type, is_unsigned: bool, value: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    const WIDTH: Malformed = Malformed("width of a number");
    let number = |signed: i64, unsigned: u64| match is_unsigned {
        true => unsigned.to_string(),
        false => signed.to_string(),
    };
    let text = match kind.0 {
        // TINY
        1 => {
            let &[byte] = value else { return Err(WIDTH) };
            number(i8::from_le_bytes([byte]).into(), byte.into())
        }
        // SHORT, YEAR
        2 | 13 => {
            let bytes = value.try_into().map_err(|_| WIDTH)?;
            number(
                i16::from_le_bytes(bytes).into(),
                u16::from_le_bytes(bytes).into(),
            )
        }
        // LONG, INT24
        3 | 9 => {
            let bytes = value.try_into().map_err(|_| WIDTH)?;
            number(
                i32::from_le_bytes(bytes).into(),
                u32::from_le_bytes(bytes).into(),
            )
        }
        // LONGLONG
        8 => {
            let bytes = value.try_into().map_err(|_| WIDTH)?;
            number(i64::from_le_bytes(bytes), u64::from_le_bytes(bytes))
        }
        // FLOAT, DOUBLE
        4 => float(f32::from_le_bytes(value.try_into().map_err(|_| WIDTH)?)),
        5 => float(f64::from_le_bytes(value.try_into().map_err(|_| WIDTH)?)),
        // DATE; TIMESTAMP, DATETIME; TIME
        10 => date(value, false)?,
        7 | 12 => date(value, true)?,
        11 => time(value)?,
        _ => return Ok(Cow::Borrowed(value)),
    };
    Ok(Cow::Owned(text.into_bytes()))
}

/// The shortest digits that give the number again; with an exponent where the server writes one.
fn float<F: std::fmt::Display + std::fmt::LowerExp>(value: F) -> String {
    let scientific = format!("{value:e}");
    let exponent = scientific.split_once('e');
    let exponent: Option<i32> = exponent.and_then(|(_, exponent)| exponent.parse().ok());
    match exponent {
        Some(-4..15) => value.to_string(),
        _ => scientific,
    }
}

/// Year 2, month, day; then hour, minute, second; then microseconds 4. What is left out is zero.
fn date(value: &[u8], has_time: bool) -> Result<String, Malformed> {
    if !matches!(value.len(), 0 | 4 | 7 | 11) {
        return Err(Malformed("length of a date"));
    }
    let mut padded = [0; 11];
    if let Some(place) = padded.get_mut(..value.len()) {
        place.copy_from_slice(value);
    }
    let mut reader = Reader::new(&padded);
    let year = reader.u16_le("year")?;
    let (month, day) = (reader.u8("month")?, reader.u8("day")?);
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if has_time || value.len() > 4 {
        text.push(' ');
        clock(&mut text, None, &mut reader)?;
    }
    Ok(text)
}

/// Whether it is negative, days 4, hour, minute, second; then microseconds 4. What is left out is zero.
fn time(value: &[u8]) -> Result<String, Malformed> {
    if !matches!(value.len(), 0 | 8 | 12) {
        return Err(Malformed("length of a time"));
    }
    let mut padded = [0; 12];
    if let Some(place) = padded.get_mut(..value.len()) {
        place.copy_from_slice(value);
    }
    let mut reader = Reader::new(&padded);
    let is_negative = reader.u8("sign of a time")? != 0;
    let days = reader.u32_le("days")?;
    let mut text = String::new();
    if is_negative {
        text.push('-');
    }
    clock(&mut text, Some(days), &mut reader)?;
    Ok(text)
}

/// Appends the time of a day, or of a day after so many.
fn clock(text: &mut String, days: Option<u32>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let hours = u64::from(days.unwrap_or(0)) * 24 + u64::from(reader.u8("hour")?);
    let (minutes, seconds) = (reader.u8("minute")?, reader.u8("second")?);
    let micros = reader.u32_le("microseconds")?;
    // Writing to a string does not fail.
    let _ = write!(text, "{hours:02}:{minutes:02}:{seconds:02}");
    if micros != 0 {
        let _ = write!(text, ".{micros:06}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_the_text_that_the_other_protocol_has() {
        let cases: [(u8, bool, &[u8], &str); 17] = [
            (1, false, &[0xff], "-1"),
            (1, true, &[0xff], "255"),
            (2, false, &[0, 0x80], "-32768"),
            (13, true, &[0xe8, 7], "2024"),
            (3, false, &[0xff; 4], "-1"),
            (9, true, &[0xff; 4], "4294967295"),
            (8, true, &[0xff; 8], "18446744073709551615"),
            (8, false, &[0xff; 8], "-1"),
            (4, false, &0.1_f32.to_le_bytes(), "0.1"),
            (
                5,
                false,
                &0.1234567890123_f64.to_le_bytes(),
                "0.1234567890123",
            ),
            (5, false, &1e20_f64.to_le_bytes(), "1e20"),
            (10, false, &[0xe8, 7, 2, 29], "2024-02-29"),
            (12, false, &[0xe8, 7, 2, 29], "2024-02-29 00:00:00"),
            (
                7,
                false,
                &[0xe8, 7, 2, 29, 1, 2, 3, 4, 0, 0, 0],
                "2024-02-29 01:02:03.000004",
            ),
            (10, false, &[], "0000-00-00"),
            (11, false, &[1, 2, 0, 0, 0, 3, 4, 5], "-51:04:05"),
            (253, false, b"text", "text"),
        ];
        for (kind, is_unsigned, value, expected) in cases {
            let text = text(Type(kind), is_unsigned, value).unwrap();
            assert_eq!(text, expected.as_bytes(), "{kind}");
        }
        for (kind, value) in [(1, &b"ab"[..]), (8, b"a"), (12, b"a"), (11, b"a")] {
            assert!(text(Type(kind), false, value).is_err());
        }
    }
}

//! What the server makes of a value for a type with numbers in parentheses: `varchar(n)`, `char(n)`, `numeric(p, s)`,
//! `time(n)`, `timestamp(n)`.

use super::{Type, datetime, numeric};
use std::borrow::Cow;

impl Type {
    /// The canonical text of a value after a cast to this type with these numbers, of which a second one that is not written is
    /// 0; `None` if it does not fit. What is longer than `varchar(n)` or `char(n)` is cut, and `char(n)` is filled up with blanks;
    /// numbers and times are rounded.
    pub fn fit(self, text: &str, [first, second]: [u32; 2]) -> Option<Cow<'_, str>> {
        let count = usize::try_from(first).ok()?;
        Some(match self {
            Self::Varchar => Cow::Borrowed(cut(text, count)),
            Self::Bpchar => {
                let kept = cut(text, count);
                let blanks = count - kept.chars().count();
                match blanks {
                    0 => Cow::Borrowed(kept),
                    blanks => Cow::Owned([kept, &" ".repeat(blanks)].concat()),
                }
            }
            Self::Numeric => {
                Cow::Owned(numeric::round(text, count, usize::try_from(second).ok()?)?)
            }
            Self::Time => Cow::Owned(datetime::show_time(datetime::round(
                datetime::parse_time(text)?,
                first,
            )?)?),
            Self::Timestamp => Cow::Owned(datetime::show_timestamp(datetime::round(
                datetime::parse_timestamp(text)?,
                first,
            )?)?),
            Self::Timestamptz => Cow::Owned(datetime::show_timestamptz(datetime::round(
                datetime::parse_timestamptz(text)?,
                first,
            )?)?),
            _ => return None,
        })
    }
}

/// The first characters of a text.
fn cut(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count);
    let kept = end.and_then(|(end, _)| text.get(..end));
    kept.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::Type;
    use proptest::prelude::*;

    #[test]
    fn values_are_cut_filled_up_and_rounded() {
        for (kind, numbers, given, expected) in [
            (Type::Varchar, [3, 0], "grüezi", Some("grü")),
            (Type::Varchar, [3, 0], "a", Some("a")),
            (Type::Bpchar, [3, 0], "ü", Some("ü  ")),
            (Type::Bpchar, [1, 0], "ab", Some("a")),
            (Type::Numeric, [10, 2], "5", Some("5.00")),
            (Type::Numeric, [10, 2], "1.005", Some("1.01")),
            (Type::Numeric, [10, 2], "-1.005", Some("-1.01")),
            (Type::Numeric, [10, 2], "1.00499", Some("1.00")),
            (Type::Numeric, [10, 2], "-0.004", Some("0.00")),
            (Type::Numeric, [10, 2], "99.995", Some("100.00")),
            (Type::Numeric, [4, 2], "99.995", None),
            (Type::Numeric, [4, 2], "99.99", Some("99.99")),
            (Type::Numeric, [2, 2], "0.994", Some("0.99")),
            (Type::Numeric, [2, 2], "0.995", None),
            (Type::Numeric, [3, 0], "0.5", Some("1")),
            (Type::Numeric, [3, 0], "1000", None),
            (Type::Numeric, [3, 0], "NaN", Some("NaN")),
            (Type::Numeric, [3, 0], "Infinity", None),
            (Type::Time, [0, 0], "23:59:59.5", Some("24:00:00")),
            (Type::Time, [3, 0], "12:00:00.0005", Some("12:00:00.001")),
            (
                Type::Timestamp,
                [0, 0],
                "1999-12-31 23:59:59.4",
                Some("1999-12-31 23:59:59"),
            ),
            (
                Type::Timestamp,
                [0, 0],
                "1999-12-31 23:59:59.5",
                Some("1999-12-31 23:59:59"),
            ),
            (
                Type::Timestamptz,
                [2, 0],
                "2024-02-29 12:00:00.125+00",
                Some("2024-02-29 12:00:00.13+00"),
            ),
            (Type::Timestamp, [0, 0], "infinity", Some("infinity")),
            (Type::Int4, [1, 0], "1", None),
        ] {
            assert_eq!(
                kind.fit(given, numbers).as_deref(),
                expected,
                "{kind:?} {given}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_fits_stays(text in "-?[0-9]{1,8}(\\.[0-9]{1,8})?", precision in 1_u32..20, scale in 0_u32..20) {
            prop_assume!(scale <= precision);
            let numbers = [precision, scale];
            if let Some(fits) = Type::Numeric.fit(&text, numbers) {
                let again = Type::Numeric.fit(&fits, numbers);
                prop_assert_eq!(again.as_deref(), Some(&*fits));
                let behind = fits.split_once('.').map_or(0, |(_, behind)| behind.len());
                prop_assert_eq!(behind, scale as usize);
            }
        }
    }
}

//! Types of PostgreSQL whose values can be kept encrypted: their numbers, and their text and binary forms.
//!
//! One job: a value in the form in which a client writes or reads it, and back. What is sealed of a value is its
//! *canonical text*: what the server would print of it, with `DateStyle` ISO and times in UTC. Sources: `pg_type.dat`
//! and the `*recv`/`*send` functions of PostgreSQL 18, which the documentation does not describe; the scenario tests
//! compare with servers.

mod datetime;
mod float;
mod modifier;
mod numeric;
mod scalar;

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `boolean`
    Bool,
    /// `bytea`
    Bytea,
    /// `"char"`: one byte
    Char,
    /// `bigint`
    Int8,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `text`
    Text,
    /// `json`
    Json,
    /// `xml`
    Xml,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `character`
    Bpchar,
    /// `character varying`
    Varchar,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `timestamp with time zone`
    Timestamptz,
    /// `numeric`
    Numeric,
    /// `uuid`
    Uuid,
    /// `jsonb`
    Jsonb,
}

impl Type {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Bool,
        Self::Bytea,
        Self::Char,
        Self::Int8,
        Self::Int2,
        Self::Int4,
        Self::Text,
        Self::Json,
        Self::Xml,
        Self::Float4,
        Self::Float8,
        Self::Bpchar,
        Self::Varchar,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Timestamptz,
        Self::Numeric,
        Self::Uuid,
        Self::Jsonb,
    ];

    /// The type of an OID.
    pub fn of_oid(oid: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.oid() == oid)
    }

    /// Its OID.
    pub fn oid(self) -> u32 {
        self.facts().0
    }

    /// The length of its values in bytes, as in RowDescription; −1 if they differ.
    pub fn size(self) -> i16 {
        self.facts().1
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (u32, i16, &'static str) {
        match self {
            Self::Bool => (16, 1, "boolean"),
            Self::Bytea => (17, -1, "bytea"),
            Self::Char => (18, 1, "\"char\""),
            Self::Int8 => (20, 8, "bigint"),
            Self::Int2 => (21, 2, "smallint"),
            Self::Int4 => (23, 4, "integer"),
            Self::Text => (25, -1, "text"),
            Self::Json => (114, -1, "json"),
            Self::Xml => (142, -1, "xml"),
            Self::Float4 => (700, 4, "real"),
            Self::Float8 => (701, 8, "double precision"),
            Self::Bpchar => (1042, -1, "character"),
            Self::Varchar => (1043, -1, "character varying"),
            Self::Date => (1082, 4, "date"),
            Self::Time => (1083, 8, "time"),
            Self::Timestamp => (1114, 8, "timestamp"),
            Self::Timestamptz => (1184, 8, "timestamp with time zone"),
            Self::Numeric => (1700, -1, "numeric"),
            Self::Uuid => (2950, 16, "uuid"),
            Self::Jsonb => (3802, -1, "jsonb"),
        }
    }

    /// Whether any text is a value of it.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Bpchar | Self::Varchar | Self::Json | Self::Jsonb | Self::Xml
        )
    }

    /// The canonical text of a value in text form, appended to `out`; false if it is none.
    ///
    /// Of dates and times only the ISO forms are taken: what others mean depends on settings of the session. Documents of
    /// JSON and XML are not checked. `bytea` is not a matter of this function: its values are bytes.
    pub fn read_text(self, text: &[u8], out: &mut Vec<u8>) -> bool {
        if self.is_text() || self == Self::Bytea {
            out.extend_from_slice(text);
            return true;
        }
        if self == Self::Char {
            return scalar::read_char(text, out);
        }
        let Ok(text) = std::str::from_utf8(text) else {
            return false;
        };
        let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let canonical = match self {
            Self::Bool => scalar::bool_of(text).map(|value| scalar::show_bool(value).to_owned()),
            Self::Int2 => text.parse::<i16>().ok().map(|value| value.to_string()),
            Self::Int4 => text.parse::<i32>().ok().map(|value| value.to_string()),
            Self::Int8 => text.parse::<i64>().ok().map(|value| value.to_string()),
            Self::Float4 => float::parse::<f32>(text).map(float::show4),
            Self::Float8 => float::parse::<f64>(text).map(float::show8),
            Self::Numeric => numeric::canonical(text),
            Self::Date => datetime::parse_date(text).and_then(datetime::show_date),
            Self::Time => datetime::parse_time(text).and_then(datetime::show_time),
            Self::Timestamp => datetime::parse_timestamp(text).and_then(datetime::show_timestamp),
            Self::Timestamptz => {
                datetime::parse_timestamptz(text).and_then(datetime::show_timestamptz)
            }
            Self::Uuid => scalar::uuid_of(text).map(|value| scalar::show_uuid(&value)),
            _ => None,
        };
        out.extend_from_slice(canonical.as_deref().unwrap_or_default().as_bytes());
        canonical.is_some()
    }

    /// The canonical text of a value in binary form, appended to `out`; false if it is none. An integer may have any width.
    pub fn read_binary(self, value: &[u8], out: &mut Vec<u8>) -> bool {
        let canonical = match self {
            Self::Jsonb => match value.split_first() {
                Some((1, text)) => {
                    out.extend_from_slice(text);
                    return true;
                }
                _ => None,
            },
            Self::Char if value.len() == 1 => return scalar::show_char(value, out),
            Self::Char => None,
            _ if self.is_text() || self == Self::Bytea => {
                out.extend_from_slice(value);
                return true;
            }
            Self::Bool => match value {
                [byte] => Some(scalar::show_bool(*byte != 0).to_owned()),
                _ => None,
            },
            Self::Int2 | Self::Int4 | Self::Int8 => {
                scalar::integer(value).map(|value| value.to_string())
            }
            Self::Float4 => fixed(value).map(|value| float::show4(f32::from_be_bytes(value))),
            Self::Float8 => fixed(value).map(|value| float::show8(f64::from_be_bytes(value))),
            Self::Numeric => numeric::show(value),
            Self::Date => {
                fixed(value).and_then(|days| datetime::show_date(i32::from_be_bytes(days)))
            }
            Self::Time => {
                fixed(value).and_then(|micros| datetime::show_time(i64::from_be_bytes(micros)))
            }
            Self::Timestamp => {
                fixed(value).and_then(|micros| datetime::show_timestamp(i64::from_be_bytes(micros)))
            }
            Self::Timestamptz => fixed(value)
                .and_then(|micros| datetime::show_timestamptz(i64::from_be_bytes(micros))),
            Self::Uuid => fixed(value).map(|value| scalar::show_uuid(&value)),
            _ => None,
        };
        out.extend_from_slice(canonical.as_deref().unwrap_or_default().as_bytes());
        canonical.is_some()
    }

    /// The binary form of a value in text form, appended to `out`; false if it is none.
    pub fn write_binary(self, text: &[u8], out: &mut Vec<u8>) -> bool {
        if self == Self::Jsonb {
            out.push(1);
        }
        if self.is_text() || self == Self::Bytea {
            out.extend_from_slice(text);
            return true;
        }
        if self == Self::Char {
            return scalar::char_of(text, out);
        }
        let Ok(text) = std::str::from_utf8(text) else {
            return false;
        };
        let written = match self {
            Self::Bool => scalar::bool_of(text).map(|value| vec![u8::from(value)]),
            Self::Int2 => text
                .parse::<i16>()
                .ok()
                .map(|value| value.to_be_bytes().into()),
            Self::Int4 => text
                .parse::<i32>()
                .ok()
                .map(|value| value.to_be_bytes().into()),
            Self::Int8 => text
                .parse::<i64>()
                .ok()
                .map(|value| value.to_be_bytes().into()),
            Self::Float4 => float::parse::<f32>(text).map(|value| value.to_be_bytes().into()),
            Self::Float8 => float::parse::<f64>(text).map(|value| value.to_be_bytes().into()),
            Self::Numeric => numeric::binary(text),
            Self::Date => datetime::parse_date(text).map(|days| days.to_be_bytes().into()),
            Self::Time => datetime::parse_time(text).map(|micros| micros.to_be_bytes().into()),
            Self::Timestamp => {
                datetime::parse_timestamp(text).map(|micros| micros.to_be_bytes().into())
            }
            Self::Timestamptz => {
                datetime::parse_timestamptz(text).map(|micros| micros.to_be_bytes().into())
            }
            Self::Uuid => scalar::uuid_of(text).map(|value| value.into()),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = written;
        out.extend_from_slice(bytes.as_deref().unwrap_or_default());
        bytes.is_some()
    }
}

fn fixed<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Type;
    use proptest::prelude::*;

    fn text(kind: Type, text: &str) -> Option<String> {
        let mut out = Vec::new();
        kind.read_text(text.as_bytes(), &mut out)
            .then(|| String::from_utf8(out).unwrap())
    }

    /// Text to binary and back.
    fn round(kind: Type, text: &str) -> Option<String> {
        let (mut binary, mut out) = (Vec::new(), Vec::new());
        (kind.write_binary(text.as_bytes(), &mut binary) && kind.read_binary(&binary, &mut out))
            .then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_has_its_number() {
        for kind in Type::ALL {
            assert_eq!(Type::of_oid(kind.oid()), Some(kind));
        }
        assert_eq!(Type::of_oid(0), None);
    }

    #[test]
    fn texts_become_canonical() {
        for (kind, given, canonical) in [
            (Type::Bool, " TRUE ", "t"),
            (Type::Bool, "off", "f"),
            (Type::Int2, "-32768", "-32768"),
            (Type::Int4, " +7 ", "7"),
            (Type::Int8, "9223372036854775807", "9223372036854775807"),
            (Type::Float4, "1.50", "1.5"),
            (Type::Float8, "1e20", "1e+20"),
            (Type::Float8, "-inf", "-Infinity"),
            (Type::Numeric, "0012.3400", "12.3400"),
            (Type::Numeric, "-.5", "-0.5"),
            (Type::Numeric, "1.5e3", "1500"),
            (Type::Date, "2024-02-29", "2024-02-29"),
            (Type::Date, "0044-03-15 BC", "0044-03-15 BC"),
            (Type::Date, "infinity", "infinity"),
            (Type::Date, "1960-01-02 +00", "1960-01-02"),
            (Type::Date, "2024-02-28 23:59:59-12 BC", "2024-02-28 BC"),
            (Type::Time, "23:59:60", "24:00:00"),
            (Type::Time, "12:00:00.5+05:30", "12:00:00.5"),
            (
                Type::Timestamp,
                "2024-02-29 12:00:00+03",
                "2024-02-29 12:00:00",
            ),
            (Type::Timestamp, "2024-02-29 +03", "2024-02-29 00:00:00"),
            (Type::Time, "07:05", "07:05:00"),
            (
                Type::Timestamp,
                "2024-02-29T12:00:00.5",
                "2024-02-29 12:00:00.5",
            ),
            (
                Type::Timestamptz,
                "2024-01-01 00:30:00+02:00",
                "2023-12-31 22:30:00+00",
            ),
            (
                Type::Uuid,
                "A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11",
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            ),
            (Type::Text, " as it is ", " as it is "),
        ] {
            assert_eq!(
                text(kind, given).as_deref(),
                Some(canonical),
                "{kind:?} {given}"
            );
            assert_eq!(
                round(kind, canonical).as_deref(),
                Some(canonical),
                "{kind:?} {given}"
            );
        }
    }

    #[test]
    fn what_is_no_value_is_told() {
        for (kind, given) in [
            (Type::Bool, "maybe"),
            (Type::Bool, "o"),
            (Type::Int2, "32768"),
            (Type::Int4, "1.0"),
            (Type::Int4, ""),
            (Type::Int8, "0x10"),
            (Type::Float8, "1e999"),
            (Type::Float8, "one"),
            (Type::Numeric, "1..2"),
            (Type::Numeric, "1e200000"),
            (Type::Date, "2023-02-29"),
            (Type::Date, "01/02/2023"),
            (Type::Time, "25:00"),
            (Type::Timestamp, "2023-01-01 12"),
            (Type::Timestamptz, "2023-01-01 12:00"),
            (Type::Uuid, "a0eebc99"),
            (Type::Char, "ab"),
        ] {
            assert_eq!(text(kind, given), None, "{kind:?} {given}");
        }
        for kind in Type::ALL {
            let any = kind.is_text() && kind != Type::Jsonb || kind == Type::Bytea;
            let mut out = Vec::new();
            assert_eq!(kind.read_binary(&[0; 3], &mut out), any, "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            for kind in Type::ALL {
                let (mut text, mut again, mut binary) = (Vec::new(), Vec::new(), Vec::new());
                kind.read_text(&bytes, &mut again);
                if kind.read_binary(&bytes, &mut text) && !matches!(kind, Type::Int2 | Type::Int4 | Type::Int8) {
                    prop_assert!(kind.write_binary(&text, &mut binary), "{kind:?} {text:?}");
                    let mut back = Vec::new();
                    prop_assert!(kind.read_binary(&binary, &mut back));
                    prop_assert_eq!(&back, &text, "{:?}", kind);
                    let mut canonical = Vec::new();
                    prop_assert!(kind.read_text(&text, &mut canonical));
                    prop_assert_eq!(&canonical, &text, "{:?}", kind);
                }
            }
        }

        #[test]
        fn any_text_is_survived(text in "[-+0-9:. eTZBCinfay]{0,30}") {
            for kind in Type::ALL {
                let (mut canonical, mut binary, mut back) = (Vec::new(), Vec::new(), Vec::new());
                if kind.read_text(text.as_bytes(), &mut canonical) && kind.write_binary(&canonical, &mut binary) {
                    prop_assert!(kind.read_binary(&binary, &mut back));
                    prop_assert_eq!(&back, &canonical, "{:?}", kind);
                }
            }
        }

        #[test]
        fn values_come_back(days in -2_400_000_i32..2_000_000, micros in any::<i64>(), single in any::<f32>(), double in any::<f64>()) {
            let rounds: [(Type, Vec<u8>); 6] = [
                (Type::Date, days.to_be_bytes().into()),
                (Type::Time, micros.rem_euclid(86_400_000_001).to_be_bytes().into()),
                (Type::Timestamp, (micros / 100).to_be_bytes().into()),
                (Type::Timestamptz, (micros / 100).to_be_bytes().into()),
                (Type::Float4, single.to_be_bytes().into()),
                (Type::Float8, double.to_be_bytes().into()),
            ];
            for (kind, bytes) in rounds {
                let (mut text, mut back) = (Vec::new(), Vec::new());
                prop_assert!(kind.read_binary(&bytes, &mut text), "{kind:?}");
                prop_assert!(kind.write_binary(&text, &mut back), "{kind:?} {text:?}");
                prop_assert!(back == bytes || single.is_nan() || double.is_nan(), "{kind:?} {text:?}");
            }
        }
    }
}

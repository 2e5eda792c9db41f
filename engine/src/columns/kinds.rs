//! The closed sets of words in a configuration, and the database types behind them (policy.md 1.5 and 1.8).

use std::num::IntErrorKind;

use super::base64;
use crate::types::Type;

/// Which database the configuration is for: it decides the type numbers and how names fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
}

/// The kind of container that a column is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Symmetric.
    AcraBlock,
    /// Asymmetric.
    AcraStruct,
}

impl Envelope {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "acrablock" => Some(Self::AcraBlock),
            "acrastruct" => Some(Self::AcraStruct),
            _ => None,
        }
    }
}

/// The type that an application sees in a column whose stored type is binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// UTF-8 text.
    Str,
    /// Bytes.
    Bytes,
    /// Another type of PostgreSQL; the four above have names of their own.
    Postgres(Type),
}

impl DataType {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "int32" => Some(Self::Int32),
            "int64" => Some(Self::Int64),
            "str" => Some(Self::Str),
            "bytes" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// The type of a number in the tables of the database: an OID of PostgreSQL, a type byte of MySQL.
    pub(super) fn of_identifier(identifier: u32, database: Database) -> Option<Self> {
        match (database, identifier) {
            (Database::PostgreSql, 23) | (Database::MySql, 3) => Some(Self::Int32),
            (Database::PostgreSql, 20) | (Database::MySql, 8) => Some(Self::Int64),
            (Database::PostgreSql, 25) | (Database::MySql, 254) => Some(Self::Str),
            (Database::PostgreSql, 17) | (Database::MySql, 252) => Some(Self::Bytes),
            (Database::PostgreSql, oid) => Type::of_oid(oid).map(Self::Postgres),
            (Database::MySql, _) => None,
        }
    }

    /// The type of PostgreSQL that it is.
    pub fn in_postgres(self) -> Type {
        match self {
            Self::Int32 => Type::Int4,
            Self::Int64 => Type::Int8,
            Self::Str => Type::Text,
            Self::Bytes => Type::Bytea,
            Self::Postgres(kind) => kind,
        }
    }

    /// Whether a part of a value, or a pattern, is a value too.
    pub(super) fn can_be_masked(self) -> bool {
        matches!(
            self.in_postgres(),
            Type::Text | Type::Varchar | Type::Bpchar | Type::Bytea
        )
    }

    /// Checks a default value.
    ///
    /// # Errors
    ///
    /// The reason, in the words of the reference.
    pub(super) fn check_default(self, value: &str) -> Result<(), String> {
        let integer = |kind: Option<IntErrorKind>| match kind {
            None => Ok(()),
            Some(IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => Err(format!(
                "strconv.ParseInt: parsing {value:?}: value out of range"
            )),
            Some(_) => Err(format!(
                "strconv.ParseInt: parsing {value:?}: invalid syntax"
            )),
        };
        match self {
            Self::Int32 => integer(value.parse::<i32>().err().map(|error| *error.kind())),
            Self::Int64 => integer(value.parse::<i64>().err().map(|error| *error.kind())),
            // The document was UTF-8, so its values are.
            Self::Str => Ok(()),
            Self::Bytes => base64::decode(value.as_bytes())
                .map(|_| ())
                .map_err(|byte| format!("illegal base64 data at input byte {byte}")),
            Self::Postgres(kind) => match kind.read_text(value.as_bytes(), &mut Vec::new()) {
                true => Ok(()),
                false => Err(format!("not valid for type {}", kind.name())),
            },
        }
    }
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// A signed 32-bit integer in a column of text.
    Int32String,
    /// A signed 64-bit integer in a column of text.
    Int64String,
    /// Text of the same length.
    Str,
    /// As many bytes.
    Bytes,
    /// Something like an e-mail address, of the same length.
    Email,
}

impl TokenType {
    /// Whether its column holds numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64)
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "int32" => Some(Self::Int32),
            "int64" => Some(Self::Int64),
            // Documented by the reference and rejected there (policy.md 9, item 5).
            "int32_string" => Some(Self::Int32String),
            "int64_string" => Some(Self::Int64String),
            "str" => Some(Self::Str),
            "bytes" => Some(Self::Bytes),
            "email" => Some(Self::Email),
            _ => None,
        }
    }

    /// The type of the column, unless the configuration gives one.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Bytes => DataType::Bytes,
            Self::Int32String | Self::Int64String | Self::Str | Self::Email => DataType::Str,
        }
    }
}

/// What the application gets for a value that cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseOnFail {
    /// The stored bytes.
    Ciphertext,
    /// The column's default value.
    DefaultValue,
    /// An error.
    Error,
}

impl ResponseOnFail {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "ciphertext" => Some(Self::Ciphertext),
            "default_value" => Some(Self::DefaultValue),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// The word that stands for it in a configuration.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ciphertext => "ciphertext",
            Self::DefaultValue => "default_value",
            Self::Error => "error",
        }
    }
}

/// Which end of a masked value stays readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The beginning.
    Left,
    /// The end.
    Right,
}

impl Side {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "left" => Some(Self::Left),
            "right" => Some(Self::Right),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_values() {
        let long = "9".repeat(40);
        for (data_type, value, expected) in [
            (DataType::Int32, "2147483647", Ok(())),
            (DataType::Int32, "-2147483648", Ok(())),
            (DataType::Int32, "+5", Ok(())),
            (
                DataType::Int32,
                "2147483648",
                Err("strconv.ParseInt: parsing \"2147483648\": value out of range"),
            ),
            (
                DataType::Int32,
                " 5",
                Err("strconv.ParseInt: parsing \" 5\": invalid syntax"),
            ),
            (
                DataType::Int32,
                "",
                Err("strconv.ParseInt: parsing \"\": invalid syntax"),
            ),
            (
                DataType::Int32,
                "0x5",
                Err("strconv.ParseInt: parsing \"0x5\": invalid syntax"),
            ),
            (DataType::Int64, "2147483648", Ok(())),
            (
                DataType::Int64,
                "-",
                Err("strconv.ParseInt: parsing \"-\": invalid syntax"),
            ),
            (DataType::Str, "any thing ä", Ok(())),
            (DataType::Bytes, "QUJD", Ok(())),
            (DataType::Bytes, "QU\r\nJD", Ok(())),
            (DataType::Bytes, "", Ok(())),
            (
                DataType::Bytes,
                "QUJ",
                Err("illegal base64 data at input byte 0"),
            ),
            (
                DataType::Bytes,
                "QUJDQ!",
                Err("illegal base64 data at input byte 5"),
            ),
        ] {
            assert_eq!(
                data_type.check_default(value),
                expected.map_err(str::to_owned),
                "{data_type:?} {value:?}"
            );
        }
        assert!(
            DataType::Int64
                .check_default(&long)
                .unwrap_err()
                .ends_with(": value out of range")
        );
    }

    #[test]
    fn type_numbers() {
        for (database, numbers) in [
            (Database::PostgreSql, [23, 20, 25, 17]),
            (Database::MySql, [3, 8, 254, 252]),
        ] {
            let types = numbers.map(|number| DataType::of_identifier(number, database));
            let all = [
                DataType::Int32,
                DataType::Int64,
                DataType::Str,
                DataType::Bytes,
            ];
            assert_eq!(types, all.map(Some));
            assert_eq!(DataType::of_identifier(19, database), None);
        }
        let varchar = DataType::of_identifier(1043, Database::PostgreSql).unwrap();
        assert_eq!(varchar, DataType::Postgres(Type::Varchar));
        assert!(varchar.can_be_masked());
        assert_eq!(DataType::of_identifier(1043, Database::MySql), None);
        assert_eq!(DataType::of_identifier(3, Database::PostgreSql), None);
    }
}

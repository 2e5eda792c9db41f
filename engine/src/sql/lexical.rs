//! What decides how a text is read, beside the text.

use std::sync::Arc;

/// Settings of the session that the meaning of a text depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexical {
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// Whether a backslash in `'…'` is an ordinary character (`standard_conforming_strings`; with MySQL the SQL mode
    /// `NO_BACKSLASH_ESCAPES`).
    pub standard_conforming_strings: bool,
    /// How the client writes characters.
    pub encoding: ClientEncoding,
    /// The schema of names that are written without one, where it is known and matters.
    pub schema: Option<Arc<str>>,
}

/// Whose SQL a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    #[default]
    PostgreSql,
    /// MySQL and MariaDB.
    MySql(MySql),
}

/// What the SQL of MySQL depends on besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MySql {
    /// Whether `"…"` is a name and no string (the SQL mode `ANSI_QUOTES`).
    pub ansi_quotes: bool,
    /// Whether `||` puts strings together and is not OR (the SQL mode `PIPES_AS_CONCAT`).
    pub pipes_as_concat: bool,
    /// The server is MariaDB, which reads some comments as text that MySQL does not, and the reverse.
    pub mariadb: bool,
    /// Its version as comments write it, `80036` for 8.0.36, if that is sure.
    pub version: Option<u32>,
}

impl Dialect {
    /// Whether it is that of MySQL and MariaDB.
    pub fn is_mysql(self) -> bool {
        matches!(self, Self::MySql(_))
    }

    /// The same for a key: a different one for each dialect.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::PostgreSql => 0,
            Self::MySql(mysql) => {
                1 | u8::from(mysql.ansi_quotes) << 1
                    | u8::from(mysql.mariadb) << 2
                    | u8::from(mysql.pipes_as_concat) << 3
            }
        }
    }
}

impl Default for Lexical {
    fn default() -> Self {
        Self {
            dialect: Dialect::PostgreSql,
            standard_conforming_strings: true,
            encoding: ClientEncoding::Utf8,
            schema: None,
        }
    }
}

impl Lexical {
    /// A session of MySQL or MariaDB with the usual SQL mode and UTF-8.
    pub fn mysql(mysql: MySql) -> Self {
        Self {
            dialect: Dialect::MySql(mysql),
            standard_conforming_strings: false,
            encoding: ClientEncoding::Utf8,
            schema: None,
        }
    }
}

/// Encodings of `client_encoding` by what they mean for reading a text byte by byte (PostgreSQL documentation, 24.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEncoding {
    /// UTF-8.
    Utf8,
    /// `SQL_ASCII`: the server converts nothing.
    SqlAscii,
    /// ASCII bytes are ASCII characters; the server converts the others.
    AsciiSafe,
    /// A byte below 0x80 may be part of a longer character (`SJIS`, `BIG5`, `GBK`, `UHC`, `GB18030`, …).
    Unsafe,
}

impl ClientEncoding {
    /// The class of an encoding by the name that the server reports. Unknown names are taken for unsafe ones.
    pub fn of_name(name: &[u8]) -> Self {
        match name.to_ascii_uppercase().as_slice() {
            b"UTF8" | b"UNICODE" | b"UTF-8" => Self::Utf8,
            b"SQL_ASCII" => Self::SqlAscii,
            b"EUC_CN" | b"EUC_JP" | b"EUC_JIS_2004" | b"EUC_KR" | b"EUC_TW" | b"MULE_INTERNAL" => {
                Self::AsciiSafe
            }
            name if [&b"LATIN"[..], b"ISO_8859_", b"KOI8", b"WIN"]
                .iter()
                .any(|family| name.starts_with(family)) =>
            {
                Self::AsciiSafe
            }
            _ => Self::Unsafe,
        }
    }

    /// The class of a character set of MySQL by its name. Unknown names are taken for unsafe ones.
    pub fn of_charset(name: &[u8]) -> Self {
        match name.to_ascii_lowercase().as_slice() {
            b"utf8mb4" | b"utf8mb3" | b"utf8" => Self::Utf8,
            b"binary" => Self::SqlAscii,
            b"ascii" | b"latin1" | b"latin2" | b"latin5" | b"latin7" | b"cp1250" | b"cp1251"
            | b"cp1256" | b"cp1257" | b"cp850" | b"cp852" | b"cp866" | b"koi8r" | b"koi8u"
            | b"greek" | b"hebrew" | b"macce" | b"macroman" | b"ujis" | b"euckr" | b"gb2312"
            | b"eucjpms" => Self::AsciiSafe,
            _ => Self::Unsafe,
        }
    }

    /// Whether the bytes of a text reach the database as they are, in a database of the usual encoding UTF-8.
    pub fn keeps_bytes(self) -> bool {
        matches!(self, Self::Utf8 | Self::SqlAscii)
    }
}

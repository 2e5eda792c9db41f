//! What decides how a text is read, beside the text.

/// Settings of the session that the meaning of a text depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexical {
    /// Whether a backslash in `'…'` is an ordinary character (`standard_conforming_strings`).
    pub standard_conforming_strings: bool,
    /// How the client writes characters.
    pub encoding: ClientEncoding,
}

impl Default for Lexical {
    fn default() -> Self {
        Self {
            standard_conforming_strings: true,
            encoding: ClientEncoding::Utf8,
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

    /// Whether the bytes of a text reach the database as they are, in a database of the usual encoding UTF-8.
    pub fn keeps_bytes(self) -> bool {
        matches!(self, Self::Utf8 | Self::SqlAscii)
    }
}

//! On the way out: what a client gets of a cell.

use crate::cell::bytea;
use crate::cell::open::{Kind, Opener, Scratch, decode, scan};
use crate::columns::{ResponseOnFail, Setting};
use crate::crypto::detect;
use crate::types::Type;
use crate::wire::pg::Format;

/// What a client gets of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The cell as it is.
    Same,
    /// Bytes: those in the scratch, in the form that `bytea` has in the cell's format.
    Bytes,
    /// What is in the scratch, as it is.
    Written,
    /// An error.
    Failed,
}

/// How a typed cell is read.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The column's setting.
    pub setting: &'a Setting,
    /// What the database's type says of the cell.
    pub kind: Kind,
    /// The cell's format, and that of what the client gets.
    pub format: Format,
    /// The client reads UTF-8.
    pub utf8: bool,
}

impl Typed<'_> {
    /// Reads a cell; see [`Read`] for where the result is.
    pub fn read(&self, cell: &[u8], opener: &mut Opener<'_>, scratch: &mut Scratch) -> Read {
        if cell.is_empty() {
            return Read::Same;
        }
        let Scratch {
            raw,
            plain,
            written,
        } = scratch;
        plain.clear();
        let value =
            match !matches!(self.kind, Kind::Bytes | Kind::Raw) && holds_container(cell, raw) {
                true => &**raw,
                false => decode(cell, self.kind, self.format, raw).unwrap_or(cell),
            };
        let kind = self.setting.shown_type().unwrap_or(Type::Bytea);
        let passes = match scan(value, opener, plain) {
            true if kind == Type::Bytea => return Read::Bytes,
            true => self.write(kind, plain, written),
            // Rows from before encryption: a value of the type passes, whatever the answer is.
            false if !is_free(kind) => self.write(kind, value, written),
            false => self.passes(value) && kind != Type::Bytea && self.write(kind, value, written),
        };
        if passes {
            std::mem::swap(plain, written);
            return Read::Written;
        }
        if is_free(kind) && self.passes(value) {
            return Read::Same;
        }
        match self.setting.response_on_fail {
            ResponseOnFail::Error => Read::Failed,
            ResponseOnFail::Ciphertext => Read::Same,
            ResponseOnFail::DefaultValue => match self.setting.default_bytes() {
                None => Read::Same,
                Some(default) if kind == Type::Bytea => {
                    *plain = default;
                    Read::Bytes
                }
                Some(default) => match self.write(kind, &default, written) {
                    true => {
                        std::mem::swap(plain, written);
                        Read::Written
                    }
                    false => Read::Same,
                },
            },
        }
    }

    /// Whether a value of text or bytes in which no container was opened is shown.
    fn passes(&self, value: &[u8]) -> bool {
        self.setting.response_on_fail == ResponseOnFail::Ciphertext
            || !self.setting.plaintext_fails && !detect::recognises(value)
    }

    /// Writes a value in the form of a type. False: it is none of that type, or the client could not read it.
    fn write(&self, kind: Type, value: &[u8], out: &mut Vec<u8>) -> bool {
        out.clear();
        if is_free(kind) && !self.is_text(value) {
            return false;
        }
        let mut canonical = Vec::new();
        kind.read_text(value, &mut canonical)
            && match self.format {
                Format::Text => {
                    out.append(&mut canonical);
                    true
                }
                Format::Binary => kind.write_binary(&canonical, out),
            }
    }

    fn is_text(&self, value: &[u8]) -> bool {
        let is_readable = match self.utf8 {
            true => std::str::from_utf8(value).is_ok(),
            false => value.is_ascii(),
        };
        is_readable && memchr::memchr(0, value).is_none()
    }
}

/// Whether a text is the hex form of bytes that have a container in them, which are left in `raw`.
fn holds_container(cell: &[u8], raw: &mut Vec<u8>) -> bool {
    bytea::decode_hex(cell, raw) && detect::recognises(raw)
}

/// Whether anything can be a value of a type, so that a container cannot be told from one.
fn is_free(kind: Type) -> bool {
    kind.is_text() || kind == Type::Bytea
}

#[cfg(test)]
mod tests {
    use super::super::setting;
    use super::*;
    use crate::cell::{Tally, bytea};
    use crate::crypto::{BlockKey, Secret, container};
    use crate::keys::ClientKeys;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn keys(byte: u8) -> ClientKeys {
        ClientKeys {
            symmetric: vec![BlockKey::new(Secret::from(vec![byte; 32])).unwrap()],
            ..ClientKeys::default()
        }
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let keys = keys(1);
        let key = keys.current().unwrap();
        container::seal_block(key, &mut StdRng::seed_from_u64(1), plain, &mut out).unwrap();
        out
    }

    /// What a client with these keys reads of bytes in a column of `bytea`.
    fn read(setting: &Setting, value: &[u8], format: Format, whose: u8) -> (Read, Vec<u8>) {
        let mut cell = value.to_vec();
        if format == Format::Text {
            cell.clear();
            bytea::encode_hex(value, &mut cell);
        }
        let typed = Typed {
            setting,
            kind: Kind::Bytes,
            format,
            utf8: true,
        };
        let mut scratch = Scratch::default();
        let mut opener = Opener {
            keys: &keys(whose),
            poison: None,
            is_poisoned: false,
            pattern: setting.pattern(),
            searches: false,
            tally: &mut Tally::default(),
        };
        let read = typed.read(&cell, &mut opener, &mut scratch);
        let plain = match read {
            Read::Bytes | Read::Written => scratch.plain,
            Read::Same | Read::Failed => Vec::new(),
        };
        (read, plain)
    }

    #[test]
    fn opened_values_are_written_in_their_type() {
        for (keys, plain, binary) in [
            (
                "data_type: int32",
                &b"-7"[..],
                &[0xff, 0xff, 0xff, 0xf9][..],
            ),
            ("data_type: int64", b"7", &[0, 0, 0, 0, 0, 0, 0, 7]),
            ("data_type: str", "grüezi".as_bytes(), "grüezi".as_bytes()),
            ("data_type_db_identifier: 16", b"t", &[1]),
            (
                "data_type_db_identifier: 1082",
                b"2000-01-02",
                &[0, 0, 0, 1],
            ),
            ("data_type_db_identifier: 3802", b"{}", b"\x01{}"),
        ] {
            let setting = setting(keys);
            let value = sealed(plain);
            let text = read(&setting, &value, Format::Text, 1);
            assert_eq!(text, (Read::Written, plain.to_vec()), "{keys}");
            let read = read(&setting, &value, Format::Binary, 1);
            assert_eq!(read, (Read::Written, binary.to_vec()), "{keys}");
        }
        let bytes = setting("data_type: bytes");
        let opened = read(&bytes, &sealed(b"\0\xff"), Format::Text, 1);
        assert_eq!(opened, (Read::Bytes, b"\0\xff".to_vec()));
    }

    #[test]
    fn what_stays_closed_gets_the_answer_of_the_setting() {
        let fail = |keys: &str| read(&setting(keys), &sealed(b"12"), Format::Text, 2);
        for kind in ["int32", "int64", "str", "bytes"] {
            let keys = format!("data_type: {kind}");
            assert_eq!(fail(&keys).0, Read::Same, "{kind}");
            let keys = format!("data_type: {kind}, response_on_fail: error");
            assert_eq!(fail(&keys).0, Read::Failed, "{kind}");
        }
        for (keys, read, plain) in [
            (
                "data_type: int32, default_data_value: 5",
                Read::Written,
                &b"5"[..],
            ),
            (
                "data_type: str, default_data_value: no",
                Read::Written,
                b"no",
            ),
            (
                "data_type: bytes, default_data_value: QUI=",
                Read::Bytes,
                b"AB",
            ),
            (
                "data_type: str, response_on_fail: default_value",
                Read::Same,
                b"",
            ),
            ("response_on_fail: error", Read::Failed, b""),
            (
                "data_type: str, masking: '**', plaintext_side: left, response_on_fail: error",
                Read::Written,
                b"**",
            ),
        ] {
            assert_eq!(fail(keys), (read, plain.to_vec()), "{keys}");
        }
        let default = setting("data_type: int64, default_data_value: -1");
        let failed = read(&default, &sealed(b"12"), Format::Binary, 2);
        assert_eq!(failed, (Read::Written, vec![0xff; 8]));
        // What was opened is not of the type.
        let strict = setting("data_type: int32, response_on_fail: error");
        assert_eq!(
            read(&strict, &sealed(b"x"), Format::Text, 1).0,
            Read::Failed
        );
        let text = setting("data_type: str, response_on_fail: error");
        assert_eq!(
            read(&text, &sealed(b"\xff"), Format::Text, 1).0,
            Read::Failed
        );
    }

    #[test]
    fn rows_from_before_encryption_are_read() {
        let old = |keys: &str, value: &[u8]| read(&setting(keys), value, Format::Text, 1);
        for keys in [
            "data_type: int32, response_on_fail: error",
            "data_type: int32, default_data_value: 1",
        ] {
            assert_eq!(old(keys, b"42"), (Read::Written, b"42".to_vec()), "{keys}");
        }
        let strict = "data_type_db_identifier: 1082, response_on_fail: error";
        assert_eq!(old(strict, b"2024-01-01").0, Read::Written);
        assert_eq!(old(strict, b"yesterday").0, Read::Failed);
        assert_eq!(
            old("data_type: str", b"old"),
            (Read::Written, b"old".to_vec())
        );
        assert_eq!(old("data_type: bytes", b"old").0, Read::Same);
        // Where anything may be a value, the answer is for old rows too, unless told otherwise.
        for kind in ["str", "bytes"] {
            let keys = format!("data_type: {kind}, response_on_fail: error");
            assert_eq!(old(&keys, b"old").0, Read::Failed, "{kind}");
            let lenient = format!("{keys}, treat_plaintext_as_failure: false");
            assert_ne!(old(&lenient, b"old").0, Read::Failed, "{kind}");
            assert_eq!(
                read(&setting(&lenient), &sealed(b"x"), Format::Text, 2).0,
                Read::Failed,
                "{kind}"
            );
        }
    }
}

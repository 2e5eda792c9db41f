//! Values of columns with a type of their own, with an answer for what cannot be opened, or with a mask (policy.md 3.7,
//! postgresql.md 8).
//!
//! What is sealed is the canonical text of a value; the database has the container in a column of bytes or text. On the
//! way in a value is read by the type that the client has declared for it; on the way out it is written in the type of
//! the setting and the format that the client has asked for.

use super::bytea;
use super::open::{Kind, Opener, Scratch, decode, scan};
use crate::columns::{ResponseOnFail, Setting};
use crate::crypto::detect;
use crate::types::Type;
use crate::wire::pg::Format;
use std::borrow::Cow;

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

/// A value that is not of its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadValue {
    /// It starts with `\\x` and is not an even number of hexadecimal digits after it.
    Hex,
    /// It is none of this type.
    Type(Type),
    /// It does not fit this type with the numbers that the statement gives it.
    Range(Type),
}

/// How a value is written on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a number in a statement.
    Number,
    /// In text. If its type is declared to be `bytea`, or its column has no other type, it is in the text form of that.
    Text,
    /// In binary.
    Binary,
    /// As its text or its bytes, as they are.
    Raw,
}

/// What is said of the type of a value beside its column's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// The type that the client has declared for it.
    pub declared: Option<Type>,
    /// The type that the statement casts it to.
    pub cast: Option<Type>,
    /// The numbers of that type, as in [`Type::fit`].
    pub modifier: Option<[u32; 2]>,
}

/// What is sealed of a value: its canonical text, or the bytes that it stands for.
///
/// # Errors
///
/// [`BadValue`] if it is not of the column's type, or of the type that it is cast to.
pub fn plaintext<'v>(
    value: &'v [u8],
    form: Form,
    setting: &Setting,
    said: Said,
) -> Result<Cow<'v, [u8]>, BadValue> {
    let Said { declared, cast, .. } = said;
    let kind = setting.shown_type().filter(|kind| *kind != Type::Bytea);
    let text_cast = cast.filter(|cast| cast.is_text());
    let is_bytea = kind.is_none() && text_cast.is_none() || declared == Some(Type::Bytea);
    let mut text = match form {
        Form::Text if is_bytea => bytea::input(value).map_err(|bytea::BadHex| BadValue::Hex)?,
        Form::Binary if !is_bytea => {
            let of = declared.or(cast).or(kind).unwrap_or(Type::Bytea);
            let mut text = Vec::with_capacity(value.len());
            if !of.read_binary(value, &mut text) {
                return Err(BadValue::Type(of));
            }
            Cow::Owned(text)
        }
        Form::Number | Form::Text | Form::Binary | Form::Raw => Cow::Borrowed(value),
    };
    if let Some(to) = text_cast {
        let from = match form {
            Form::Number => Some(Type::Numeric),
            Form::Text | Form::Binary | Form::Raw => declared,
        };
        text = as_text(text, from, to)?;
        if let Some(modifier) = said.modifier {
            text = fitted(text, to, modifier)?;
        }
        // Where char(n) becomes text, the server drops its blanks.
        if to == Type::Bpchar && kind != Some(to) {
            text = without_blanks(text);
        }
    }
    // A zero-length value stays one, where no cast makes something of it.
    for of in [cast, kind].into_iter().flatten() {
        if of.is_text() || text.is_empty() && cast != Some(of) {
            continue;
        }
        let mut canonical = Vec::with_capacity(text.len());
        if !of.read_text(&text, &mut canonical) {
            return Err(BadValue::Type(of));
        }
        text = match said.modifier.filter(|_| cast == Some(of)) {
            Some(modifier) => fitted(Cow::Owned(canonical), of, modifier)?,
            None => Cow::Owned(canonical),
        };
    }
    Ok(text)
}

/// A value that is cast to text: what the database writes of the type that it comes from.
fn as_text(text: Cow<'_, [u8]>, from: Option<Type>, to: Type) -> Result<Cow<'_, [u8]>, BadValue> {
    match from {
        None | Some(Type::Text | Type::Varchar | Type::Json) => Ok(text),
        Some(from) if from == to => Ok(text),
        Some(from @ (Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric | Type::Uuid)) => {
            let mut written = Vec::with_capacity(text.len());
            match from.read_text(&text, &mut written) {
                true => Ok(Cow::Owned(written)),
                false => Err(BadValue::Type(from)),
            }
        }
        // What is written of others depends on the session, or is something else than what they are read from.
        Some(_) => Err(BadValue::Type(to)),
    }
}

/// A value of a type after a cast to this type with numbers.
///
/// # Errors
///
/// [`BadValue`] if it does not fit them, or is no text.
pub fn fitted(
    text: Cow<'_, [u8]>,
    of: Type,
    modifier: [u32; 2],
) -> Result<Cow<'_, [u8]>, BadValue> {
    let given = std::str::from_utf8(&text).map_err(|_| BadValue::Type(of))?;
    let fits = of.fit(given, modifier).ok_or(BadValue::Range(of))?;
    Ok(match fits == given {
        true => text,
        false => Cow::Owned(fits.into_owned().into_bytes()),
    })
}

/// A text without the blanks at its end.
fn without_blanks(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let end = text.iter().rposition(|byte| *byte != b' ');
    let end = end.map_or(0, |last| last + 1);
    match end == text.len() {
        true => text,
        false => {
            let mut text = text.into_owned();
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Tally, bytea};
    use crate::columns::{Columns, Database};
    use crate::crypto::{BlockKey, Secret, container};
    use crate::keys::ClientKeys;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn setting(keys: &str) -> Setting {
        let document = format!("schemas: [{{table: t, encrypted: [{{column: c, {keys}}}]}}]");
        let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
            .unwrap()
            .columns;
        Setting::clone(columns.table(None, "t").unwrap().setting("c").unwrap())
    }

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

    #[test]
    fn values_are_read_by_their_declared_types() {
        let plain = |keys: &str, form, declared, value: &[u8]| {
            let said = Said {
                declared,
                ..Said::default()
            };
            plaintext(value, form, &setting(keys), said).map(Cow::into_owned)
        };
        let int = "data_type: int32";
        for (form, declared, value) in [
            (Form::Number, None, &b"258"[..]),
            (Form::Text, None, b" 258 "),
            (Form::Text, Some(Type::Text), b"258"),
            (Form::Text, Some(Type::Bytea), b"\\x323538"),
            (Form::Binary, None, &[0, 0, 1, 2]),
            (Form::Binary, Some(Type::Int2), &[1, 2]),
            (Form::Binary, Some(Type::Int8), &[0, 0, 0, 0, 0, 0, 1, 2]),
            (Form::Binary, Some(Type::Text), b"258"),
            (Form::Binary, Some(Type::Bytea), b"258"),
        ] {
            let read = plain(int, form, declared, value);
            assert_eq!(read, Ok(b"258".to_vec()), "{form:?} {declared:?}");
        }
        let big = [0, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(
            plain(int, Form::Binary, Some(Type::Int8), &big),
            Err(BadValue::Type(Type::Int4))
        );
        assert_eq!(
            plain(int, Form::Text, None, b"x"),
            Err(BadValue::Type(Type::Int4))
        );
        assert_eq!(plain(int, Form::Text, None, b""), Ok(Vec::new()));
        // Text that looks like bytes is text where the column is, and bytes where it is not.
        let hex = b"\\x41";
        assert_eq!(
            plain("data_type: str", Form::Text, None, hex),
            Ok(hex.to_vec())
        );
        for keys in ["data_type: bytes", "client_id: client"] {
            assert_eq!(plain(keys, Form::Text, None, hex), Ok(b"A".to_vec()));
            assert_eq!(plain(keys, Form::Text, None, b"\\x4"), Err(BadValue::Hex));
            assert_eq!(
                plain(keys, Form::Number, None, b"1.50"),
                Ok(b"1.50".to_vec())
            );
        }
    }

    #[test]
    fn values_are_read_by_the_types_that_they_are_cast_to() {
        let plain = |keys: &str, form, declared, (cast, length): (_, Option<u32>), value: &[u8]| {
            let cast = Some(cast);
            let said = Said {
                declared,
                cast,
                modifier: length.map(|length| [length, 0]),
            };
            plaintext(value, form, &setting(keys), said).map(Cow::into_owned)
        };
        let (int, text, none) = ("data_type: int32", "data_type: str", "client_id: client");
        let jsonb = "data_type_db_identifier: 3802";
        for (keys, form, declared, cast, value, read) in [
            (
                int,
                Form::Number,
                None,
                (Type::Int4, None),
                &b"7"[..],
                &b"7"[..],
            ),
            (int, Form::Text, None, (Type::Int8, None), b" 07", b"7"),
            (
                int,
                Form::Binary,
                None,
                (Type::Int4, None),
                &[0, 0, 1, 2],
                b"258",
            ),
            (
                int,
                Form::Binary,
                Some(Type::Int2),
                (Type::Int8, None),
                &[1, 2],
                b"258",
            ),
            (text, Form::Number, None, (Type::Text, None), b"007", b"7"),
            (
                text,
                Form::Text,
                None,
                (Type::Varchar, Some(2)),
                "жжж".as_bytes(),
                "жж".as_bytes(),
            ),
            (
                text,
                Form::Text,
                None,
                (Type::Varchar, Some(4)),
                "жжж".as_bytes(),
                "жжж".as_bytes(),
            ),
            (
                text,
                Form::Binary,
                Some(Type::Int4),
                (Type::Varchar, None),
                &[0, 0, 0, 5],
                b"5",
            ),
            // It is no text of bytes.
            (
                none,
                Form::Text,
                None,
                (Type::Text, None),
                b"\\x41",
                b"\\x41",
            ),
            (text, Form::Text, None, (Type::Varchar, None), b"", b""),
            (
                jsonb,
                Form::Text,
                Some(Type::Jsonb),
                (Type::Jsonb, None),
                b"{}",
                b"{}",
            ),
            (
                jsonb,
                Form::Binary,
                Some(Type::Jsonb),
                (Type::Jsonb, None),
                b"\x01{}",
                b"{}",
            ),
        ] {
            let made = plain(keys, form, declared, cast, value);
            assert_eq!(
                made,
                Ok(read.to_vec()),
                "{keys} {form:?} {declared:?} {cast:?}"
            );
        }
        for (keys, form, declared, cast, value) in [
            (int, Form::Text, None, (Type::Int4, None), &b""[..]),
            (int, Form::Text, None, (Type::Int2, None), b"40000"),
            (int, Form::Number, None, (Type::Int4, None), b"7.6"),
            (int, Form::Number, None, (Type::Int8, None), b"3000000000"),
            (
                text,
                Form::Binary,
                Some(Type::Bool),
                (Type::Text, None),
                &[1],
            ),
            (
                text,
                Form::Text,
                None,
                (Type::Varchar, Some(1)),
                b"\xff\xff",
            ),
        ] {
            let made = plain(keys, form, declared, cast, value);
            assert!(made.is_err(), "{keys} {form:?} {declared:?} {cast:?}");
        }
    }
}

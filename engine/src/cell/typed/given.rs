//! On the way in: what is sealed of a value.

use crate::cell::bytea;
use crate::columns::Setting;
use crate::types::Type;
use std::borrow::Cow;

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
    use super::super::setting;
    use super::*;

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

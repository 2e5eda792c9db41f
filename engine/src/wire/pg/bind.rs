//! Bind: portal, statement, parameter values, result formats.

use super::{Format, Formats, write_cstr, write_frame};
use crate::wire::cursor::{Malformed, Reader};

/// A borrowed Bind message. Values stay where they are and are walked by [`Bind::values`].
#[derive(Debug)]
pub struct Bind<'a> {
    /// Name of the portal, empty for the unnamed one.
    pub portal: &'a [u8],
    /// Name of the statement.
    pub statement: &'a [u8],
    formats: &'a [u8],
    count: u16,
    values: &'a [u8],
    /// Result format codes, two bytes each.
    pub results: &'a [u8],
}

impl<'a> Bind<'a> {
    /// Reads a body, checking that every value lies within it.
    pub fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let portal = reader.cstr("portal name")?;
        let statement = reader.cstr("statement name")?;
        let codes = reader.u16("number of parameter formats")?;
        let formats = reader.bytes(usize::from(codes) * 2, "parameter formats")?;
        let count = reader.u16("number of parameters")?;
        let start = reader.position();
        for _ in 0..count {
            reader.value("parameter value")?;
        }
        let values = body.get(start..reader.position()).unwrap_or_default();
        let codes = reader.u16("number of result formats")?;
        let results = reader.bytes(usize::from(codes) * 2, "result formats")?;
        reader.end("end of Bind")?;
        Ok(Self {
            portal,
            statement,
            formats,
            count,
            values,
            results,
        })
    }

    /// The parameter values in order, `None` for NULL, each with its format.
    pub fn values(&self) -> impl Iterator<Item = (Format, Option<&'a [u8]>)> {
        let formats = Formats::new(self.formats);
        let mut reader = Reader::new(self.values);
        (0..usize::from(self.count)).map_while(move |index| {
            let value = reader.value("parameter value").ok()?;
            Some((formats.get(index), value))
        })
    }

    /// Appends this message with some values replaced, which are in the order of the parameters.
    pub fn write_with(&self, out: &mut Vec<u8>, replaced: &[Replaced]) {
        write_frame(out, b'B', |out| {
            write_cstr(out, self.portal);
            write_cstr(out, self.statement);
            self.write_formats(out, replaced);
            out.extend_from_slice(&self.count.to_be_bytes());
            let mut rest = replaced.iter().peekable();
            for (index, (_, value)) in self.values().enumerate() {
                let new = rest.next_if(|new| new.index == index);
                match new.map(|new| &*new.bytes).or(value) {
                    None => out.extend_from_slice(&u32::MAX.to_be_bytes()),
                    Some(bytes) => {
                        out.extend_from_slice(
                            &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes(),
                        );
                        out.extend_from_slice(bytes);
                    }
                }
            }
            out.extend_from_slice(&((self.results.len() / 2) as u16).to_be_bytes());
            out.extend_from_slice(self.results);
        });
    }

    /// The formats as they are, unless one of them changes.
    fn write_formats(&self, out: &mut Vec<u8>, replaced: &[Replaced]) {
        let formats = Formats::new(self.formats);
        if replaced
            .iter()
            .all(|new| new.format == formats.get(new.index))
        {
            out.extend_from_slice(&((self.formats.len() / 2) as u16).to_be_bytes());
            out.extend_from_slice(self.formats);
            return;
        }
        out.extend_from_slice(&self.count.to_be_bytes());
        let mut rest = replaced.iter().peekable();
        for index in 0..usize::from(self.count) {
            let new = rest.next_if(|new| new.index == index);
            let code: u16 = match new.map_or(formats.get(index), |new| new.format) {
                Format::Text => 0,
                Format::Binary => 1,
            };
            out.extend_from_slice(&code.to_be_bytes());
        }
    }
}

/// A value in the place of a parameter's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The parameter, from 0 on.
    pub index: usize,
    /// The format of the new value.
    pub format: Format,
    /// The new value.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Vec<u8> {
        let mut body = b"p\0s\0".to_vec();
        body.extend_from_slice(&[0, 2, 0, 1, 0, 0, 0, 3]);
        body.extend_from_slice(&[0, 0, 0, 2, 1, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        body.extend_from_slice(&[0, 1, 0, 1]);
        body
    }

    #[test]
    fn values_come_with_their_formats() {
        let body = body();
        let bind = Bind::read(&body).unwrap();
        assert_eq!((bind.portal, bind.statement), (&b"p"[..], &b"s"[..]));
        let values: Vec<_> = bind.values().collect();
        assert_eq!(
            values,
            [
                (Format::Binary, Some(&[1, 2][..])),
                (Format::Text, None),
                (Format::Text, Some(&[][..]))
            ]
        );
    }

    #[test]
    fn writing_without_replacements_gives_the_same_bytes() {
        let body = body();
        let bind = Bind::read(&body).unwrap();
        let mut out = Vec::new();
        bind.write_with(&mut out, &[]);
        assert_eq!(&out[5..], &body[..]);
        let mut out = Vec::new();
        for format in [Format::Binary, Format::Text] {
            let longer = Replaced {
                index: 0,
                format,
                bytes: b"longer".to_vec(),
            };
            out.clear();
            bind.write_with(&mut out, &[longer]);
            let again = Bind::read(&out[5..]).unwrap();
            let values: Vec<_> = again.values().collect();
            assert_eq!(values[0], (format, Some(&b"longer"[..])));
            let old: Vec<_> = bind.values().skip(1).collect();
            assert_eq!(values[1..], old);
        }
    }

    #[test]
    fn a_value_past_the_end_is_malformed() {
        let mut body = body();
        body[12..16].copy_from_slice(&[0, 0, 1, 0]);
        assert!(Bind::read(&body).is_err());
    }
}

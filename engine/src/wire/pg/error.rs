//! ErrorResponse: reading its severity, writing our own.

use super::{write_cstr, write_frame};
use crate::wire::cursor::Reader;

/// Fields of an error that we write, in the order in which they go out: `S V C M D H W`.
#[derive(Debug, Clone, Copy)]
pub struct ErrorFields<'a> {
    /// `ERROR` or `FATAL`; written as the localised and the plain severity.
    pub severity: &'a str,
    /// SQLSTATE.
    pub code: &'a str,
    /// The primary message.
    pub message: &'a str,
    /// Detail, if any.
    pub detail: Option<&'a str>,
    /// Hint, if any.
    pub hint: Option<&'a str>,
    /// Where it happened, if that is told.
    pub context: Option<&'a str>,
}

/// Appends an ErrorResponse.
pub fn write(out: &mut Vec<u8>, fields: ErrorFields<'_>) {
    write_frame(out, b'E', |out| {
        let mut field = |code: u8, text: &str| {
            out.push(code);
            // A zero byte would end the field early.
            write_cstr(out, text.replace('\0', " ").as_bytes());
        };
        field(b'S', fields.severity);
        field(b'V', fields.severity);
        field(b'C', fields.code);
        field(b'M', fields.message);
        if let Some(detail) = fields.detail {
            field(b'D', detail);
        }
        if let Some(hint) = fields.hint {
            field(b'H', hint);
        }
        if let Some(context) = fields.context {
            field(b'W', context);
        }
        out.push(0);
    });
}

/// The SQLSTATE of an error.
pub fn sqlstate(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    loop {
        let code = reader.u8("field code").ok()?;
        let text = reader.cstr("field").ok()?;
        if code == b'C' {
            return Some(text);
        }
    }
}

/// The message with this hint, unless its error has one already or is malformed.
pub fn with_hint(body: &[u8], hint: &str) -> Option<Vec<u8>> {
    let mut reader = Reader::new(body);
    loop {
        match reader.u8("field code").ok()? {
            0 => break,
            b'H' => return None,
            _ => reader.cstr("field").ok()?,
        };
    }
    reader.end("end of error").ok()?;
    let fields = body.strip_suffix(b"\0")?;
    let mut out = Vec::with_capacity(body.len() + hint.len() + 8);
    write_frame(&mut out, b'E', |out| {
        out.extend_from_slice(fields);
        out.push(b'H');
        write_cstr(out, hint.as_bytes());
        out.push(0);
    });
    Some(out)
}

/// Whether the error in this body ends the connection: severity FATAL or PANIC.
pub fn ends_connection(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    while let Ok(code) = reader.u8("field code") {
        let Ok(text) = reader.cstr("field") else {
            return false;
        };
        // Servers since 9.6 send the untranslated severity as V.
        if code == b'V' || code == b'S' {
            if matches!(text, b"FATAL" | b"PANIC") {
                return true;
            }
            if code == b'V' {
                return false;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_errors_are_read_back() {
        let mut out = Vec::new();
        let fields = ErrorFields {
            severity: "FATAL",
            code: "08001",
            message: "no\0pe",
            detail: None,
            hint: Some("wait"),
            context: None,
        };
        write(&mut out, fields);
        assert!(ends_connection(&out[5..]));
        assert_eq!(sqlstate(&out[5..]), Some(&b"08001"[..]));
        assert_eq!(with_hint(&out[5..], "another"), None);
        let without = b"SERROR\0C22001\0Mtoo long\0\0";
        let with = with_hint(without, "widen").unwrap();
        assert_eq!(&with[5..], b"SERROR\0C22001\0Mtoo long\0Hwiden\0\0");
        assert_eq!(with_hint(&without[..20], "cut off"), None);
        let more = [&without[..], b"Hnot read\0"].concat();
        assert_eq!(with_hint(&more, "behind the end"), None);
        assert_eq!(&out[5..], b"SFATAL\0VFATAL\0C08001\0Mno pe\0Hwait\0\0");
        out.clear();
        write(
            &mut out,
            ErrorFields {
                severity: "ERROR",
                ..fields
            },
        );
        assert!(!ends_connection(&out[5..]));
    }
}

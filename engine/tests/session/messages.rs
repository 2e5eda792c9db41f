//! Builders of the messages that the scripts use.

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0app\0\0";
    let mut bytes = (body.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn query(text: &str) -> Vec<u8> {
    message(b'Q', &[text.as_bytes(), b"\0"].concat())
}

pub(crate) fn parse(name: &str, text: &str, types: &[u32]) -> Vec<u8> {
    let mut body = [name.as_bytes(), b"\0", text.as_bytes(), b"\0"].concat();
    body.extend_from_slice(&(types.len() as u16).to_be_bytes());
    for oid in types {
        body.extend_from_slice(&oid.to_be_bytes());
    }
    message(b'P', &body)
}

/// All parameters and results in the same format.
pub(crate) fn bind(
    portal: &str,
    statement: &str,
    format: u16,
    values: &[Option<&[u8]>],
) -> Vec<u8> {
    let mut body = [portal.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\x01"].concat();
    body.extend_from_slice(&format.to_be_bytes());
    body.extend_from_slice(&(values.len() as u16).to_be_bytes());
    for value in values {
        push_value(&mut body, *value);
    }
    body.extend_from_slice(&[0, 1]);
    body.extend_from_slice(&format.to_be_bytes());
    message(b'B', &body)
}

pub(crate) fn execute(portal: &str) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), b"\0\0\0\0\0"].concat())
}

pub(crate) fn sync() -> Vec<u8> {
    message(b'S', b"")
}

pub(crate) fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

pub(crate) fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &[tag.as_bytes(), b"\0"].concat())
}

/// Columns by type OID.
pub(crate) fn row_description(types: &[u32], format: u16) -> Vec<u8> {
    let mut body = (types.len() as u16).to_be_bytes().to_vec();
    for oid in types {
        body.extend_from_slice(b"column\0\0\0\0\0\0\0");
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0xff; 6]);
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'T', &body)
}

pub(crate) fn data_row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = (values.len() as u16).to_be_bytes().to_vec();
    for value in values {
        push_value(&mut body, *value);
    }
    message(b'D', &body)
}

/// An error as the server words a syntax error.
pub(crate) fn syntax_error() -> Vec<u8> {
    message(
        b'E',
        b"SERROR\0VERROR\0C42601\0Msyntax error at or near \"acra\"\0\0",
    )
}

fn push_value(body: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => body.extend_from_slice(&[0xff; 4]),
        Some(value) => {
            body.extend_from_slice(&(value.len() as u32).to_be_bytes());
            body.extend_from_slice(value);
        }
    }
}

/// Splits a stream into (tag, body).
pub(crate) fn split(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut messages = Vec::new();
    while let [tag, a, b, c, d, ..] = *bytes {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        messages.push((tag, bytes[5..1 + length].to_vec()));
        bytes = &bytes[1 + length..];
    }
    assert!(bytes.is_empty(), "half a message: {bytes:?}");
    messages
}

/// The tags of a stream, as text.
pub(crate) fn tags(bytes: &[u8]) -> String {
    split(bytes)
        .iter()
        .map(|(tag, _)| char::from(*tag))
        .collect()
}

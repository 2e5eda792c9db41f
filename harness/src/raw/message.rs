//! Answers of a server, and which of their bytes depend on the run.

use std::fmt;

/// The first OID of objects that users make.
const FIRST_USER_OID: u32 = 16384;

/// A message of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub tag: u8,
    /// What follows its length.
    pub body: Vec<u8>,
}

/// What a server sends.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// A message.
    Message(Message),
    /// What is no message of version 3: the answer to SSLRequest or GSSENCRequest, an error for an older client.
    Bytes(Vec<u8>),
    /// The end of the connection.
    End,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => message.fmt(f),
            Self::Bytes(bytes) => write!(f, "Bytes {}", bytes.escape_ascii()),
            Self::End => f.write_str("End"),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Reply {
    /// The same without what differs between two runs of one script, see [`Message::masked`].
    pub fn masked(&self) -> Self {
        match self {
            Self::Message(message) => Self::Message(message.masked()),
            other => other.clone(),
        }
    }
}

impl Message {
    /// The same with zeros for what differs between two runs of one script: the process and key of BackendKeyData, the
    /// process of a notification, what SCRAM and MD5 draw by lot, and OIDs of tables and types that users made. All
    /// lengths stay, but of error 26000: that a statement does not exist is often said by acra-server itself, and of
    /// its fields only severity, code and message are kept.
    pub fn masked(&self) -> Self {
        let mut body = self.body.clone();
        match self.tag {
            b'K' => body.fill(0),
            b'A' => fill(&mut body, 0, 4),
            b'R' if body.get(3).is_some_and(|kind| matches!(kind, 5 | 11 | 12)) => {
                let end = body.len();
                fill(&mut body, 4, end);
            }
            b'E' if self.field(b'C').as_deref() == Some("26000") => {
                body = body
                    .split_inclusive(|byte| *byte == 0)
                    .filter(|field| matches!(field.first(), Some(b'S' | b'V' | b'C' | b'M' | 0)))
                    .flatten()
                    .copied()
                    .collect();
            }
            b'T' => mask_row_description(&mut body),
            b't' => {
                let mut at = 2;
                while at + 4 <= body.len() {
                    mask_oid(&mut body, at);
                    at += 4;
                }
            }
            _ => {}
        }
        Self {
            tag: self.tag,
            body,
        }
    }

    /// Process and key of BackendKeyData.
    pub fn key_data(&self) -> Option<(u32, &[u8])> {
        let (process, key) = self.body.split_first_chunk()?;
        (self.tag == b'K').then_some((u32::from_be_bytes(*process), key))
    }

    /// A field of an ErrorResponse or NoticeResponse, such as `b'C'` for the code.
    pub fn field(&self, name: u8) -> Option<String> {
        if !matches!(self.tag, b'E' | b'N') {
            return None;
        }
        let mut fields = self.body.split(|byte| *byte == 0);
        let value = fields.find_map(|field| field.strip_prefix(&[name]))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The values of a DataRow.
    pub fn values(&self) -> Option<Vec<Option<&[u8]>>> {
        let mut rest = self.body.get(2..).filter(|_| self.tag == b'D')?;
        let mut values = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = i32::from_be_bytes(*length);
            rest = after;
            values.push(match usize::try_from(length) {
                Ok(length) => {
                    let (value, after) = rest.split_at_checked(length)?;
                    rest = after;
                    Some(value)
                }
                Err(_) => None,
            });
        }
        Some(values)
    }
}

fn fill(body: &mut [u8], from: usize, to: usize) {
    if let Some(part) = body.get_mut(from..to) {
        part.fill(0);
    }
}

fn mask_oid(body: &mut [u8], at: usize) {
    let Some(oid) = body.get(at..).and_then(|rest| rest.first_chunk()) else {
        return;
    };
    if u32::from_be_bytes(*oid) >= FIRST_USER_OID {
        fill(body, at, at + 4);
    }
}

/// Per column: name, OID of the table (4), its column (2), OID of the type (4), size (2), modifier (4), format (2).
fn mask_row_description(body: &mut [u8]) {
    let mut at = 2;
    while let Some(length) = body
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| *byte == 0))
    {
        at += length + 1;
        mask_oid(body, at);
        mask_oid(body, at + 6);
        at += 18;
    }
}

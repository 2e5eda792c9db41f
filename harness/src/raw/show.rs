//! Messages of a server in one line each, for people and for patterns.

use super::message::Message;
use std::fmt;

/// How much of a value is shown.
const SHOWN: usize = 200;

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.tag {
            b'1' => "ParseComplete",
            b'2' => "BindComplete",
            b'3' => "CloseComplete",
            b'A' => "NotificationResponse",
            b'C' => "CommandComplete",
            b'D' => "DataRow",
            b'E' => "ErrorResponse",
            b'G' => "CopyInResponse",
            b'H' => "CopyOutResponse",
            b'I' => "EmptyQueryResponse",
            b'K' => "BackendKeyData",
            b'N' => "NoticeResponse",
            b'R' => "Authentication",
            b'S' => "ParameterStatus",
            b'T' => "RowDescription",
            b'V' => "FunctionCallResponse",
            b'W' => "CopyBothResponse",
            b'Z' => "ReadyForQuery",
            b'c' => "CopyDone",
            b'd' => "CopyData",
            b'n' => "NoData",
            b's' => "PortalSuspended",
            b't' => "ParameterDescription",
            b'v' => "NegotiateProtocolVersion",
            other => return write!(f, "Unknown({}) {}", other.escape_ascii(), text(&self.body)),
        };
        f.write_str(name)?;
        let body = self.detail().unwrap_or_else(|| text(&self.body));
        if body.is_empty() {
            Ok(())
        } else {
            write!(f, " {body}")
        }
    }
}

impl Message {
    /// What is in it; `None` if it does not have the form it should have.
    fn detail(&self) -> Option<String> {
        let body = &self.body[..];
        Some(match self.tag {
            b'A' => {
                let (process, rest) = body.split_first_chunk()?;
                let mut parts = rest.split(|byte| *byte == 0);
                let (channel, payload) = (text(parts.next()?), text(parts.next()?));
                format!("{channel} {payload} from {}", u32::from_be_bytes(*process))
            }
            b'C' => text(body.strip_suffix(b"\0")?),
            b'D' => {
                let values = self.values()?.into_iter();
                let values: Vec<_> = values
                    .map(|value| value.map_or("NULL".into(), text))
                    .collect();
                values.join("|")
            }
            b'E' | b'N' => {
                let fields = body.split(|byte| *byte == 0);
                let fields: Vec<_> = fields
                    .filter_map(|field| field.split_first())
                    .map(|(name, value)| format!("{}={}", name.escape_ascii(), text(value)))
                    .collect();
                fields.join(" ")
            }
            b'K' => {
                let (process, key) = self.key_data()?;
                format!("{process} {}", const_hex::encode(key))
            }
            b'R' => {
                let (kind, rest) = body.split_first_chunk()?;
                let kind = match u32::from_be_bytes(*kind) {
                    0 => "Ok".into(),
                    3 => "CleartextPassword".into(),
                    5 => "Md5Password".into(),
                    10 => "Sasl".into(),
                    11 => "SaslContinue".into(),
                    12 => "SaslFinal".into(),
                    other => other.to_string(),
                };
                if rest.is_empty() {
                    kind
                } else {
                    format!("{kind} {}", text(rest))
                }
            }
            b'S' => {
                let mut parts = body.split(|byte| *byte == 0);
                format!("{}={}", text(parts.next()?), text(parts.next()?))
            }
            b'T' => columns(body.get(2..)?)?.join(" "),
            b't' => {
                let types = body.get(2..)?.chunks_exact(4);
                let types: Vec<_> = types.map(|oid| number(oid).to_string()).collect();
                types.join(" ")
            }
            _ => return None,
        })
    }
}

/// Per column `name:type:format`.
fn columns(mut rest: &[u8]) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (name, after) = rest.split_at(end);
        let (fixed, after) = after.get(1..)?.split_at_checked(18)?;
        columns.push(format!(
            "{}:{}:{}",
            text(name),
            number(&fixed[6..10]),
            number(&fixed[16..])
        ));
        rest = after;
    }
    Some(columns)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Bytes as text, shortened.
fn text(bytes: &[u8]) -> String {
    // UTF-8 stays readable, everything else is escaped.
    let show = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    };
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => format!("{}... ({} bytes)", show(start), bytes.len()),
        _ => show(bytes),
    }
}

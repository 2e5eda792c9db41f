//! The three forms of a line (observability.md 2).

use std::fmt::{self, Write as _};

use crate::clock::Moment;
use crate::{Field, Value, codes};

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `time="…" level=info msg="…" name=value`.
    #[default]
    Plaintext,
    /// One JSON object.
    Json,
    /// Common Event Format of security event collectors.
    Cef,
}

impl Format {
    /// The format of a name in any case; unknown names mean plaintext, as in the reference.
    pub fn from_name(name: &str) -> Self {
        if name.eq_ignore_ascii_case("json") {
            Self::Json
        } else if name.eq_ignore_ascii_case("cef") {
            Self::Cef
        } else {
            Self::Plaintext
        }
    }
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// For those who look for a fault.
    Debug,
    /// What goes on.
    Info,
    /// What is odd and does not stop anything.
    Warning,
    /// What failed.
    Error,
    /// What ends the process; ending it is up to the caller.
    Fatal,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// On the scale of CEF.
    fn severity(self) -> u8 {
        match self {
            Self::Debug => 0,
            Self::Info => 1,
            Self::Warning => 3,
            Self::Error => 6,
            Self::Fatal => 8,
        }
    }
}

/// Who writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) product: &'static str,
    pub(crate) version: &'static str,
}

/// A line before it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) moment: Moment,
    pub(crate) level: Level,
    pub(crate) message: &'a str,
    pub(crate) fields: &'a [Field<'a>],
}

impl Format {
    /// Appends a line with its end.
    pub(crate) fn write(self, writer: Writer, entry: &Entry<'_>, line: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Plaintext => plaintext(entry, line),
            Self::Json => json(writer, entry, line),
            Self::Cef => cef(writer, entry, line),
        };
        line.push('\n');
    }
}

/// The fields by name. Those that a line has itself get `fields.` in front; of equal names the last one stays.
fn sorted<'a>(fields: &[Field<'a>], taken: &[&str], own: &[Field<'a>]) -> Vec<(String, Value<'a>)> {
    let name = |name: &str| {
        if taken.contains(&name) {
            format!("fields.{name}")
        } else {
            name.to_owned()
        }
    };
    let mut all: Vec<(String, Value<'a>)> =
        Vec::with_capacity(fields.len().saturating_add(own.len()));
    all.extend(own.iter().map(|(name, value)| ((*name).to_owned(), *value)));
    all.extend(fields.iter().map(|(given, value)| (name(given), *value)));
    // The sort is stable: `dedup_by` removes the later one, so the order is turned first.
    all.reverse();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all.dedup_by(|later, earlier| later.0 == earlier.0);
    all
}

fn plaintext(entry: &Entry<'_>, line: &mut String) -> fmt::Result {
    write!(
        line,
        "time=\"{}\" level={} msg=",
        entry.moment.rfc3339(),
        entry.level.name()
    )?;
    plain_text(entry.message, line);
    for (name, value) in sorted(entry.fields, &["time", "level", "msg"], &[]) {
        write!(line, " {}=", name)?;
        match value {
            Value::Text(text) => plain_text(text, line),
            Value::Number(number) => write!(line, "{number}")?,
            Value::Boolean(state) => write!(line, "{state}")?,
        }
    }
    Ok(())
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/' | b'@' | b'^' | b'+')
}

/// Bare if nothing in it needs quotes, else in quotes with Go's escapes.
fn plain_text(text: &str, line: &mut String) {
    if !text.is_empty() && text.bytes().all(is_bare) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\u{7}' => line.push_str("\\a"),
            '\u{8}' => line.push_str("\\b"),
            '\u{c}' => line.push_str("\\f"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\u{b}' => line.push_str("\\v"),
            other if prints(other) => line.push(other),
            other => {
                let number = other as u32;
                let _ = match number {
                    0..0x80 => write!(line, "\\x{number:02x}"),
                    0x80..0x1_0000 => write!(line, "\\u{number:04x}"),
                    _ => write!(line, "\\U{number:08x}"),
                };
            }
        }
    }
    line.push('"');
}

/// Whether a character shows: letters, marks, digits, signs and the plain blank.
fn prints(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // The library escapes what does not print, and marks only where they have nothing to stand on.
    let mut buffer = [b'a', 0, 0, 0, 0];
    let [_, rest @ ..] = &mut buffer;
    let length = character.encode_utf8(rest).len().saturating_add(1);
    let text = buffer
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default();
    text.escape_debug().count() == 2
}

fn json(writer: Writer, entry: &Entry<'_>, line: &mut String) -> fmt::Result {
    let (timestamp, unix) = (
        entry.moment.rfc3339().to_string(),
        entry.moment.unix().to_string(),
    );
    // A `version` of the application takes the place of the line's own.
    let own = [
        ("level", Value::Text(entry.level.name())),
        ("msg", Value::Text(entry.message)),
        ("product", Value::Text(writer.product)),
        ("timestamp", Value::Text(timestamp.as_str())),
        ("unixTime", Value::Text(unix.as_str())),
        ("version", Value::Text(writer.version)),
    ];
    let taken = ["level", "msg", "product", "timestamp", "unixTime"];
    let mut before = '{';
    for (name, value) in sorted(entry.fields, &taken, &own) {
        line.push(before);
        before = ',';
        json_text(&name, line)?;
        line.push(':');
        match value {
            Value::Text(text) => json_text(text, line)?,
            Value::Number(number) => write!(line, "{number}")?,
            Value::Boolean(state) => write!(line, "{state}")?,
        }
    }
    line.push('}');
    Ok(())
}

fn json_text(text: &str, line: &mut String) -> fmt::Result {
    line.push('"');
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(line, "\\u{:04x}", character as u32)?
            }
            other => line.push(other),
        }
    }
    line.push('"');
    Ok(())
}

/// The signature of lines that have no code.
const CEF_GENERAL: i64 = 100;

fn cef(writer: Writer, entry: &Entry<'_>, line: &mut String) -> fmt::Result {
    let unix = entry.moment.unix().to_string();
    let mut fields = sorted(
        entry.fields,
        &["unixTime"],
        &[("unixTime", Value::Text(&unix))],
    );
    let mut signature = Value::Number(CEF_GENERAL);
    let mut version = Value::Text(writer.version);
    fields.retain(|(name, value)| match name.as_str() {
        codes::FIELD => {
            signature = *value;
            false
        }
        "version" => {
            version = *value;
            false
        }
        _ => true,
    });
    line.push_str("CEF:0|cossacklabs|");
    cef_text(writer.product, line);
    for value in [version, signature, Value::Text(entry.message)] {
        line.push('|');
        cef_value(value, line)?;
    }
    write!(line, "|{}|", entry.level.severity())?;
    for (name, value) in fields {
        let mut key = String::new();
        cef_text(&name, &mut key);
        if key.bytes().all(is_bare) {
            line.push_str(&key);
        } else {
            write!(line, "\"{key}\"")?;
        }
        line.push('=');
        cef_value(value, line)?;
        line.push(' ');
    }
    Ok(())
}

fn cef_value(value: Value<'_>, line: &mut String) -> fmt::Result {
    match value {
        Value::Text(text) => {
            cef_text(text, line);
            Ok(())
        }
        Value::Number(number) => write!(line, "{number}"),
        Value::Boolean(state) => write!(line, "{state}"),
    }
}

/// Control characters become blanks, more of them than in the reference: a carriage return starts a new line on many
/// screens. An empty text is one blank.
fn cef_text(text: &str, line: &mut String) {
    let text = text.trim();
    if text.is_empty() {
        line.push(' ');
    }
    for character in text.chars() {
        match character {
            '\\' | '|' | '=' => line.extend(['\\', character]),
            control if control.is_control() => line.push(' '),
            other => line.push(other),
        }
    }
}

#[cfg(test)]
mod tests;

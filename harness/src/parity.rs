//! The same script of messages against two addresses has to get the same answers, byte for byte.

use crate::raw::{Connection, Reply};
use crate::{Error, Result};
use std::fmt::Write as _;
use std::net::SocketAddr;

/// How many answers before and after a difference are shown.
const AROUND: usize = 3;

/// A run of a script leaves nothing to the next; far cheaper than a database for each.
const CLEAR: &str =
    "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public";

/// Where a script runs.
#[derive(Clone, Debug)]
pub struct Side {
    /// What to call it in a report.
    pub name: String,
    /// Where to connect to.
    pub address: SocketAddr,
    /// Where the database itself is, to clear it.
    pub direct: SocketAddr,
    /// The database, in whose schema `public` the script finds nothing and may leave things.
    pub database: String,
}

impl Side {
    /// A connection to it that has sent nothing.
    pub fn open(&self) -> Result<Connection> {
        Connection::open(self.address)
    }

    /// A connection to it as `postgres`, logged in.
    pub fn login(&self) -> Result<Connection> {
        Connection::login(self.address, "postgres", &self.database)
    }

    fn clear(&self) -> Result<()> {
        Connection::login(self.direct, "postgres", &self.database)?.run(CLEAR)
    }
}

/// Runs a script on both sides and compares all answers that its connections got; see
/// [`Message::masked`](crate::raw::Message::masked) for what may differ. A script returns its connections, with what
/// it has read so far; an error of the script on either side is an error. Both sides may use one database: its schema
/// `public` is cleared before either run.
pub fn compare(
    expected: &Side,
    actual: &Side,
    script: impl Fn(&Side) -> Result<Vec<Connection>>,
) -> Result<()> {
    let run = |side: &Side| {
        side.clear()?;
        script(side).map_err(|error| Error::new(format!("at {}: {error}", side.name)))
    };
    let (left, right) = (run(expected)?, run(actual)?);
    if left.len() != right.len() {
        let (left, right) = (left.len(), right.len());
        return Err(Error::new(format!(
            "the script made {left} connections, then {right}"
        )));
    }
    for (left, right) in left.iter().zip(&right) {
        if let Some(report) = difference(left.transcript(), right.transcript()) {
            return Err(Error::new(format!(
                "{} (-) and {} (+) answer differently:\n{report}",
                expected.name, actual.name
            )));
        }
    }
    Ok(())
}

/// Where two lists of answers differ first, in a form like a diff's; `None` if they do not.
pub fn difference(left: &[Reply], right: &[Reply]) -> Option<String> {
    let same = left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left.masked() == right.masked())
        .count();
    if same == left.len() && same == right.len() {
        return None;
    }
    let mut report = String::new();
    let start = same.saturating_sub(AROUND);
    let _ = writeln!(report, "@@ answer {} @@", same + 1);
    for reply in &left[start..same] {
        let _ = writeln!(report, "  {reply}");
    }
    for (sign, side) in [('-', left), ('+', right)] {
        for reply in side.iter().skip(same).take(AROUND) {
            let _ = writeln!(report, "{sign} {reply}");
        }
        let rest = side.len().saturating_sub(same + AROUND);
        if rest > 0 {
            let _ = writeln!(report, "{sign} ... {rest} more");
        }
    }
    if let (Some(left), Some(right)) = (left.get(same), right.get(same)) {
        report.push_str(&bytes(left, right));
    }
    Some(report)
}

/// The bytes around the first one that differs, of two answers whose text may be the same.
fn bytes(left: &Reply, right: &Reply) -> String {
    let (Reply::Message(left), Reply::Message(right)) = (left.masked(), right.masked()) else {
        return String::new();
    };
    let pairs = left.body.iter().zip(&right.body);
    let same = pairs.take_while(|(left, right)| left == right).count();
    let show = |body: &[u8]| {
        let part = &body[same.saturating_sub(8)..body.len().min(same + 16)];
        const_hex::encode(part)
    };
    format!(
        "bodies of {} and {} bytes differ from byte {same} on; around it:\n- {}\n+ {}\n",
        left.body.len(),
        right.body.len(),
        show(&left.body),
        show(&right.body)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Message;

    fn replies(messages: &[(u8, &[u8])]) -> Vec<Reply> {
        let message = |(tag, body): &(u8, &[u8])| {
            Reply::Message(Message {
                tag: *tag,
                body: body.to_vec(),
            })
        };
        messages.iter().map(message).collect()
    }

    #[test]
    fn what_depends_on_the_run_does_not_differ() {
        let left = replies(&[(b'K', &[1; 8]), (b'A', b"\0\0\0\x01c\0p\0"), (b'Z', b"I")]);
        let right = replies(&[(b'K', &[2; 8]), (b'A', b"\0\0\0\x02c\0p\0"), (b'Z', b"I")]);
        assert_eq!(difference(&left, &right), None);
    }

    #[test]
    fn a_difference_is_shown_with_what_is_around_it() {
        let left = replies(&[(b'C', b"SELECT 1\0"), (b'Z', b"I")]);
        let right = replies(&[(b'C', b"SELECT 1\0"), (b'Z', b"T")]);
        let report = difference(&left, &right).unwrap();
        for line in [
            "  CommandComplete SELECT 1",
            "- ReadyForQuery I",
            "+ ReadyForQuery T",
            "- 49",
        ] {
            assert!(report.contains(line), "{report}");
        }
        assert!(difference(&left, &left[..1]).is_some());
    }
}

//! Which node of a cluster has which key.
//!
//! A key belongs to one of 16384 slots by its checksum, a slot to one master. Names of records have no braces, so all of
//! a name counts, and records of one owner are spread over all nodes.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use std::fmt;

/// The number of slots.
const SLOTS: u16 = 16384;
/// The last slot.
pub(super) const LAST: u16 = SLOTS - 1;

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Slots that follow each other and have one master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotRange {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) master: Address,
}

/// Another node that is to be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redirection {
    pub(super) address: Address,
    /// The slot is on its way there: only this command, and behind ASKING.
    pub(super) asking: bool,
}

/// The slot of a key.
pub(super) fn slot(key: &str) -> u16 {
    crc16(key.as_bytes()) % SLOTS
}

/// CRC-16 in the form of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = table();
    bytes.iter().fold(0, |crc, byte| {
        let at = (crc >> 8) as u8 ^ byte;
        (crc << 8) ^ TABLE[usize::from(at)]
    })
}

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// Reads the answer to CLUSTER SLOTS of the node at `asked`; the ranges are in order.
pub(super) fn slot_ranges(value: &Value, asked: &Address) -> Option<Vec<SlotRange>> {
    let Value::Array(ranges) = value else {
        return None;
    };
    let range = |value: &Value| -> Option<SlotRange> {
        let Value::Array(parts) = value else {
            return None;
        };
        let [first, last, Value::Array(master), ..] = &**parts else {
            return None;
        };
        let [host, port, ..] = &**master else {
            return None;
        };
        let host = match host {
            Value::BulkString(host) => std::str::from_utf8(host).ok()?,
            Value::Nil => "",
            _ => return None,
        };
        Some(SlotRange {
            first: number(first)?,
            last: number(last)?,
            master: address(host, number(port)?, asked),
        })
    };
    let mut ranges = ranges.iter().map(range).collect::<Option<Vec<_>>>()?;
    ranges.sort_by_key(|range| range.first);
    Some(ranges)
}

/// Where an answer says that a key is, if it is another node than the one at `asked`.
pub(super) fn redirection(value: &Value, asked: &Address) -> Option<Redirection> {
    let Value::ServerError(error) = value else {
        return None;
    };
    let error = RedisError::from(error.clone());
    let (place, _) = error.redirect_node()?;
    // An address of IPv6 has colons of its own, and no brackets.
    let (host, port) = place.rsplit_once(':')?;
    Some(Redirection {
        address: address(host, port.parse().ok()?, asked),
        asking: error.kind() == ErrorKind::Server(ServerErrorKind::Ask),
    })
}

/// A node that does not know its own name is where the one that was asked is.
fn address(host: &str, port: u16, asked: &Address) -> Address {
    let host = match host {
        "" | "?" => &asked.host,
        host => host,
    };
    Address {
        host: host.to_owned(),
        port,
    }
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, LAST, Redirection, SlotRange, redirection, slot, slot_ranges};
    use redis::parse_redis_value;

    fn at(host: &str, port: u16) -> Address {
        Address {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        // The check value of CRC-16/XMODEM, as the specification of Redis Cluster has it.
        assert_eq!(super::crc16(b"123456789"), 0x31c3);
        // By CLUSTER KEYSLOT.
        assert_eq!(slot("foo"), 12182);
        assert_eq!(slot(""), 0);
        assert_eq!(LAST, 16383);
    }

    #[test]
    fn ranges_are_read_and_put_in_order() {
        let text = b"*2\r\n*4\r\n:8192\r\n:16383\r\n*3\r\n$9\r\n127.0.0.2\r\n:7001\r\n$2\r\nid\r\n*3\r\n$1\r\nr\r\n:1\r\n$1\r\nx\r\n\
                     *3\r\n:0\r\n:8191\r\n*4\r\n$-1\r\n:7000\r\n$2\r\nid\r\n*0\r\n";
        let value = parse_redis_value(text).unwrap();
        let range = |first, last, master| SlotRange {
            first,
            last,
            master,
        };
        assert_eq!(
            slot_ranges(&value, &at("asked", 1)).unwrap(),
            [
                range(0, 8191, at("asked", 7000)),
                range(8192, 16383, at("127.0.0.2", 7001))
            ]
        );
        for other in [
            &b"+OK\r\n"[..],
            b"*1\r\n:1\r\n",
            b"*1\r\n*2\r\n:1\r\n:2\r\n",
            b"*1\r\n*3\r\n:1\r\n:70000\r\n*2\r\n$1\r\nh\r\n:1\r\n",
            b"*1\r\n*3\r\n:1\r\n:2\r\n*1\r\n$1\r\nh\r\n",
        ] {
            let value = parse_redis_value(other).unwrap();
            assert_eq!(slot_ranges(&value, &at("asked", 1)), None, "{value:?}");
        }
    }

    #[test]
    fn redirections() {
        let of = |text: &str| {
            let value = parse_redis_value(text.as_bytes()).unwrap();
            redirection(&value, &at("asked", 1))
        };
        let to = |address, asking| Some(Redirection { address, asking });
        assert_eq!(of("-MOVED 1 h:7\r\n"), to(at("h", 7), false));
        assert_eq!(of("-ASK 1 ::1:7\r\n"), to(at("::1", 7), true));
        assert_eq!(of("-MOVED 1 :7\r\n"), to(at("asked", 7), false));
        for other in [
            "+OK\r\n",
            "-ERR 1 h:7\r\n",
            "-MOVED 1 h\r\n",
            "-ASK 1 h:x\r\n",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}

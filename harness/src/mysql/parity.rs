//! The same script of messages against two addresses has to get the same answers, byte for byte.

use super::connection::{Connection, Login};
use crate::servers::Flavour;
use crate::{Error, Result};
use acra_engine::wire::mysql::Capabilities;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// How many answers before a difference are shown.
const BEFORE: usize = 3;

/// Where a script runs, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// Where to connect to.
    pub address: SocketAddr,
    /// What the database is.
    pub flavour: Flavour,
    /// What connections use.
    pub capabilities: Capabilities,
}

impl Side {
    /// A connection as `test`, logged in, with its schema `test`.
    pub fn login(&self) -> Result<Connection> {
        let mut connection = Connection::open(self.address)?;
        let login = Login {
            user: "test",
            auth: b"",
            schema: "test",
            capabilities: self.capabilities,
        };
        let answer = connection.login(login)?;
        match answer.payload.first() {
            Some(0) => Ok(connection),
            _ => Err(Error::new(format!("login failed: {answer}"))),
        }
    }
}

/// Runs a script directly and through a proxy, and compares all answers that its connections got.
pub fn compare(
    direct: Side,
    proxy: SocketAddr,
    script: fn(&Side) -> Result<Vec<Connection>>,
) -> Result<()> {
    let run = |side: Side, name: &str| {
        script(&side).map_err(|error| Error::new(format!("{name}: {error}")))
    };
    let left = run(direct, "directly")?;
    let through = Side {
        address: proxy,
        ..direct
    };
    let right = run(through, "through the proxy")?;
    if left.len() != right.len() {
        return Err(Error::new(
            "the script made different numbers of connections",
        ));
    }
    for (left, right) in left.iter().zip(&right) {
        let (left, right) = (left.transcript(), right.transcript());
        let same = left
            .iter()
            .zip(right)
            .take_while(|(left, right)| left == right)
            .count();
        if same < left.len().max(right.len()) {
            let mut report = String::new();
            for packet in &left[same.saturating_sub(BEFORE)..same] {
                let _ = writeln!(report, "  {packet}");
            }
            for (sign, side) in [('-', left), ('+', right)] {
                for packet in side.iter().skip(same).take(BEFORE) {
                    let _ = writeln!(report, "{sign} {packet}");
                }
            }
            return Err(Error::new(format!(
                "{} directly (-) and through the proxy (+) answers differently, at answer {}:\n{report}",
                direct.flavour,
                same + 1
            )));
        }
    }
    Ok(())
}

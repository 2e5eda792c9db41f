//! Events of sessions → lines of the log.

use acra_engine::session::{Event, Side};
use acra_net::End;
use acra_telemetry::metrics::{Envelope, Metrics, Status};
use acra_telemetry::{Logger, Value, codes};
use std::net::SocketAddr;

/// Writes what sessions report.
pub(crate) struct Report<'a>(pub(crate) &'a Logger);

impl Report<'_> {
    pub(crate) fn opened(&self, session: u64, from: SocketAddr) {
        self.0.info(
            &format!("Got new connection to AcraServer: {from}"),
            &[("session_id", number(session))],
        );
    }

    pub(crate) fn closed(&self, session: u64, end: &End) {
        let cause = match end {
            End::Closed => "closed".to_owned(),
            End::NotDialled => "database not reached".to_owned(),
            End::Client(error) => format!("client: {error}"),
            End::Server(error) => format!("database: {error}"),
        };
        self.0.info(
            "Closing client's connection",
            &[("session_id", number(session)), ("end", (&cause).into())],
        );
    }

    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Refused { code, message } => self.statement("Statement refused", code, &message),
            Event::Observed { code, message } => {
                self.statement("Statement passed on although it is not supported", code, &message);
            }
            Event::Unopened { containers } => self.0.warning(
                "Containers in a result were not opened: another client's, damaged, or a key is missing",
                &[codes::code(codes::DECRYPT), ("containers", number(containers))],
            ),
            // Counted only.
            Event::Sealed { .. } | Event::Decrypted(_) => {}
            Event::KeysUnavailable { client_id } => self.0.error(
                "No keys for this client",
                &[codes::code(codes::KEYS), ("client_id", Value::Text(&client_id))],
            ),
            Event::RowTooLarge { bytes } => self.0.warning(
                "A row is larger than --max_container and was not looked into",
                &[codes::code(codes::DECRYPT), ("bytes", number(bytes as u64))],
            ),
            Event::Protocol { side, expected } => self.0.error(
                "Malformed message, the connection is closed",
                &[
                    codes::code(codes::DATABASE_PROTOCOL),
                    ("expected", expected.into()),
                    ("interrupt_side", side_name(side).into()),
                ],
            ),
            Event::ServerLost => self.0.error(
                "The database closed the connection",
                &[codes::code(codes::CONNECTION), ("interrupt_side", side_name(Side::Server).into())],
            ),
        }
    }

    fn statement(&self, what: &str, reason: &str, message: &str) {
        self.0.warning(
            what,
            &[
                codes::code(codes::ENCRYPT_QUERY),
                ("reason", reason.into()),
                ("error", message.into()),
            ],
        );
    }
}

/// Counts an event.
pub(crate) fn count(metrics: &Metrics, event: &Event) {
    match event {
        Event::Refused { code, .. } => {
            metrics.statement_refused(code);
            if matches!(*code, "seal-failed" | "keys-unavailable") {
                metrics.encryptions(Status::Fail, Envelope::AcraBlock, 1);
            }
        }
        Event::Observed { code, .. } => metrics.statement_observed(code),
        Event::Unopened { containers } => metrics.unopened(*containers),
        Event::Sealed { values } => {
            metrics.encryptions(Status::Success, Envelope::AcraBlock, *values);
        }
        Event::Decrypted(tally) => {
            metrics.decryptions(Status::Success, Envelope::AcraBlock, tally.opened_blocks);
            metrics.decryptions(Status::Fail, Envelope::AcraBlock, tally.failed_blocks);
            metrics.decryptions(Status::Fail, Envelope::AcraStruct, tally.failed_structs);
        }
        Event::KeysUnavailable { .. }
        | Event::RowTooLarge { .. }
        | Event::Protocol { .. }
        | Event::ServerLost => {}
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "Client-AcraServer",
        Side::Server => "AcraServer-Database",
    }
}

/// Counters stay far below the limit of a log number.
fn number(count: u64) -> Value<'static> {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

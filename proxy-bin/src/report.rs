//! Events of sessions → lines of the log.

use acra_engine::session::{Event, Side};
use acra_net::End;
use acra_telemetry::metrics::{Envelope, Metrics, Status};
use acra_telemetry::{Logger, Value, codes};
use std::net::SocketAddr;

/// The reasons that `--unsupported_statements` is about: the statement may touch a protected column in a way that is not
/// understood.
const UNSUPPORTED: [&str; 8] = [
    "client-encoding",
    "column-use",
    "not-understood",
    "runs-text",
    "shared-parameter",
    "statement-form",
    "too-long",
    "value-form",
];

/// Writes what sessions report.
pub(crate) struct Report<'a>(pub(crate) &'a Logger);

impl Report<'_> {
    pub(crate) fn opened(&self, session: u64, client_id: &str, from: SocketAddr) {
        let fields = [
            ("client_id", client_id.into()),
            ("session_id", number(session)),
        ];
        self.0.info(
            &format!("Got new connection to AcraServer: {from}"),
            &fields,
        );
        self.0.info("Handle client's connection", &fields);
    }

    pub(crate) fn closed(&self, session: u64, client_id: &str, end: &End) {
        let cause = match end {
            End::Closed => "closed".to_owned(),
            End::NotDialled => "database not reached".to_owned(),
            End::Client(error) => format!("client: {error}"),
            End::Server(error) => format!("database: {error}"),
        };
        let (client_id, session) = (
            ("client_id", client_id.into()),
            ("session_id", number(session)),
        );
        self.0.info(
            "Closing client's connection",
            &[client_id, session, ("end", (&cause).into())],
        );
        self.0.info(
            "Finished processing client's connection",
            &[client_id, session],
        );
    }

    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Refused { code, message } => self.statement("refused", code, &message),
            Event::Observed { code, message } => self.statement("observed", code, &message),
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
                "Container larger than the limit passed unopened",
                &[codes::code(codes::DECRYPT), ("size", number(bytes as u64))],
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

    fn statement(&self, action: &str, reason: &str, message: &str) {
        let what = match UNSUPPORTED.contains(&reason) {
            true => "Statement not understood",
            false => "Statement refused",
        };
        self.0.warning(
            what,
            &[
                codes::code(codes::ENCRYPT_QUERY),
                ("action", action.into()),
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

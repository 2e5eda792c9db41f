//! Events of sessions → lines of the log.

use acra_engine::columns::Subject;
use acra_engine::keys::ClientId;
use acra_engine::session::{Event, Side};
use acra_net::{End, Peer};
use acra_telemetry::metrics::{Envelope, Metrics, Status};
use acra_telemetry::{Field, Logger, Value, codes};

/// The reasons that `--unsupported_statements` is about: the statement may touch a protected column in a way that is not
/// understood.
const UNSUPPORTED: [&str; 9] = [
    "client-encoding",
    "column-use",
    "not-understood",
    "runs-text",
    "shared-parameter",
    "statement-form",
    "too-long",
    "value-form",
    "view-write",
];

/// Writes what sessions report.
pub(crate) struct Report<'a>(pub(crate) &'a Logger);

impl Report<'_> {
    pub(crate) fn opened(&self, session: u64, client_id: Option<&ClientId>, from: Peer) {
        let fields = known(session, client_id);
        self.0.info(
            &format!("Got new connection to AcraServer: {from}"),
            &fields,
        );
        self.0.info("Handle client's connection", &fields);
    }

    pub(crate) fn closed(&self, session: u64, client_id: Option<&ClientId>, end: &End) {
        let cause = match end {
            End::Closed => "closed".to_owned(),
            End::NotDialled => "database not reached".to_owned(),
            End::Client(error) => format!("client: {error}"),
            End::Server(error) => format!("database: {error}"),
            End::NotSecured(error) => format!("TLS handshake with the client: {error}"),
            End::Ended(why) => (*why).to_owned(),
        };
        let mut fields = known(session, client_id);
        fields.push(("end", (&cause).into()));
        self.0.info("Closing client's connection", &fields);
        fields.pop();
        self.0
            .info("Finished processing client's connection", &fields);
    }

    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Refused {
                code,
                message,
                subject,
            } => self.statement("refused", code, &message, subject.as_deref()),
            Event::Observed {
                code,
                message,
                subject,
            } => self.statement("observed", code, &message, subject.as_deref()),
            Event::Unopened { containers } => self.0.warning(
                "Containers in a result were not opened: another client's, damaged, or a key is missing",
                &[codes::code(codes::DECRYPT), ("containers", number(containers))],
            ),
            // Counted only.
            Event::Sealed { .. } | Event::Decrypted(_) => {}
            // Told where it is acted on.
            Event::Poison { .. } => {}
            Event::KeysUnavailable { client_id } => self.0.error(
                "No keys for this client",
                &[codes::code(codes::KEYS), ("client_id", Value::Text(&client_id))],
            ),
            Event::ClientChosen { session, client_id } => self.0.info(
                "The client id of a session was chosen by SQL",
                &known(session, client_id.as_ref()),
            ),
            Event::SchemaNote { database, note } => self.0.warning(
                "Encryptor configuration does not fit the database",
                &[
                    codes::code(codes::WRONG_CONFIGURATION),
                    ("database", (&database).into()),
                    ("error", (&note).into()),
                ],
            ),
            Event::SchemaUnknown { database, reason } => self.0.warning(
                "The database does not tell what it knows of the configured tables: children and views of them are not protected",
                &[
                    codes::code(codes::DATABASE_PROTOCOL),
                    ("database", (&database).into()),
                    ("error", (&reason).into()),
                ],
            ),
            Event::RowTooLarge { bytes } => self.0.warning(
                "Container larger than the limit passed unopened",
                &[codes::code(codes::DECRYPT), ("limit", "--max_container".into()), ("size", number(bytes as u64))],
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

    fn statement(&self, action: &str, reason: &str, message: &str, subject: Option<&Subject>) {
        let what = match UNSUPPORTED.contains(&reason) {
            true => "Statement not understood",
            false => "Statement refused",
        };
        let mut fields = vec![
            codes::code(codes::ENCRYPT_QUERY),
            ("action", action.into()),
            ("reason", reason.into()),
            ("error", message.into()),
        ];
        if let Some(Subject { table, column }) = subject {
            fields.push(("table", (&**table).into()));
            fields.extend(column.as_deref().map(|column| ("column", column.into())));
        }
        self.0.warning(what, &fields);
    }
}

/// What every line of a session has. A client id that a certificate gives is not known yet.
fn known(session: u64, client_id: Option<&ClientId>) -> Vec<Field<'_>> {
    let client_id = client_id.map(|id| ("client_id", id.as_str().into()));
    let session = ("session_id", number(session));
    client_id.into_iter().chain([session]).collect()
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
        Event::Sealed { values, structs } => {
            metrics.encryptions(Status::Success, Envelope::AcraBlock, values - structs);
            metrics.encryptions(Status::Success, Envelope::AcraStruct, *structs);
        }
        Event::Decrypted(tally) => {
            metrics.decryptions(Status::Success, Envelope::AcraBlock, tally.opened_blocks);
            metrics.decryptions(Status::Fail, Envelope::AcraBlock, tally.failed_blocks);
            metrics.decryptions(Status::Success, Envelope::AcraStruct, tally.opened_structs);
            metrics.decryptions(Status::Fail, Envelope::AcraStruct, tally.failed_structs);
        }
        Event::KeysUnavailable { .. }
        | Event::ClientChosen { .. }
        | Event::Poison { .. }
        | Event::SchemaNote { .. }
        | Event::SchemaUnknown { .. }
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

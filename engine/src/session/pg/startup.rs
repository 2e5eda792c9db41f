//! The packets before the first tagged message (postgresql.md 2).
//!
//! GSS encryption is answered with `N`, as a server does that does not have it, and so is TLS where it is not
//! configured. The database is dialled when the client has said that it wants a session, so that a port scan opens no
//! connection.

use super::ledger::Awaited;
use super::{PgSession, Phase};
use crate::session::ending::Ending;
use crate::session::{ClientError, ClientTls, Cx, Effect, Input, Output, Side, Step};
use crate::wire::pg::startup::{LENGTH, Startup, packet_length, parameter};

/// First byte of a TLS handshake record: a client that starts TLS without asking.
const TLS_HANDSHAKE: u8 = 0x16;

impl PgSession {
    /// Takes one packet. `None`: the phase has changed or another packet may follow.
    pub(super) fn startup(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let bytes = input.bytes.get(input.at..).unwrap_or_default();
        if bytes.first() == Some(&TLS_HANDSHAKE) && !self.admission.is_secured() {
            // The shell takes what it can take before a session exists.
            let error = ClientError::fatal("0A000", "acra-server is not configured for TLS")
                .hint("Connect with sslmode=disable, or give acra-server a certificate (--tls_cert, --tls_key).");
            return Some(self.close(error, out));
        }
        let length = match packet_length(bytes) {
            None => return Some(Step::NeedMore { want: LENGTH }),
            Some(Err(malformed)) => {
                return Some(self.violation(Side::Client, malformed.0, out, cx));
            }
            Some(Ok(length)) => length,
        };
        let Some(packet) = bytes.get(..length) else {
            return Some(Step::NeedMore { want: length });
        };
        match Startup::read(packet) {
            Err(malformed) => Some(self.violation(Side::Client, malformed.0, out, cx)),
            Ok(Startup::Tls) if self.admission.is_secured() => {
                Some(self.violation(Side::Client, "one request for TLS only", out, cx))
            }
            Ok(Startup::Tls) if self.context.client_tls != ClientTls::Disabled => {
                input.at += length;
                if input.at < input.bytes.len() {
                    // It may have been put there by somebody between us (CVE-2021-23214).
                    let expected = "nothing before the answer to the request for TLS";
                    return Some(self.violation(Side::Client, expected, out, cx));
                }
                out.to_client.push(vec![b'S']);
                Some(Step::Do(Effect::SecureClient))
            }
            Ok(Startup::Tls | Startup::Gss) => {
                input.at += length;
                out.to_client.push(vec![b'N']);
                None
            }
            Ok(Startup::Cancel) => {
                let packet = packet.to_vec();
                input.at += length;
                self.phase = Phase::Closed;
                Some(Step::Do(Effect::CancelUpstream(packet)))
            }
            Ok(Startup::Session) => {
                if let Some(error) = self.admission.refusal() {
                    return Some(self.close(error, out));
                }
                let hint = "Connect with sslmode=require or a stricter one.";
                if let Some(error) = self.admission.in_clear(self.context.client_tls, hint) {
                    return Some(self.close(error, out));
                }
                self.phase = Phase::Dialling;
                Some(Step::Do(Effect::DialServer))
            }
            Ok(Startup::Unknown { major, minor }) => {
                let message = format!(
                    "unsupported frontend protocol {major}.{minor}: acra-server supports 3.0 and later"
                );
                Some(self.close(ClientError::fatal("0A000", message), out))
            }
        }
    }

    /// Passes the StartupMessage on, now that the database is there.
    pub(super) fn pass_startup(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) -> Option<Step> {
        let length = packet_length(input.bytes.get(input.at..)?)?.ok()?;
        let packet = input.bytes.get(input.at..input.at + length)?;
        // A connection for replication cannot be asked.
        if parameter(packet, b"replication").is_none() {
            let database = parameter(packet, b"database").or_else(|| parameter(packet, b"user"));
            self.database = database.map(Into::into);
        }
        out.to_server.pass(input.bytes, input.at..input.at + length);
        input.at += length;
        self.ledger.push(Awaited::Startup);
        self.phase = Phase::Live;
        None
    }
}

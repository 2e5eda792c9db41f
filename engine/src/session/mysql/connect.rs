//! From the greeting to the client's first message (mysql.md 2 to 4).
//!
//! The greeting is the database's, but for capabilities that we do not have, and for TLS, which is ours to offer. If only
//! the database's side is encrypted, a request for TLS is put in front of the client's message; if only the client's is,
//! that request ends here; compression is each side's own. Packets are numbered on each side as if the other was not there.

use super::auth::{Auth, Purpose};
use super::compression::{self, Agreed};
use super::ledger::Awaited;
use super::packets::{Numbers, forward, take};
use super::password::{Leg, needs_password, password_in_front};
use super::settings::version_number;
use super::{DatabaseTls, MySqlSession, Phase, codes};
use crate::session::ending::Ending;
use crate::session::{ClientError, ClientTls, Cx, Effect, Input, Output, Side, Step};
use crate::wire::mysql::compressed::Algorithm;
use crate::wire::mysql::greeting::Greeting;
use crate::wire::mysql::handshake::{self, FIXED, HandshakeResponse};
use crate::wire::mysql::packet::{HEADER, Header};
use crate::wire::mysql::{Capabilities, Message, Scan, error, scan, write_message};
use std::ops::Range;

/// Longest message before the client has been let in, in bytes; servers take less.
const MAX_HELLO: usize = 1 << 20;

/// Capabilities that pass. Not: compression, which is each side's own, COM_MULTI, what is not known.
const UNDERSTOOD: Capabilities = Capabilities(
    // Bits 0 to 25 are those of MySQL 8.0.
    0x03ff_ffff
        | Capabilities::QUERY_ATTRIBUTES.0
        | Capabilities::MULTI_FACTOR_AUTHENTICATION.0
        // These two are of the client alone.
        | 1 << 30
        | 1 << 31
        | Capabilities::MARIADB_PROGRESS.0
        | Capabilities::MARIADB_STMT_BULK_OPERATIONS.0
        | Capabilities::MARIADB_EXTENDED_TYPE_INFO.0
        | Capabilities::MARIADB_CACHE_METADATA.0
        | Capabilities::MARIADB_BULK_UNIT_RESULTS.0,
)
.without(Capabilities::COMPRESSION);

/// What is known while a connection begins.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    /// What the client may choose from.
    offered: Capabilities,
    /// What the database is asked for.
    database_compression: Option<Algorithm>,
    /// The database offers TLS.
    database_offers_tls: bool,
    /// The authentication data of the greeting.
    scramble: Vec<u8>,
    /// The plugin of the greeting.
    plugin: Vec<u8>,
    /// Numbers of the next packets.
    pub(super) numbers: Numbers,
}

impl MySqlSession {
    /// The server's first message.
    pub(super) fn greeting(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        let message = match whole(input, MAX_HELLO) {
            Ok(message) => message,
            Err(Some(want)) => return Step::NeedMore { want },
            Err(None) => return self.violation(Side::Server, "greeting", out, cx),
        };
        let Some(range) = message.single() else {
            return self.violation(Side::Server, "greeting", out, cx);
        };
        let payload = input.bytes.get_mut(range).unwrap_or_default();
        if payload.first() == Some(&error::ERR) {
            // It does not want us, and says why.
            self.ending = true;
            self.phase = Phase::Closed;
            forward(&message, input, out.to_client, &mut 0);
            input.at = message.range.end;
            return Step::Do(Effect::Close);
        }
        let greeting = match Greeting::read(payload) {
            Ok(greeting) => greeting,
            Err(malformed) => return self.violation(Side::Server, malformed.0, out, cx),
        };
        // Of MySQL's servers alone.
        self.mariadb = !greeting.capabilities.has(Capabilities::LONG_PASSWORD);
        self.announced_version = version_number(greeting.version);
        let database_offers_tls = greeting.capabilities.has(Capabilities::SSL);
        let mut offered = greeting
            .capabilities
            .and(UNDERSTOOD)
            .without(Capabilities::SSL);
        if self.context.client_tls != ClientTls::Disabled {
            offered = offered.with(Capabilities::SSL);
        }
        if self.options.compression.client {
            offered = offered.with(Capabilities::COMPRESSION);
        }
        self.connecting = Some(Box::new(Connecting {
            offered,
            database_compression: self.database_compression(greeting.capabilities),
            database_offers_tls,
            scramble: greeting.scramble.concat(),
            plugin: greeting.plugin.to_vec(),
            numbers: Numbers {
                client: 1,
                server: 1,
            },
        }));
        let places = greeting.places();
        places.set(payload, offered);
        forward(&message, input, out.to_client, &mut 0);
        input.at = message.range.end;
        self.phase = Phase::Hello;
        self.server_messages(input, out, cx)
    }

    /// The client's first message, or the one after its request for TLS. `None`: it has been passed on.
    pub(super) fn hello(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        if let Some(error) = self.admission.refusal() {
            return Some(self.decline(error, out));
        }
        let (message, range) = match self.hello_message(input, out, cx) {
            Ok(found) => found,
            Err(step) => return Some(step),
        };
        let payload = input.bytes.get(range).unwrap_or_default();
        let capabilities = match handshake::capabilities(payload) {
            Ok(capabilities) => capabilities,
            Err(malformed) => return Some(self.violation(Side::Client, malformed.0, out, cx)),
        };
        let asks_for_tls = capabilities.has(Capabilities::SSL) && payload.len() == FIXED;
        let connecting = self.connecting.as_mut()?;
        if asks_for_tls {
            if self.admission.is_secured() {
                let expected = "one request for TLS only";
                return Some(self.violation(Side::Client, expected, out, cx));
            }
            take(&mut connecting.numbers.client);
            input.at = message.range.end;
            if self.context.client_tls == ClientTls::Disabled {
                return Some(self.close(codes::interrupted(), out));
            }
            return Some(Step::Do(Effect::SecureClient));
        }
        let hint = "Connect with --ssl-mode=REQUIRED (or --ssl, sslMode, ssl of the driver)";
        if let Some(error) = self.admission.in_clear(self.context.client_tls, hint) {
            return Some(self.decline(error, out));
        }
        let not_offered = capabilities.without(connecting.offered);
        if not_offered.and(Capabilities::COMPRESSION) != Capabilities::default() {
            // It would read what follows as compressed, and may wait for ever.
            return Some(self.decline(compression::not_offered(), out));
        }
        self.reach_database(capabilities, message, input, out, cx)
    }

    /// The answer to the client's message is this error, with the number that follows: clients do not read others.
    fn decline(&mut self, error: ClientError, out: &mut Output<'_>) -> Step {
        if let Some(connecting) = &mut self.connecting {
            take(&mut connecting.numbers.client);
        }
        self.close(error, out)
    }

    fn hello_message(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(Message, Range<usize>), Step> {
        let message = match whole(input, MAX_HELLO) {
            Ok(message) => message,
            Err(Some(want)) => return Err(Step::NeedMore { want }),
            Err(None) => {
                return Err(self.violation(Side::Client, "handshake response", out, cx));
            }
        };
        let expected = self.connecting.as_ref().map(|known| known.numbers.client);
        if Some(message.sequence) != expected {
            return Err(self.close(out_of_order(), out));
        }
        match message.single() {
            Some(range) => Ok((message, range)),
            None => Err(self.violation(Side::Client, "handshake response", out, cx)),
        }
    }

    /// Asks the database for TLS first, if that is what is wanted.
    fn reach_database(
        &mut self,
        capabilities: Capabilities,
        message: Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let connecting = self.connecting.as_mut()?;
        let offers = connecting.database_offers_tls;
        let wants = match self.options.database_tls {
            DatabaseTls::Disabled | DatabaseTls::Local => false,
            DatabaseTls::AsClient => self.admission.is_secured() && offers,
            DatabaseTls::Preferred => offers,
            DatabaseTls::Required => true,
        };
        if wants && !offers {
            let error = ClientError::fatal(
                "08001",
                "acra-server cannot reach the database: it does not offer TLS",
            )
            .hint("Give the database a certificate, or use --tls_database_mode=prefer or disable");
            return Some(self.decline(error, out));
        }
        if !wants {
            return self.pass_hello(input, out, cx);
        }
        // In the client's words, but for what we have to say.
        let mut request = input
            .bytes
            .get(message.range.start + HEADER..)
            .and_then(|payload| payload.get(..FIXED))
            .unwrap_or_default()
            .to_vec();
        let wanted = capabilities
            .and(connecting.offered)
            .without(Capabilities::COMPRESSION)
            .with(compression::capability(connecting.database_compression))
            .with(Capabilities::SSL);
        handshake::set_capabilities(&mut request, wanted);
        let mut packet = Vec::with_capacity(HEADER + FIXED);
        write_message(&mut packet, &mut connecting.numbers.server, &request);
        out.to_server.push(packet);
        self.phase = Phase::Securing;
        Some(Step::Do(Effect::SecureServer))
    }

    /// Passes the client's message on, now that the database can take it.
    pub(super) fn pass_hello(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let (message, range) = match self.hello_message(input, out, cx) {
            Ok(found) => found,
            Err(step) => return Some(step),
        };
        let connecting = self.connecting.as_deref_mut()?;
        let payload = input.bytes.get(range).unwrap_or_default();
        let response = match HandshakeResponse::read(payload) {
            Ok(response) => response,
            Err(malformed) => return Some(self.violation(Side::Client, malformed.0, out, cx)),
        };
        let chosen = response.capabilities.and(connecting.offered);
        let agreed = chosen.without(Capabilities::SSL.with(Capabilities::COMPRESSION));
        let compressed = Agreed {
            client: compression::algorithm(chosen),
            // The level would be taken for a field that is missing.
            database: connecting
                .database_compression
                .filter(|_| response.is_complete),
        };
        let plugin = match response.plugin {
            Some(plugin) => plugin.to_vec(),
            None => std::mem::take(&mut connecting.plugin),
        };
        let user = response.user.into();
        let scramble = std::mem::take(&mut connecting.scramble);
        let mut numbers = connecting.numbers;
        let mut wanted = agreed.with(compression::capability(compressed.database));
        if self.database_secured {
            wanted = wanted.with(Capabilities::SSL);
        }
        let (end, level) = compression::end(&response, wanted);
        let shows_password = !response.auth.is_empty() && needs_password(&plugin);
        let leg = self.leg();
        if shows_password && leg != Leg::Alike {
            return Some(self.decline(password_in_front(), out));
        }
        let auth = Auth::new(Purpose::Login, user, plugin, scramble, leg);
        self.capabilities = agreed;
        self.compressed = compressed;
        let start = message.range.start + HEADER;
        let payload = input.bytes.get_mut(start..start + end).unwrap_or_default();
        handshake::set_capabilities(payload, wanted);
        take(&mut numbers.client);
        let header = Header {
            length: end + usize::from(level.is_some()),
            sequence: take(&mut numbers.server),
        };
        if let Some(place) = input.bytes.get_mut(message.range.start..start) {
            place.copy_from_slice(&header.to_bytes());
        }
        out.to_server
            .pass(input.bytes, message.range.start..start + end);
        out.to_server.push(level.into_iter().collect());
        input.at = message.range.end;
        self.ledger.push(Awaited::Auth(Box::new(auth)), numbers);
        self.connecting = None;
        self.phase = Phase::Live;
        None
    }
}

/// A client's packet has not the number that it should have: in the words of the server, which would say so itself.
pub(super) fn out_of_order() -> ClientError {
    ClientError::fatal("08S01", "Got packets out of order")
}

/// The message at the front of the input; else how many bytes are needed, if it is not too long or broken.
pub(super) fn whole(input: &Input<'_>, limit: usize) -> Result<Message, Option<usize>> {
    match scan(input.bytes, input.at) {
        Scan::Message(message) if message.range.len() <= limit => Ok(message),
        Scan::Incomplete(want) if want <= limit => Err(Some(want)),
        Scan::Message(_) | Scan::Incomplete(_) | Scan::OutOfOrder => Err(None),
    }
}

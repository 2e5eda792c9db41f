//! Proving who the client is: at login, and when it changes its user (mysql.md 2, 5).
//!
//! Client and server take turns; their messages pass without being understood. What matters is whose turn it is: nothing
//! that the client sends out of turn may reach the server, which could take it for a command that nobody has read.

use super::connect::{out_of_order, whole};
use super::packets::{Numbers, forward};
use super::password::{Exchange, Handled, Leg};
use super::{MySqlSession, ledger::Awaited};
use crate::session::ending::Ending;
use crate::session::{ClientError, Cx, Input, Output, Side, Step};
use crate::wire::cursor::Malformed;
use crate::wire::mysql::Message;
use crate::wire::mysql::auth::{AuthMessage, CACHING_SHA2, FAST_AUTH_DONE};

/// Longest message of authentication, in bytes; a Kerberos ticket is the longest that is known.
pub(super) const MAX_AUTH: usize = 1 << 20;

/// What the client proves itself for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Login,
    ChangeUser,
}

/// How far a client has come with proving who it is.
#[derive(Debug)]
pub(super) struct Auth {
    purpose: Purpose,
    /// Who the client says it is.
    user: Box<[u8]>,
    /// The plugin in use.
    pub(super) plugin: Vec<u8>,
    /// Its scramble.
    pub(super) scramble: Vec<u8>,
    /// It is the client's turn.
    asked: bool,
    pub(super) leg: Leg,
    pub(super) exchange: Exchange,
}

impl Auth {
    pub(super) fn new(
        purpose: Purpose,
        user: Box<[u8]>,
        plugin: Vec<u8>,
        scramble: Vec<u8>,
        leg: Leg,
    ) -> Self {
        Self {
            purpose,
            user,
            plugin,
            scramble,
            asked: false,
            leg,
            exchange: Exchange::default(),
        }
    }
}

impl MySqlSession {
    /// The client's answer to what the server asked. `None`: there is none to be given now.
    pub(super) fn auth_answer(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let entry = self.ledger.head()?;
        let Awaited::Auth(auth) = &mut entry.awaited else {
            return None;
        };
        if !auth.asked {
            return Some(Step::Blocked);
        }
        let message = match whole(input, MAX_AUTH) {
            Ok(message) => message,
            Err(Some(want)) => return Some(Step::NeedMore { want }),
            Err(None) => {
                return Some(self.violation(Side::Client, "answer to authentication", out, cx));
            }
        };
        if message.sequence != entry.numbers.client && self.compressed.counts_packets() {
            return Some(self.close(out_of_order(), out));
        }
        auth.asked = false;
        let Numbers { client, server } = &mut entry.numbers;
        *client = message.next_number();
        let payload = message
            .single()
            .and_then(|range| input.bytes.get_mut(range));
        let mixed = &self.options.mixed_tls;
        let handled = auth.client_data(payload.unwrap_or_default(), (client, server), out, mixed);
        match handled {
            Handled::No => forward(&message, input, out.to_server, server),
            Handled::Yes { asked } => auth.asked = asked,
            Handled::Refused(error) => return Some(self.close(error, out)),
        }
        input.at = message.range.end;
        // The next one is taken only if it was asked for, too.
        None
    }

    /// A message of the server while the client proves who it is. Something: why it cannot go on.
    pub(super) fn auth_message(
        &mut self,
        message: &Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<ClientError>, Malformed> {
        let payload = message.payload(input.bytes);
        let Some(entry) = self.ledger.head() else {
            return Ok(None);
        };
        let Awaited::Auth(auth) = &mut entry.awaited else {
            return Ok(None);
        };
        let purpose = auth.purpose;
        let mut is_over = true;
        match AuthMessage::read(&payload)? {
            AuthMessage::Ok => {
                self.welcome = true;
                self.scramble = std::mem::take(&mut auth.scramble).into();
                let user = std::mem::take(&mut auth.user);
                self.planning.let_in(user, &self.context);
                if purpose == Purpose::ChangeUser {
                    self.registry.clear();
                }
            }
            AuthMessage::Error => self.ending |= purpose == Purpose::Login,
            AuthMessage::Switch { plugin, data } => {
                auth.plugin = plugin.to_vec();
                auth.scramble = data.to_vec();
                auth.asked = true;
                is_over = false;
                if let Err(error) = auth.expect_password() {
                    return Ok(Some(error));
                }
            }
            AuthMessage::More(data) => {
                let mixed = &self.options.mixed_tls;
                match auth.server_data(data, &mut entry.numbers.server, out.to_server, mixed) {
                    Handled::No => {}
                    Handled::Yes { asked } => {
                        auth.asked = asked;
                        return Ok(None);
                    }
                    Handled::Refused(error) => return Ok(Some(error)),
                }
                auth.asked = !(auth.plugin == CACHING_SHA2 && data == FAST_AUTH_DONE);
                is_over = false;
            }
        }
        forward(message, input, out.to_client, &mut entry.numbers.client);
        if is_over {
            self.ledger.pop();
            // Servers forget the variables before they look who it is.
            self.forget_choice(cx);
        }
        Ok(None)
    }
}

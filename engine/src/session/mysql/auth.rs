//! Proving who the client is: at login, and when it changes its user (mysql.md 2, 5).
//!
//! Client and server take turns; their messages pass without being understood. What matters is whose turn it is: nothing
//! that the client sends out of turn may reach the server, which could take it for a command that nobody has read.

use super::connect::{out_of_order, whole};
use super::packets::forward;
use super::{MySqlSession, ledger::Awaited};
use crate::session::{Cx, Input, Output, Side, Step};
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
    /// The plugin in use.
    plugin: Vec<u8>,
    /// Its scramble.
    scramble: Vec<u8>,
    /// It is the client's turn.
    asked: bool,
}

impl Auth {
    pub(super) fn new(purpose: Purpose, plugin: Vec<u8>, scramble: Vec<u8>) -> Self {
        Self {
            purpose,
            plugin,
            scramble,
            asked: false,
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
        if message.sequence != entry.numbers.client {
            return Some(self.close(out_of_order(), out));
        }
        auth.asked = false;
        entry.numbers.client = message.next_number();
        forward(&message, input, out.to_server, &mut entry.numbers.server);
        input.at = message.range.end;
        Some(Step::Blocked)
    }

    /// A message of the server while the client proves who it is.
    pub(super) fn auth_message(
        &mut self,
        message: &Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), Malformed> {
        let payload = message.payload(input.bytes);
        let Some(entry) = self.ledger.head() else {
            return Ok(());
        };
        let Awaited::Auth(auth) = &mut entry.awaited else {
            return Ok(());
        };
        let purpose = auth.purpose;
        let mut is_over = true;
        match AuthMessage::read(&payload)? {
            AuthMessage::Ok => {
                self.welcome = true;
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
            }
            AuthMessage::More(data) => {
                auth.asked = !(auth.plugin == CACHING_SHA2 && data == FAST_AUTH_DONE);
                is_over = false;
            }
        }
        forward(message, input, out.to_client, &mut entry.numbers.client);
        if is_over {
            self.ledger.pop();
        }
        Ok(())
    }
}

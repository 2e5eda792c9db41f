//! The password itself, where one connection is encrypted and the other is not (mysql.md 5).
//!
//! The plugins `caching_sha2_password` and `sha256_password` send it as it is over a connection that is encrypted, and
//! encrypted to the server's RSA key over one that is not. Each side knows only its own connection, so between unequal ones
//! this step ends here: the password is taken from the client in one form and given to the server in the other. It is kept for
//! this step only, in memory that is wiped. Hidden, it is combined with the scramble first, byte by byte, and ends with a zero
//! (MySQL source documentation, "Caching_sha2_password information").

use super::auth::Auth;
use super::{MixedTls, MySqlSession};
use crate::crypto::rsa::{self, RsaKey};
use crate::session::{ClientError, Output};
use crate::wire::mysql::auth::{CACHING_SHA2, FULL_AUTH_NEEDED, SHA256};
use crate::wire::mysql::packet::HEADER;
use crate::wire::mysql::write_message;
use crate::wire::outbox::Outbox;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The plugin that sends the password as it is whatever the connection.
const CLEAR: &[u8] = b"mysql_clear_password";

/// Which connections nobody can listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// Both, or neither.
    Alike,
    /// The client's alone.
    ClientOnly,
    /// The database's alone.
    DatabaseOnly,
}

/// How far a password has come that ends here.
#[derive(Default)]
pub(super) enum Exchange {
    /// None does now.
    #[default]
    None,
    /// The client's next message is its password, or asks for the server's key.
    Expected,
    /// The database has been asked for its key; this waits for it.
    AwaitsKey(Zeroizing<Vec<u8>>),
    /// The client has got our key.
    Hidden,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Expected => "Expected",
            Self::AwaitsKey(_) => "AwaitsKey",
            Self::Hidden => "Hidden",
        })
    }
}

/// What became of a message.
pub(super) enum Handled {
    /// It is not one of these.
    No,
    /// It has been dealt with; it is the client's turn again if `asked`.
    Yes { asked: bool },
    /// It cannot be.
    Refused(ClientError),
}

/// Whether the first answer of a plugin is the password itself.
pub(super) fn needs_password(plugin: &[u8]) -> bool {
    plugin == SHA256 || plugin == CLEAR
}

/// The client would show its password, or hide it from the wrong server, before anybody has asked.
pub(super) fn password_in_front() -> ClientError {
    refusal(
        "this plugin cannot be the first one, as one of the connections is encrypted and the other is not",
    )
}

fn refusal(why: &str) -> ClientError {
    ClientError::fatal("28000", format!("the password cannot pass acra-server: {why}")).hint(
        "Encrypt both connections of acra-server (--tls_client_mode, --tls_database_mode), or neither.",
    )
}

impl MySqlSession {
    pub(super) fn leg(&self) -> Leg {
        let client = self.admission.is_secured() || self.local;
        let database =
            self.database_secured || self.options.database_tls == super::DatabaseTls::Local;
        match (client, database) {
            (true, false) => Leg::ClientOnly,
            (false, true) => Leg::DatabaseOnly,
            (true, true) | (false, false) => Leg::Alike,
        }
    }
}

/// By which byte a plugin asks for the server's key.
fn key_request(plugin: &[u8]) -> Option<u8> {
    match plugin {
        CACHING_SHA2 => Some(2),
        SHA256 => Some(1),
        _ => None,
    }
}

impl Auth {
    /// The server goes on with this plugin.
    pub(super) fn expect_password(&mut self) -> Result<(), ClientError> {
        match &*self.plugin {
            SHA256 if self.leg != Leg::Alike => self.exchange = Exchange::Expected,
            CLEAR if self.leg == Leg::ClientOnly => {
                return Err(refusal(
                    "the database wants it as it is, over a connection that is not encrypted",
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Data of the plugin from the server.
    pub(super) fn server_data(
        &mut self,
        data: &[u8],
        number: &mut u8,
        to_server: &mut Outbox,
        mixed: &MixedTls,
    ) -> Handled {
        if let Exchange::AwaitsKey(password) = &self.exchange {
            let hidden = combined(password, &self.scramble);
            let sealed = rsa::encrypt(data, &hidden);
            self.exchange = Exchange::None;
            return match sealed {
                Ok(sealed) => {
                    to_server.push(packet(&sealed, number));
                    Handled::Yes { asked: false }
                }
                Err(_) => Handled::Refused(refusal("the database gave no RSA key for it")),
            };
        }
        let is_asked = self.plugin == CACHING_SHA2 && data == FULL_AUTH_NEEDED;
        if is_asked && self.leg != Leg::Alike {
            if matches!(mixed, MixedTls::Refuse) {
                return Handled::Refused(refusal("--mysql_auth_mixed_tls=refuse"));
            }
            self.exchange = Exchange::Expected;
        }
        Handled::No
    }

    /// The client's answer, which is wiped if it was dealt with. `to_client` and `to_server` are the numbers of the next
    /// packets.
    pub(super) fn client_data(
        &mut self,
        payload: &mut [u8],
        (to_client, to_server): (&mut u8, &mut u8),
        out: &mut Output<'_>,
        mixed: &MixedTls,
    ) -> Handled {
        let (Some(request), false) = (
            key_request(&self.plugin),
            matches!(self.exchange, Exchange::None),
        ) else {
            return Handled::No;
        };
        let MixedTls::Terminate(key) = mixed else {
            return Handled::Refused(refusal("--mysql_auth_mixed_tls=refuse"));
        };
        let asks = *payload == [request];
        let is_empty = matches!(payload, [] | [0]);
        let expected = std::mem::take(&mut self.exchange);
        match (expected, self.leg) {
            // There is no password, and nothing to hide.
            (Exchange::Expected, _) if is_empty => Handled::No,
            // It could have shown it, and wants to hide it.
            (Exchange::Expected, Leg::ClientOnly) if asks => Handled::No,
            (Exchange::Expected, Leg::ClientOnly) => {
                let password = Zeroizing::new(payload.to_vec());
                payload.fill(0);
                out.to_server.push(packet(&[request], to_server));
                self.exchange = Exchange::AwaitsKey(password);
                Handled::Yes { asked: false }
            }
            (Exchange::Expected, _) if asks => {
                let data = [&[1], key.public_pem().as_bytes()].concat();
                out.to_client.push(packet(&data, to_client));
                self.exchange = Exchange::Hidden;
                Handled::Yes { asked: true }
            }
            (_, _) => match self.revealed(payload, key) {
                Some(password) => {
                    let mut clear = Zeroizing::new(Vec::with_capacity(HEADER + password.len()));
                    write_message(&mut clear, to_server, &password);
                    out.to_server.push_secret(clear);
                    Handled::Yes { asked: false }
                }
                None => Handled::Refused(refusal(
                    "it was not encrypted to the RSA key of acra-server; the client has to ask for that",
                )),
            },
        }
    }

    fn revealed(&self, payload: &[u8], key: &Arc<RsaKey>) -> Option<Zeroizing<Vec<u8>>> {
        let hidden = key.decrypt(payload).ok()?;
        let password = combined(&hidden, &self.scramble);
        // Anything else was hidden by another scramble.
        password.ends_with(&[0]).then_some(password)
    }
}

/// The bytes of a password combined with the scramble, over and over.
fn combined(password: &[u8], scramble: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(password.len()));
    let scramble = scramble.iter().cycle();
    out.extend(
        password
            .iter()
            .zip(scramble)
            .map(|(byte, mask)| byte ^ mask),
    );
    out
}

fn packet(payload: &[u8], number: &mut u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + payload.len());
    write_message(&mut out, number, payload);
    out
}

//! The life of the process: its end, reloads, limits of time and number, where it listens.

mod limits;
mod metrics;
mod reload;
mod sockets;
mod stop;

use acra_harness::raw::{Message, Reply};
use acra_harness::{Error, Result};

/// That the last message is an error of this SQLSTATE.
fn is_error(messages: &[Message], code: &str) -> Result<()> {
    let error = messages.iter().rev().find(|message| message.tag == b'E');
    match error.and_then(|error| error.field(b'C')) {
        Some(found) if found == code => Ok(()),
        _ => Err(Error::new(format!("no error {code} in {messages:?}"))),
    }
}

/// That a connection ends with an error of this SQLSTATE.
fn ends_with(connection: &mut acra_harness::raw::Connection, code: &str) -> Result<()> {
    let mut messages = Vec::new();
    loop {
        match connection.reply()? {
            Reply::Message(message) => messages.push(message),
            Reply::Bytes(_) | Reply::End => return is_error(&messages, code),
        }
    }
}

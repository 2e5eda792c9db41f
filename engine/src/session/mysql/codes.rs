//! Our errors as ERR packets.
//!
//! Errors carry the SQLSTATE that PostgreSQL's clients know; MySQL's clients know a number and a state of their own for
//! the same thing (MySQL documentation, "Server Error Message Reference").

use crate::session::ClientError;
use crate::wire::mysql::error::{ErrorFields, write};

/// The number and the state that MySQL's clients get for an error of this SQLSTATE.
pub fn number_and_state(sqlstate: &str) -> (u16, &'static str) {
    match sqlstate {
        // ER_SERVER_SHUTDOWN
        "57P01" => (1053, "08S01"),
        // ER_NET_READ_INTERRUPTED
        "57014" => (1159, "08S01"),
        // ER_CLIENT_INTERACTION_TIMEOUT
        "57P05" => (4031, "HY000"),
        // ER_CON_COUNT_ERROR
        "53300" => (1040, "08004"),
        // ER_OUTOFMEMORY
        "53200" => (1037, "HY001"),
        // ER_ACCESS_DENIED_ERROR
        "28000" => (1045, "28000"),
        // ER_NET_PACKET_TOO_LARGE
        "54000" => (1153, "08S01"),
        // ER_NET_PACKETS_OUT_OF_ORDER
        "08S01" => (1156, "08S01"),
        // ER_MALFORMED_PACKET
        "08P01" => (1835, "HY000"),
        // ER_NOT_SUPPORTED_YET
        "0A000" => (1235, "42000"),
        // ER_UNKNOWN_COM_ERROR
        "42601" => (1047, "08S01"),
        // ER_MAX_PREPARED_STMT_COUNT_REACHED
        "53400" => (1461, "42000"),
        // ER_NOT_SUPPORTED_YET too: a statement that is too long to be read
        "54001" => (1235, "42000"),
        // ER_UNKNOWN_STMT_HANDLER
        "26000" => (1243, "HY000"),
        // ER_DATA_TOO_LONG
        "22001" => (1406, "22001"),
        // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
        "22P02" | "22P03" | "22023" | "22025" => (1366, "HY000"),
        // ER_QUERY_INTERRUPTED, as Acra has it, also for values that cannot be shown
        "70100" | "42000" => (1317, "70100"),
        // ER_UNKNOWN_ERROR
        _ => (1105, "HY000"),
    }
}

/// An ERR packet; `knows_states` says that the client reads SQLSTATEs, which is not so before the greeting. A hint follows
/// the text, as the packet has no place of its own for it.
pub(super) fn packet(error: &ClientError, number: u8, knows_states: bool) -> Vec<u8> {
    let (code, sqlstate) = number_and_state(error.sqlstate);
    let message = match &error.hint {
        None => error.message.clone(),
        Some(hint) => format!("{}. {hint}", error.message),
    };
    let mut out = Vec::new();
    let fields = ErrorFields {
        code,
        sqlstate: knows_states.then_some(sqlstate),
        message: &message,
    };
    write(&mut out, &mut number.clone(), fields);
    out
}

/// Acra's text for what must not be done.
pub(super) fn interrupted() -> ClientError {
    ClientError::error("70100", "Query execution was interrupted")
}

//! Event codes: what a line is about, for machines (observability.md 3). Numbers never change their meaning.

use crate::{Field, Value};

/// Poison records: they are looked for; one was met, and the process ends.
pub const POISON_DETECTION: u32 = 101;
/// Something general.
pub const GENERAL: u32 = 500;
/// A flag has a wrong value.
pub const WRONG_PARAMETER: u32 = 501;
/// A client id that is not one.
pub const INVALID_CLIENT_ID: u32 = 502;
/// The service cannot start.
pub const CANNOT_START: u32 = 505;
/// The configuration is wrong.
pub const WRONG_CONFIGURATION: u32 = 507;
/// The configuration or the arguments cannot be read.
pub const UNREADABLE_CONFIGURATION: u32 = 508;
/// The key store cannot be opened.
pub const KEYSTORE: u32 = 510;
/// Keys cannot be read.
pub const KEYS: u32 = 511;
/// The master key cannot be loaded.
pub const MASTER_KEY: u32 = 512;
/// Signals cannot be waited for.
pub const SIGNALS: u32 = 523;
/// No listener can be opened.
pub const LISTEN: u32 = 530;
/// The transport is configured wrongly: TLS, source of client ids.
pub const TRANSPORT: u32 = 532;
/// Connections cannot be accepted.
pub const ACCEPT: u32 = 533;
/// The database cannot be reached.
pub const DATABASE_CONNECT: u32 = 540;
/// Binary data cannot be decrypted.
pub const DECRYPT: u32 = 581;
/// A poison record was met and cannot be handled.
pub const POISON_CALLBACK: u32 = 583;
/// A poison record was met.
pub const POISON_RECORD: u32 = 587;
/// There are no keys to look for poison records with.
pub const POISON_KEYS: u32 = 589;
/// A TLS handshake failed.
pub const TLS: u32 = 584;
/// Query data cannot be encrypted.
pub const ENCRYPT_QUERY: u32 = 900;
/// Metrics cannot be served.
pub const METRICS: u32 = 1000;
/// Something general while a connection is served.
pub const CONNECTION: u32 = 1100;
/// Something general in the database's protocol.
pub const DATABASE_PROTOCOL: u32 = 1210;

/// The name of the field that holds a code.
pub(crate) const FIELD: &str = "code";

/// The field for a code.
pub fn code(number: u32) -> Field<'static> {
    (FIELD, Value::from(number))
}

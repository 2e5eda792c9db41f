//! What all sessions of a server share, whatever protocol they speak.

use super::{ClientTls, Limits, Poison, ScanColumns};
use crate::keys::ClientId;
use crate::plan::Planners;
use std::sync::Arc;

/// An immutable snapshot; a reload makes another one.
#[derive(Debug)]
pub struct Context {
    /// Plan statements.
    pub planners: Arc<Planners>,
    /// Whether the database is asked what it knows of the configured tables.
    pub schema_probe: bool,
    /// Some column is configured, so a statement that this session has not seen cannot be passed on.
    pub protects: bool,
    /// Whose keys open and seal, unless the client's certificate says otherwise; a column may name another client for
    /// sealing.
    pub client_id: Option<ClientId>,
    /// The variable of SQL by which a session chooses its client, if it may; of MySQL with its `@`.
    pub client_id_variable: Option<Box<str>>,
    /// Whether clients encrypt their connections.
    pub client_tls: ClientTls,
    /// How poison records are looked for, if they are.
    pub poison: Option<Poison>,
    /// Which cells are looked into.
    pub scan: ScanColumns,
    /// Bounds of one session.
    pub limits: Limits,
}

impl Context {
    pub(super) fn asks_database(&self) -> bool {
        self.protects && self.schema_probe
    }
}

//! The first byte of a message in the command phase.

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The client says goodbye.
    Quit,
    /// `USE`.
    InitDb,
    /// A text of statements.
    Query,
    /// Columns of a table.
    FieldList,
    /// A line of figures.
    Statistics,
    /// Who is connected, as a result.
    ProcessInfo,
    /// Another user on the same connection.
    ChangeUser,
    /// What a replica asks for: the changes of the database, without end.
    BinlogDump,
    /// A statement to be prepared.
    StmtPrepare,
    /// Runs a prepared statement.
    StmtExecute,
    /// A part of a parameter, which is not answered.
    StmtSendLongData,
    /// Forgets a prepared statement, which is not answered.
    StmtClose,
    /// Forgets the parts of parameters, and closes the cursor.
    StmtReset,
    /// Rows of a cursor.
    StmtFetch,
    /// Forgets what the session has set.
    ResetConnection,
    /// MariaDB: runs a prepared statement with many rows of parameters.
    StmtBulkExecute,
    /// One of those that are answered by a single OK, EOF or ERR packet.
    Simple,
}

impl Command {
    /// The command of a byte; `None` if there is none that a client may send.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x04 => Self::FieldList,
            // COM_CREATE_DB, COM_DROP_DB, COM_REFRESH, COM_SHUTDOWN, COM_PROCESS_KILL, COM_DEBUG, COM_PING,
            // COM_REGISTER_SLAVE, COM_SET_OPTION
            0x05..=0x08 | 0x0c | 0x0d | 0x0e | 0x15 | 0x1b => Self::Simple,
            0x09 => Self::Statistics,
            0x0a => Self::ProcessInfo,
            0x11 => Self::ChangeUser,
            // COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID
            0x12 | 0x1e => Self::BinlogDump,
            0x16 => Self::StmtPrepare,
            0x17 => Self::StmtExecute,
            0x18 => Self::StmtSendLongData,
            0x19 => Self::StmtClose,
            0x1a => Self::StmtReset,
            0x1c => Self::StmtFetch,
            0x1f => Self::ResetConnection,
            0xfa => Self::StmtBulkExecute,
            _ => return None,
        })
    }
}

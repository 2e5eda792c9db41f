//! Results of texts and of prepared statements as rows of values.

use super::connection::Connection;
use super::packet::Packet;
use crate::{Error, Result};
use acra_engine::wire::cursor::Reader;
use acra_engine::wire::mysql::row::{Cells, RowFormat};
use acra_engine::wire::mysql::text::text;
use acra_engine::wire::mysql::{Capabilities, Column, lenenc, ok};

/// A result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Type, character set and length of each column, as it is described.
    pub columns: Vec<(u8, u16, u32)>,
    /// The values as text; nothing for NULL.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Connection {
    /// The result of a text, which has one.
    pub fn table(&mut self, sql: &str) -> Result<Table> {
        self.query(sql)?;
        let answers = self.answers()?.to_vec();
        read(&answers, RowFormat::Text, self.capabilities())
            .map_err(|error| Error::new(format!("{sql}: {error}")))
    }

    /// The rows of a text as words, NULL as the word.
    pub fn strings(&mut self, sql: &str) -> Result<Vec<Vec<String>>> {
        let text = |cell: Option<Vec<u8>>| {
            cell.map_or("NULL".into(), |cell| {
                String::from_utf8_lossy(&cell).into_owned()
            })
        };
        let rows = self.table(sql)?.rows.into_iter();
        Ok(rows
            .map(|row| row.into_iter().map(text).collect())
            .collect())
    }

    /// The result of a command that executes a prepared statement.
    pub fn executed(&mut self, command: &[u8]) -> Result<Table> {
        self.command(command)?;
        let answers = self.answers()?.to_vec();
        read(&answers, RowFormat::Binary, self.capabilities())
    }

    /// The text of the error with which a text is answered.
    pub fn error(&mut self, sql: &str) -> Result<String> {
        self.query(sql)?;
        let answers = self.answers()?;
        let error = answers
            .iter()
            .find(|packet| packet.payload.first() == Some(&0xff));
        match error {
            Some(packet) => Ok(packet.payload[3..].escape_ascii().to_string()),
            None => Err(Error::new(format!("{sql} is not refused: {answers:?}"))),
        }
    }
}

/// Reads the packets of one result, or of a command without one.
fn read(answers: &[Packet], format: RowFormat, capabilities: Capabilities) -> Result<Table> {
    let mut table = Table::default();
    let bad = |packet: &Packet| Error::new(format!("{packet}"));
    let mut packets = answers.iter();
    let head = packets.next().ok_or_else(|| Error::new("no answer"))?;
    match head.payload.first() {
        Some(0) => return Ok(table),
        Some(0xff) | None => return Err(bad(head)),
        _ => {}
    }
    let count =
        lenenc::integer(&mut Reader::new(&head.payload), "columns").map_err(|_| bad(head))?;
    let mut kinds = Vec::new();
    for packet in packets.by_ref().take(usize::try_from(count)?) {
        let column = Column::read(&packet.payload, capabilities).map_err(|_| bad(packet))?;
        table
            .columns
            .push((column.kind.0, column.charset, column.length));
        kinds.push((column.kind, column.flags & 0x20 != 0));
    }
    if !capabilities.has(Capabilities::DEPRECATE_EOF) {
        packets.next();
    }
    for packet in packets {
        let first = packet.payload.first().copied().unwrap_or_default();
        if ok::is_end(first, packet.payload.len(), capabilities) {
            return Ok(table);
        }
        if first == 0xff {
            return Err(bad(packet));
        }
        let payload = &packet.payload;
        let mut cells = Cells::new(payload, format, kinds.len()).map_err(|_| bad(packet))?;
        let mut row = Vec::new();
        for (kind, is_unsigned) in &kinds {
            let cell = cells.any(payload, *kind).map_err(|_| bad(packet))?;
            row.push(match (cell, format) {
                (None, _) => None,
                (Some(cell), RowFormat::Text) => Some(payload[cell.value].to_vec()),
                (Some(cell), RowFormat::Binary) => Some(
                    text(*kind, *is_unsigned, &payload[cell.value])
                        .map_err(|_| bad(packet))?
                        .into_owned(),
                ),
            });
        }
        cells.finish(payload).map_err(|_| bad(packet))?;
        table.rows.push(row);
    }
    Err(Error::new("a result without an end"))
}

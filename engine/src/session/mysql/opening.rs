//! Opens the row whose turn it is.

use super::MySqlSession;
use super::columns::Columns;
use super::packets::{forward, take};
use super::planned::{Planned, Row};
use super::rows::{self, Layout};
use super::tokens::Rows;
use crate::session::row_tokens::Values;
use crate::session::{Ask, Cx, Input, Output, ScanColumns};
use crate::wire::cursor::Malformed;
use crate::wire::mysql::packet::{HEADER, Header};
use crate::wire::mysql::row::RowFormat;
use crate::wire::mysql::{Message, write_message};

impl MySqlSession {
    /// A row; something: that has to be asked first.
    pub(super) fn row(
        &mut self,
        message: &Message,
        columns: &Columns,
        format: RowFormat,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Ask>, Malformed> {
        let layout = Layout {
            columns,
            format,
            all: self.context.scan == ScanColumns::All,
        };
        if !columns.settings.is_empty() {
            return self.planned_row(message, layout, input, out, cx);
        }
        // With keys at hand, opening a row finds out for itself; one of several packets would be joined for that.
        let opens = self.openings.has_keys() && message.single().is_some();
        if !opens && !rows::may_open(&message.payload(input.bytes), layout)? {
            self.pass_row(message, input, out);
            return Ok(None);
        }
        if let Some(ask) = self.openings.ask() {
            return Ok(Some(ask));
        }
        let searches = self.planning.planner().searches();
        let tools = self
            .openings
            .tools(self.context.poison.as_ref(), false, searches);
        let Some(mut opener) = tools.opener else {
            *tools.unopened += 1;
            self.pass_row(message, input, out);
            return Ok(None);
        };
        // A row of several packets is taken out of the buffer to be in one piece.
        let mut joined = match message.single() {
            Some(_) => None,
            None => Some(message.payload(input.bytes).into_owned()),
        };
        let payload = match &mut joined {
            Some(payload) => payload,
            None => input
                .bytes
                .get_mut(message.range.start + HEADER..message.range.end)
                .unwrap_or_default(),
        };
        let opened = rows::open(payload, layout, &mut opener, tools.cells)?;
        if opener.is_poisoned && self.met_poison(out, cx) {
            return Ok(None);
        }
        let (Some(length), Some(entry)) = (opened, self.ledger.head()) else {
            self.pass_row(message, input, out);
            return Ok(None);
        };
        let number = &mut entry.numbers.client;
        match joined {
            Some(payload) => {
                let mut packets = Vec::with_capacity(length + 2 * HEADER);
                write_message(
                    &mut packets,
                    number,
                    payload.get(..length).unwrap_or_default(),
                );
                out.to_client.push(packets);
            }
            None => {
                let header = Header {
                    length,
                    sequence: take(number),
                };
                let start = message.range.start;
                if let Some(place) = input.bytes.get_mut(start..start + HEADER) {
                    place.copy_from_slice(&header.to_bytes());
                }
                out.to_client
                    .pass(input.bytes, start..start + HEADER + length);
            }
        }
        Ok(None)
    }

    /// A row with columns that are read in a way of their own.
    fn planned_row(
        &mut self,
        message: &Message,
        layout: Layout<'_>,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Ask>, Malformed> {
        let planned = Planned {
            layout,
            utf8: self.utf8,
            tokens: &self.opened_tokens,
        };
        if let (true, Some(client_id)) = (planned.has_tokens(), self.openings.client_id()) {
            let rows = Rows {
                planned,
                capabilities: self.capabilities,
            };
            match rows.values(client_id, input.bytes, message)? {
                Values::Known => {}
                Values::Ask(ask) => return Ok(Some(ask)),
                Values::Failed(fault) => {
                    self.tokens_failed(fault, out);
                    return Ok(None);
                }
            }
        }
        let payload = message.payload(input.bytes);
        if planned.may_open(&payload)?
            && let Some(ask) = self.openings.ask()
        {
            return Ok(Some(ask));
        }
        let searches = self.planning.planner().searches();
        let tools = self
            .openings
            .tools(self.context.poison.as_ref(), true, searches);
        let Some(mut opener) = tools.opener else {
            return Ok(None);
        };
        let row = planned.read(&payload, &mut opener, tools.cells)?;
        if opener.is_poisoned && self.met_poison(out, cx) {
            return Ok(None);
        }
        match row {
            Row::Same => self.pass_row(message, input, out),
            Row::Written(payload) => {
                if let Some(entry) = self.ledger.head() {
                    let mut packets = Vec::with_capacity(payload.len() + HEADER);
                    write_message(&mut packets, &mut entry.numbers.client, &payload);
                    out.to_client.push(packets);
                }
            }
            Row::Failed(at) => match layout.columns.settings.get(at) {
                Some(Some(setting)) => self.fail_result(setting, out, cx),
                _ => return Err(Malformed("a value that fits its column")),
            },
        }
        Ok(None)
    }

    fn pass_row(&mut self, message: &Message, input: &mut Input<'_>, out: &mut Output<'_>) {
        if let Some(entry) = self.ledger.head() {
            forward(message, input, out.to_client, &mut entry.numbers.client);
        }
    }
}

//! CopyInResponse, CopyOutResponse, CopyData and CopyDone of the server.

use super::opening::{Asking, Opening};
use super::split::Splitter;
use super::stream::Stream;
use super::{Copies, FromClient, Incoming, Outgoing, Slice, new_message, send};
use crate::columns::{Setting, Subject};
use crate::plan::{ClientEncoding, Copy, CopyFormat, CopyIn};
use crate::session::incoming::wrong_data;
use crate::session::pg::PgSession;
use crate::session::row_tokens::{RowTokens, Values};
use crate::session::{ClientError, Cx, Event, Input, Output, Step};
use crate::wire::cursor::{Malformed, Reader};
use crate::wire::pg::frame::HEADER;
use crate::wire::pg::{Frame, Scan, scan};
use std::sync::Arc;

impl PgSession {
    /// CopyInResponse.
    pub(in crate::session::pg) fn copy_in(
        &mut self,
        body: &[u8],
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Malformed> {
        let copy = self.ledger.next_copy();
        let unsettled = self.ledger.copies_unsettled();
        if self.ledger.copy_started()
            && let Some(Copy::In(plan)) = copy
        {
            self.seal_copy(plan, unsettled, described(body)?, out, cx);
        }
        Ok(())
    }

    fn seal_copy(
        &mut self,
        plan: Arc<CopyIn>,
        unsettled: bool,
        (binary, columns): (bool, usize),
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) {
        let dialect = &plan.dialect;
        if columns != plan.columns.len() || binary != (dialect.format == CopyFormat::Binary) {
            let error = ClientError::error(
                "0A000",
                format!(
                    "COPY into protected table \"{}\" has {columns} columns in the database, and {} are known here",
                    plan.table,
                    plan.columns.len()
                ),
            ).about(Subject::of_table(&plan.table))
            .hint("Name the columns in the COPY statement, or correct `columns:` of the table.");
            self.fail_copy(wrong_data(error), None, out, cx);
            self.copies.from_client = FromClient::Dropping;
            return;
        }
        let encoding = match dialect.encoding {
            Some(encoding) => encoding,
            None if unsettled => ClientEncoding::Unsafe,
            None => self.lexical.encoding,
        };
        let splitter = Splitter::new(dialect, columns, self.copies.csv_marker);
        self.copies.from_client = FromClient::Sealing(Box::new(Incoming {
            encoding,
            stream: Stream::new(splitter, self.context.limits.max_row),
            room: 0,
            plan,
            longest: None,
        }));
    }

    /// CopyOutResponse.
    pub(in crate::session::pg) fn copy_out(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let copy = self.ledger.next_copy();
        self.copies.from_server = None;
        let Some(Copy::Out(plan)) = copy else {
            return Ok(());
        };
        let (binary, columns) = described(body)?;
        let opens = self.openings.looks(self.context.poison.as_ref())
            || !plan.results.settings().is_empty();
        if opens && binary == (plan.dialect.format == CopyFormat::Binary) {
            let splitter = Splitter::new(&plan.dialect, columns, false);
            self.copies.from_server = Some(Box::new(Outgoing {
                stream: Stream::new(splitter, self.context.limits.max_row),
                data: Vec::new(),
                plan,
            }));
        }
        Ok(())
    }

    /// Whether rows of a COPY are opened.
    pub(in crate::session::pg) fn opens_copy(&self) -> bool {
        self.copies.from_server.is_some()
    }

    /// The rows have come to an end.
    pub(in crate::session::pg) fn copy_out_ended(&mut self) {
        self.copies.from_server = None;
    }

    /// The server has failed a statement: what the client still sends for its COPY is dropped.
    pub(in crate::session::pg) fn copy_failed(&mut self) {
        self.copies.from_server = None;
        if matches!(self.copies.from_client, FromClient::Sealing(_)) {
            self.copies.from_client = FromClient::Dropping;
        }
    }

    /// A CopyData message whose rows are opened; `None` when its first slice was taken.
    pub(in crate::session::pg) fn open_first(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let slice = match Slice::first(frame, self.context.limits.max_row).arrived(input) {
            Ok(slice) => slice,
            Err(step) => return Some(step),
        };
        self.copies.server_left = frame.range.len() - HEADER;
        let step = self.open_slice(&slice, input, out, cx);
        if step.is_some() {
            // The message comes again.
            self.copies.server_left = 0;
        }
        step
    }

    /// More of a message that has begun; nothing if there is none.
    pub(in crate::session::pg) fn open_more(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        while self.copies.server_left > 0 {
            let slice = Slice::later(input.at, self.copies.server_left).arrived(input);
            let step = match slice {
                Ok(slice) => self.open_slice(&slice, input, out, cx),
                Err(step) => Some(step),
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// Opens a slice that has arrived; `None` when it was taken.
    fn open_slice(
        &mut self,
        slice: &Slice,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        if let Some(ask) = self.openings.ask() {
            return Some(Step::Ask(ask));
        }
        match self.tokens_in_copy(slice, input.bytes) {
            Values::Known => {}
            Values::Ask(ask) => return Some(Step::Ask(ask)),
            Values::Failed(fault) => {
                self.tokens_failed(fault, out);
                // All that is left of the message, with the header if that is still ahead.
                let ahead = slice.body.start - input.at;
                self.server_dropping = ahead + std::mem::take(&mut self.copies.server_left);
                return None;
            }
        }
        let piece = input.bytes.get(slice.body.clone()).unwrap_or_default();
        match self.open_cells(Some(piece), cx) {
            Opened::Poison if self.met_poison(out, cx) => {
                self.server_dropping = self.copies.server_left - slice.body.len();
                self.copies.server_left = slice.body.len();
            }
            Opened::Failed(setting) => {
                self.fail_result(&setting, out, cx);
                self.server_dropping = self.copies.server_left - slice.body.len();
                self.copies.server_left = slice.body.len();
            }
            Opened::Poison | Opened::Changed => {
                slice.replace(self.copies.opened(), input.bytes, out.to_client);
            }
            Opened::Same => slice.pass(input.bytes, out.to_client),
        }
        input.at = slice.body.end;
        self.copies.server_left -= slice.body.len();
        None
    }

    /// The tokens in a slice, and in what has arrived behind it, if there are some that are not known.
    fn tokens_in_copy(&self, slice: &Slice, bytes: &[u8]) -> Values {
        let (Some(outgoing), Some(client_id)) =
            (&self.copies.from_server, self.openings.client_id())
        else {
            return Values::Known;
        };
        let mut settings = outgoing.plan.results.settings().iter().flatten();
        if !settings.any(|setting| setting.tokenized().is_some()) {
            return Values::Known;
        }
        let mut stream = outgoing.stream.clone();
        let mut asking = Asking {
            plan: &outgoing.plan,
            found: RowTokens::new(client_id, &self.opened_tokens),
        };
        let (mut body, mut nothing) = (slice.body.clone(), Vec::new());
        loop {
            let piece = bytes.get(body.clone()).unwrap_or_default();
            let Ok(_) = stream.feed(piece, &mut asking, &mut nothing);
            nothing.clear();
            match scan(bytes, body.end) {
                Scan::Frame(next)
                    if asking.found.wants_more()
                        && next.tag == b'd'
                        && next.range.end <= bytes.len() =>
                {
                    body = next.range.start + HEADER..next.range.end;
                }
                _ => return asking.found.values(),
            }
        }
    }

    /// CopyDone: the last cell may still be held.
    pub(in crate::session::pg) fn open_last(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        match self.open_cells(None, cx) {
            Opened::Poison if self.met_poison(out, cx) => {}
            Opened::Failed(setting) => self.fail_result(&setting, out, cx),
            _ => {
                let data = self.copies.opened();
                let mut message = new_message(data.len());
                message.extend_from_slice(data);
                send(message, out.to_client);
            }
        }
        self.copies.from_server = None;
    }

    /// Takes a piece of the stream, or its end. Unless nothing has changed, [`Copies::opened`] leaves in its place.
    fn open_cells(&mut self, piece: Option<&[u8]>, cx: &mut Cx<'_>) -> Opened {
        let Some(outgoing) = &mut self.copies.from_server else {
            return Opened::Same;
        };
        let Outgoing { plan, stream, data } = &mut **outgoing;
        data.clear();
        let encoding = plan.dialect.encoding.unwrap_or(self.lexical.encoding);
        let searches = self.planning.planner().searches();
        let is_mapped = !plan.results.settings().is_empty();
        let tools = self
            .openings
            .tools(self.context.poison.as_ref(), is_mapped, searches);
        let mut opening = Opening {
            plan,
            tools,
            utf8: encoding.keeps_bytes(),
            failed: None,
            tokens: &self.opened_tokens,
            too_long: None,
        };
        let changed = match piece {
            Some(piece) => stream.feed(piece, &mut opening, data),
            None => stream.finish(&mut opening, data).map(|()| true),
        };
        let too_long = opening.too_long;
        let failed = opening.failed;
        let is_poisoned = opening
            .tools
            .opener
            .is_some_and(|opener| opener.is_poisoned);
        cx.events
            .extend(too_long.map(|bytes| Event::RowTooLarge { bytes }));
        match changed {
            Ok(true) if is_poisoned => Opened::Poison,
            Ok(false) if is_poisoned => {
                data.clear();
                data.extend_from_slice(piece.unwrap_or_default());
                Opened::Poison
            }
            Ok(_) if failed.is_some() => failed.map_or(Opened::Same, Opened::Failed),
            Ok(true) => Opened::Changed,
            Ok(false) => Opened::Same,
            Err(never) => match never {},
        }
    }
}

impl Copies {
    /// What leaves in the place of the piece that was opened last.
    fn opened(&self) -> &[u8] {
        let outgoing = self.from_server.as_ref();
        outgoing.map_or(&[], |outgoing| &*outgoing.data)
    }
}

/// What became of a piece of the stream.
enum Opened {
    Same,
    Changed,
    /// A poison record was in it.
    Poison,
    /// A value of a column with this setting cannot be shown.
    Failed(Arc<Setting>),
}

/// Whether the format is binary, and the number of columns.
fn described(body: &[u8]) -> Result<(bool, usize), Malformed> {
    let mut reader = Reader::new(body);
    let binary = reader.u8("format of a COPY")? == 1;
    let columns = reader.u16("number of columns of a COPY")?;
    Ok((binary, usize::from(columns)))
}

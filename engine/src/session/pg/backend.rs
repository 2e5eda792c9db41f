//! What the server answers (postgresql.md 7, 8).
//!
//! Messages pass as they came; the ledger is kept, rows are opened, and an error that we provoked gets our text.

use super::PgSession;
use super::ledger::{Awaited, Entry};
use super::registry::Statement;
use super::results::Fields;
use super::rows::{self, Layout, Row};
use super::tokenize::values_of_rows;
use crate::plan::{ClientEncoding, Results};
use crate::session::ending::Ending;
use crate::session::passing::{drop_on, pass_on};
use crate::session::row_tokens::Values;
use crate::session::tokens::OpenedTokens;
use crate::session::{Ask, Cx, Event, Input, Output, ScanColumns, Side, Step};
use crate::wire::cursor::{Malformed, Reader};
use crate::wire::pg::{Format, Formats, Frame, Scan, error, frame::HEADER, scan};

/// Format of the rows of a portal that this session has not bound: a cursor made by SQL.
const NOT_BOUND: Formats = Formats::All(Format::Text);

/// What became of a message.
enum Taken {
    /// It has been dealt with.
    Done,
    /// It passes as it came.
    Pass,
    /// Keys are needed first.
    Ask(Ask),
}

impl PgSession {
    pub(super) fn server_messages(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        loop {
            if let Some(step) = self.open_more(input, out, cx) {
                return step;
            }
            if !pass_on(&mut self.server_passing, input, out.to_client)
                || !drop_on(&mut self.server_dropping, input)
            {
                return Step::NeedMore { want: 1 };
            }
            let frame = match scan(input.bytes, input.at) {
                Scan::Frame(frame) => frame,
                Scan::Incomplete => return Step::NeedMore { want: HEADER },
                Scan::BadLength(_) => {
                    return self.violation(Side::Server, "length of a message", out, cx);
                }
            };
            if self.drops(&frame) {
                self.server_dropping = frame.range.len();
                continue;
            }
            if frame.tag == b'd' && self.opens_copy() {
                match self.open_first(&frame, input, out, cx) {
                    Some(step) => return step,
                    None => continue,
                }
            }
            if frame.tag == b'D' && self.passes_rows(&frame) {
                self.server_passing = rows::end_of_all(input.bytes, &frame) - frame.range.start;
                continue;
            }
            if !self.must_be_whole(&frame, cx) {
                self.server_passing = frame.range.len();
                continue;
            }
            if frame.range.end > input.bytes.len() {
                return Step::NeedMore {
                    want: frame.range.len(),
                };
            }
            if let Some(end) = self.end_of_plain_rows(&frame, input.bytes) {
                out.to_client.pass(input.bytes, input.at..end);
                input.at = end;
                continue;
            }
            let withheld = self.withholds(&frame) || self.answers_own_describe(&frame);
            match self.server_message(&frame, input, out, cx) {
                Ok(Taken::Done) => {}
                Ok(Taken::Pass) if withheld && !self.ending => {}
                Ok(Taken::Pass) => out.to_client.pass(input.bytes, frame.range.clone()),
                Ok(Taken::Ask(ask)) => return Step::Ask(ask),
                Err(malformed) => return self.violation(Side::Server, malformed.0, out, cx),
            }
            self.choosing = self.choosing && self.ledger.chooses();
            input.at = frame.range.end;
        }
    }

    /// Whether this row and those behind it are of a result that is not looked into.
    fn passes_rows(&mut self, frame: &Frame) -> bool {
        !self.answers_probe(frame) && !self.withholds(frame) && !self.looks_into_rows()
    }

    /// Whether this message is looked into. Others pass as they arrive.
    fn must_be_whole(&mut self, frame: &Frame, cx: &mut Cx<'_>) -> bool {
        if self.answers_probe(frame) || self.withholds(frame) || self.answers_own_describe(frame) {
            return true;
        }
        match frame.tag {
            b'D' if frame.range.len() > self.context.limits.max_row => {
                cx.events.push(Event::RowTooLarge {
                    bytes: frame.range.len(),
                });
                false
            }
            b'D' | b'T' | b'C' | b'Z' | b'E' | b'S' | b'1' | b'2' | b'3' | b'n' | b's' | b'I'
            | b'G' | b'H' | b'W' | b'c' => true,
            b'R' => self.transaction == 0,
            b't' => self.reads_parameters(),
            _ => false,
        }
    }

    /// Whether the rows of the current result may hold something to open.
    fn looks_into_rows(&mut self) -> bool {
        if self.openings.identity.is_ignored() {
            return false;
        }
        let (never, mapped) = match self.ledger.head().map(|entry| &entry.awaited) {
            Some(Awaited::Query(_)) => match &self.query_result {
                Some((fields, _)) => (fields.never, !fields.settings.is_empty()),
                None => (false, false),
            },
            Some(Awaited::Execute(Some(portal))) => {
                let Statement { plan, fields, .. } = &*portal.statement;
                match fields.get() {
                    Some(fields) => (fields.never, !fields.settings.is_empty()),
                    None => (false, plan.results(0).is_some()),
                }
            }
            _ => (false, false),
        };
        if mapped {
            return true;
        }
        let opens = self.openings.looks(self.context.poison.as_ref());
        opens && (self.context.scan == ScanColumns::All || !never)
    }

    fn server_message(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Taken, Malformed> {
        if self.answers_probe(frame) && self.probe_answer(frame, input.bytes, cx)? {
            return Ok(Taken::Done);
        }
        match frame.tag {
            b'D' => return self.row(frame, input, out, cx),
            b'T' => self.described(frame.body_mut(input.bytes))?,
            b't' => self.parameters_described(frame.body_mut(input.bytes))?,
            b'C' => self.completed(frame.body(input.bytes), cx),
            b'1' | b'2' | b'3' | b'n' | b'I' => self.ledger.complete(),
            b's' => {
                // What its rows have done is done.
                self.follow_choices(b"", cx);
                self.ledger.complete();
            }
            b'G' if self.withholding => {
                self.ledger.copy_started();
                self.end_withheld_copy(out);
            }
            b'H' if self.withholding => {}
            b'G' => self.copy_in(frame.body(input.bytes), out, cx)?,
            b'H' => self.copy_out(frame.body(input.bytes))?,
            // CopyBothResponse of a replication connection.
            b'W' => {
                self.ledger.copy_started();
            }
            b'c' => self.open_last(out, cx),
            b'R' => self.chooses_mechanism = asks_for_mechanism(frame.body(input.bytes)),
            b'S' => self.setting_changed(frame.body(input.bytes))?,
            b'E' => return Ok(self.failed(frame.body(input.bytes), out)),
            b'Z' => {
                self.ready(frame.body(input.bytes), cx);
                if self.fail_transaction(out) {
                    return Ok(Taken::Done);
                }
            }
            _ => {}
        }
        Ok(Taken::Pass)
    }

    /// Where the rows end that begin here and pass without being looked at one by one.
    fn end_of_plain_rows(&mut self, frame: &Frame, buffer: &[u8]) -> Option<usize> {
        if frame.tag != b'D' || self.answers_probe(frame) || self.withholds(frame) {
            return None;
        }
        let layout = layout(
            self.ledger.head(),
            &self.query_result,
            self.context.scan,
            self.lexical.encoding,
            &self.opened_tokens,
        );
        rows::end_of_plain(buffer, frame, layout)
    }

    fn row(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Taken, Malformed> {
        let layout = layout(
            self.ledger.head(),
            &self.query_result,
            self.context.scan,
            self.lexical.encoding,
            &self.opened_tokens,
        );
        if let (true, Some(client_id)) = (layout.has_tokens(), self.openings.client_id()) {
            match values_of_rows(client_id, input.bytes, frame, layout)? {
                Values::Known => {}
                Values::Ask(ask) => return Ok(Taken::Ask(ask)),
                Values::Failed(fault) => {
                    self.tokens_failed(fault, out);
                    return Ok(Taken::Done);
                }
            }
        }
        // With keys at hand, opening a row finds out for itself.
        if !self.openings.has_keys() && !rows::may_open(input.bytes, frame, layout)? {
            return Ok(Taken::Pass);
        }
        if let Some(ask) = self.openings.ask() {
            return Ok(Taken::Ask(ask));
        }
        let searches = self.planning.planner().searches();
        let is_mapped = !layout.settings.is_empty();
        let tools = self
            .openings
            .tools(self.context.poison.as_ref(), is_mapped, searches);
        let Some(mut opener) = tools.opener else {
            *tools.unopened += 1;
            return Ok(Taken::Pass);
        };
        let row = rows::open(input.bytes, frame, layout, &mut opener, tools.cells)?;
        let failed = match row {
            Row::Failed(column) => layout.settings.get(column).cloned().flatten(),
            _ => None,
        };
        if opener.is_poisoned && self.met_poison(out, cx) {
            return Ok(Taken::Done);
        }
        match row {
            Row::Same => return Ok(Taken::Pass),
            Row::Shorter(end) => out.to_client.pass(input.bytes, frame.range.start..end),
            Row::Moved(bytes) => out.to_client.push(bytes),
            Row::Failed(_) => {
                if let Some(setting) = failed {
                    self.fail_result(&setting, out, cx);
                }
            }
        }
        Ok(Taken::Done)
    }

    /// CommandComplete. The registry follows SQL-level PREPARE, DEALLOCATE and DISCARD when the server reports them.
    fn completed(&mut self, body: &[u8], cx: &mut Cx<'_>) {
        self.query_result = None;
        self.follow_definitions(body);
        let Some(entry) = self.ledger.head() else {
            return;
        };
        entry.completed += 1;
        self.follow_choices(body, cx);
        let Some(entry) = self.ledger.head() else {
            return;
        };
        if matches!(
            body,
            b"PREPARE\0"
                | b"DEALLOCATE\0"
                | b"DEALLOCATE ALL\0"
                | b"DISCARD ALL\0"
                | b"DECLARE CURSOR\0"
                | b"CLOSE CURSOR\0"
                | b"CLOSE CURSOR ALL\0"
        ) {
            let (done, number) = (entry.names_done, entry.number);
            entry.names_done += 1;
            let plan = entry.runs().cloned();
            if let Some(plan) = plan
                && let Some(effect) = plan.names.get(done)
            {
                let limit = self.context.limits.max_registry;
                let ledger = &self.ledger;
                let prepared = plan.prepared_by(done);
                self.registry
                    .apply(effect, prepared, number, limit, |name| ledger.gives(name));
            }
        }
        self.ledger.complete();
    }

    fn failed(&mut self, body: &[u8], out: &mut Output<'_>) -> Taken {
        self.query_result = None;
        if error::ends_connection(body) {
            self.ending = true;
            return Taken::Pass;
        }
        if self.answers_own_failure() {
            return Taken::Done;
        }
        self.choice_failed();
        self.copy_failed();
        let with_size = self.with_size(body);
        let failed = self.ledger.failed();
        for undo in failed.undone {
            self.registry.undo(undo);
        }
        match failed.replacement {
            None => match with_size.filter(|_| !self.withholding) {
                Some(error) => {
                    out.to_client.push(error);
                    Taken::Done
                }
                None => Taken::Pass,
            },
            Some(_) if self.withholding => Taken::Done,
            Some(error) => {
                out.to_client.push(error.to_pg());
                Taken::Done
            }
        }
    }

    pub(super) fn ready(&mut self, body: &[u8], cx: &mut Cx<'_>) {
        self.query_result = None;
        self.copy_out_ended();
        self.withholding = false;
        self.transaction = body.first().copied().unwrap_or(b'E');
        let number = self.ledger.ready();
        self.settle_choices(cx);
        if let Some(database) = self.database.take() {
            self.planning.let_in(database, &self.context);
        }
        if body == b"I" {
            self.registry.end_transaction(number);
            self.definitions_settled();
        }
        self.openings.settle(cx);
    }

    /// ParameterStatus: some decide how the client's next text is read.
    fn setting_changed(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(body);
        let name = reader.cstr("parameter name")?;
        let value = reader.cstr("parameter value")?;
        match name {
            b"standard_conforming_strings" => {
                self.lexical.standard_conforming_strings = value == b"on"
            }
            b"server_version" => self.copies.server_version(value),
            b"client_encoding" => self.lexical.encoding = ClientEncoding::of_name(value),
            _ => {}
        }
        Ok(())
    }
}

/// The columns of the rows that come now.
fn layout<'a>(
    head: Option<&'a mut Entry>,
    query_result: &'a Option<(Fields, Formats)>,
    scan: ScanColumns,
    encoding: ClientEncoding,
    tokens: &'a OpenedTokens,
) -> Layout<'a> {
    let (fields, planned, formats) = match head.map(|entry| &entry.awaited) {
        Some(Awaited::Query(_)) => match query_result {
            Some((fields, formats)) => (Some(fields), None, Some(formats)),
            None => (None, None, None),
        },
        Some(Awaited::Execute(Some(portal))) => {
            let Statement { plan, fields, .. } = &*portal.statement;
            (fields.get(), plan.results(0), Some(&portal.results))
        }
        _ => (None, None, None),
    };
    Layout {
        kinds: fields.map(|fields| &*fields.kinds),
        formats: formats.unwrap_or(&NOT_BOUND),
        has_formats: formats.is_some(),
        settings: match fields {
            Some(fields) => &fields.settings,
            None => planned.map_or(&[], Results::settings),
        },
        all: scan == ScanColumns::All,
        utf8: encoding.keeps_bytes(),
        tokens,
    }
}

/// Whether an Authentication message offers SASL mechanisms.
fn asks_for_mechanism(body: &[u8]) -> bool {
    body.first_chunk() == Some(&10_u32.to_be_bytes())
}

//! What the server answers (mysql.md 7, 9).
//!
//! Messages pass as they came, with numbers of their own, and the ledger is kept.

use super::connect::whole;
use super::definitions::Mapping;
use super::ledger::{Awaited, Entry, ResultStep, Results};
use super::packets::{Numbers, Progress, forward, take};
use super::reply::{Answer, Reply};
use super::{MySqlSession, codes, named, stored};
use crate::session::ending::Ending;
use crate::session::{Cx, Event, Input, Output, ScanColumns, Side, Step};
use crate::wire::cursor::Malformed;
use crate::wire::mysql::packet::{HEADER, Header, renumber};
use crate::wire::mysql::{Capabilities, Message, Scan, error, ok, scan, write_message};
use std::sync::Arc;

/// What becomes of a message, told by its start.
enum Treatment {
    /// All of it is needed.
    Whole,
    /// The same, unless it is too long.
    Row,
    Pass,
    Drop,
}

impl MySqlSession {
    pub(super) fn server_messages(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        loop {
            if let Progress::Wants(want) = self.pass_answer(input, out) {
                return Step::NeedMore { want };
            }
            self.local_errors(out);
            let Some(header) = Header::read(input.bytes, input.at) else {
                return Step::NeedMore { want: HEADER };
            };
            let first = input.bytes.get(input.at + HEADER).copied();
            if header.length > 0 && first.is_none() {
                return Step::NeedMore { want: HEADER + 1 };
            }
            let first = first.filter(|_| header.length > 0);
            match self.treatment(header, first) {
                Treatment::Pass if self.pass_rows(input, out) => continue,
                Treatment::Pass => {
                    self.from_server.pass(true);
                    continue;
                }
                Treatment::Drop => {
                    self.from_server.drop();
                    continue;
                }
                Treatment::Row if let Some(bytes) = self.too_long(input) => {
                    cx.events.push(Event::RowTooLarge { bytes });
                    match self.is_retyped() {
                        true => {
                            self.row_too_long(out);
                            self.from_server.drop();
                        }
                        false => self.from_server.pass(true),
                    }
                    continue;
                }
                Treatment::Row | Treatment::Whole => {}
            }
            let message = match whole(input, self.context.limits.max_message) {
                Ok(message) => message,
                Err(Some(want)) => return Step::NeedMore { want },
                Err(None) => return self.violation(Side::Server, "packets of a message", out, cx),
            };
            let was_welcome = self.welcome;
            match self.server_message(&message, input, out, cx) {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(malformed) => return self.violation(Side::Server, malformed.0, out, cx),
            }
            input.at = message.range.end;
            if let (false, true, Some(effect)) =
                (was_welcome, self.welcome, self.compressed.effect())
            {
                return Step::Do(effect);
            }
        }
    }

    /// Passes or drops the message that the server is sending.
    fn pass_answer(&mut self, input: &mut Input<'_>, out: &mut Output<'_>) -> Progress {
        if !self.from_server.is_under_way() {
            return Progress::Done;
        }
        let mut none = Numbers::default();
        let numbers = match self.ledger.head() {
            Some(entry) => &mut entry.numbers,
            None => &mut none,
        };
        let Numbers { client, server } = numbers;
        self.from_server
            .go_on(input, out.to_client, server, client, false)
    }

    /// Our own errors whose turn it is.
    pub(super) fn local_errors(&mut self, out: &mut Output<'_>) {
        // Until it has been dropped, the refused message may have more packets, which count.
        while let Some((error, number)) = self.ledger.local_error()
            && !self.from_server.is_under_way()
            && (self.ledger.len() > 1 || !self.from_client.is_under_way())
        {
            out.to_client.push(codes::packet(error, number, true));
            self.ledger.pop();
        }
    }

    /// Passes all rows of a result that are there and in one packet each, of which the first is to pass; says whether there
    /// was one.
    fn pass_rows(&mut self, input: &mut Input<'_>, out: &mut Output<'_>) -> bool {
        let capabilities = self.capabilities;
        let Some(Entry {
            awaited:
                Awaited::Results(Results {
                    step: ResultStep::Rows(_),
                    ..
                }),
            numbers,
            ..
        }) = self.ledger.head()
        else {
            return false;
        };
        let start = input.at;
        while let Some(header) = Header::read(input.bytes, input.at)
            && let Some(first) = input.bytes.get(input.at + HEADER)
            && let end = input.at + HEADER + header.length
            && header.length > 0
            && end <= input.bytes.len()
            && !header.is_continued()
            && *first != error::ERR
            && !ok::is_end(*first, header.length, capabilities)
        {
            numbers.server = header.sequence.wrapping_add(1);
            renumber(input.bytes, input.at, take(&mut numbers.client));
            input.at = end;
        }
        out.to_client.pass(input.bytes, start..input.at);
        input.at > start
    }

    /// What becomes of a message of which the header is there.
    fn treatment(&mut self, header: Header, first: Option<u8>) -> Treatment {
        let looks = self.openings.looks(self.context.poison.as_ref());
        let all = self.context.scan == ScanColumns::All;
        let Some(entry) = self.ledger.head() else {
            return Treatment::Whole;
        };
        let ends = first == Some(error::ERR)
            || first.is_some_and(|first| ok::is_end(first, header.length, self.capabilities));
        match &mut entry.awaited {
            Awaited::Binlog if first == Some(error::ERR) => Treatment::Whole,
            // An EOF packet whatever is agreed on.
            Awaited::Binlog
                if first.is_some_and(|first| {
                    ok::is_end(first, header.length, Capabilities::default())
                }) =>
            {
                Treatment::Whole
            }
            Awaited::Binlog => Treatment::Pass,
            Awaited::Results(Results {
                step: ResultStep::Rows(columns),
                statement,
                ..
            }) if !ends => {
                if columns.is_none() {
                    *columns = statement
                        .and_then(|number| self.registry.columns(number))
                        .cloned();
                }
                if entry.withheld {
                    return Treatment::Drop;
                }
                if entry.own.is_some() {
                    return Treatment::Whole;
                }
                match columns {
                    Some(columns) if !columns.settings.is_empty() => Treatment::Row,
                    Some(columns) if looks && (all || columns.may_hold) => Treatment::Row,
                    _ => Treatment::Pass,
                }
            }
            _ => Treatment::Whole,
        }
    }

    /// What is known of the length of a row that is too long to be held.
    fn too_long(&self, input: &Input<'_>) -> Option<usize> {
        let bytes = match scan(input.bytes, input.at) {
            Scan::Message(message) => message.range.len(),
            // Of several packets the whole length is not known in front.
            Scan::Incomplete(bytes) => bytes,
            Scan::OutOfOrder => return None,
        };
        (bytes > self.context.limits.max_row).then_some(bytes)
    }

    /// Whether the rows of the current result are not what the client expects before they are written anew.
    fn is_retyped(&mut self) -> bool {
        let head = self.ledger.head().map(|entry| &entry.awaited);
        match head {
            Some(Awaited::Results(Results {
                step: ResultStep::Rows(Some(columns)),
                ..
            })) => {
                let mut settings = columns.settings.iter().flatten();
                settings.any(|setting| setting.shown_type().is_some())
            }
            _ => false,
        }
    }

    /// Takes a message that is there. Something: that is to be done first.
    fn server_message(
        &mut self,
        message: &Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Step>, Malformed> {
        let is_alone = self.ledger.len() == 1;
        let Some(entry) = self.ledger.head() else {
            return self.uncalled(message, input, out).map(|()| None);
        };
        entry.numbers.server = message.next_number();
        if matches!(entry.awaited, Awaited::Auth(_)) {
            let refused = self.auth_message(message, input, out, cx)?;
            return Ok(refused.map(|error| self.close(error, out)));
        }
        if let Awaited::Results(Results {
            step: ResultStep::Rows(Some(columns)),
            format,
            ..
        }) = &entry.awaited
        {
            let header = Header::read(input.bytes, message.range.start);
            let first = message.first(input.bytes);
            let is_row = match (header, first) {
                (Some(header), Some(first)) => {
                    first != error::ERR && !ok::is_end(first, header.length, self.capabilities)
                }
                _ => true,
            };
            if is_row && let Some(own) = &mut entry.own {
                own.row(&message.payload(input.bytes))?;
                return Ok(None);
            }
            if is_row {
                let (columns, format) = (Arc::clone(columns), *format);
                let ask = self.row(message, &columns, format, input, out, cx)?;
                return Ok(ask.map(Step::Ask));
            }
        }
        let payload = message.payload(input.bytes);
        if let Some(own) = &mut entry.own {
            own.other(&payload);
        }
        let failed = payload.first() == Some(&error::ERR);
        let planner = self.planning.planner();
        let maps =
            planner.maps_results() && !self.openings.identity.is_ignored() && !entry.is_own();
        let mut reply = Reply {
            mapping: maps.then_some(Mapping {
                columns: planner.columns(),
                charset: self.charset,
            }),
            replaced: None,
            capabilities: self.capabilities,
            registry: &mut self.registry,
            status: &mut self.status,
            is_alone,
        };
        let done = entry.results_done();
        let answer = reply.take(entry, &payload)?;
        let completes = entry.results_done() > done;
        let replaced = reply
            .replaced
            .or_else(|| stored::with_size(entry, &payload));
        if answer == Answer::RefusesFile {
            // The client does not hear that it is asked for a file.
            let mut packet = Vec::with_capacity(HEADER);
            write_message(&mut packet, &mut entry.numbers.server, b"");
            out.to_server.push(packet);
        } else if entry.withheld || entry.is_own() {
            // Followed, and not told of.
        } else if answer == Answer::Ends
            && let Some(error) = entry.refused.take()
        {
            out.to_client
                .push(codes::packet(&error, entry.numbers.client, true));
        } else if let Some(payload) = replaced {
            let mut packets = Vec::with_capacity(payload.len() + HEADER);
            write_message(&mut packets, &mut entry.numbers.client, &payload);
            out.to_client.push(packets);
        } else {
            forward(message, input, out.to_client, &mut entry.numbers.client);
        }
        if completes {
            self.follow_choices(done, cx);
        }
        if answer == Answer::Ends {
            let entry = self.ledger.pop();
            self.openings.settle(cx);
            if let Some(entry) = entry {
                self.ended(entry, failed, cx);
            }
        }
        Ok(None)
    }

    /// A command is done.
    fn ended(&mut self, mut entry: Entry, failed: bool, cx: &mut Cx<'_>) {
        named::answered(&mut entry, failed, &mut self.registry);
        self.keep_outline(&entry);
        if entry.redefines {
            self.context.planners.outdate();
        }
        if matches!(entry.awaited, Awaited::Reset) {
            self.forget_choice(cx);
        }
        if let Some(own) = entry.own {
            self.answered(*own, cx);
        }
    }

    /// A message while nothing is owed: the server says why it closes.
    fn uncalled(
        &mut self,
        message: &Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), Malformed> {
        if message.first(input.bytes) != Some(error::ERR) {
            return Err(Malformed("no message that nobody has asked for"));
        }
        let mut number = match &self.connecting {
            Some(connecting) => connecting.numbers.client,
            None => message.sequence,
        };
        forward(message, input, out.to_client, &mut number);
        self.ending = true;
        Ok(())
    }
}

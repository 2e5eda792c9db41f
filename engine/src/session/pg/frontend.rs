//! What the client sends once the session is live (postgresql.md 6).
//!
//! A message is passed on, rewritten, or replaced by one that fails on purpose; nothing is written to the client
//! from here but the error that ends the session.

use super::PgSession;
use super::copy::Copied;
use super::ledger::Awaited;
use super::registry::{Full, Portal, Prepared, Statement, Undo};
use super::rewrite::{self, Rewritten, SealedBind};
use super::texts::unknown_statement;
use crate::plan::Plan;
use crate::session::choices::Choices;
use crate::session::ending::Ending;
use crate::session::passing::{drop_on, pass_on};
use crate::session::stop::Stop;
use crate::session::{ClientError, Cx, Event, Input, Output, Side, Step};
use crate::wire::cursor::{Malformed, Reader};
use crate::wire::pg::frame::HEADER;
use crate::wire::pg::startup::MAX_STARTUP;
use crate::wire::pg::{Bind, Formats, Frame, Parse, Scan, scan, write_cstr, write_frame};
use std::sync::Arc;

/// Sent in place of a refused statement: a syntax error under any setting, so that the server's transaction and its
/// skipping up to Sync are what they would be had it refused the statement itself.
const FAILS_ON_PURPOSE: &[u8] = b"acra-server refused this statement";

/// A Parse of this name does not touch the client's unnamed statement.
const FAILING_NAME: &[u8] = b"acra-server";

impl From<Full> for Stop {
    fn from(_: Full) -> Self {
        Self::Refuse(
            "too-many-names",
            ClientError::error(
                "53200",
                "too many prepared statements or portals in this session",
            )
            .hint("Close or DEALLOCATE those that are no longer used."),
        )
    }
}

impl PgSession {
    pub(super) fn client_messages(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        loop {
            if let Some(step) = self.seal_more(input, out, cx) {
                return step;
            }
            if !pass_on(&mut self.client_passing, input, out.to_server)
                || !drop_on(&mut self.client_dropping, input)
            {
                return Step::NeedMore { want: 1 };
            }
            if self.ledger.len() >= self.context.limits.max_in_flight {
                return Step::Blocked;
            }
            let frame = match scan(input.bytes, input.at) {
                Scan::Frame(frame) => frame,
                Scan::Incomplete => {
                    return Step::NeedMore { want: HEADER };
                }
                Scan::BadLength(_) => {
                    return self.violation(Side::Client, "length of a message", out, cx);
                }
            };
            if let Some(step) = self.client_message(&frame, input, out, cx) {
                return step;
            }
        }
    }

    /// Takes one message; `None` when it was taken.
    fn client_message(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        if !matches!(frame.tag, b'd' | b'c' | b'f' | b'S' | b'H') {
            self.past_copy();
        }
        if self.choosing && matches!(frame.tag, b'Q' | b'P' | b'B' | b'D' | b'C' | b'E' | b'F') {
            // What it means depends on whose keys are used.
            return Some(Step::Blocked);
        }
        if self.ledger.skipping() && !matches!(frame.tag, b'S' | b'H' | b'X') {
            // The server discards it; it may hold what must not reach the server.
            self.client_dropping = frame.range.len();
            return None;
        }
        if matches!(frame.tag, b'd' | b'c' | b'f') {
            match self.copy_message(frame, input, out, cx) {
                Copied::Pass => {}
                Copied::Taken => return None,
                Copied::Step(step) => return Some(step),
            }
        }
        // The server refuses a longer one by its header.
        if frame.tag == b'p' && self.chooses_mechanism && frame.range.len() <= MAX_STARTUP {
            return self.mechanism(frame, input, out);
        }
        // Messages with a body that is of no interest pass as they arrive, whole or not.
        if matches!(frame.tag, b'd' | b'p') || !is_known(frame.tag) {
            self.client_passing = frame.range.len();
            return None;
        }
        if frame.range.len() > self.context.limits.max_message {
            let message = format!(
                "message of {} bytes is longer than the limit of {} bytes",
                frame.range.len(),
                self.context.limits.max_message
            );
            return Some(self.close(ClientError::fatal("54000", message), out));
        }
        if frame.range.end > input.bytes.len() {
            return Some(Step::NeedMore {
                want: frame.range.len(),
            });
        }
        if matches!(frame.tag, b'Q' | b'P')
            && !self.openings.identity.is_ignored()
            && !self.knows_schema(out)
        {
            return Some(Step::Blocked);
        }
        let outcome = match frame.tag {
            b'Q' => self.query(frame, input, out, cx),
            b'P' => self.parse(frame, input, out, cx),
            b'B' => self.bind(frame, input, out, cx),
            _ => self.plain_message(frame, input, out),
        };
        match outcome {
            Ok(()) => {}
            Err(Stop::Ask(ask)) => return Some(Step::Ask(ask)),
            Err(Stop::Wait) => return Some(Step::Blocked),
            Err(Stop::Malformed(expected)) => {
                return Some(self.violation(Side::Client, expected, out, cx));
            }
            Err(Stop::Refuse(code, error)) => self.refuse(frame.tag, code, error, out, cx),
        }
        self.openings.tokens = None;
        input.at = frame.range.end;
        None
    }

    /// SASLInitialResponse: with channel binding the client signs our certificate, and the server expects its own.
    fn mechanism(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) -> Option<Step> {
        const BINDS_CHANNEL: &[u8] = b"SCRAM-SHA-256-PLUS\0";
        let whole = HEADER + BINDS_CHANNEL.len();
        let there = input.bytes.get(input.at..).unwrap_or_default();
        if there.len() < whole.min(frame.range.len()) {
            return Some(Step::NeedMore {
                want: whole.min(frame.range.len()),
            });
        }
        if there.get(HEADER..whole) == Some(BINDS_CHANNEL) {
            let error = ClientError::fatal(
                "28000",
                "SCRAM with channel binding cannot pass acra-server, which encrypts both connections itself",
            )
            .hint("Connect with channel_binding=disable.");
            return Some(self.close(error, out));
        }
        self.chooses_mechanism = false;
        self.client_passing = frame.range.len();
        None
    }

    /// Puts a message that fails on purpose in the place of the one that is refused.
    fn refuse(
        &mut self,
        tag: u8,
        code: &'static str,
        error: ClientError,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) {
        cx.events.push(Event::refused(code, &error));
        let mut failing = Vec::new();
        if tag == b'Q' {
            self.registry.remove_statement(b"");
            failing = failing_query();
            self.ledger
                .push_failing(Awaited::Query(Arc::new(Plan::forward())), error);
        } else {
            write_frame(&mut failing, b'P', |out| {
                write_cstr(out, FAILING_NAME);
                write_cstr(out, FAILS_ON_PURPOSE);
                out.extend_from_slice(&[0, 0]);
            });
            self.ledger
                .push_failing(Awaited::Parse(Undo::Nothing), error);
            self.ledger.skip_to_sync();
        }
        out.to_server.push(failing);
    }

    fn query(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let mut reader = Reader::new(frame.body(input.bytes));
        let text = reader.cstr("query text")?;
        reader.end("end of Query")?;
        let kept = self.kept_text(text);
        let (plan, rewritten) = self.rewrite(text, cx)?;
        let choices = self.choices(text, &plan)?;
        let (message, stored) = match rewritten {
            None => (None, None),
            Some(Rewritten { text, stored }) => {
                let mut message = Vec::with_capacity(text.len() + 6);
                write_frame(&mut message, b'Q', |out| write_cstr(out, &text));
                (Some(message), stored)
            }
        };
        send(message, frame, input, out);
        // A simple query drops the unnamed statement.
        self.registry.remove_statement(b"");
        self.ledger.push_query(plan, kept, stored);
        self.choose(&choices);
        Ok(())
    }

    fn parse(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let parse = Parse::read(frame.body(input.bytes))?;
        let (plan, rewritten) = self.rewrite(parse.text, cx)?;
        let choices = self.choices(parse.text, &plan)?;
        let outline = self.kept_outline(parse.text);
        let stored = rewritten
            .as_ref()
            .and_then(|rewritten| rewritten.stored.clone());
        let types = match plan
            .params
            .iter()
            .any(|action| action.setting.is_converted())
        {
            true => parse.types.into(),
            false => Box::default(),
        };
        let message = rewrite::parse(&parse, &plan, rewritten);
        let undo = self.registry.add_statement(
            parse.name,
            Prepared {
                plan,
                outline,
                stored,
                types,
                choices,
            },
            self.context.limits.max_registry,
        )?;
        let describe = self.own_describe(parse.name);
        send(message, frame, input, out);
        self.ledger.push(Awaited::Parse(undo));
        if let Some((describe, statement)) = describe {
            out.to_server.push(describe);
            self.ledger.push(Awaited::OwnDescribe(statement));
        }
        Ok(())
    }

    /// Asks for the description of a statement, if its rows cannot be read without.
    fn own_describe(&self, name: &[u8]) -> Option<(Vec<u8>, Arc<Statement>)> {
        let statement = self.registry.statement(name)?;
        if !statement.plan.needs_description() {
            return None;
        }
        let mut message = Vec::with_capacity(name.len() + 7);
        write_frame(&mut message, b'D', |out| {
            out.push(b'S');
            write_cstr(out, name);
        });
        Some((message, Arc::clone(statement)))
    }

    fn bind(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let bind = Bind::read(frame.body(input.bytes))?;
        if self.protects() {
            self.settled(bind.statement)?;
        }
        let Some(statement) = self.registry.statement(bind.statement).cloned() else {
            if self.protects() {
                return Err(unknown_statement(bind.statement));
            }
            let undo = self.registry.remove_portal(bind.portal);
            out.to_server.pass(input.bytes, frame.range.clone());
            self.ledger.push(Awaited::Bind(undo));
            return Ok(());
        };
        let (message, stored) = match self.seal_parameters(&statement, &bind, cx)? {
            None => (None, None),
            Some(SealedBind { message, stored }) => (Some(message), stored),
        };
        let stored = stored.or_else(|| statement.stored.clone());
        let portal = Portal {
            statement,
            stored: stored.clone(),
            results: Formats::new(bind.results),
            holds: false,
        };
        let number = self.ledger.next_number();
        let undo = self.registry.add_portal(
            bind.portal,
            number,
            portal,
            self.context.limits.max_registry,
        )?;
        send(message, frame, input, out);
        // The server may compute what is stored when it binds.
        self.ledger.push_storing(Awaited::Bind(undo), stored);
        Ok(())
    }

    /// Messages that are followed but never changed.
    fn plain_message(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), Stop> {
        let body = frame.body(input.bytes);
        match frame.tag {
            b'D' => {
                let (kind, name) = described(body)?;
                let awaited = match kind {
                    b'S' => Awaited::DescribeStatement(self.registry.statement(name).cloned()),
                    _ => Awaited::DescribePortal(self.registry.portal(name).cloned()),
                };
                self.ledger.push(awaited);
            }
            b'C' => {
                let undo = match described(body)? {
                    (b'S', name) => self.registry.remove_statement(name),
                    (_, name) => self.registry.remove_portal(name),
                };
                self.ledger.push(Awaited::Close(undo));
            }
            b'E' => {
                let name = Reader::new(body).cstr("portal name")?;
                let portal = self.registry.portal(name).cloned();
                self.ledger.push(Awaited::Execute(portal.clone()));
                if portal.is_some_and(|portal| self.choose(&portal.statement.choices)) {
                    out.to_server.pass(input.bytes, frame.range.clone());
                    // The answer is waited for, and comes at once.
                    let mut flush = Vec::with_capacity(HEADER);
                    write_frame(&mut flush, b'H', |_| {});
                    out.to_server.push(flush);
                    return Ok(());
                }
            }
            b'F' => self.ledger.push(Awaited::Function),
            b'S' => self.ledger.sync(),
            b'c' | b'f' => self.ledger.copy_end(),
            b'X' => self.ending = true,
            // Flush is not answered.
            _ => {}
        }
        out.to_server.pass(input.bytes, frame.range.clone());
        Ok(())
    }

    /// Notes what the message sent last does to the choice of a client, if it does anything.
    fn choose(&mut self, choices: &Choices) -> bool {
        let matter = self.matter(choices);
        if matter && let Some(entry) = self.ledger.last() {
            entry.choices.clone_from(choices);
            self.choosing = true;
        }
        matter
    }
}

/// A simple query that fails.
pub(super) fn failing_query() -> Vec<u8> {
    let mut message = Vec::new();
    write_frame(&mut message, b'Q', |out| write_cstr(out, FAILS_ON_PURPOSE));
    message
}

/// Sends a message in the place of the client's, or that one.
fn send(message: Option<Vec<u8>>, frame: &Frame, input: &mut Input<'_>, out: &mut Output<'_>) {
    match message {
        None => out.to_server.pass(input.bytes, frame.range.clone()),
        Some(message) => out.to_server.push(message),
    }
}

/// Messages that are understood; any other tag passes, and the server judges it.
fn is_known(tag: u8) -> bool {
    matches!(
        tag,
        b'Q' | b'P' | b'B' | b'D' | b'C' | b'E' | b'F' | b'S' | b'H' | b'c' | b'f' | b'X'
    )
}

/// Kind and name in Describe and Close.
fn described(body: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    let mut reader = Reader::new(body);
    let kind = reader.u8("kind of object")?;
    Ok((kind, reader.cstr("name of object")?))
}

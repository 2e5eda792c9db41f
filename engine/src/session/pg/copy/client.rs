//! CopyData, CopyDone and CopyFail of the client.

use super::sealing::Sealing;
use super::{FromClient, Incoming, SLICE, Slice, new_message, send};
use crate::session::incoming::{self, Tokens};
use crate::session::pg::PgSession;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::{ClientError, Cx, Event, Input, Output, Step};
use crate::tokens::TokenRequest;
use crate::wire::pg::frame::HEADER;
use crate::wire::pg::{Frame, write_cstr, write_frame};

/// Reason of the CopyFail that ends a COPY which we refuse; our error takes the place of the server's.
const REFUSED: &[u8] = b"acra-server refused the data";

/// What became of a message.
pub(in crate::session::pg) enum Copied {
    /// It has been dealt with.
    Taken,
    /// It is none of ours and passes.
    Pass,
    /// Something is needed first.
    Step(Step),
}

impl PgSession {
    /// Any other message than those of a COPY: the client has gone on.
    pub(in crate::session::pg) fn past_copy(&mut self) {
        self.copies.from_client = FromClient::Passing;
        self.ledger.past_copy();
    }

    /// CopyData, CopyDone or CopyFail.
    pub(in crate::session::pg) fn copy_message(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Copied {
        match (&self.copies.from_client, frame.tag) {
            (FromClient::Sealing(_), b'd') => self.seal_first(frame, input, out, cx),
            (FromClient::Sealing(_), b'c') => self.seal_last(frame, input, out, cx),
            (FromClient::Sealing(_), _) => {
                self.copies.from_client = FromClient::Passing;
                Copied::Pass
            }
            (FromClient::Dropping, tag) => {
                if tag != b'd' {
                    self.copies.from_client = FromClient::Passing;
                }
                self.client_dropping = frame.range.len();
                Copied::Taken
            }
            (FromClient::Passing, _) if self.ledger.awaits_sealed_copy() => {
                Copied::Step(Step::Blocked)
            }
            // They may have been meant for a COPY that is refused or has failed.
            (FromClient::Passing, _)
                if self.context.protects && !self.ledger.expects_copy_data() =>
            {
                self.client_dropping = frame.range.len();
                Copied::Taken
            }
            (FromClient::Passing, _) => Copied::Pass,
        }
    }

    fn seal_first(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Copied {
        let slice = match Slice::first(frame, SLICE).arrived(input) {
            Ok(slice) => slice,
            Err(step) => return Copied::Step(step),
        };
        self.copies.client_left = frame.range.len() - HEADER;
        match self.seal_slice(&slice, input, out, cx) {
            Some(step) => {
                // The message comes again.
                self.copies.client_left = 0;
                Copied::Step(step)
            }
            None => Copied::Taken,
        }
    }

    /// More of a message that has begun; nothing if there is none.
    pub(in crate::session::pg) fn seal_more(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        while self.copies.client_left > 0 {
            let slice = Slice::later(input.at, self.copies.client_left).arrived(input);
            let step = match slice {
                Ok(slice) => self.seal_slice(&slice, input, out, cx),
                Err(step) => Some(step),
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// Seals a slice that has arrived; `None` when it was taken.
    fn seal_slice(
        &mut self,
        slice: &Slice,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let piece = input.bytes.get(slice.body.clone()).unwrap_or_default();
        let mut incoming = match self.take_incoming(Some(piece), cx) {
            Ok(Some(incoming)) => incoming,
            Ok(None) => {
                // The COPY failed while the message was under way.
                self.copies.from_client = FromClient::Dropping;
                self.client_dropping = std::mem::take(&mut self.copies.client_left);
                return None;
            }
            Err(step) => return Some(step),
        };
        let mut message = new_message(incoming.room);
        let outcome = self.seal_cells(&mut incoming, Some(piece), &mut message, cx);
        self.openings.tokens = None;
        input.at = slice.body.end;
        self.copies.client_left -= slice.body.len();
        match outcome {
            Ok(changed) => {
                incoming.room = incoming.room.max(message.len());
                self.ledger.stores(incoming.longest.as_ref());
                match changed {
                    true => send(message, out.to_server),
                    false => slice.pass(input.bytes, out.to_server),
                }
                self.copies.from_client = FromClient::Sealing(incoming);
            }
            Err(stop) => {
                self.client_dropping = std::mem::take(&mut self.copies.client_left);
                self.refuse_copy(&incoming, stop, out, cx);
                self.copies.from_client = FromClient::Dropping;
            }
        }
        None
    }

    /// CopyDone: the last cell may still be held.
    fn seal_last(
        &mut self,
        frame: &Frame,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Copied {
        if frame.range.end > input.bytes.len() {
            return Copied::Step(Step::NeedMore {
                want: frame.range.len(),
            });
        }
        let mut incoming = match self.take_incoming(None, cx) {
            Ok(Some(incoming)) => incoming,
            Ok(None) => return Copied::Pass,
            Err(step) => return Copied::Step(step),
        };
        let mut message = new_message(0);
        let outcome = self.seal_cells(&mut incoming, None, &mut message, cx);
        self.openings.tokens = None;
        match outcome {
            Ok(_) => {
                self.ledger.stores(incoming.longest.as_ref());
                send(message, out.to_server);
                Copied::Pass
            }
            Err(stop) => {
                self.refuse_copy(&incoming, stop, out, cx);
                input.at = frame.range.end;
                Copied::Taken
            }
        }
    }

    /// Takes the COPY that is sealed, if there is one, when all that a piece of the stream needs, or its end, is there.
    fn take_incoming(
        &mut self,
        piece: Option<&[u8]>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Box<Incoming>>, Step> {
        let FromClient::Sealing(incoming) = &self.copies.from_client else {
            return Ok(None);
        };
        let columns = incoming.plan.columns.iter();
        let settings = columns.filter_map(|column| column.setting.as_ref());
        let requests = || self.token_requests(incoming, piece, cx);
        if let Some(ask) = self.openings.ask_for_piece(settings, requests) {
            return Err(Step::Ask(ask));
        }
        match std::mem::take(&mut self.copies.from_client) {
            FromClient::Sealing(incoming) => Ok(Some(incoming)),
            FromClient::Passing | FromClient::Dropping => Ok(None),
        }
    }

    /// The requests for the tokens of a piece of the stream, or of its end.
    fn token_requests(
        &self,
        incoming: &Incoming,
        piece: Option<&[u8]>,
        cx: &mut Cx<'_>,
    ) -> Vec<TokenRequest> {
        let mut sealing = Sealing {
            session: self,
            plan: &incoming.plan,
            encoding: incoming.encoding,
            cx,
            tokens: Tokens::asking(),
            changes: Changes::default(),
        };
        let (mut stream, mut nothing) = (incoming.stream.clone(), Vec::new());
        // What is wrong is told when the stream is gone through again.
        let _ = match piece {
            Some(piece) => stream.feed(piece, &mut sealing, &mut nothing).map(drop),
            None => stream.finish(&mut sealing, &mut nothing),
        };
        sealing.tokens.requests()
    }

    /// Takes a piece of the stream, or its end.
    fn seal_cells(
        &self,
        incoming: &mut Incoming,
        piece: Option<&[u8]>,
        data: &mut Vec<u8>,
        cx: &mut Cx<'_>,
    ) -> Result<bool, Stop> {
        let Incoming {
            plan,
            encoding,
            stream,
            longest,
            room: _,
        } = incoming;
        let mut sealing = Sealing {
            session: self,
            plan,
            encoding: *encoding,
            cx,
            tokens: self.openings.tokens_of_piece(),
            changes: Changes::default(),
        };
        let changed = match piece {
            Some(piece) => {
                sealing.check(piece)?;
                stream.feed(piece, &mut sealing, data)
            }
            None => stream.finish(&mut sealing, data).map(|()| true),
        };
        let Sealing { changes, cx, .. } = sealing;
        if changed.is_ok()
            && let Some(Stored { setting, bytes }) = changes.tell(cx)
        {
            Stored::note(longest, &setting, bytes);
        }
        changed
    }

    /// Ends the COPY where it stands.
    fn refuse_copy(
        &mut self,
        incoming: &Incoming,
        stop: Stop,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) {
        let (plan, stream) = (&incoming.plan, &incoming.stream);
        let mut place = format!("COPY {}, line {}", plan.table, stream.line());
        if let Some(column) = plan.columns.get(stream.column()) {
            place.push_str(", column ");
            place.push_str(&column.name);
        }
        self.fail_copy(stop, Some(place.into()), out, cx);
    }

    /// Ends the COPY on the server, and lets our error take the place of the one that it answers with.
    pub(super) fn fail_copy(
        &mut self,
        stop: Stop,
        place: Option<Box<str>>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) {
        let (code, error) = incoming::refusal(stop);
        cx.events.push(Event::refused(code, &error));
        let mut message = Vec::new();
        write_frame(&mut message, b'f', |out| write_cstr(out, REFUSED));
        out.to_server.push(message);
        self.ledger.fail_copy(ClientError {
            context: place,
            ..error
        });
    }
}

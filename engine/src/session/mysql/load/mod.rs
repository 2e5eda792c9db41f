//! LOAD DATA LOCAL INFILE into a protected table: the client's file becomes another one as a stream (mysql.md 9.1).
//!
//! `rows` finds the cells, `sealing` writes them anew. A packet of the client is worked on in slices of a fixed size, so that only
//! one cell is ever held. When something is wrong, the server gets a row that it cannot store, which undoes the statement
//! where the table's engine can; what the client still sends is dropped, and it gets our error in the place of the server's.

mod rows;
mod sealing;

use super::MySqlSession;
use super::connect::out_of_order;
use super::ledger::{Awaited, ResultStep, Results};
use super::packets::take;
use crate::columns::Subject;
use crate::plan::{ClientEncoding, Copy, FAILURE, Load};
use crate::session::ending::Ending;
use crate::session::incoming::{self, Tokens};
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::{Ask, ClientError, Cx, Event, Input, Output, Step};
use crate::tokens::TokenRequest;
use crate::wire::mysql::packet::{HEADER, Header};
use crate::wire::mysql::write_message;
use rows::Rows;
use sealing::Sealing;
use std::sync::Arc;

/// Bytes of a packet that are worked on at once.
const SLICE: usize = 32 << 10;

/// A file on its way.
#[derive(Debug)]
pub(super) struct Loading {
    plan: Arc<Load>,
    rows: Rows,
    /// Bytes of the current packet that have not been taken.
    left: usize,
    /// The next packet belongs to the same message, even if it is empty.
    continued: bool,
    /// Something was wrong; the rest is dropped.
    failed: bool,
}

impl MySqlSession {
    /// Whether the file that the server has asked for goes into a protected table.
    pub(super) fn loads(&mut self) -> bool {
        if self.loading.is_some() {
            return true;
        }
        let head = self.ledger.head().map(|entry| &entry.awaited);
        let Some(Awaited::Results(Results {
            plan: Some(plan), ..
        })) = head
        else {
            return false;
        };
        let Some(Copy::Load(load)) = plan.copies.first() else {
            return false;
        };
        let limit = self.context.limits.max_row;
        self.loading = Some(Box::new(Loading {
            plan: Arc::clone(load),
            rows: Rows::new(&load.dialect, load.targets.len(), limit),
            left: 0,
            continued: false,
            failed: false,
        }));
        true
    }

    /// Takes what is there of the file; `None`: it has ended.
    pub(super) fn load_data(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let mut loading = self.loading.take()?;
        loop {
            if loading.left == 0 {
                let Some(header) = Header::read(input.bytes, input.at) else {
                    self.loading = Some(loading);
                    return Some(Step::NeedMore { want: HEADER });
                };
                let is_end = header.length == 0 && !loading.continued;
                if is_end
                    && !loading.failed
                    && let Some(ask) = self.load_piece(&mut loading, &[], true, out, cx)
                {
                    self.loading = Some(loading);
                    return Some(Step::Ask(ask));
                }
                let strict = self.compressed.counts_packets();
                if let Some(entry) = self.ledger.head()
                    && header.sequence != take(&mut entry.numbers.client)
                    && strict
                {
                    return Some(self.close(out_of_order(), out));
                }
                input.at += HEADER;
                if is_end {
                    self.forward_piece(&[], out);
                    self.file_ended();
                    return None;
                }
                loading.left = header.length;
                loading.continued = header.is_continued();
                continue;
            }
            let length = loading.left.min(SLICE);
            let end = input.at + length;
            if end > input.bytes.len() {
                self.loading = Some(loading);
                return Some(Step::NeedMore { want: length });
            }
            let piece = input.bytes.get(input.at..end).unwrap_or_default();
            if !loading.failed
                && let Some(ask) = self.load_piece(&mut loading, piece, false, out, cx)
            {
                self.loading = Some(loading);
                return Some(Step::Ask(ask));
            }
            input.at = end;
            loading.left -= length;
        }
    }

    /// The server answers next.
    fn file_ended(&mut self) {
        if let Some(entry) = self.ledger.head()
            && let Awaited::Results(results) = &mut entry.awaited
        {
            results.step = ResultStep::Head;
        }
    }

    /// A packet with a piece of the file; an empty one ends it.
    fn forward_piece(&mut self, piece: &[u8], out: &mut Output<'_>) {
        if let Some(entry) = self.ledger.head() {
            let mut packets = Vec::with_capacity(piece.len() + HEADER);
            write_message(&mut packets, &mut entry.numbers.server, piece);
            out.to_server.push(packets);
        }
    }

    /// Sends what becomes of a piece; something: that is needed first.
    fn load_piece(
        &mut self,
        loading: &mut Loading,
        piece: &[u8],
        last: bool,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Ask> {
        let targets = loading.plan.targets.iter();
        let settings = targets.filter_map(|target| target.setting.as_ref());
        let requests = || self.load_tokens(loading, piece, last, cx);
        if let Some(ask) = self.openings.ask_for_piece(settings, requests) {
            return Some(ask);
        }
        let mut data = Vec::with_capacity(piece.len() * 2);
        let is_in_row = loading.rows.is_in_row();
        let outcome = self.load_cells(loading, piece, last, &mut data, cx);
        self.openings.tokens = None;
        if let Err(stop) = outcome {
            loading.failed = true;
            data = failing_row(&loading.plan, is_in_row);
            self.refuse_load(loading, stop, cx);
        }
        if !data.is_empty() {
            self.forward_piece(&data, out);
        }
        None
    }

    /// The requests for the tokens of a piece.
    fn load_tokens(
        &self,
        loading: &Loading,
        piece: &[u8],
        last: bool,
        cx: &mut Cx<'_>,
    ) -> Vec<TokenRequest> {
        let (mut rows, mut nothing) = (loading.rows.clone(), Vec::new());
        let mut sealing = Sealing {
            session: self,
            plan: &loading.plan,
            cx,
            tokens: Tokens::asking(),
            changes: Changes::default(),
            out: &mut nothing,
        };
        // What is wrong is told when the piece is gone through again.
        let _ = rows.feed(piece, last, &mut sealing);
        sealing.tokens.requests()
    }

    fn load_cells(
        &self,
        loading: &mut Loading,
        piece: &[u8],
        last: bool,
        data: &mut Vec<u8>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        check_charset(&loading.plan, piece)?;
        let mut sealing = Sealing {
            session: self,
            plan: &loading.plan,
            cx,
            tokens: self.openings.tokens_of_piece(),
            changes: Changes::default(),
            out: data,
        };
        let outcome = loading.rows.feed(piece, last, &mut sealing);
        let Sealing { changes, cx, .. } = sealing;
        if outcome.is_ok() {
            changes.tell(cx);
        }
        outcome
    }

    /// The client gets this error when the server has answered.
    fn refuse_load(&mut self, loading: &Loading, stop: Stop, cx: &mut Cx<'_>) {
        self.measured_too_long(&stop);
        let (code, error) = incoming::refusal(stop);
        let Loading { plan, rows, .. } = loading;
        let error = ClientError {
            message: format!(
                "{} (LOAD DATA into {}, row {})",
                error.message,
                plan.table,
                rows.row()
            ),
            ..error
        };
        cx.events.push(Event::refused(code, &error));
        if let Some(entry) = self.ledger.head() {
            entry.refused = Some(Box::new(error));
        }
    }
}

/// In some character sets a byte that looks like a delimiter may be part of a character.
fn check_charset(plan: &Load, piece: &[u8]) -> Result<(), Stop> {
    let is_told = plan.encoding.is_some_and(|it| it != ClientEncoding::Unsafe);
    if is_told || piece.is_ascii() {
        return Ok(());
    }
    Err(Stop::Refuse(
        "client-encoding",
        ClientError::error(
            "0A000",
            format!(
                "the file for protected table \"{}\" is not ASCII, and the statement does not tell its character set",
                plan.table
            ),
        ).about(Subject::of_table(&plan.table))
        .hint("Write CHARACTER SET utf8mb4 behind the table's name."),
    ))
}

/// A row that the server cannot store, in a line of its own.
fn failing_row(plan: &Load, is_in_row: bool) -> Vec<u8> {
    let mut row = Vec::new();
    if is_in_row {
        row.push(b'\n');
    }
    for (at, target) in plan.targets.iter().enumerate() {
        if at > 0 {
            row.push(b'\t');
        }
        if target.setting.is_some() {
            row.extend_from_slice(FAILURE);
        }
    }
    row.push(b'\n');
    row
}

//! The replies that the server still owes, in order.
//!
//! Every message that will be answered has an entry. Replies consume entries; an error consumes the current one and
//! all that the server skips up to the next Sync (postgresql.md 10; PostgreSQL documentation, "Extended Query" and
//! "COPY Operations"). An error of our own does not jump the queue: the refused message is replaced on the wire by
//! one that fails on purpose, and the entry carries the text that takes the place of the server's.

use super::registry::{Portal, Statement, Undo};
use crate::plan::{Copy, NameEffect, Plan};
use crate::session::ClientError;
use crate::session::choices::Choices;
use crate::session::stored::Stored;
use std::collections::VecDeque;
use std::sync::Arc;

/// A message that the server has not answered yet.
#[derive(Debug)]
pub(super) enum Awaited {
    /// The startup packet: authentication up to the first ReadyForQuery.
    Startup,
    /// Our own question, up to ReadyForQuery.
    Probe,
    /// A statement of ours that fails, up to ReadyForQuery.
    OwnFailure,
    Query(Arc<Plan>),
    Parse(Undo),
    Bind(Undo),
    DescribeStatement(Option<Arc<Statement>>),
    DescribePortal(Option<Arc<Portal>>),
    /// Of a statement, for ourselves.
    OwnDescribe(Arc<Statement>),
    Execute(Option<Arc<Portal>>),
    Close(Undo),
    Function,
    Sync,
    /// CopyDone or CopyFail: not answered, but it marks which Syncs were sent during a copy.
    CopyEnd,
}

/// An entry of the ledger.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) awaited: Awaited,
    /// Takes the place of the error with which the server answers the message that fails on purpose.
    pub(super) replacement: Option<Box<ClientError>>,
    /// Position in the stream of the client's messages.
    pub(super) number: u64,
    /// How many of its changes of names have completed.
    pub(super) names_done: usize,
    /// How many of its statements have completed.
    pub(super) completed: usize,
    /// What its statements do to the choice of a client.
    pub(super) choices: Choices,
    /// Text of a simple query, if it may have to be told about.
    pub(super) text: Option<Box<[u8]>>,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
    /// How many copies of this entry have begun.
    copies_begun: usize,
}

impl Entry {
    /// The plan whose statement this entry runs.
    pub(super) fn runs(&self) -> Option<&Arc<Plan>> {
        match &self.awaited {
            Awaited::Query(plan) => Some(plan),
            Awaited::Execute(Some(portal)) => Some(&portal.statement.plan),
            _ => None,
        }
    }

    /// It gives a statement this name by a `PREPARE` that has not completed.
    fn prepares(&self, name: &[u8]) -> bool {
        let names = self.runs().map_or(&[][..], |plan| &plan.names);
        names
            .iter()
            .skip(self.names_done)
            .any(|effect| matches!(effect, NameEffect::Prepare(given) if **given == *name))
    }

    /// Rows will be sealed, and the server has not asked for them yet.
    fn awaits_sealed_copy(&self) -> bool {
        let ahead = self.copies_ahead();
        ahead.iter().any(|copy| matches!(copy, Copy::In(_)))
    }

    /// The copies that the server has not begun yet.
    fn copies_ahead(&self) -> &[Copy] {
        let copies = self.runs().map_or(&[][..], |plan| &plan.copies);
        copies.get(self.copies_begun..).unwrap_or_default()
    }

    fn may_change_settings(&self) -> bool {
        match &self.awaited {
            Awaited::Execute(None) | Awaited::Function | Awaited::Startup => true,
            _ => self.runs().is_some_and(|plan| plan.may_change_settings),
        }
    }

    /// The statement's name that it gives or takes away, and whether it had a statement before.
    fn renames(&self) -> Option<(&[u8], bool)> {
        match &self.awaited {
            Awaited::Parse(Undo::Statement(name, old))
            | Awaited::Close(Undo::Statement(name, old)) => Some((name, old.is_some())),
            _ => None,
        }
    }

    /// The server answers it with ReadyForQuery.
    fn ends_cycle(&self) -> bool {
        matches!(
            self.awaited,
            Awaited::Startup
                | Awaited::Probe
                | Awaited::OwnFailure
                | Awaited::Query(_)
                | Awaited::Function
                | Awaited::Sync
        )
    }
}

/// What an ErrorResponse did to the ledger.
#[derive(Debug)]
pub(super) struct Failed {
    /// Our text, if the failure was ours.
    pub(super) replacement: Option<Box<ClientError>>,
    /// Registry changes that did not happen, newest first.
    pub(super) undone: Vec<Undo>,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: VecDeque<Entry>,
    sent: u64,
    unsettled: usize,
    /// Something may have changed settings that the server has not told of yet: it does so before ReadyForQuery.
    untold: bool,
    /// Entries that change what a name stands for.
    renaming: usize,
    /// The server discards, or is about to, everything up to a Sync that the client has not sent yet.
    skipping: bool,
    /// The server is in copy-in mode and the client has not ended it yet.
    copy_in: bool,
}

impl Ledger {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number that the next entry will get.
    pub(super) fn next_number(&self) -> u64 {
        self.sent
    }

    /// Whether something on its way could change how later text is read.
    pub(super) fn unsettled(&self) -> bool {
        self.unsettled > 0
    }

    /// Whether a statement's name may stand for another one than the registry says once the server gets there: a
    /// change of it before the last Sync may fail, and what comes after that Sync is not skipped with it.
    pub(super) fn in_doubt(&self, name: &[u8]) -> bool {
        if self.renaming == 0 {
            return false;
        }
        let mut synced = false;
        for entry in self.entries.iter().rev() {
            match entry.renames() {
                Some((renamed, _)) if renamed == name && !synced => return false,
                Some((renamed, true)) if renamed == name => return true,
                _ => synced |= matches!(entry.awaited, Awaited::Sync),
            }
        }
        false
    }

    /// Whether a `PREPARE` that gives a statement this name is on its way; and if so, whether the server will
    /// answer it without another message of the client.
    pub(super) fn prepares(&self, name: &[u8]) -> Option<bool> {
        let at = self.entries.iter().position(|entry| entry.prepares(name))?;
        Some(self.entries.iter().skip(at).any(Entry::ends_cycle))
    }

    /// Whether a Parse that gives a statement this name is on its way.
    pub(super) fn gives(&self, name: &[u8]) -> bool {
        self.renaming > 0
            && self.entries.iter().any(|entry| {
                matches!(entry.awaited, Awaited::Parse(_))
                    && entry.renames().is_some_and(|(given, _)| given == name)
            })
    }

    /// The message sent last will fail: the server will discard what follows it up to Sync.
    pub(super) fn skip_to_sync(&mut self) {
        self.skipping = true;
    }

    pub(super) fn skipping(&self) -> bool {
        self.skipping
    }

    pub(super) fn push(&mut self, awaited: Awaited) {
        self.push_entry(awaited, None);
    }

    /// A simple query whose text may have to be told about.
    pub(super) fn push_query(
        &mut self,
        plan: Arc<Plan>,
        text: Option<Box<[u8]>>,
        stored: Option<Stored>,
    ) {
        self.push_storing(Awaited::Query(plan), stored);
        if let Some(entry) = self.last() {
            entry.text = text;
        }
    }

    /// A message that has values sealed in it.
    pub(super) fn push_storing(&mut self, awaited: Awaited, stored: Option<Stored>) {
        self.push(awaited);
        if let Some(entry) = self.last() {
            entry.stored = stored;
        }
    }

    /// The COPY that is running stores these.
    pub(super) fn stores(&mut self, longest: Option<&Stored>) {
        if let (Some(entry), Some(longest)) = (self.head(), longest) {
            entry.stored = Some(longest.clone());
        }
    }

    pub(super) fn push_failing(&mut self, awaited: Awaited, error: ClientError) {
        self.push_entry(awaited, Some(Box::new(error)));
    }

    fn push_entry(&mut self, awaited: Awaited, replacement: Option<Box<ClientError>>) {
        let entry = Entry {
            awaited,
            replacement,
            number: self.sent,
            names_done: 0,
            completed: 0,
            choices: Choices::default(),
            text: None,
            stored: None,
            copies_begun: 0,
        };
        self.sent += 1;
        self.unsettled += usize::from(entry.may_change_settings());
        self.renaming += usize::from(entry.renames().is_some());
        self.entries.push_back(entry);
    }

    /// The entry of the message sent last.
    pub(super) fn last(&mut self) -> Option<&mut Entry> {
        self.entries.back_mut()
    }

    /// Whether something on its way may choose a client.
    pub(super) fn chooses(&self) -> bool {
        self.entries.iter().any(|entry| !entry.choices.is_empty())
    }

    /// The client sent Sync.
    pub(super) fn sync(&mut self) {
        self.skipping = false;
        // In copy-in mode the server ignores it.
        if !self.copy_in {
            self.push(Awaited::Sync);
        }
    }

    /// The client sent CopyDone or CopyFail.
    pub(super) fn copy_end(&mut self) {
        self.copy_in = false;
        if !self.entries.is_empty() {
            self.push(Awaited::CopyEnd);
        }
    }

    /// The server sent CopyInResponse: Syncs sent before the end of the copy are ignored by it. False: the client has sent
    /// something else already, at which the server gives up.
    pub(super) fn copy_started(&mut self) -> bool {
        let end = self
            .entries
            .iter()
            .position(|entry| matches!(entry.awaited, Awaited::CopyEnd));
        let mut index = 0;
        let is_open = end.is_none();
        let end = end.unwrap_or(self.entries.len());
        let mut since = self.entries.iter().take(end).skip(1);
        let goes_on = since.all(|entry| matches!(entry.awaited, Awaited::Sync));
        self.copy_in = is_open && goes_on;
        self.entries.retain(|entry| {
            let before = index < end;
            index += 1;
            !(before && matches!(entry.awaited, Awaited::Sync))
        });
        goes_on
    }

    /// The client sent something else than data, at which the server gives up a COPY that is under way.
    pub(super) fn past_copy(&mut self) {
        self.copy_in = false;
    }

    /// The server begins the next COPY of the current entry; what is known of it.
    pub(super) fn next_copy(&mut self) -> Option<Copy> {
        let entry = self.head()?;
        let copy = entry.runs()?.copies.get(entry.copies_begun).cloned();
        entry.copies_begun += 1;
        copy
    }

    /// Whether settings may differ from what the server has told, for the COPY that it begins.
    pub(super) fn copies_unsettled(&mut self) -> bool {
        self.untold || self.head().is_some_and(|head| head.may_change_settings())
    }

    /// Whether data of the client may belong to a COPY whose rows are sealed and which has not begun.
    pub(super) fn awaits_sealed_copy(&self) -> bool {
        !self.copy_in && self.entries.iter().any(Entry::awaits_sealed_copy)
    }

    /// Whether data that the client sends now belong to a COPY: to one that is under way, or to one that its last message
    /// begins. The server ignores any other.
    pub(super) fn expects_copy_data(&self) -> bool {
        let mut entries = self.entries.iter().rev();
        let last = entries.find(|entry| !matches!(entry.awaited, Awaited::Sync | Awaited::CopyEnd));
        let is_in = |copy: &Copy| !matches!(copy, Copy::Out(_));
        self.copy_in || last.is_some_and(|entry| entry.copies_ahead().iter().any(is_in))
    }

    /// The client gets an error in the place of what the current entry still brings: what it sends up to Sync is
    /// discarded, unless that Sync is on its way.
    pub(super) fn skip_rest_of_cycle(&mut self) {
        let is_extended = self.head().is_some_and(|head| !head.ends_cycle());
        let synced = self
            .entries
            .iter()
            .any(|entry| matches!(entry.awaited, Awaited::Sync));
        self.skipping |= is_extended && !synced;
    }

    /// We have ended the COPY that is under way with CopyFail.
    pub(super) fn fail_copy(&mut self, error: ClientError) {
        let Some(head) = self.head() else { return };
        head.replacement = Some(Box::new(error));
        let skips = !head.ends_cycle();
        self.copy_end();
        self.skipping |= skips;
    }

    /// The entry that the next reply belongs to.
    pub(super) fn head(&mut self) -> Option<&mut Entry> {
        while matches!(
            self.entries.front(),
            Some(Entry {
                awaited: Awaited::CopyEnd,
                ..
            })
        ) {
            self.entries.pop_front();
        }
        self.entries.front_mut()
    }

    /// The reply ends the current entry, unless that waits for ReadyForQuery.
    pub(super) fn complete(&mut self) {
        if self.head().is_some_and(|entry| !entry.ends_cycle()) {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        let may_change_settings = entry.may_change_settings();
        self.unsettled -= usize::from(may_change_settings);
        self.untold |= may_change_settings;
        self.renaming -= usize::from(entry.renames().is_some());
        Some(entry)
    }

    /// The server sent ReadyForQuery; returns the number of the entry that it answers.
    pub(super) fn ready(&mut self) -> u64 {
        self.copy_in = false;
        let answered = self.end_cycle();
        self.untold = false;
        if self.entries.is_empty() {
            // Whatever the server was about to discard, it has come to an end of it.
            self.skipping = false;
        }
        answered
    }

    fn end_cycle(&mut self) -> u64 {
        while let Some(entry) = self.pop() {
            if entry.ends_cycle() {
                return entry.number;
            }
        }
        self.sent
    }

    /// The server sent ErrorResponse.
    pub(super) fn failed(&mut self) -> Failed {
        self.copy_in = false;
        let Some(head) = self.head() else {
            return Failed {
                replacement: None,
                undone: Vec::new(),
            };
        };
        let replacement = head.replacement.take();
        // None of its copies begins any more.
        head.copies_begun = usize::MAX;
        let mut undone = Vec::new();
        if !head.ends_cycle() {
            while let Some(entry) = self.entries.front() {
                if matches!(entry.awaited, Awaited::Sync) {
                    break;
                }
                if let Some(entry) = self.pop()
                    && let Awaited::Parse(undo) | Awaited::Bind(undo) | Awaited::Close(undo) =
                        entry.awaited
                {
                    undone.push(undo);
                }
            }
            // The client may have gone on to what comes after a Sync, and to a refusal there.
            self.skipping |= self.entries.is_empty();
        }
        undone.reverse();
        Failed {
            replacement,
            undone,
        }
    }
}

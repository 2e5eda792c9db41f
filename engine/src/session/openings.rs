//! Opening containers in results: whose keys are used, and what came of it.

use super::identity::Identity;
use super::keyring::Keyring;
use super::tokens::OpenedTokens;
use super::{Answer, Ask, Context, Cx, Event, Poison, Side, TokenAnswers};
use crate::cell::{Opener, Scratch, Tally};
use crate::columns::Setting;
use crate::keys::{ClientId, ClientKeys};
use std::sync::Arc;

/// What the results of a session are opened with, and its values sealed.
#[derive(Debug)]
pub(super) struct Openings {
    pub(super) identity: Identity,
    pub(super) keyring: Keyring,
    /// Tokens for the message of the client that is under way.
    pub(super) tokens: Option<TokenAnswers>,
    /// Cells that may hold a container and for which there were no keys, since the events were last told.
    unopened: u64,
    /// Containers that there were keys for, since then.
    pub(super) tally: Tally,
    pub(super) cells: Scratch,
}

/// What opens cells, and counts those that it does not.
pub(super) struct Tools<'a> {
    /// Nothing: there are no keys.
    pub(super) opener: Option<Opener<'a>>,
    pub(super) cells: &'a mut Scratch,
    /// Cells that may hold a container and for which there are no keys.
    pub(super) unopened: &'a mut u64,
}

impl Openings {
    /// Before the client has said anything.
    pub(super) fn new(context: &Context) -> Self {
        Self {
            identity: Identity::new(context),
            keyring: Keyring::default(),
            tokens: None,
            unopened: 0,
            tally: Tally::default(),
            cells: Scratch::default(),
        }
    }

    /// Takes a new snapshot; keys are asked for again.
    pub(super) fn reconfigure(&mut self, former: &Context, context: &Context) {
        self.identity.reconfigure(former, context);
        self.keyring = Keyring::default();
    }

    /// Whose keys are used.
    pub(super) fn client_id(&self) -> Option<&ClientId> {
        self.identity.client_id()
    }

    /// Whether some column is protected from this client.
    pub(super) fn protects(&self, context: &Context) -> bool {
        context.protects && !self.identity.is_ignored()
    }

    /// Takes the answer to an ask; values of tokens go to `opened`.
    pub(super) fn resume(&mut self, answer: Answer, opened: &mut OpenedTokens) {
        match answer {
            Answer::Keys(client_id, keys) => self.keyring.insert(client_id, keys),
            Answer::Tokens(Side::Client, answers) => self.tokens = Some(answers),
            Answer::Tokens(Side::Server, answers) => opened.insert(answers),
        }
    }

    /// Whether there is anything to look for in cells.
    pub(super) fn looks(&self, poison: Option<&Poison>) -> bool {
        self.client_id().is_some() || poison.is_some()
    }

    /// What has to be known before a cell that may hold a container can be opened.
    pub(super) fn ask(&self) -> Option<Ask> {
        self.ask_for(self.client_id()?.as_str())
    }

    /// What has to be known before values of these columns can be sealed.
    pub(super) fn ask_to_seal<'s>(
        &self,
        settings: impl Iterator<Item = &'s Arc<Setting>>,
    ) -> Option<Ask> {
        let own = self.client_id().map(ClientId::as_str);
        settings
            .filter_map(|setting| setting.client_id.as_deref().or(own))
            .find_map(|client_id| self.ask_for(client_id))
    }

    /// The ask for a client's keys, unless there has been one.
    fn ask_for(&self, client_id: &str) -> Option<Ask> {
        let is_known = self.keyring.get(client_id).is_some();
        (!is_known).then(|| Ask::Keys(client_id.into()))
    }

    /// Whether the client's keys are at hand.
    pub(super) fn has_keys(&self) -> bool {
        let keys = self.client_id().map(|id| self.keyring.get(id.as_str()));
        keys.flatten().is_some_and(|keys| keys.is_ok())
    }

    /// What opens cells. `always` says that cells are read even if there are no keys; `searches`, that there may be search
    /// hashes in front of containers.
    pub(super) fn tools<'a>(
        &'a mut self,
        poison: Option<&'a Poison>,
        always: bool,
        searches: bool,
    ) -> Tools<'a> {
        let poison = poison.map(|poison| &*poison.keys);
        let keys = self.identity.client_id();
        let keys = keys.and_then(|id| self.keyring.get(id.as_str()));
        let keys = keys.and_then(Result::ok);
        let tally = &mut self.tally;
        Tools {
            opener: (always || keys.is_some() || poison.is_some()).then(|| Opener {
                keys: keys.unwrap_or_else(ClientKeys::none),
                poison,
                is_poisoned: false,
                pattern: None,
                searches,
                tally,
            }),
            cells: &mut self.cells,
            unopened: &mut self.unopened,
        }
    }

    /// A command is done: tells what was opened, and what could not be had is asked for again.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>) {
        self.keyring.forget_faults();
        let unopened = std::mem::take(&mut self.unopened) + self.tally.failed();
        if unopened > 0 {
            cx.events.push(Event::Unopened {
                containers: unopened,
            });
        }
        cx.events.extend(self.tally.take().map(Event::Decrypted));
    }
}

//! Opening containers in results: whose keys are used, and what came of it.

use super::keyring::Keyring;
use super::{Ask, Cx, Event, Poison, TokenAnswers};
use crate::cell::{Opener, Scratch, Tally};
use crate::keys::{ClientId, ClientKeys};

/// What the results of a session are opened with, and its values sealed.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Whose keys this session uses.
    pub(super) client_id: Option<ClientId>,
    /// Whose it would use if it had not chosen.
    pub(super) own_client_id: Option<ClientId>,
    /// Nothing is done for this client: its statements and rows pass.
    pub(super) ignored: bool,
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
    /// Whether there is anything to look for in cells.
    pub(super) fn looks(&self, poison: Option<&Poison>) -> bool {
        self.client_id.is_some() || poison.is_some()
    }

    /// What has to be known before a cell that may hold a container can be opened.
    pub(super) fn ask(&self) -> Option<Ask> {
        let id = self.client_id.as_ref()?.as_str();
        match self.keyring.get(id) {
            None => Some(Ask::Keys(id.into())),
            Some(_) => None,
        }
    }

    /// Whether the client's keys are at hand.
    pub(super) fn has_keys(&self) -> bool {
        let keys = self.client_id.as_ref();
        let keys = keys.and_then(|id| self.keyring.get(id.as_str()));
        keys.is_some_and(|keys| keys.is_ok())
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
        let keys = self.client_id.as_ref();
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

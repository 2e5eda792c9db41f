//! Who the client of a session is, and so whose keys are used (policy.md 4).

use super::{Context, Cx, Event};
use crate::keys::ClientId;

/// The client that the session has chosen by a variable of SQL, or else the connection's own.
#[derive(Debug)]
pub(super) struct Identity {
    /// Number by which the shell knows the session.
    session: u64,
    own: Option<ClientId>,
    chosen: Option<ClientId>,
    ignored: bool,
}

impl Identity {
    /// Before the client has said anything.
    pub(super) fn new(context: &Context) -> Self {
        let mut identity = Self {
            session: 0,
            own: context.client_id.clone(),
            chosen: None,
            ignored: false,
        };
        identity.look_up(context);
        identity
    }

    /// The session has this number.
    pub(super) fn number(&mut self, session: u64) {
        self.session = session;
    }

    /// Number by which the shell knows the session.
    pub(super) fn session(&self) -> u64 {
        self.session
    }

    /// Whose keys are used.
    pub(super) fn client_id(&self) -> Option<&ClientId> {
        self.chosen.as_ref().or(self.own.as_ref())
    }

    /// Whether nothing is done for this client: its statements and rows pass.
    pub(super) fn is_ignored(&self) -> bool {
        self.ignored
    }

    /// The client's certificate stands for this id.
    pub(super) fn certified(&mut self, own: ClientId, context: &Context) {
        self.own = Some(own);
        self.look_up(context);
    }

    /// The session has chosen this client, or none. True: statements that were prepared before it are not right for it, as one
    /// client is ignored and the other is not.
    pub(super) fn choose(
        &mut self,
        chosen: Option<&ClientId>,
        context: &Context,
        cx: &mut Cx<'_>,
    ) -> bool {
        if chosen == self.chosen.as_ref() {
            return false;
        }
        let is_another = chosen.or(self.own.as_ref()) != self.client_id();
        self.chosen = chosen.cloned();
        if !is_another {
            return false;
        }
        let was_ignored = self.ignored;
        self.look_up(context);
        cx.events.push(Event::ClientChosen {
            session: self.session,
            client_id: self.client_id().cloned(),
        });
        was_ignored != self.ignored
    }

    /// Takes a new snapshot: a client that the former one has named has the name that this one gives.
    pub(super) fn reconfigure(&mut self, former: &Context, context: &Context) {
        if self.own == former.client_id {
            self.own = context.client_id.clone();
        }
        self.look_up(context);
    }

    fn look_up(&mut self, context: &Context) {
        let columns = context.planners.base().columns();
        let id = self.client_id().map(ClientId::as_str);
        self.ignored = id.is_some_and(|id| columns.ignores(id));
    }
}

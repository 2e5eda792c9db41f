//! The client that a session has chosen by a variable of SQL (policy.md 4.3).
//!
//! A choice counts from the moment when the server has taken it, and is taken back when the server takes the variable
//! back. What a client sends behind one waits until then, so whatever was sent before is answered with the old keys.

use super::PgSession;
use crate::keys::ClientId;
use crate::plan::{Choice, Plan};
use crate::session::Cx;
use crate::session::choices::{self, Choices};
use crate::session::stop::Stop;

/// The variable's values: of the session, and of the transaction. `None` is none, and the connection's own client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Values {
    session: Option<ClientId>,
    local: Option<Option<ClientId>>,
}

/// What has been chosen, and what an end of the transaction gives back.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    values: Values,
    /// The values at the beginning of the transaction, if it has changed them, and at its savepoints since.
    saved: Vec<(Option<Box<[u8]>>, Values)>,
    /// An error was met since the last ReadyForQuery.
    failed: bool,
}

impl Chosen {
    fn client(&self) -> Option<&ClientId> {
        match &self.values.local {
            Some(local) => local.as_ref(),
            None => self.values.session.as_ref(),
        }
    }

    fn change(&mut self) -> &mut Values {
        if self.saved.is_empty() {
            self.saved.push((None, self.values.clone()));
        }
        &mut self.values
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let is = |(saved, _): &(Option<Box<[u8]>>, _)| saved.as_deref() == Some(name);
        self.saved.iter().rposition(is)
    }

    fn commit(&mut self) {
        self.saved.clear();
        self.values.local = None;
    }

    fn roll_back(&mut self) {
        if let Some((_, values)) = self.saved.drain(..).next() {
            self.values = values;
        }
    }

    /// The server has completed a statement.
    fn apply(&mut self, choice: &Choice, rolled_back: bool) {
        let id = |value: &Option<Box<str>>| choices::client(value.as_deref());
        match choice {
            Choice::Set(value) => {
                *self.change() = Values {
                    session: id(value),
                    local: None,
                };
            }
            Choice::SetLocal(value) => self.change().local = Some(id(value)),
            Choice::Commit if !rolled_back => self.commit(),
            Choice::Commit | Choice::Rollback => self.roll_back(),
            // Before a change there is nothing to remember.
            Choice::Savepoint(_) if self.saved.is_empty() => {}
            Choice::Savepoint(name) => self.saved.push((Some(name.clone()), self.values.clone())),
            Choice::Release(name) => {
                if let Some(at) = self.position(name) {
                    self.saved.truncate(at);
                }
            }
            Choice::RollbackTo(name) => {
                // A savepoint that is not known is older than the first change.
                let at = self.position(name).unwrap_or(0);
                if let Some((_, values)) = self.saved.get(at) {
                    self.values = values.clone();
                    self.saved.truncate(at + 1);
                }
            }
        }
    }

    /// ReadyForQuery outside a transaction.
    fn settle(&mut self) {
        match std::mem::take(&mut self.failed) {
            true => self.roll_back(),
            false => self.commit(),
        }
    }
}

impl PgSession {
    /// What a text does to the client's choice, as far as that matters.
    pub(super) fn choices(&self, text: &[u8], plan: &Plan) -> Result<Choices, Stop> {
        match self.context.client_id_variable.as_deref() {
            Some(variable) => choices::choices(text, &self.lexical, variable, plan),
            None => Ok(Choices::default()),
        }
    }

    /// Those that matter when they are sent.
    pub(super) fn matter(&self, choices: &Choices) -> bool {
        let is_dirty = !self.chosen.saved.is_empty();
        choices.iter().any(|(_, choice)| is_dirty || choice.sets())
    }

    /// The server has completed a statement of the current entry.
    pub(super) fn follow_choices(&mut self, tag: &[u8], cx: &mut Cx<'_>) {
        let Some(entry) = self.ledger.head() else {
            return;
        };
        if entry.choices.is_empty() {
            return;
        }
        let number = entry.completed.saturating_sub(1);
        for (_, choice) in entry.choices.iter().filter(|(of, _)| *of == number) {
            self.chosen.apply(choice, tag == b"ROLLBACK\0");
        }
        self.client_may_differ(cx);
    }

    /// The server has reported an error.
    pub(super) fn choice_failed(&mut self) {
        self.chosen.failed = true;
    }

    /// ReadyForQuery.
    pub(super) fn settle_choices(&mut self, cx: &mut Cx<'_>) {
        if self.transaction == b'I' {
            self.chosen.settle();
            self.client_may_differ(cx);
        }
        self.chosen.failed = false;
    }

    /// Uses the keys of the client that is chosen now, if it is another one.
    fn client_may_differ(&mut self, cx: &mut Cx<'_>) {
        let (chosen, identity) = (self.chosen.client(), &mut self.openings.identity);
        if identity.choose(chosen, &self.context, cx) {
            self.registry.forget_statements();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Chosen};

    fn name(name: &str) -> Box<[u8]> {
        name.as_bytes().into()
    }

    /// The chosen client after each step; `!` is an error, `.` ReadyForQuery outside a transaction.
    fn run(steps: &[(&str, Option<&str>)]) {
        let mut chosen = Chosen::default();
        for (step, expected) in steps {
            let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
            match word {
                "." => chosen.settle(),
                "!" => chosen.failed = true,
                "set" => chosen.apply(&Choice::Set(Some(rest.into())), false),
                "reset" => chosen.apply(&Choice::Set(None), false),
                "local" => chosen.apply(&Choice::SetLocal(Some(rest.into())), false),
                "savepoint" => chosen.apply(&Choice::Savepoint(name(rest)), false),
                "release" => chosen.apply(&Choice::Release(name(rest)), false),
                "to" => chosen.apply(&Choice::RollbackTo(name(rest)), false),
                "commit" => chosen.apply(&Choice::Commit, false),
                "failed-commit" => chosen.apply(&Choice::Commit, true),
                "rollback" => chosen.apply(&Choice::Rollback, true),
                other => panic!("{other}"),
            }
            let client = chosen.client().map(|client| client.as_str());
            assert_eq!(client, *expected, "{step} of {steps:?}");
        }
    }

    #[test]
    fn choices_last_as_long_as_the_variable() {
        let (one, two) = (Some("client-1"), Some("client-2"));
        run(&[
            ("set client-1", one),
            (".", one),
            ("reset", None),
            (".", None),
        ]);
        run(&[("set client-1", one), ("!", one), (".", None)]);
        run(&[("local client-1", one), (".", None)]);
        run(&[
            ("set client-1", one),
            (".", one),
            ("local client-2", two),
            ("commit", one),
        ]);
        run(&[
            ("set client-1", one),
            (".", one),
            ("set client-2", two),
            ("rollback", one),
        ]);
        run(&[("set client-1", one), ("failed-commit", None)]);
        run(&[
            ("set client-1", one),
            ("savepoint a", one),
            ("set client-2", two),
            ("to a", one),
            ("set client-2", two),
            ("release a", two),
            ("commit", two),
        ]);
        // Made before the first change of the transaction.
        run(&[
            ("savepoint a", None),
            ("set client-1", one),
            ("to a", None),
            ("commit", None),
        ]);
        run(&[
            ("local client-1", one),
            ("savepoint a", one),
            ("set client-2", two),
            ("savepoint a", two),
            ("local client-1", one),
            ("to a", two),
            ("rollback", None),
        ]);
    }
}

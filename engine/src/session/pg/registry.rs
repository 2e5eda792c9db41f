//! Prepared statements and portals of a session, by name.
//!
//! The registry shows what the server will have once everything sent so far has succeeded. Every change gives an
//! [`Undo`] that travels with the expected reply and is applied when the server refuses.

use super::results::Fields;
use crate::plan::{NameEffect, Plan};
use crate::session::choices::Choices;
use crate::session::stored::Stored;
use crate::types::Type;
use crate::wire::pg::parse::BYTEA;
use crate::wire::pg::{Format, Formats};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// What an entry costs beside its name, in bytes; a round figure on the safe side.
const ENTRY: usize = 128;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) plan: Arc<Plan>,
    /// Of the registry when it was added.
    epoch: u64,
    /// Its text without literals, if it may have to be told about.
    pub(super) outline: Option<Box<str>>,
    /// The longest container in its text.
    pub(super) stored: Option<Stored>,
    /// The types that the client has declared for its parameters, four bytes each, if they matter.
    pub(super) types: Box<[u8]>,
    /// What it does to the choice of a client.
    pub(super) choices: Choices,
    /// OIDs of its parameters' types in the database, known after the first description.
    pub(super) stored_types: OnceLock<Box<[u32]>>,
    /// The columns of its result, known after the first description.
    pub(super) fields: OnceLock<Fields>,
}

/// What is known of a statement when it is prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) plan: Arc<Plan>,
    /// Its text without literals, if it may have to be told about.
    pub(super) outline: Option<Box<str>>,
    /// The longest container in its text.
    pub(super) stored: Option<Stored>,
    /// The types that the client has declared for its parameters, four bytes each, if they matter.
    pub(super) types: Box<[u8]>,
    /// What it does to the choice of a client.
    pub(super) choices: Choices,
}

impl Statement {
    /// The type that the client has declared for a parameter, by its number from 1 on.
    pub(super) fn declared(&self, number: u16) -> Option<Type> {
        self.declared_oid(number).and_then(Type::of_oid)
    }

    /// The OID that the client has declared for a parameter, by its number from 1 on.
    pub(super) fn declared_oid(&self, number: u16) -> Option<u32> {
        let at = usize::from(number).checked_sub(1)? * 4;
        let oid = u32::from_be_bytes(*self.types.get(at..)?.first_chunk()?);
        (oid != 0).then_some(oid)
    }

    /// Whether a container for this parameter, by its number from 1 on, goes into text, as far as that is known.
    pub(super) fn is_text(&self, number: u16) -> bool {
        self.stored_type(number).is_some_and(|oid| oid != BYTEA)
    }

    /// The OID of a parameter's type in the database, by its number from 1 on, as far as that is known.
    pub(super) fn stored_type(&self, number: u16) -> Option<u32> {
        let at = usize::from(number).checked_sub(1)?;
        self.stored_types.get()?.get(at).copied()
    }
}

/// A bound statement: it owns what opens its rows.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) statement: Arc<Statement>,
    /// The longest container among its parameters, or else in the statement's text.
    pub(super) stored: Option<Stored>,
    pub(super) results: Formats,
    /// It outlives the transaction it was made in.
    pub(super) holds: bool,
}

/// A portal and the number of the Bind that made it.
type Numbered = (u64, Arc<Portal>);

/// How to take a change back.
#[derive(Debug)]
pub(super) enum Undo {
    Nothing,
    Statement(Box<[u8]>, Option<Arc<Statement>>),
    Portal(Box<[u8]>, Option<Numbered>),
}

/// The registry would pass its limit.
#[derive(Debug)]
pub(super) struct Full;

#[derive(Debug, Default)]
pub(super) struct Registry {
    statements: HashMap<Box<[u8]>, Arc<Statement>, foldhash::fast::RandomState>,
    portals: HashMap<Box<[u8]>, Numbered, foldhash::fast::RandomState>,
    bytes: usize,
    /// How often all plans have become wrong: a statement of an earlier epoch does not come back.
    epoch: u64,
}

impl Registry {
    pub(super) fn statement(&self, name: &[u8]) -> Option<&Arc<Statement>> {
        self.statements.get(name)
    }

    pub(super) fn portal(&self, name: &[u8]) -> Option<&Arc<Portal>> {
        self.portals.get(name).map(|(_, portal)| portal)
    }

    pub(super) fn add_statement(
        &mut self,
        name: &[u8],
        prepared: Prepared,
        limit: usize,
    ) -> Result<Undo, Full> {
        let Prepared {
            plan,
            outline,
            stored,
            types,
            choices,
        } = prepared;
        let statement = Arc::new(Statement {
            plan,
            epoch: self.epoch,
            outline,
            stored,
            types,
            choices,
            stored_types: OnceLock::new(),
            fields: OnceLock::new(),
        });
        let cost = of_statement(name, &statement);
        if self.bytes + cost > limit {
            return Err(Full);
        }
        let old = self.statements.insert(name.into(), statement);
        let former = old.as_ref().map(|old| of_statement(name, old));
        self.count(former, Some(cost));
        Ok(Undo::Statement(name.into(), old))
    }

    pub(super) fn remove_statement(&mut self, name: &[u8]) -> Undo {
        match self.statements.remove(name) {
            None => Undo::Nothing,
            Some(old) => {
                self.count(Some(of_statement(name, &old)), None);
                Undo::Statement(name.into(), Some(old))
            }
        }
    }

    pub(super) fn add_portal(
        &mut self,
        name: &[u8],
        number: u64,
        portal: Portal,
        limit: usize,
    ) -> Result<Undo, Full> {
        let cost = of_portal(name);
        if self.bytes + cost > limit {
            return Err(Full);
        }
        let old = self.portals.insert(name.into(), (number, Arc::new(portal)));
        self.count(old.is_some().then_some(cost), Some(cost));
        Ok(Undo::Portal(name.into(), old))
    }

    pub(super) fn remove_portal(&mut self, name: &[u8]) -> Undo {
        match self.portals.remove(name) {
            None => Undo::Nothing,
            Some(old) => {
                self.count(Some(of_portal(name)), None);
                Undo::Portal(name.into(), Some(old))
            }
        }
    }

    /// Drops the portals made before message `number`: their transaction has ended.
    pub(super) fn end_transaction(&mut self, number: u64) {
        if self.portals.is_empty() {
            return;
        }
        let bytes = &mut self.bytes;
        self.portals.retain(|name, (made, portal)| {
            let keep = *made >= number || portal.holds;
            if !keep {
                *bytes = bytes.saturating_sub(of_portal(name));
            }
            keep
        });
    }

    /// Follows a statement of SQL that has been executed. Past the limit a prepared name stays unknown, and its use
    /// is refused; the rows of a cursor are then known by what the server tells of them. A name that `given` says is given again by a message behind it stands for that already.
    pub(super) fn apply(
        &mut self,
        effect: &NameEffect,
        prepared: Arc<Plan>,
        number: u64,
        limit: usize,
        given: impl Fn(&[u8]) -> bool,
    ) {
        match effect {
            NameEffect::Prepare(name) => {
                let prepared = Prepared {
                    plan: prepared,
                    outline: None,
                    stored: None,
                    types: Box::default(),
                    choices: Choices::default(),
                };
                drop(self.add_statement(name, prepared, limit));
            }
            NameEffect::Declare(name, holds) => {
                let portal = Portal {
                    statement: Arc::new(Statement {
                        plan: prepared,
                        epoch: self.epoch,
                        outline: None,
                        stored: None,
                        types: Box::default(),
                        choices: Choices::default(),
                        stored_types: OnceLock::new(),
                        fields: OnceLock::new(),
                    }),
                    stored: None,
                    results: Formats::All(Format::Text),
                    holds: *holds,
                };
                drop(self.add_portal(name, number, portal, limit));
            }
            NameEffect::Close(name) => drop(self.remove_portal(name)),
            NameEffect::CloseAll => self.close_all(),
            NameEffect::Deallocate(name) if given(name) => {}
            NameEffect::Deallocate(name) => drop(self.remove_statement(name)),
            NameEffect::DeallocateAll => self.deallocate_all(given),
            NameEffect::DiscardAll => {
                self.close_all();
                self.deallocate_all(given);
            }
        }
    }

    /// Forgets all statements, which the server still has: their plans are no longer right.
    pub(super) fn forget_statements(&mut self) {
        self.epoch += 1;
        self.deallocate_all(|_| false);
    }

    fn close_all(&mut self) {
        let portals = self.portals.drain();
        let freed: usize = portals.map(|(name, _)| of_portal(&name)).sum();
        self.bytes = self.bytes.saturating_sub(freed);
    }

    fn deallocate_all(&mut self, except: impl Fn(&[u8]) -> bool) {
        let bytes = &mut self.bytes;
        self.statements.retain(|name, statement| {
            let keep = except(name);
            if !keep {
                *bytes = bytes.saturating_sub(of_statement(name, statement));
            }
            keep
        });
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Statement(name, old) => {
                let old = old.filter(|old| old.epoch == self.epoch);
                let after = old.as_ref().map(|old| of_statement(&name, old));
                let former = match old {
                    Some(old) => self.statements.insert(name.clone(), old),
                    None => self.statements.remove(&name),
                };
                let before = former.map(|former| of_statement(&name, &former));
                self.count(before, after);
            }
            Undo::Portal(name, old) => {
                let cost = of_portal(&name);
                let after = old.is_some().then_some(cost);
                let former = match old {
                    Some(old) => self.portals.insert(name, old),
                    None => self.portals.remove(&name),
                };
                self.count(former.is_some().then_some(cost), after);
            }
        }
    }

    fn count(&mut self, before: Option<usize>, after: Option<usize>) {
        self.bytes = self.bytes.saturating_sub(before.unwrap_or(0)) + after.unwrap_or(0);
    }
}

/// What a statement costs, in bytes.
fn of_statement(name: &[u8], statement: &Statement) -> usize {
    name.len()
        + ENTRY
        + statement.types.len()
        + statement
            .outline
            .as_ref()
            .map_or(0, |outline| outline.len())
}

/// What a portal costs, in bytes.
fn of_portal(name: &[u8]) -> usize {
    name.len() + ENTRY
}

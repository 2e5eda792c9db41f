//! One planner for each database of a server: its tables have children and views of their own.

use super::refusal::{Refusal, RefusalCode};
use super::{Planner, Unsupported, view};
use crate::columns::{Columns, NewChild, Schema};
use crate::sql::Lexical;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most databases that are told apart; the name comes from clients. Beyond it the configuration alone serves.
const MAX_DATABASES: usize = 1024;

/// The planners of a configuration.
#[derive(Debug)]
pub struct Planners {
    columns: Arc<Columns>,
    unsupported: Unsupported,
    cache_bytes: u64,
    /// By the configuration alone.
    base: Arc<Planner>,
    databases: Mutex<HashMap<Box<[u8]>, Arc<Catalog>, foldhash::fast::RandomState>>,
}

/// What is known of one database.
#[derive(Debug)]
pub struct Catalog {
    name: Box<[u8]>,
    state: Mutex<State>,
    /// Changes with every change of the state, and is never zero.
    epoch: AtomicU64,
}

#[derive(Debug)]
struct State {
    knowledge: Knowledge,
    planner: Arc<Planner>,
    schema: Option<Schema>,
    /// Children that are being made and that the database has not told of yet.
    announced: Vec<NewChild>,
    /// A session is asking again.
    asking: bool,
}

/// How good what is known of a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// Nothing is known: nothing may be planned.
    None,
    /// It was right, and definitions have changed since.
    Stale,
    /// It is right, as far as anybody has told.
    Current,
    /// The database has no answer: the configuration serves.
    Unavailable,
}

/// Most children that are announced and that the database has not told of.
const MAX_ANNOUNCED: usize = 10_000;

impl Planners {
    /// Planners for these columns, the plans of each of which take at most this many bytes.
    pub fn new(columns: Arc<Columns>, unsupported: Unsupported, cache_bytes: u64) -> Self {
        Self {
            base: Arc::new(Planner::new(Arc::clone(&columns), unsupported, cache_bytes)),
            columns,
            unsupported,
            cache_bytes,
            databases: Mutex::default(),
        }
    }

    /// The planner that knows the configuration alone.
    pub fn base(&self) -> &Arc<Planner> {
        &self.base
    }

    /// What is known of a database; `None` if there are too many of them.
    pub fn catalog(&self, database: &[u8]) -> Option<Arc<Catalog>> {
        let mut databases = self
            .databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(catalog) = databases.get(database) {
            return Some(Arc::clone(catalog));
        }
        if databases.len() >= MAX_DATABASES {
            return None;
        }
        let catalog = Arc::new(Catalog {
            name: database.into(),
            state: Mutex::new(State {
                knowledge: Knowledge::None,
                planner: Arc::clone(&self.base),
                schema: None,
                announced: Vec::new(),
                asking: false,
            }),
            epoch: AtomicU64::new(1),
        });
        databases.insert(database.into(), Arc::clone(&catalog));
        Some(catalog)
    }

    /// Protects tables that are about to become children of protected ones, for all sessions.
    ///
    /// # Errors
    ///
    /// There are too many, or the database is not asked.
    pub fn announced(
        &self,
        catalog: Option<&Catalog>,
        children: &[NewChild],
    ) -> Result<(), Refusal> {
        if children.is_empty() || catalog.is_some_and(|catalog| self.announce(catalog, children)) {
            return Ok(());
        }
        let refusal = Refusal::new(
            RefusalCode::StatementForm,
            "too many children of protected tables have been made that the database does not tell of",
        );
        Err(refusal.with_hint("Reload the configuration of acra-server (SIGHUP)."))
    }

    fn announce(&self, catalog: &Catalog, children: &[NewChild]) -> bool {
        let mut state = catalog.state();
        let is_new = |child: &&NewChild| !state.announced.contains(child);
        let new: Vec<NewChild> = children.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            return true;
        }
        if state.announced.len() + new.len() > MAX_ANNOUNCED {
            return false;
        }
        let columns = state.planner.columns().with_children(&new);
        let planner = Planner::new(Arc::new(columns), self.unsupported, self.cache_bytes);
        state.planner = Arc::new(planner);
        state.announced.extend(new);
        catalog.epoch.fetch_add(1, Ordering::Release);
        true
    }

    /// Definitions have changed in some database.
    pub fn outdate(&self) {
        let databases = self
            .databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        databases.values().for_each(|catalog| catalog.outdate());
    }

    /// Takes the answer of a database; `lexical` is how it writes the queries of views. Gives what in the configuration does not fit it, unless that has been told before.
    pub fn learn(&self, claim: Claim, schema: Schema, lexical: &Lexical) -> Vec<String> {
        let mut state = claim.0.state();
        state.knowledge = Knowledge::Current;
        if state.schema.as_ref() == Some(&schema) {
            return Vec::new();
        }
        let (columns, notes) = self.columns.in_database(&schema, &|columns, query| {
            view::protected_columns(columns, query, lexical)
        });
        // The transaction that makes a child may be open still, and the schema of a name without one is not known.
        state.announced.retain(|child| {
            let schema = child.schema.as_deref();
            schema.is_none() || columns.table(schema, &child.name).is_none()
        });
        let columns = columns.with_children(&state.announced);
        let planner = Planner::new(Arc::new(columns), self.unsupported, self.cache_bytes);
        state.planner = Arc::new(planner);
        state.schema = Some(schema);
        claim.0.epoch.fetch_add(1, Ordering::Release);
        notes
    }
}

/// The task of asking a database. Dropping it leaves it to the next one.
#[derive(Debug)]
pub struct Claim(Arc<Catalog>);

impl Claim {
    /// The database had no answer. What was known before stays in use; says whether nothing was.
    pub fn give_up(self) -> bool {
        let mut state = self.0.state();
        let first = state.knowledge == Knowledge::None;
        state.knowledge = match state.schema {
            Some(_) => Knowledge::Current,
            None => Knowledge::Unavailable,
        };
        first
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.state().asking = false;
    }
}

impl Catalog {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database's name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Changes when [`planner`](Self::planner) does. Never zero.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The planner for the database.
    pub fn planner(&self) -> Arc<Planner> {
        Arc::clone(&self.state().planner)
    }

    /// Takes the task of asking the database, if there is something to ask. While nothing is known everybody has it,
    /// afterwards one at a time.
    pub fn claim(self: &Arc<Self>) -> Option<Claim> {
        let mut state = self.state();
        let takes = match state.knowledge {
            Knowledge::None => true,
            Knowledge::Stale => !std::mem::replace(&mut state.asking, true),
            Knowledge::Current | Knowledge::Unavailable => false,
        };
        drop(state);
        takes.then(|| Claim(Arc::clone(self)))
    }

    /// Definitions have changed.
    pub fn outdate(&self) {
        let mut state = self.state();
        if state.knowledge == Knowledge::Current {
            state.knowledge = Knowledge::Stale;
            self.epoch.fetch_add(1, Ordering::Release);
        }
    }
}

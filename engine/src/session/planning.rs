//! What a session plans with: the newest planner of what is known of its database (docs/architecture.md, decision 17).

use super::stop::Stop;
use super::{Context, Cx, Event};
use crate::columns::Schema;
use crate::plan::{Catalog, Claim, Lexical, Plan, Planner, Verdict};
use std::sync::Arc;

/// The planner, and what it is kept up to date by.
#[derive(Debug)]
pub(super) struct Planning {
    /// By which name what the database says is kept; none: it is not asked on this connection.
    name: Option<Box<[u8]>>,
    /// What is known of the database; none: the configuration alone serves.
    catalog: Option<Arc<Catalog>>,
    /// State of the catalog that `planner` is of; zero: of none.
    seen: u64,
    planner: Arc<Planner>,
    /// The database is being asked.
    claim: Option<Claim>,
}

/// Whether a text can be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// All that is known is in the planner.
    Current,
    /// The database may have more to say, and cannot be asked now.
    Stale,
    /// The database is to be asked first; [`Planning::answered`] takes the answer.
    Asks,
}

impl Planning {
    /// Before it is known what database this is.
    pub(super) fn new(context: &Context) -> Self {
        Self {
            name: None,
            catalog: None,
            seen: 0,
            planner: Arc::clone(context.planners.base()),
            claim: None,
        }
    }

    /// The planner for the next text.
    pub(super) fn planner(&self) -> &Planner {
        &self.planner
    }

    /// The client has been let in, and what its database says is kept by this name. Not before that: anybody can say any name,
    /// and there is room for some of them only.
    pub(super) fn let_in(&mut self, name: Box<[u8]>, context: &Context) {
        self.name = Some(name);
        self.begin(context);
    }

    /// Takes a new snapshot. True: the columns have changed.
    pub(super) fn reconfigure(&mut self, former: &Context, context: &Context) -> bool {
        let changed = !Arc::ptr_eq(&former.planners, &context.planners);
        if changed {
            self.begin(context);
        }
        changed
    }

    fn begin(&mut self, context: &Context) {
        let name = self.name.as_deref().filter(|_| context.asks_database());
        self.catalog = name.and_then(|name| context.planners.catalog(name));
        self.seen = 0;
        self.planner = match &self.catalog {
            Some(catalog) => catalog.planner(),
            None => Arc::clone(context.planners.base()),
        };
        // A question that is under way is answered in vain.
        self.claim = None;
    }

    /// Whether the planner is of the newest state.
    pub(super) fn is_current(&self) -> bool {
        let catalog = self.catalog.as_deref();
        catalog.is_none_or(|catalog| catalog.epoch() == self.seen)
    }

    /// Brings the planner up to date before a text is planned; `can_ask` says whether the database can be asked now.
    pub(super) fn refresh(&mut self, can_ask: bool) -> Readiness {
        let Some(catalog) = &self.catalog else {
            return Readiness::Current;
        };
        let epoch = catalog.epoch();
        if epoch == self.seen {
            return Readiness::Current;
        }
        self.planner = catalog.planner();
        if !can_ask {
            return Readiness::Stale;
        }
        self.claim = catalog.claim();
        match self.claim {
            Some(_) => Readiness::Asks,
            None => {
                self.seen = epoch;
                Readiness::Current
            }
        }
    }

    /// Takes the answer of the database, or why there is none; `lexical` is how it writes the queries of views.
    pub(super) fn answered(
        &mut self,
        answer: Result<Schema, String>,
        lexical: &Lexical,
        context: &Context,
        cx: &mut Cx<'_>,
    ) {
        let (Some(claim), Some(catalog)) = (self.claim.take(), &self.catalog) else {
            return;
        };
        let database = || String::from_utf8_lossy(catalog.name()).into_owned();
        match answer {
            Err(reason) => {
                if claim.give_up() {
                    let database = database();
                    cx.events.push(Event::SchemaUnknown { database, reason });
                }
            }
            Ok(schema) => {
                let notes = context.planners.learn(claim, schema, lexical);
                let notes = notes.into_iter().map(|note| Event::SchemaNote {
                    database: database(),
                    note,
                });
                cx.events.extend(notes);
            }
        }
        self.seen = catalog.epoch();
        self.planner = catalog.planner();
    }

    /// Definitions have changed: the database is asked again at the next chance.
    pub(super) fn outdate(&self) {
        if let Some(catalog) = &self.catalog {
            catalog.outdate();
        }
    }

    /// Refuses what a plan does not allow, and tells of what it would.
    pub(super) fn judge(
        &self,
        plan: &Plan,
        context: &Context,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        match &plan.verdict {
            Verdict::Refuse(refusal) => return Err(Stop::from(refusal)),
            Verdict::Observe(refusal) => cx.events.push(Event::Observed {
                code: refusal.code.anchor(),
                message: refusal.message.clone(),
                subject: refusal.subject.clone(),
            }),
            Verdict::Forward | Verdict::Rewrite => {}
        }
        // Children of protected tables are protected before they are there.
        let catalog = self.catalog.as_deref();
        Ok(context.planners.announced(catalog, &plan.children)?)
    }
}

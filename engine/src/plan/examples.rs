//! Plans of texts that differ from one before in literals alone, found without reading all of the text.

use super::planner::Scratch;
use super::weight::{ENTRY, allocated};
use super::{Lexical, Plan};
use crate::sql::example::{Example, opening};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// So many texts in a row that were not like their example, and another one takes its place.
const PATIENCE: u8 = 8;

/// One example for each opening.
#[derive(Debug)]
pub(super) struct Examples {
    kept: Cache<Box<[u8]>, Arc<Kept>, ExampleWeight, foldhash::fast::RandomState>,
}

#[derive(Debug)]
struct Kept {
    example: Example,
    plan: Arc<Plan>,
    /// Texts since the last one that was like it.
    unlike: AtomicU8,
}

#[derive(Debug, Clone)]
struct ExampleWeight;

impl Weighter<Box<[u8]>, Arc<Kept>> for ExampleWeight {
    /// The plan may be in the cache of plans as well; if that has let it go, it is held by this alone.
    fn weight(&self, opening: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        ENTRY
            + allocated(opening.len())
            + allocated(size_of::<Kept>() + kept.example.held())
            + super::weight::shared(&kept.plan)
    }
}

impl Examples {
    /// None so far, of which so many bytes are kept.
    pub(super) fn new(bytes: u64) -> Self {
        let expected = (bytes / 2048).clamp(16, 1 << 12);
        Self {
            kept: Cache::with(
                expected as usize,
                bytes.saturating_sub(expected / 2 * ENTRY),
                ExampleWeight,
                foldhash::fast::RandomState::default(),
                Default::default(),
            ),
        }
    }

    /// The plan of a text that is like the example of its opening. `scratch` is then as if the text had been read.
    pub(super) fn find(
        &self,
        text: &[u8],
        lexical: &Lexical,
        scratch: &mut Scratch,
    ) -> Option<Arc<Plan>> {
        let kept = self.kept.get(opening(text)?)?;
        let read = (kept.example).read(text, lexical, &mut scratch.tokens, &mut scratch.shape);
        match read {
            Some(ambiguous) => {
                if kept.unlike.load(Ordering::Relaxed) > 0 {
                    kept.unlike.store(0, Ordering::Relaxed);
                }
                scratch.note(lexical, ambiguous);
                Some(Arc::clone(&kept.plan))
            }
            None => {
                kept.unlike.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Keeps a text that was read, and planned as its shape says, if there is a place for it and it has nothing against it.
    pub(super) fn keep(
        &self,
        text: &[u8],
        scratch: &Scratch,
        plan: &Arc<Plan>,
        speaks_against: impl FnOnce() -> bool,
    ) {
        let Some(opening) = opening(text).filter(|_| Example::fits(text)) else {
            return;
        };
        let former = self.kept.get(opening);
        let is_taken =
            former.is_some_and(|former| former.unlike.load(Ordering::Relaxed) < PATIENCE);
        if is_taken || speaks_against() {
            return;
        }
        let Scratch {
            tokens,
            shape,
            lexical,
            ..
        } = scratch;
        let kept = Kept {
            example: Example::new(text, lexical, tokens, shape, scratch.ambiguous_strings()),
            plan: Arc::clone(plan),
            unlike: AtomicU8::new(0),
        };
        self.kept.insert(opening.into(), Arc::new(kept));
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.weight()
    }
}

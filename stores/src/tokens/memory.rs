//! Tokens in the memory of the process, which end with it (tokens.md 6.3).

use super::visit::{Action, Change, VisitSummary, Visited, judged};
use acra_engine::tokens::{EntryKey, Reply, StoreCall};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Records by name.
#[derive(Default)]
pub(super) struct Memory {
    records: Mutex<HashMap<EntryKey, Vec<u8>>>,
}

impl Memory {
    pub(super) fn run(&self, calls: Vec<StoreCall>) -> Vec<Reply> {
        let mut records = self.records();
        let reply = |call| match call {
            StoreCall::Get(key) => Reply::Record(records.get(&key).cloned()),
            StoreCall::Save(key, record) => {
                let is_new = !records.contains_key(&key);
                records.entry(key).or_insert(record);
                Reply::Saved(is_new)
            }
            StoreCall::Touch { key, read, record } => {
                if let Some(stored) = records.get_mut(&key).filter(|stored| **stored == read) {
                    *stored = record;
                }
                Reply::Touched
            }
        };
        calls.into_iter().map(reply).collect()
    }

    pub(super) fn visit(&self, judge: &mut dyn FnMut(&Visited<'_>) -> Action) -> VisitSummary {
        let mut summary = VisitSummary::default();
        self.records().retain(|key, record| {
            match judged(*key, record, &mut summary, judge) {
                Change::None => {}
                Change::Write(changed) => *record = changed,
                Change::Remove => return false,
            }
            true
        });
        summary
    }

    fn records(&self) -> MutexGuard<'_, HashMap<EntryKey, Vec<u8>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

//! What a plan in the cache takes of memory.

use super::{NameEffect, ParamAction, Plan, SlotAction, Verdict};
use quick_cache::Weighter;
use std::sync::Arc;

/// What an entry takes in the cache itself, besides key and plan: 48 bytes of a list that doubles when it is full, and its place in
/// a hash table that does the same (`quick_cache` 0.7, 64 bits).
pub(super) const ENTRY: u64 = 2 * 48 + 2 * 8;

/// Weighs the entries of the plan cache.
#[derive(Debug, Clone)]
pub(super) struct Weight;

impl Weighter<Box<[u8]>, Arc<Plan>> for Weight {
    fn weight(&self, key: &Box<[u8]>, plan: &Arc<Plan>) -> u64 {
        ENTRY + allocated(key.len()) + shared(plan)
    }
}

/// What the allocator takes for so many bytes: a word in front, all in steps of 16.
fn allocated(bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        bytes => (bytes as u64 + 8).next_multiple_of(16).max(32),
    }
}

fn list<T>(list: &Vec<T>) -> u64 {
    allocated(list.capacity() * size_of::<T>())
}

/// A plan with the counts in front of it. What it shares with others, such as settings, is not in it.
fn shared(plan: &Plan) -> u64 {
    allocated(size_of::<Plan>() + 2 * size_of::<usize>()) + parts(plan)
}

fn parts(plan: &Plan) -> u64 {
    let Plan {
        verdict,
        params,
        names,
        prepared,
        executes,
        // A text with copies is not kept.
        copies: _,
        may_change_settings: _,
        protected: _,
        slots,
    } = plan;
    let verdict = match verdict {
        Verdict::Refuse(refusal) | Verdict::Observe(refusal) => {
            allocated(refusal.message.capacity())
                + allocated(refusal.hint.capacity())
                + allocated(refusal.detail.as_ref().map_or(0, String::capacity))
        }
        Verdict::Forward | Verdict::Rewrite => 0,
    };
    let names_of = names.iter().map(|effect| match effect {
        NameEffect::Prepare(name) | NameEffect::Deallocate(name) => allocated(name.len()),
        NameEffect::DeallocateAll | NameEffect::DiscardAll => 0,
    });
    verdict
        + list::<ParamAction>(params)
        + list::<Option<SlotAction>>(slots)
        + list(names)
        + names_of.sum::<u64>()
        + list(executes)
        + executes
            .iter()
            .map(|name| allocated(name.len()))
            .sum::<u64>()
        + list(prepared)
        + prepared.iter().map(|plan| shared(plan)).sum::<u64>()
}

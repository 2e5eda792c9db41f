//! What a plan in the cache takes of memory.

use super::edits::Insertion;
use super::{NameEffect, Plan, Verdict};
use crate::columns::NewChild;
use crate::sql::effects::RowsOf;
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
pub(super) fn allocated(bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        bytes => (bytes as u64 + 8).next_multiple_of(16).max(32),
    }
}

fn list<T>(list: &Vec<T>) -> u64 {
    allocated(list.capacity() * size_of::<T>())
}

/// About what the names of a new child take.
fn child_names(child: &NewChild) -> usize {
    let schemas = [&child.schema, &child.parent.0];
    let schemas = schemas.into_iter().flatten().map(String::len);
    child.name.len() + child.parent.1.len() + schemas.sum::<usize>()
}

/// A plan with the counts in front of it. What it shares with others, such as settings, is not in it.
pub(super) fn shared(plan: &Plan) -> u64 {
    allocated(size_of::<Plan>() + 2 * size_of::<usize>()) + parts(plan)
}

fn parts(plan: &Plan) -> u64 {
    let Plan {
        verdict,
        params,
        names,
        prepared,
        executes,
        // A text with copies, that runs a string, or with variables for protected columns is not kept.
        copies: _,
        run: _,
        assigned: _,
        gives_variables: _,
        loses_variables: _,
        alone: _,
        children,
        results,
        rows_of,
        may_change_settings: _,
        protected: _,
        slots,
        insertions,
        numbers,
    } = plan;
    let verdict = match verdict {
        Verdict::Refuse(refusal) | Verdict::Observe(refusal) => {
            allocated(refusal.message.capacity())
                + allocated(refusal.hint.capacity())
                + allocated(refusal.detail.as_ref().map_or(0, String::capacity))
                + refusal.subject.as_ref().map_or(0, |subject| {
                    allocated(size_of_val(&**subject))
                        + allocated(subject.table.len())
                        + allocated(subject.column.as_ref().map_or(0, |column| column.len()))
                })
        }
        Verdict::Forward | Verdict::Rewrite => 0,
    };
    let names_of = names.iter().map(|effect| match effect {
        NameEffect::Prepare(name)
        | NameEffect::Deallocate(name)
        | NameEffect::Declare(name, _)
        | NameEffect::Close(name) => name.len(),
        NameEffect::DeallocateAll | NameEffect::DiscardAll | NameEffect::CloseAll => 0,
    });
    let rows = rows_of.iter().map(|(_, rows)| match rows {
        RowsOf::Prepared(name) | RowsOf::Cursor(name) => name.len(),
    });
    let single = names_of
        .chain(rows)
        .chain(children.iter().map(child_names))
        .chain(executes.iter().map(|name| name.len()))
        .chain(results.iter().map(|(_, results)| results.held()))
        .chain(insertions.iter().map(Insertion::held));
    let lists = [
        list(params),
        list(children),
        list(names),
        list(prepared),
        list(executes),
        list(results),
        list(rows_of),
        list(slots),
        list(insertions),
        list(numbers),
    ];
    verdict
        + lists.iter().sum::<u64>()
        + single.map(allocated).sum::<u64>()
        + prepared.iter().map(|plan| shared(plan)).sum::<u64>()
}

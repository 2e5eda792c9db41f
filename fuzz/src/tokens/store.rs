//! A store of tokens that does what it is told, until the script makes it lie.

use acra_engine::tokens::{
    Batch, ClientKeyring, EntryKey, Metadata, Outcome, Reply, StoreCall, TokenRequest,
};
use arbitrary::Arbitrary;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// What is done with the replies of a round.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Lie {
    None,
    /// They come in another order.
    Rotated(u8),
    /// Some are missing.
    Cut(u8),
    /// There are more than calls.
    More,
    /// One is that of another call.
    Record {
        at: u8,
        of: u8,
    },
    /// One says the opposite.
    Saved(u8),
    /// One is of another kind.
    Kind(u8),
}

/// A change behind the servers' backs.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Damage<'a> {
    Byte { record: u8, at: u16, byte: u8 },
    Swap { one: u8, other: u8 },
    Remove(u8),
    Replace { record: u8, with: &'a [u8] },
    Disable(u8),
}

/// Records by name.
#[derive(Default)]
pub(super) struct Store {
    records: BTreeMap<EntryKey, Vec<u8>>,
    lies: bool,
}

impl Store {
    /// Whether it has always done what it was told.
    pub(super) fn is_honest(&self) -> bool {
        !self.lies
    }

    fn call(&mut self, call: StoreCall) -> Reply {
        match call {
            StoreCall::Get(key) => Reply::Record(self.records.get(&key).cloned()),
            StoreCall::Save(key, record) => {
                let is_new = !self.records.contains_key(&key);
                self.records.entry(key).or_insert(record);
                Reply::Saved(is_new)
            }
            StoreCall::Touch { key, read, record } => {
                if let Some(stored) = self.records.get_mut(&key)
                    && *stored == read
                {
                    *stored = record;
                }
                Reply::Touched
            }
        }
    }

    /// The replies to a round.
    pub(super) fn replies<'l>(
        &mut self,
        calls: Vec<StoreCall>,
        lies: &mut impl Iterator<Item = &'l Lie>,
    ) -> Vec<Reply> {
        let mut replies: Vec<Reply> = calls.into_iter().map(|call| self.call(call)).collect();
        let before = replies.clone();
        let length = replies.len().max(1);
        let place = |at: u8| usize::from(at) % length;
        match lies.next().unwrap_or(&Lie::None) {
            Lie::None => {}
            Lie::Rotated(by) => replies.rotate_left(place(*by)),
            Lie::Cut(at) => replies.truncate(place(*at)),
            Lie::More => replies.push(Reply::Touched),
            Lie::Record { at, of } => {
                let other = self.records.values().nth(usize::from(*of)).cloned();
                replies[place(*at)] = Reply::Record(other);
            }
            Lie::Saved(at) => {
                let reply = &mut replies[place(*at)];
                *reply = Reply::Saved(*reply != Reply::Saved(true));
            }
            Lie::Kind(at) => replies[place(*at)] = Reply::Touched,
        }
        self.lies |= replies != before;
        replies
    }

    /// Writes without being asked to.
    pub(super) fn damage(&mut self, damage: &Damage<'_>) {
        let names: Vec<EntryKey> = self.records.keys().copied().collect();
        let name = |at: u8| names.get(usize::from(at) % names.len().max(1)).copied();
        let find = match *damage {
            Damage::Byte { record, .. }
            | Damage::Swap { one: record, .. }
            | Damage::Remove(record)
            | Damage::Replace { record, .. }
            | Damage::Disable(record) => name(record),
        };
        let Some(key) = find else {
            return;
        };
        self.lies = true;
        match *damage {
            Damage::Byte { at, byte, .. } => {
                if let Some(record) = self.records.get_mut(&key)
                    && !record.is_empty()
                {
                    let at = usize::from(at) % record.len();
                    record[at] = byte;
                }
            }
            Damage::Swap { other, .. } => {
                let one = self.records.remove(&key);
                let other = name(other).filter(|other| *other != key);
                let second = other.and_then(|other| self.records.remove(&other));
                self.records.extend(other.zip(one.clone()));
                self.records
                    .extend(second.or(one).map(|record| (key, record)));
            }
            Damage::Remove(_) => drop(self.records.remove(&key)),
            Damage::Replace { with, .. } => {
                self.records.insert(key, with.to_vec());
            }
            Damage::Disable(_) => self.disable(&[key]),
        }
    }

    fn disable(&mut self, names: &[EntryKey]) {
        for name in names {
            let Some(record) = self.records.get_mut(name) else {
                continue;
            };
            if let Ok(metadata) = Metadata::read(record) {
                let disabled = Metadata {
                    disabled: true,
                    ..metadata
                };
                *record = disabled.to_bytes();
            }
        }
    }

    /// Takes all tokens out of use.
    pub(super) fn disable_all(&mut self) {
        let names: Vec<EntryKey> = self.records.keys().copied().collect();
        self.disable(&names);
    }

    /// That no record has a value in it.
    pub(super) fn sees_no_plaintext(&self, calls: &[StoreCall], requests: &[TokenRequest]) {
        for call in calls {
            let StoreCall::Save(_, record) = call else {
                continue;
            };
            // Others may be the same as what is there in each record.
            let told = [&b"a value that"[..], b"number-"];
            let is_told =
                |request: &&TokenRequest| told.iter().any(|begin| request.value.starts_with(begin));
            for request in requests.iter().filter(is_told) {
                let found = memchr::memmem::find(record, &request.value);
                assert!(found.is_none(), "a value is in a record");
            }
        }
    }

    /// The answers to requests, from a store that does what it is told.
    pub(super) fn outcomes(
        &mut self,
        requests: &[TokenRequest],
        keys: ClientKeyring,
        now: i64,
        rng: &mut StdRng,
    ) -> Vec<Outcome> {
        let mut batch = Batch::new(requests, keys, now);
        loop {
            let calls = batch.calls(rng);
            if calls.is_empty() {
                return batch.outcomes();
            }
            let replies = self.replies(calls, &mut std::iter::empty());
            batch.replies(replies);
        }
    }
}

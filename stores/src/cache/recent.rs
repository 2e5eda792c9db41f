//! A map by client that forgets who has not been asked for the longest.

use super::CacheSize;
use acra_engine::keys::ClientId;
use std::collections::{BTreeMap, HashMap};

/// At most so many values as the size says.
#[derive(Debug)]
pub(super) struct Recent<T> {
    size: usize,
    values: HashMap<ClientId, (u64, T)>,
    /// Clients by when they were used.
    uses: BTreeMap<u64, ClientId>,
    /// The next use.
    now: u64,
}

impl<T> Recent<T> {
    pub(super) fn new(size: CacheSize) -> Self {
        Self {
            size: match size {
                CacheSize::None => 0,
                CacheSize::Clients(count) => count.get(),
                CacheSize::Unlimited => usize::MAX,
            },
            values: HashMap::new(),
            uses: BTreeMap::new(),
            now: 0,
        }
    }

    /// The value of a client, which is thereby used.
    pub(super) fn get(&mut self, id: &ClientId) -> Option<&mut T> {
        let (used, value) = self.values.get_mut(id)?;
        if let Some(id) = self.uses.remove(used) {
            self.uses.insert(self.now, id);
        }
        *used = self.now;
        self.now += 1;
        Some(value)
    }

    /// Keeps a value in the place of a former one, or of the one that was not used for the longest.
    pub(super) fn insert(&mut self, id: ClientId, value: T) {
        if let Some((used, _)) = self.values.insert(id.clone(), (self.now, value)) {
            self.uses.remove(&used);
        }
        self.uses.insert(self.now, id);
        self.now += 1;
        while self.values.len() > self.size {
            let Some((_, oldest)) = self.uses.pop_first() else {
                return;
            };
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CacheSize, ClientId, Recent};
    use std::num::NonZeroUsize;

    fn kept(size: CacheSize) -> Vec<usize> {
        let ids = ["client 0", "client 1", "client 2"].map(|id| ClientId::new(id).unwrap());
        let mut recent = Recent::new(size);
        recent.insert(ids[0].clone(), 10);
        recent.insert(ids[1].clone(), 11);
        recent.insert(ids[0].clone(), 20);
        recent.get(&ids[1]);
        recent.insert(ids[2].clone(), 12);
        assert_eq!(recent.uses.len(), recent.values.len());
        let values = ids.iter().filter_map(|id| recent.get(id).copied());
        values.collect()
    }

    #[test]
    fn the_one_that_was_not_used_for_the_longest_goes() {
        let clients = |count| CacheSize::Clients(NonZeroUsize::new(count).unwrap());
        assert_eq!(kept(CacheSize::Unlimited), [20, 11, 12]);
        assert_eq!(kept(clients(3)), [20, 11, 12]);
        assert_eq!(kept(clients(2)), [11, 12]);
        assert_eq!(kept(clients(1)), [12]);
        assert_eq!(kept(CacheSize::None), [0; 0]);
    }
}

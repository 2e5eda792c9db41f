//! What is kept of earlier lookups, and lookups that are shared while they run.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::OnceCell;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most recently used entries, each until its time.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    size: usize,
    inner: Mutex<Inner<K, V>>,
}

#[derive(Debug)]
struct Inner<K, V> {
    uses: u64,
    entries: HashMap<K, Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    until: Instant,
    used: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub(crate) fn new(size: usize) -> Self {
        let inner = Inner {
            uses: 0,
            entries: HashMap::new(),
        };
        Self {
            size,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let uses = inner.uses;
        let entry = inner.entries.get_mut(key)?;
        if entry.until <= Instant::now() {
            inner.entries.remove(key);
            return None;
        }
        entry.used = uses;
        Some(entry.value.clone())
    }

    pub(crate) fn put(&self, key: K, value: V, until: Instant) {
        if self.size == 0 || until <= Instant::now() {
            return;
        }
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let used = inner.uses;
        if inner.entries.len() >= self.size && !inner.entries.contains_key(&key) {
            let oldest = inner.entries.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                inner.entries.remove(&oldest);
            }
        }
        inner.entries.insert(key, Entry { value, until, used });
    }
}

/// Lookups under way. Who asks for the same waits for the same answer; if the one who does the lookup goes away, the
/// next of those who wait does it.
#[derive(Debug)]
pub(crate) struct Shared<K: Hash + Eq, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K: Hash + Eq + Clone, V: Clone> Shared<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) async fn run(&self, key: K, lookup: impl Future<Output = V>) -> V {
        let cell = Arc::clone(lock(&self.0).entry(key.clone()).or_default());
        let place = Place {
            shared: self,
            key,
            cell,
        };
        place.cell.get_or_init(|| lookup).await.clone()
    }
}

/// One who waits. The last to leave, and the first after there is an answer, clears up.
struct Place<'a, K: Hash + Eq, V> {
    shared: &'a Shared<K, V>,
    key: K,
    cell: Arc<OnceCell<V>>,
}

impl<K: Hash + Eq, V> Drop for Place<'_, K, V> {
    fn drop(&mut self) {
        let mut running = lock(&self.shared.0);
        let is_ours = running
            .get(&self.key)
            .is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two: the map's and ours.
        if is_ours && (self.cell.initialized() || Arc::strong_count(&self.cell) <= 2) {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn the_least_recently_used_entry_makes_room() {
        let cache = Cache::new(2);
        let until = Instant::now() + Duration::from_secs(60);
        cache.put(1, 'a', until);
        cache.put(2, 'b', until);
        assert_eq!(cache.get(&1), Some('a'));
        cache.put(3, 'c', until);
        assert_eq!(
            [1, 2, 3].map(|key| cache.get(&key)),
            [Some('a'), None, Some('c')]
        );
        cache.put(1, 'd', Instant::now());
        assert_eq!(cache.get(&1), Some('a'), "what is over is not put");
        let none = Cache::new(0);
        none.put(1, 'a', until);
        assert_eq!(none.get(&1), None);
    }

    #[tokio::test]
    async fn lookups_are_shared_while_they_run() {
        let (shared, count) = (Shared::new(), AtomicUsize::new(0));
        let lookup = async || {
            tokio::time::sleep(Duration::from_millis(20)).await;
            count.fetch_add(1, Ordering::Relaxed)
        };
        let (one, two) = tokio::join!(shared.run(1, lookup()), shared.run(1, lookup()));
        assert_eq!((one, two), (0, 0));
        assert_eq!(shared.run(1, lookup()).await, 1);
        // One that is given up leaves nothing behind.
        let soon = Duration::from_millis(1);
        let never = std::future::pending::<usize>();
        assert!(
            tokio::time::timeout(soon, shared.run(2, never))
                .await
                .is_err()
        );
        assert!(lock(&shared.0).is_empty());
    }
}

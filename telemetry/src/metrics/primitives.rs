//! Numbers that any thread may change at any time: atomics, no locks, nothing allocated.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicI64);

impl Gauge {
    pub(super) fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Seconds of what takes from microseconds to seconds.
pub(super) const SHORT: &[f64] = &[
    1e-6, 1e-5, 2e-5, 3e-5, 4e-5, 5e-5, 6e-5, 7e-5, 8e-5, 9e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 1.0,
    3.0, 5.0, 10.0,
];

/// Seconds of what takes from moments to days.
pub(super) const LONG: &[f64] = &[0.1, 0.2, 0.5, 1.0, 10.0, 60.0, 3600.0, 86400.0];

/// Room for the longer list of bounds and for what lies above it.
const BUCKETS: usize = SHORT.len() + 1;

/// How long something took.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: &'static [f64],
    /// Observations up to each bound and above the one before; the last one in use has those above all bounds.
    buckets: [Counter; BUCKETS],
    nanoseconds: Counter,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            buckets: [const { Counter::new() }; BUCKETS],
            nanoseconds: Counter::new(),
        }
    }

    pub(super) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.add(1);
        }
        self.nanoseconds
            .add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Each bound with the number of observations up to it, then the number of all, then their sum in seconds.
    pub(super) fn read(&self) -> (Vec<(f64, u64)>, u64, f64) {
        let mut total = 0;
        let below = self.bounds.iter().zip(&self.buckets).map(|(bound, count)| {
            total += count.get();
            (*bound, total)
        });
        let below = below.collect();
        total += self.buckets.get(self.bounds.len()).map_or(0, Counter::get);
        let sum = Duration::from_nanos(self.nanoseconds.get()).as_secs_f64();
        (below, total, sum)
    }
}

/// Label values that one counter has at most; further ones are counted together.
const VALUES: usize = 48;

/// Counters by the value of a label. Values are few and fixed in the program; each has its place from its first use.
#[derive(Debug)]
pub(super) struct Labelled {
    places: [(OnceLock<&'static str>, Counter); VALUES],
    other: Counter,
}

impl Labelled {
    pub(super) fn new() -> Self {
        Self {
            places: [const { (OnceLock::new(), Counter::new()) }; VALUES],
            other: Counter::new(),
        }
    }

    pub(super) fn add(&self, value: &'static str, count: u64) {
        let place = self
            .places
            .iter()
            .find(|(taken, _)| *taken.get_or_init(|| value) == value);
        place.map_or(&self.other, |(_, counter)| counter).add(count);
    }

    /// The values in use with their counts, by name.
    pub(super) fn read(&self) -> Vec<(&'static str, u64)> {
        let used = self
            .places
            .iter()
            .filter_map(|(value, counter)| Some((*value.get()?, counter.get())));
        let mut all: Vec<_> = used.collect();
        if self.other.get() > 0 {
            all.push(("other", self.other.get()));
        }
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_fall_up_to_their_bound() {
        let histogram = Histogram::new(LONG);
        for milliseconds in [0, 100, 101, 90_000_000] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let (below, total, sum) = histogram.read();
        assert_eq!(below[..2], [(0.1, 2), (0.2, 3)]);
        assert_eq!(below.last(), Some(&(86400.0, 3)));
        assert_eq!((total, sum), (4, 90_000.201));
        let short = Histogram::new(SHORT);
        short.observe(Duration::from_secs(11));
        assert_eq!(short.read().1, 1);
    }

    #[test]
    fn values_get_places_and_the_rest_is_counted_together() {
        const MANY: [&str; VALUES] = ["x"; VALUES];
        let labelled = Labelled::new();
        MANY.iter().for_each(|value| labelled.add(value, 1));
        labelled.add("a", 2);
        assert_eq!(labelled.read(), [("a", 2), ("x", VALUES as u64)]);
        for number in 0..VALUES {
            labelled.add(Box::leak(number.to_string().into_boxed_str()), 1);
        }
        assert!(labelled.read().contains(&("other", 2)));
    }

    #[test]
    fn threads_claim_one_place_for_one_value() {
        let labelled = Labelled::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| labelled.add("a", 1)));
            }
        });
        assert_eq!(labelled.read(), [("a", 400)]);
    }
}

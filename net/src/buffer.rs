//! Input buffers: pooled while they have the usual size, counted against a budget of the process above it.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Size of a pooled buffer in bytes. Bulk throughput halves with 8 KiB and gains nothing above 64.
pub(crate) const POOLED: usize = 64 << 10;

/// Buffers kept per thread; more are given back to the allocator.
const KEPT: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that all sessions together may hold in buffers above the usual size.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// A budget of this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    pub(crate) fn take(&self, bytes: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .is_ok()
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The buffer of one direction. It owns memory only while there is something in it.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    budget: Budget,
    charged: usize,
}

impl Buffer {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            bytes: Vec::new(),
            filled: 0,
            budget,
            charged: 0,
        }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.filled).unwrap_or_default()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.bytes.len() && !self.bytes.is_empty()
    }

    /// Room for reading; takes a pooled buffer if there is none yet.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = POOL
                .with_borrow_mut(Vec::pop)
                .unwrap_or_else(|| vec![0; POOLED]);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    pub(crate) fn read(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.bytes.len());
    }

    /// Forgets the first `taken` bytes.
    pub(crate) fn consume(&mut self, taken: usize) {
        let taken = taken.min(self.filled);
        self.bytes.copy_within(taken..self.filled, 0);
        self.filled -= taken;
    }

    /// Makes room for `want` bytes in all. A peer's declared length alone reserves nothing: the buffer at most
    /// doubles, and only once it is full.
    pub(crate) fn grow(&mut self, want: usize) -> io::Result<()> {
        let size = want.min(self.bytes.len().saturating_mul(2)).max(POOLED);
        if !self.is_full() || size <= self.bytes.len() {
            return Ok(());
        }
        let more = size - self.charged.max(POOLED);
        if !self.budget.take(more) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.charged = size;
        self.bytes.resize(size, 0);
        Ok(())
    }

    /// Gives the memory back if nothing is in it.
    pub(crate) fn release(&mut self) {
        if self.filled > 0 || self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() == POOLED {
            POOL.with_borrow_mut(|pool| {
                if pool.len() < KEPT {
                    pool.push(bytes);
                }
            });
        }
        if self.charged > POOLED {
            self.budget.give_back(self.charged - POOLED);
        }
        self.charged = 0;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.filled = 0;
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_charged_and_given_back() {
        let budget = Budget::new(3 * POOLED);
        let mut buffer = Buffer::new(budget.clone());
        let length = buffer.space().len();
        buffer.read(length);
        buffer.grow(1 << 30).unwrap();
        assert_eq!(buffer.space().len(), POOLED);
        buffer.read(POOLED);
        buffer.grow(1 << 30).unwrap();
        buffer.read(2 * POOLED);
        assert!(buffer.grow(1 << 30).is_err(), "the budget is used up");
        buffer.consume(4 * POOLED);
        buffer.release();
        assert_eq!(budget.0.load(Ordering::Relaxed), 3 * POOLED);
    }

    #[test]
    fn a_declared_length_reserves_nothing() {
        let mut buffer = Buffer::new(Budget::new(0));
        buffer.space();
        buffer.read(10);
        buffer.grow(1 << 30).unwrap();
        assert_eq!(buffer.space().len(), POOLED - 10);
    }
}

//! The end of the process as sessions see it.
//!
//! A session looks at one atomic when it is polled; a change wakes every session once, so that idle ones see it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

/// What the process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Serving.
    Running,
    /// Idle sessions end, others when they become idle.
    Draining,
    /// All sessions end.
    Ending,
}

#[derive(Debug, Default)]
struct Shared {
    state: AtomicU8,
    next: AtomicU64,
    sessions: Mutex<HashMap<u64, Waker>>,
}

/// Shared by all sessions of a process.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle(Arc<Shared>);

impl Lifecycle {
    /// What the process is doing now.
    pub fn state(&self) -> State {
        match self.0.state.load(Ordering::Relaxed) {
            0 => State::Running,
            1 => State::Draining,
            _ => State::Ending,
        }
    }

    /// Goes on to a later state and lets every session know.
    pub fn set(&self, state: State) {
        self.0.state.fetch_max(state as u8, Ordering::Relaxed);
        self.wake();
    }

    /// Wakes every session, so that it sees what has changed.
    pub fn wake(&self) {
        let sessions = self
            .0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for waker in sessions.values() {
            waker.wake_by_ref();
        }
    }

    /// The session of this task is woken at changes until the seat is dropped. A task's waker stays good for its life.
    pub(crate) fn enter(&self, waker: &Waker) -> Seat {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut sessions = self
            .0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.insert(number, waker.clone());
        Seat {
            lifecycle: self.clone(),
            number,
        }
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        let sessions = self
            .0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.len()
    }
}

/// A session's place in a [`Lifecycle`].
#[derive(Debug)]
pub(crate) struct Seat {
    lifecycle: Lifecycle,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let shared = &self.lifecycle.0;
        let mut sessions = shared
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&self.number);
    }
}

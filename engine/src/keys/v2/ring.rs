//! Key rings: all generations of one key, and the rules for using and changing them (keystore.md 7.2, 7.5, 7.6).

use super::error::RingError;
use super::path::RingPath;
use super::utc_time::UtcTime;
use crate::crypto::Secret;
use std::fmt;

/// How long a new key says that it is valid, in seconds: 365 days. Nothing enforces it.
const VALIDITY: i64 = 365 * 24 * 60 * 60;

/// Key material sealed with the master key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub(super) Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Where a key is in its life: 1 pre-active, 2 active, 3 suspended, 4 deactivated, 5 compromised, 6 destroyed.
///
/// All keys that are in use are pre-active, since no tool goes on from there; only destroyed ones are treated otherwise. Other
/// numbers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(pub(super) i64);

impl State {
    /// What a new key is.
    pub const PRE_ACTIVE: Self = Self(1);
    /// What a key is whose material was removed.
    pub const DESTROYED: Self = Self(6);

    /// Whether a key may be destroyed that is in this state.
    fn can_be_destroyed(self) -> bool {
        matches!(self.0, 1 | 4 | 5)
    }
}

/// The forms of key material. The numbers stand in files; others are kept, and not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format(pub(super) i64);

impl Format {
    /// A Themis key pair.
    pub const PAIR: Self = Self(1);
    /// A symmetric key.
    pub const SYMMETRIC: Self = Self(3);

    /// What the keys of a ring are.
    pub fn of(path: &RingPath) -> Self {
        match path.is_pair() {
            true => Self::PAIR,
            false => Self::SYMMETRIC,
        }
    }
}

/// One form of a key. `M` is [`Sealed`] in a key store, and [`Secret`] in an opened bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyData<M> {
    pub(super) format: Format,
    /// The container of the public key, which is not secret.
    pub(super) public: Option<Vec<u8>>,
    /// The container of the private key.
    pub(super) private: Option<M>,
    pub(super) symmetric: Option<M>,
}

/// One generation of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<M> {
    pub(super) seqnum: i64,
    pub(super) state: State,
    pub(super) valid_since: UtcTime,
    pub(super) valid_until: UtcTime,
    pub(super) data: Vec<KeyData<M>>,
}

/// All generations of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing<M> {
    pub(super) path: RingPath,
    /// Oldest first.
    pub(super) keys: Vec<Key<M>>,
    /// The number of the current key. It need not be one of the ring's.
    pub(super) current: Option<i64>,
}

/// A new key in the clear.
#[derive(Debug)]
pub enum NewKey {
    /// The containers of a pair's halves; a pair may lack the private one.
    Pair {
        /// The public key.
        public: Vec<u8>,
        /// The private key.
        private: Option<Secret>,
    },
    /// The bytes of a symmetric key.
    Symmetric(Secret),
}

impl<M> KeyData<M> {
    /// The container of the public key.
    pub fn public(&self) -> Result<&[u8], RingError> {
        self.public.as_deref().ok_or(RingError::KeyFormat)
    }
}

impl<M> Key<M> {
    /// Its number in the ring.
    pub fn seqnum(&self) -> i64 {
        self.seqnum
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// When it was made.
    pub fn valid_since(&self) -> UtcTime {
        self.valid_since
    }

    /// Until when it says that it is valid.
    pub fn valid_until(&self) -> UtcTime {
        self.valid_until
    }

    /// Whether its material was removed.
    pub fn is_destroyed(&self) -> bool {
        self.state == State::DESTROYED
    }

    /// Its material in this format: the first if there are several.
    ///
    /// # Errors
    ///
    /// [`RingError::Destroyed`], [`RingError::FormatNotAvailable`].
    pub fn data(&self, format: Format) -> Result<&KeyData<M>, RingError> {
        if self.is_destroyed() {
            return Err(RingError::Destroyed);
        }
        let mut data = self.data.iter();
        data.find(|data| data.format == format)
            .ok_or(RingError::FormatNotAvailable)
    }
}

impl<M> KeyRing<M> {
    /// A ring without keys.
    pub fn new(path: RingPath) -> Self {
        Self {
            path,
            keys: Vec::new(),
            current: None,
        }
    }

    /// Which ring it is.
    pub fn path(&self) -> &RingPath {
        &self.path
    }

    /// Its keys, oldest first.
    pub fn keys(&self) -> &[Key<M>] {
        &self.keys
    }

    /// Whether it has no keys; such a ring counts as one that does not exist.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number that the ring gives as that of its current key.
    pub fn current_seqnum(&self) -> Option<i64> {
        self.current
    }

    /// Whether a key is the current one.
    pub fn is_current(&self, key: &Key<M>) -> bool {
        self.current == Some(key.seqnum)
    }

    /// The current key, which may be destroyed.
    ///
    /// # Errors
    ///
    /// [`RingError::NoCurrent`], [`RingError::NoSuchSeqnum`].
    pub fn current(&self) -> Result<&Key<M>, RingError> {
        let seqnum = self.current.ok_or(RingError::NoCurrent)?;
        let mut keys = self.keys.iter();
        keys.find(|key| key.seqnum == seqnum)
            .ok_or(RingError::NoSuchSeqnum)
    }

    /// The keys that the current one replaced and that are not destroyed, in the order in which they are numbered from 2:
    /// oldest first.
    pub fn rotated(&self) -> Vec<&Key<M>> {
        let is_rotated = |key: &&Key<M>| !self.is_current(key) && !key.is_destroyed();
        let mut keys: Vec<_> = self.keys.iter().filter(is_rotated).collect();
        keys.sort_by_key(|key| key.seqnum);
        keys
    }

    /// Removes the material of the current key (index 1) or of a rotated one (from 2).
    ///
    /// # Errors
    ///
    /// There is no such key, or its state does not allow it. Nothing is changed then.
    pub fn destroy(&mut self, index: usize) -> Result<(), RingError> {
        let seqnum = match index.checked_sub(2) {
            Some(rotated) => {
                let keys = self.rotated();
                keys.get(rotated).ok_or(RingError::Index)?.seqnum
            }
            None if index == 1 => self.current()?.seqnum,
            None => return Err(RingError::Index),
        };
        let mut keys = self.keys.iter_mut();
        let key = keys
            .find(|key| key.seqnum == seqnum)
            .ok_or(RingError::NoSuchSeqnum)?;
        if !key.state.can_be_destroyed() {
            return Err(RingError::Transition);
        }
        key.state = State::DESTROYED;
        key.data.clear();
        Ok(())
    }

    /// The number for another key.
    pub(super) fn next_seqnum(&self) -> Result<i64, RingError> {
        let highest = self.keys.iter().map(|key| key.seqnum).max();
        let next = highest.unwrap_or(0).max(0).checked_add(1);
        next.ok_or(RingError::Seqnum)
    }
}

impl Key<Secret> {
    /// A key as it is made: valid for a year from `since`.
    pub(super) fn new(key: NewKey, seqnum: i64, since: UtcTime) -> Self {
        let data = match key {
            NewKey::Pair { public, private } => KeyData {
                format: Format::PAIR,
                public: Some(public),
                private,
                symmetric: None,
            },
            NewKey::Symmetric(key) => KeyData {
                format: Format::SYMMETRIC,
                public: None,
                private: None,
                symmetric: Some(key),
            },
        };
        Self {
            seqnum,
            state: State::PRE_ACTIVE,
            valid_since: since,
            valid_until: UtcTime::new(since.seconds().saturating_add(VALIDITY)),
            data: vec![data],
        }
    }
}

impl KeyRing<Secret> {
    /// Appends a key that was made at a time; it does not become the current one.
    ///
    /// # Errors
    ///
    /// [`RingError::Seqnum`].
    pub fn push(&mut self, key: NewKey, since: UtcTime) -> Result<(), RingError> {
        let seqnum = self.next_seqnum()?;
        self.keys.push(Key::new(key, seqnum, since));
        Ok(())
    }

    /// Makes the newest key the current one.
    pub fn make_newest_current(&mut self) {
        self.current = self.keys.last().map(|key| key.seqnum);
    }
}

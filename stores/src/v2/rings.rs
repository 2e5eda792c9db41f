//! Reading key rings, and writing some of them as one change (keystore.md 1.1, 7.1).

use super::{RING_MODE, Store};
use crate::clock::utc_time;
use crate::directory::parent;
use crate::lock::{Lock, LockFile, SharedLock};
use crate::safe_file::{Unfinished, create_directory, remove_leftovers};
use crate::{KeyStoreError, disk};
use acra_engine::keys::v2::{KeyRing, MAX_RING, RingPath, Sealed};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

impl Store {
    /// Reads a ring under a shared lock; one that does not exist has no keys.
    pub(super) fn ring(&self, path: &RingPath) -> Result<KeyRing<Sealed>, KeyStoreError> {
        let _lock = SharedLock::take(&self.directory)?;
        self.read_ring(path)
    }

    /// Reads a ring. The caller holds the lock.
    pub(super) fn read_ring(&self, path: &RingPath) -> Result<KeyRing<Sealed>, KeyStoreError> {
        let file = self.file(path);
        let Some(content) = read(&file).map_err(KeyStoreError::io("read", &file))? else {
            return Ok(KeyRing::new(path.clone()));
        };
        match KeyRing::read(path, &content, &self.master) {
            Ok((ring, _)) => Ok(ring),
            Err(error) => Err(self.fault(path)(error)),
        }
    }

    /// Takes the exclusive lock and removes what was left in the root.
    pub(super) fn write(&self) -> Result<Writer<'_>, KeyStoreError> {
        let lock = Lock::take(&self.directory, LockFile::Kept)?;
        if !lock.is_held {
            let message = "Key directory cannot be locked";
            self.notices.add(message, &self.directory, false);
        }
        remove_leftovers(&self.directory, lock.is_held)?;
        Ok(Writer { store: self, lock })
    }
}

/// A change of the key store: whoever has one is the only writer.
pub(super) struct Writer<'a> {
    store: &'a Store,
    lock: Lock,
}

impl Writer<'_> {
    /// Writes rings: all of them are complete and synced under temporary names before the first gets its own.
    pub(super) fn commit(self, rings: &[KeyRing<Sealed>]) -> Result<(), KeyStoreError> {
        let mut directories = BTreeSet::new();
        for ring in rings {
            let file = self.store.file(ring.path());
            if directories.insert(parent(&file).to_owned()) {
                self.prepare(parent(&file))?;
            }
        }
        let mut new = Vec::with_capacity(rings.len());
        for ring in rings {
            new.push((self.stage(ring)?, self.store.file(ring.path())));
        }
        for (new, file) in new {
            new.rename(&file)
                .map_err(KeyStoreError::io("write", &file))?;
        }
        for directory in directories {
            disk::sync_directory(&directory).map_err(KeyStoreError::io("sync", &directory))?;
        }
        Ok(())
    }

    fn prepare(&self, directory: &Path) -> Result<(), KeyStoreError> {
        create_directory(directory)
            .map_err(KeyStoreError::io("create key directory", directory))?;
        remove_leftovers(directory, self.lock.is_held)
    }

    fn stage(&self, ring: &KeyRing<Sealed>) -> Result<Unfinished, KeyStoreError> {
        let content = ring
            .write(utc_time(), &self.store.master)
            .map_err(self.store.fault(ring.path()))?;
        let path = self.store.directory.join(ring.path().new_file());
        Unfinished::write_as(path.clone(), &content, RING_MODE)
            .map_err(KeyStoreError::io("write", &path))
    }
}

/// The content of a file; `None`: it does not exist.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    let length = file.take(MAX_RING as u64 + 1).read_to_end(&mut content)?;
    match length > MAX_RING {
        true => Err(io::Error::other("longer than any key ring")),
        false => Ok(Some(content)),
    }
}

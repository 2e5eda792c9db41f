//! All keys as the rings of a key store v2 (keystore.md 8.4).

use super::Store;
use super::load::OpenToOthers;
use crate::clock::utc_time;
use crate::{KeyStoreError, UnreadKey};
use acra_engine::crypto::{PrivateKey, Secret};
use acra_engine::keys::v2::{KeyRing, NewKey, RingPath, UtcTime};
use acra_engine::keys::{KeyKind, v1};
use std::path::Path;

impl Store {
    /// Opens every key: its older generations, each made at the time in its name, then the current one, made now. And tells
    /// which ones cannot be opened.
    pub(crate) fn rings(&self) -> Result<(Vec<KeyRing<Secret>>, Vec<UnreadKey>), KeyStoreError> {
        let mut kinds: Vec<KeyKind> = self.list(true)?.into_iter().map(|key| key.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let (mut rings, mut unread) = (Vec::new(), Vec::new());
        for kind in kinds {
            match self.ring(&kind) {
                Ok(ring) if ring.is_empty() => {}
                Ok(ring) => rings.push(ring),
                Err(error) => unread.push(UnreadKey { kind, error }),
            }
        }
        Ok((rings, unread))
    }

    fn ring(&self, kind: &KeyKind) -> Result<KeyRing<Secret>, KeyStoreError> {
        let name = v1::file(kind);
        let mut ring = KeyRing::new(RingPath::of(kind));
        let mut push = |key: NewKey, since: UtcTime| {
            ring.push(key, since).map_err(|error| KeyStoreError::Ring {
                path: self.directory.join(&name),
                error,
            })
        };
        let old = self.directory.join(v1::old_directory(&name));
        for (time, path) in self.time_stamped(&old)? {
            // It may have been removed since it was listed.
            if let Some(key) = self.new_key(kind, &name, &path)? {
                push(key, UtcTime::new(time.seconds()))?;
            }
        }
        let current = match self.new_key(kind, &name, &self.directory.join(&name))? {
            None if kind.is_pair() => self.load_public(&name)?.map(|public| NewKey::Pair {
                public: public.to_container().to_vec(),
                private: None,
            }),
            key => key,
        };
        if let Some(key) = current {
            push(key, utc_time())?;
            ring.make_newest_current();
        }
        Ok(ring)
    }

    /// Opens a file. The public part of a pair is computed, whatever its own file holds.
    fn new_key(
        &self,
        kind: &KeyKind,
        name: &str,
        path: &Path,
    ) -> Result<Option<NewKey>, KeyStoreError> {
        let others = match kind.is_pair() {
            true => OpenToOthers::Refuse,
            false => OpenToOthers::Notice,
        };
        let Some(file) = self.read(path, Some(others))? else {
            return Ok(None);
        };
        let unopened = || KeyStoreError::Unopened(path.to_owned());
        let key = self.open_key(name, &file).ok_or_else(unopened)?;
        if !kind.is_pair() {
            return Ok(Some(NewKey::Symmetric(key)));
        }
        let public = PrivateKey::from_container(key.as_bytes()).and_then(|key| key.public());
        let public = public.map_err(|_| unopened())?.to_container().to_vec();
        let private = Some(key);
        Ok(Some(NewKey::Pair { public, private }))
    }
}

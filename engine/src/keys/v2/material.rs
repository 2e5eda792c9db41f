//! Sealing and opening the keys of a ring with the master key (keystore.md 7.4).

use super::error::RingError;
use super::path::RingPath;
use super::ring::{Format, Key, KeyData, KeyRing, NewKey, Sealed};
use super::utc_time::UtcTime;
use crate::crypto::{Secret, secure_cell};
use crate::keys::MasterKeys;
use rand::CryptoRng;

/// Which part of a key is sealed: the words of its context.
#[derive(Clone, Copy)]
enum Part {
    Private,
    Symmetric,
}

fn context(path: &RingPath, part: Part, seqnum: i64) -> String {
    let part = match part {
        Part::Private => "private key",
        Part::Symmetric => "symmetric key",
    };
    format!("AKSv2 keystore: key ring {path}: {part} {seqnum}")
}

fn open(
    master: &MasterKeys,
    path: &RingPath,
    part: Part,
    seqnum: i64,
    sealed: &Sealed,
) -> Result<Secret, RingError> {
    let context = context(path, part, seqnum);
    let key = master.encryption().as_bytes();
    // Room for all of it, so that the key is not left behind in memory that was too small.
    let mut opened = Vec::with_capacity(sealed.0.len());
    secure_cell::open(key, context.as_bytes(), &sealed.0, &mut opened)?;
    Ok(Secret::from(opened))
}

impl<M> Key<M> {
    /// The same key with its private parts turned into something else.
    fn map<N>(
        &self,
        mut turn: impl FnMut(Part, &M) -> Result<N, RingError>,
    ) -> Result<Key<N>, RingError> {
        let mut data = Vec::with_capacity(self.data.len());
        for form in &self.data {
            let mut turn = |part, material: &Option<M>| match material {
                Some(material) => turn(part, material).map(Some),
                None => Ok(None),
            };
            data.push(KeyData {
                format: form.format,
                public: form.public.clone(),
                private: turn(Part::Private, &form.private)?,
                symmetric: turn(Part::Symmetric, &form.symmetric)?,
            });
        }
        Ok(Key {
            seqnum: self.seqnum,
            state: self.state,
            valid_since: self.valid_since,
            valid_until: self.valid_until,
            data,
        })
    }
}

impl Key<Secret> {
    /// The key as it is stored in this ring under this number.
    pub(super) fn seal(
        &self,
        path: &RingPath,
        seqnum: i64,
        master: &MasterKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Key<Sealed>, RingError> {
        let sealed = self.map(|part, key| {
            let context = context(path, part, seqnum);
            let mut cell = Vec::new();
            secure_cell::seal(
                rng,
                master.encryption().as_bytes(),
                context.as_bytes(),
                key.as_bytes(),
                &mut cell,
            )?;
            Ok(Sealed(cell))
        })?;
        Ok(Key { seqnum, ..sealed })
    }
}

impl KeyRing<Secret> {
    /// The ring as it is stored.
    ///
    /// # Errors
    ///
    /// A key is empty.
    pub fn seal(
        &self,
        master: &MasterKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<KeyRing<Sealed>, RingError> {
        let seal = |key: &Key<Secret>| key.seal(&self.path, key.seqnum, master, rng);
        let keys = self.keys.iter().map(seal);
        Ok(KeyRing {
            path: self.path.clone(),
            keys: keys.collect::<Result<_, _>>()?,
            current: self.current,
        })
    }
}

impl KeyRing<Sealed> {
    /// The private key of a pair.
    ///
    /// # Errors
    ///
    /// The key was destroyed, has no private part, or does not open.
    pub fn private(&self, key: &Key<Sealed>, master: &MasterKeys) -> Result<Secret, RingError> {
        let sealed = key.data(Format::PAIR)?.private.as_ref();
        let sealed = sealed.ok_or(RingError::NoKeyData)?;
        open(master, &self.path, Part::Private, key.seqnum, sealed)
    }

    /// A symmetric key.
    ///
    /// # Errors
    ///
    /// The key was destroyed or does not open.
    pub fn symmetric(&self, key: &Key<Sealed>, master: &MasterKeys) -> Result<Secret, RingError> {
        let sealed = key.data(Format::SYMMETRIC)?.symmetric.as_ref();
        let sealed = sealed.ok_or(RingError::NoKeyData)?;
        open(master, &self.path, Part::Symmetric, key.seqnum, sealed)
    }

    /// All keys opened, for a bundle.
    ///
    /// # Errors
    ///
    /// A key does not open.
    pub fn open_all(&self, master: &MasterKeys) -> Result<KeyRing<Secret>, RingError> {
        self.map(|part, seqnum, sealed| open(master, &self.path, part, seqnum, sealed))
    }

    /// All keys without their private parts, for a bundle; of symmetric keys nothing stays.
    pub fn public_only(&self) -> Result<KeyRing<Secret>, RingError> {
        let mut ring = self.map(|_, _, _| Ok(Secret::from(Vec::new())))?;
        let forms = ring.keys.iter_mut().flat_map(|key| &mut key.data);
        for form in forms {
            (form.private, form.symmetric) = (None, None);
        }
        Ok(ring)
    }

    fn map(
        &self,
        mut turn: impl FnMut(Part, i64, &Sealed) -> Result<Secret, RingError>,
    ) -> Result<KeyRing<Secret>, RingError> {
        let mut turn =
            |key: &Key<Sealed>| key.map(|part, key_data| turn(part, key.seqnum, key_data));
        let keys = self.keys.iter().map(&mut turn);
        Ok(KeyRing {
            path: self.path.clone(),
            keys: keys.collect::<Result<_, _>>()?,
            current: self.current,
        })
    }

    /// Appends a new key and makes it the current one.
    ///
    /// # Errors
    ///
    /// The key is empty, or there is no number for it.
    pub fn rotate(
        &mut self,
        key: NewKey,
        now: UtcTime,
        master: &MasterKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), RingError> {
        let seqnum = self.next_seqnum()?;
        let key = Key::new(key, seqnum, now);
        self.keys.push(key.seal(&self.path, seqnum, master, rng)?);
        self.current = Some(seqnum);
        Ok(())
    }
}

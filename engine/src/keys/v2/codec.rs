//! Key rings as DER (keystore.md 7.2).
//!
//! ```text
//! KeyRing ::= SEQUENCE { purpose OCTET STRING, keys SEQUENCE OF Key, current INTEGER }      -1: none is current
//! Key     ::= SEQUENCE { seqnum INTEGER, state INTEGER, validSince UTCTime, validUntil UTCTime, data SET OF KeyData }
//! KeyData ::= SEQUENCE { format INTEGER, publicKey [1], privateKey [2], symmetricKey [3] }  each an OCTET STRING or absent
//! ```

use super::der::{self, Element, OCTET_STRING, Reader, SEQUENCE, SET, UTC_TIME};
use super::error::RingError;
use super::path::RingPath;
use super::ring::{Format, Key, KeyData, KeyRing, Sealed, State};
use super::utc_time::UtcTime;
use crate::crypto::Secret;
use std::collections::BTreeSet;

const PUBLIC: u8 = 0x81;
const PRIVATE: u8 = 0x82;
const SYMMETRIC: u8 = 0x83;

/// `current` of a ring that has no current key.
const NO_CURRENT: i64 = -1;

/// What the private parts of a ring are.
pub(super) trait Material {
    fn read(bytes: &[u8]) -> Self;
    fn bytes(&self) -> &[u8];
}

impl Material for Sealed {
    fn read(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Material for Secret {
    fn read(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }

    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Reads the contents of a KeyRing, whose path the caller knows or judges.
///
/// # Errors
///
/// It is malformed, `path` refuses its purpose, or two keys have one number.
pub(super) fn read<M: Material>(
    mut ring: Reader<'_>,
    path: impl FnOnce(&[u8]) -> Result<RingPath, RingError>,
) -> Result<KeyRing<M>, RingError> {
    let path = path(ring.element(OCTET_STRING)?)?;
    let mut list = ring.constructed(SEQUENCE)?;
    let current = ring.integer()?;
    ring.end()?;
    let mut keys = Vec::new();
    let mut seqnums = BTreeSet::new();
    while !list.is_empty() {
        let key = read_key(list.constructed(SEQUENCE)?)?;
        if !seqnums.insert(key.seqnum) {
            return Err(RingError::DuplicateSeqnum);
        }
        keys.push(key);
    }
    Ok(KeyRing {
        path,
        keys,
        current: Some(current).filter(|current| *current != NO_CURRENT),
    })
}

fn read_key<M: Material>(mut key: Reader<'_>) -> Result<Key<M>, RingError> {
    let time = |key: &mut Reader<'_>| {
        UtcTime::parse(key.element(UTC_TIME)?).ok_or(RingError::Encoding("UTCTime"))
    };
    let (seqnum, state) = (key.integer()?, State(key.integer()?));
    let (valid_since, valid_until) = (time(&mut key)?, time(&mut key)?);
    let mut set = key.constructed(SET)?;
    key.end()?;
    let mut data = Vec::new();
    while !set.is_empty() {
        data.push(read_data(set.constructed(SEQUENCE)?)?);
    }
    Ok(Key {
        seqnum,
        state,
        valid_since,
        valid_until,
        data,
    })
}

fn read_data<M: Material>(mut data: Reader<'_>) -> Result<KeyData<M>, RingError> {
    let read = KeyData {
        format: Format(data.integer()?),
        public: data.optional(PUBLIC)?.map(<[u8]>::to_vec),
        private: data.optional(PRIVATE)?.map(M::read),
        symmetric: data.optional(SYMMETRIC)?.map(M::read),
    };
    data.end()?;
    Ok(read)
}

/// Writes a KeyRing.
pub(super) fn write<M: Material>(ring: &KeyRing<M>) -> Element {
    let keys: Vec<Element> = ring.keys.iter().map(write_key).collect();
    der::write_all(
        SEQUENCE,
        &[
            der::write(OCTET_STRING, &[ring.path.as_str().as_bytes()]),
            der::write_all(SEQUENCE, &keys),
            der::write_integer(ring.current.unwrap_or(NO_CURRENT)),
        ],
    )
}

/// Writes a UTCTime.
pub(super) fn write_time(time: UtcTime) -> Element {
    der::write(UTC_TIME, &[time.to_string().as_bytes()])
}

fn write_key<M: Material>(key: &Key<M>) -> Element {
    der::write_all(
        SEQUENCE,
        &[
            der::write_integer(key.seqnum),
            der::write_integer(key.state.0),
            write_time(key.valid_since),
            write_time(key.valid_until),
            der::write_set(key.data.iter().map(write_data).collect()),
        ],
    )
}

fn write_data<M: Material>(data: &KeyData<M>) -> Element {
    let part = |tag, bytes: Option<&[u8]>| bytes.map(|bytes| der::write(tag, &[bytes]));
    let elements = [
        Some(der::write_integer(data.format.0)),
        part(PUBLIC, data.public.as_deref()),
        part(PRIVATE, data.private.as_ref().map(M::bytes)),
        part(SYMMETRIC, data.symmetric.as_ref().map(M::bytes)),
    ];
    let elements: Vec<Element> = elements.into_iter().flatten().collect();
    der::write_all(SEQUENCE, &elements)
}

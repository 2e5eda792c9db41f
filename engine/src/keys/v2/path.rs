//! Paths of key rings: which key, and whose (keystore.md 7.1, 9).

use crate::keys::{ClientId, KeyKind};
use std::fmt;
use std::sync::Arc;

/// What the name of a ring's file ends in.
const FILE: &str = ".keyring";
/// What the name of a ring that is being written ends in.
const NEW: &str = ".keyring.new";

const POISON_PAIR: &str = "poison-record";
const POISON_SYMMETRIC: &str = "poison-record-sym";
const AUDIT_LOG: &str = "audit-log";
const CLIENT: &str = "client/";
const ZONE: &str = "zone/";
const PAIR: &str = "storage";
const SYMMETRIC: &str = "storage-sym";
const SEARCH: &str = "hmac-sym";

/// The path of a key ring, which is also its purpose: `client/<id>/storage` and the like.
///
/// Rings of zones, of old versions, have paths too; only export and import know them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RingPath {
    text: Arc<str>,
    kind: Option<KeyKind>,
    is_pair: bool,
}

/// What a file of a key directory is, by its path below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A key ring.
    Ring(RingPath),
    /// Left by a writer that was cut off.
    Unfinished,
    /// Anything else.
    Other,
}

impl RingPath {
    /// The ring of a key.
    pub fn of(kind: &KeyKind) -> Self {
        let text = match kind {
            KeyKind::StoragePair(id) => format!("{CLIENT}{id}/{PAIR}"),
            KeyKind::StorageSymmetric(id) => format!("{CLIENT}{id}/{SYMMETRIC}"),
            KeyKind::Search(id) => format!("{CLIENT}{id}/{SEARCH}"),
            KeyKind::PoisonPair => POISON_PAIR.to_owned(),
            KeyKind::PoisonSymmetric => POISON_SYMMETRIC.to_owned(),
            KeyKind::AuditLog => AUDIT_LOG.to_owned(),
        };
        Self {
            text: text.into(),
            kind: Some(kind.clone()),
            is_pair: kind.is_pair(),
        }
    }

    /// Reads a path; `None` if no ring has it.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = match text {
            POISON_PAIR => KeyKind::PoisonPair,
            POISON_SYMMETRIC => KeyKind::PoisonSymmetric,
            AUDIT_LOG => KeyKind::AuditLog,
            _ => match text.strip_prefix(ZONE) {
                Some(zone) => return Self::of_zone(text, zone),
                None => of_client(text.strip_prefix(CLIENT)?)?,
            },
        };
        Some(Self::of(&kind))
    }

    fn of_zone(text: &str, zone: &str) -> Option<Self> {
        let (id, key) = zone.split_once('/')?;
        let letters = id.strip_prefix("DDDDDDDD")?;
        let is_id = letters.len() == 16 && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_pair = key == PAIR;
        (is_id && (is_pair || key == SYMMETRIC)).then(|| Self {
            text: text.into(),
            kind: None,
            is_pair,
        })
    }

    /// The path, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which key it is; `None` for a zone's.
    pub fn kind(&self) -> Option<&KeyKind> {
        self.kind.as_ref()
    }

    /// Whether its keys are pairs, not symmetric ones.
    pub fn is_pair(&self) -> bool {
        self.is_pair
    }

    /// The ring's file below the root.
    pub fn file(&self) -> String {
        format!("{}{FILE}", self.text)
    }

    /// The file that a writer renames to [`file`](Self::file).
    pub fn new_file(&self) -> String {
        format!("{}{NEW}", self.text)
    }
}

impl Entry {
    /// Judges a file by its path below the root.
    pub fn of(path: &str) -> Self {
        if is_new(path) {
            return Self::Unfinished;
        }
        let ring = path.strip_suffix(FILE).and_then(RingPath::parse);
        ring.map_or(Self::Other, Self::Ring)
    }
}

/// Whether a file is a ring that is being written, or was when its writer was cut off.
pub fn is_new(name: &str) -> bool {
    name.ends_with(NEW)
}

fn of_client(path: &str) -> Option<KeyKind> {
    let (id, key) = path.split_once('/')?;
    let id = ClientId::new(id).ok()?;
    match key {
        PAIR => Some(KeyKind::StoragePair(id)),
        SYMMETRIC => Some(KeyKind::StorageSymmetric(id)),
        SEARCH => Some(KeyKind::Search(id)),
        _ => None,
    }
}

impl fmt::Display for RingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingPath({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_kinds() {
        let id = || ClientId::new("client alpha").unwrap();
        for (kind, text, is_pair) in [
            (
                KeyKind::StoragePair(id()),
                "client/client alpha/storage",
                true,
            ),
            (
                KeyKind::StorageSymmetric(id()),
                "client/client alpha/storage-sym",
                false,
            ),
            (KeyKind::Search(id()), "client/client alpha/hmac-sym", false),
            (KeyKind::PoisonPair, "poison-record", true),
            (KeyKind::PoisonSymmetric, "poison-record-sym", false),
            (KeyKind::AuditLog, "audit-log", false),
        ] {
            let path = RingPath::of(&kind);
            assert_eq!((path.as_str(), path.is_pair()), (text, is_pair));
            assert_eq!(path.kind(), Some(&kind));
            assert_eq!(RingPath::parse(text), Some(path.clone()));
            assert_eq!(Entry::of(&path.file()), Entry::Ring(path.clone()));
            assert_eq!(Entry::of(&path.new_file()), Entry::Unfinished);
        }
        let zone = RingPath::parse("zone/DDDDDDDDzxzXVyBBaNclkgPS/storage-sym").unwrap();
        assert_eq!((zone.kind(), zone.is_pair()), (None, false));
    }

    #[test]
    fn what_is_no_path() {
        for text in [
            "",
            "client",
            "client/abc/storage",
            "client/../storage",
            "client/client-alpha/storage/x",
            "client/client-alpha/transport",
            "client//storage",
            "/audit-log",
            "./audit-log",
            "audit-log.keyring",
            "zone/DDDDDDDDzxzXVyBBaNclkgP/storage",
            "zone/DDDDDDDDzxzXVyBBaNclkgPS/hmac-sym",
            "zone/DDDDDDDD../../../../../../storage",
        ] {
            assert_eq!(RingPath::parse(text), None, "{text}");
            assert_eq!(Entry::of(&format!("{text}.keyring")), Entry::Other);
        }
    }
}

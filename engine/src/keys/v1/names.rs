//! Names of files in a key directory (keystore.md 1.1, 4, 4.4, 4.6).

use crate::keys::{ClientId, KeyKind};

/// The lock file that writers hold.
pub const LOCK: &str = ".lock";
/// The file that tells a key store v2.
pub const VERSION: &str = "version";
/// Its content.
pub const VERSION_2: &[u8] = b"Acra Keystore v2";

/// What every temporary file begins with. No underscore: Acra lists such a name as a legacy key and passes over it.
const TEMPORARY: &str = ".tmp-";

/// The directory of the keys of poison records.
pub const POISON_DIRECTORY: &str = ".poison_key";
/// The file of the private key of poison records.
const POISON_PRIVATE: &str = ".poison_key/poison_key";
/// The file of the symmetric key of poison records.
const POISON_SYMMETRIC: &str = ".poison_key/poison_key_sym";
/// The file of the audit log's key.
const LOG_KEY: &str = "secure_log_key";

/// Suffix of a client's private storage key.
const STORAGE_PRIVATE: &str = "_storage";
/// Suffix of a client's key for searchable encryption.
const SEARCH: &str = "_hmac";
/// Suffix of a client's symmetric storage key.
const STORAGE_SYMMETRIC: &str = "_storage_sym";

/// Suffixes that are cut from a name to get the context. At most one of them matches.
const PRIVATE: [&str; 7] = [
    STORAGE_PRIVATE,
    STORAGE_SYMMETRIC,
    SEARCH,
    "_server",
    "_translator",
    "_zone",
    "_zone_sym",
];

/// The file of a key, of a pair that of its private part, within the key directory.
pub fn file(kind: &KeyKind) -> String {
    match kind {
        KeyKind::StoragePair(id) => format!("{id}{STORAGE_PRIVATE}"),
        KeyKind::StorageSymmetric(id) => format!("{id}{STORAGE_SYMMETRIC}"),
        KeyKind::Search(id) => format!("{id}{SEARCH}"),
        KeyKind::PoisonPair => POISON_PRIVATE.to_owned(),
        KeyKind::PoisonSymmetric => POISON_SYMMETRIC.to_owned(),
        KeyKind::AuditLog => LOG_KEY.to_owned(),
    }
}

/// The file of the public key that belongs to a private one.
pub fn public(private: &str) -> String {
    format!("{private}.pub")
}

/// The directory of the older generations of a key file.
pub fn old_directory(file: &str) -> String {
    format!("{file}.old")
}

/// The file whose older generations a directory of this name has; `None` for any other name.
pub fn without_old(directory: &str) -> Option<&str> {
    directory.strip_suffix(".old")
}

/// The name of a temporary file.
pub fn temporary(random: u64) -> String {
    format!("{TEMPORARY}{random:016x}")
}

/// A name within the key directory without `.old/<time stamp>`.
pub fn without_generation(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((directory, _)) => directory.strip_suffix(".old").unwrap_or(name),
        None => name,
    }
}

/// The Secure Cell context of a private or symmetric key file, by its path within the key directory.
pub fn context(name: &str) -> &str {
    let name = without_generation(name);
    if name == LOG_KEY || name.starts_with(".poison_key/") {
        return name;
    }
    PRIVATE
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// The context under which an import of Acra seals a file by mistake, where it is another one (keystore.md 8.2).
pub(super) fn context_of_import(context: &str) -> Option<&'static str> {
    (context == POISON_SYMMETRIC).then_some(POISON_PRIVATE)
}

/// Whether a path within the key directory is that of a public key, which is stored in the clear.
pub fn is_public(name: &str) -> bool {
    without_generation(name).ends_with(".pub")
}

/// Whether a file has a name of [`temporary`].
pub fn is_temporary(name: &str) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix(TEMPORARY)
        .is_some_and(|random| random.len() == 16 && random.bytes().all(is_digit))
}

/// Whether a file was left by a writer that was cut off: ours, or Acra's (a key file's name and digits).
pub fn is_unfinished(name: &str) -> bool {
    if name.starts_with(TEMPORARY) {
        return is_temporary(name);
    }
    let key = name.trim_end_matches(|end: char| end.is_ascii_digit());
    let key_file = key.strip_suffix(".pub").unwrap_or(key);
    key.len() < name.len()
        && (PRIVATE.iter().any(|suffix| key_file.ends_with(suffix))
            || matches!(key_file, LOG_KEY | "poison_key" | "poison_key_sym"))
}

/// What a file of the key directory is, by its name (keystore.md 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A key.
    Key {
        /// What it is for.
        kind: KeyKind,
        /// Whether it is the public part of a pair.
        public: bool,
    },
    /// A key of a kind that Acra no longer uses.
    Legacy,
    /// Left by a writer that was cut off.
    Unfinished,
    /// No key, and nothing that looks like one.
    Foreign,
    /// A name that looks like a key's and is none.
    Unknown,
}

impl Entry {
    /// Judges a file by its path within the key directory.
    pub fn of(path: &str) -> Self {
        let name = path
            .strip_prefix(POISON_DIRECTORY)
            .and_then(|name| name.strip_prefix('/'))
            .unwrap_or(path);
        if is_unfinished(name) {
            return Self::Unfinished;
        }
        let (private, public) = match path.strip_suffix(".pub") {
            Some(private) => (private, true),
            None => (path, false),
        };
        match Self::kind(private) {
            Some(kind) if kind.is_pair() || !public => Self::Key { kind, public },
            _ if Self::is_legacy(private, public) => Self::Legacy,
            _ if name.contains('_') => Self::Unknown,
            _ => Self::Foreign,
        }
    }

    fn kind(path: &str) -> Option<KeyKind> {
        let fixed = [
            KeyKind::PoisonPair,
            KeyKind::PoisonSymmetric,
            KeyKind::AuditLog,
        ];
        if let Some(kind) = fixed.into_iter().find(|kind| file(kind) == path) {
            return Some(kind);
        }
        // `<zone>_zone_sym` does not end like this, so zones' keys are not mistaken for clients'.
        let id = |suffix| ClientId::new(path.strip_suffix(suffix)?).ok();
        None.or_else(|| id(STORAGE_SYMMETRIC).map(KeyKind::StorageSymmetric))
            .or_else(|| id(STORAGE_PRIVATE).map(KeyKind::StoragePair))
            .or_else(|| id(SEARCH).map(KeyKind::Search))
    }

    fn is_legacy(private: &str, public: bool) -> bool {
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| private.ends_with(suffix));
        ends(&["_server", "_translator", "_zone"])
            || !public && (ends(&["_zone_sym"]) || private == "auth_key")
            || !private.contains('_') && ClientId::new(private).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contexts() {
        let id = ClientId::new("client_B 2").unwrap();
        for kind in [
            KeyKind::StorageSymmetric(id.clone()),
            KeyKind::StoragePair(id.clone()),
            KeyKind::Search(id.clone()),
            KeyKind::PoisonPair,
            KeyKind::PoisonSymmetric,
            KeyKind::AuditLog,
        ] {
            let path = file(&kind);
            let of_public = Entry::of(&public(&path));
            let key = |public| Entry::Key {
                kind: kind.clone(),
                public,
            };
            assert_eq!(Entry::of(&path), key(false));
            assert_eq!(of_public == key(true), kind.is_pair(), "{of_public:?}");
        }
        let name = file(&KeyKind::StorageSymmetric(id.clone()));
        assert_eq!(name, "client_B 2_storage_sym");
        let private = file(&KeyKind::StoragePair(id));
        assert_eq!(public(&private), "client_B 2_storage.pub");
        for name in [POISON_PRIVATE, POISON_SYMMETRIC, LOG_KEY] {
            assert_eq!(context(name), name);
        }
        assert_eq!(context(&name), "client_B 2");
        assert_eq!(
            context(&format!("{name}.old/2026-11-23T16:41:24")),
            "client_B 2"
        );
        assert_eq!(
            context("secure_log_key.old/2026-11-23T16:41:24"),
            "secure_log_key"
        );
        assert_eq!(context("client"), "client");
        assert!(is_public("client_storage.pub.old/2026-11-23T16:41:24"));
        assert!(!is_public("client_storage.old/x.pub"));
    }

    #[test]
    fn unfinished_files() {
        for name in [
            &temporary(0xab),
            "client_storage_sym1234",
            "client_storage.pub99",
            "secure_log_key7",
        ] {
            assert!(is_unfinished(name), "{name}");
            assert_eq!(Entry::of(name), Entry::Unfinished);
        }
        for name in [".tmp-xyz", "client1", "client_storage_sym", "12345", "a_b9"] {
            assert!(!is_unfinished(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for name in [
            "bad_storage_sym",
            "../../x_storage_sym",
            "a_b",
            "client_hmac.pub",
            "x_storage.old",
        ] {
            assert_eq!(Entry::of(name), Entry::Unknown, "{name}");
        }
        for name in [
            "auth_key",
            "client",
            "client.pub",
            "client_server.pub",
            "DDDDDDDDzxzXVyBBaNclkgPS_zone_sym",
        ] {
            assert_eq!(Entry::of(name), Entry::Legacy, "{name}");
        }
        for name in ["token.db", "x", ".lock"] {
            assert_eq!(Entry::of(name), Entry::Foreign, "{name}");
        }
    }
}

//! Rows of a list of keys (cli.md 13.3).

use acra_engine::keys::KeyKind;
use acra_engine::keys::v1::TimeStamp;

/// A key as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// 1: the current key; from 2 on: its older generations, oldest first.
    pub index: u32,
    /// What it is for.
    pub kind: KeyKind,
    /// The word that Acra has for that, which differs between versions of the key store.
    pub purpose: &'static str,
    /// Its name: that of the file (v1) or of the key ring (v2). Older generations have that of the current key.
    pub id: String,
    /// When it was replaced (v1, older generations) or made (v2).
    pub created: Option<TimeStamp>,
}

impl ListedKey {
    /// Whether it is the current key.
    pub fn is_current(&self) -> bool {
        self.index == 1
    }
}

//! Which keys a configuration needs.

use super::{Columns, Envelope, Setting, Transform};
use std::collections::BTreeMap;

/// Kinds of keys that columns of one client need to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyNeeds {
    /// The symmetric storage key: AcraBlocks, tokens.
    pub symmetric: bool,
    /// The storage key pair: AcraStructs.
    pub pair: bool,
    /// The key for searchable encryption.
    pub search: bool,
}

impl KeyNeeds {
    /// What one column needs.
    fn of(setting: &Setting) -> Self {
        Self {
            symmetric: setting.envelope == Envelope::AcraBlock,
            pair: setting.envelope == Envelope::AcraStruct,
            search: matches!(setting.transform, Transform::Searchable { .. }),
        }
    }

    /// What both need.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            symmetric: self.symmetric || other.symmetric,
            pair: self.pair || other.pair,
            search: self.search || other.search,
        }
    }

    /// Whether no key is needed.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl Columns {
    /// What the columns of each client need. Those that name no client belong to `own`, and without it to whichever client
    /// connects: see [`needs_of_connections`](Self::needs_of_connections).
    pub fn key_needs<'a>(&'a self, own: Option<&'a str>) -> BTreeMap<&'a str, KeyNeeds> {
        let mut needs: BTreeMap<&str, KeyNeeds> = BTreeMap::new();
        for setting in self.tables().flat_map(|table| table.settings()) {
            if let Some(client) = setting.client_id.as_deref().or(own) {
                let needed = needs.entry(client).or_default();
                *needed = needed.and(KeyNeeds::of(setting));
            }
        }
        needs
    }

    /// What the columns need that name no client.
    pub fn needs_of_connections(&self) -> KeyNeeds {
        self.tables()
            .flat_map(|table| table.settings())
            .filter(|setting| setting.client_id.is_none())
            .fold(KeyNeeds::default(), |needs, setting| {
                needs.and(KeyNeeds::of(setting))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Database;

    #[test]
    fn by_client_and_envelope() {
        let document = "schemas:\n  - table: t\n    columns: [a, b, c, d, e]\n    encrypted:\n      - column: a\n      - \
                        column: b\n        client_id: owner\n        crypto_envelope: acrastruct\n        \
                        reencrypting_to_acrablocks: false\n      - column: c\n        client_id: owner\n        \
                        crypto_envelope: acrastruct\n        reencrypting_to_acrablocks: false\n        searchable: true\n      \
                        - column: d\n        client_id: other\n        token_type: str\n        tokenized: true\n";
        let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
            .unwrap()
            .columns;
        let need = |symmetric, pair, search| KeyNeeds {
            symmetric,
            pair,
            search,
        };
        let block = need(true, false, false);
        let named = [("other", block), ("owner", need(false, true, true))];
        assert_eq!(columns.key_needs(None), BTreeMap::from(named));
        assert_eq!(columns.needs_of_connections(), block);
        let with_own = columns.key_needs(Some("client"));
        assert_eq!((with_own.len(), with_own["client"]), (3, block));
        assert_eq!(
            columns.key_needs(Some("owner"))["owner"],
            need(true, true, true)
        );
        assert!(Columns::empty().key_needs(Some("client")).is_empty());
    }
}

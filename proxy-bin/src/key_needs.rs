//! Clients whose columns cannot be written for want of a key.

use acra_engine::columns::{Columns, KeyNeeds};
use acra_engine::keys::{ClientId, ClientKeys};
use std::collections::BTreeMap;

/// Client ids as the configuration has them, and what their columns need.
pub(crate) type Needs = BTreeMap<String, KeyNeeds>;

/// What the columns of a configuration need. The client of all connections, if there is one, owns the columns that name
/// none.
pub(crate) fn needs(columns: &Columns, own: Option<&ClientId>) -> Needs {
    let by_client = columns.key_needs(own.map(ClientId::as_str));
    let mut needs: Needs = by_client
        .into_iter()
        .map(|(client, needed)| (client.to_owned(), needed))
        .collect();
    if let Some(own) = own {
        needs.entry(own.as_str().to_owned()).or_default();
    }
    needs
}

/// The flags of acra-keymaker that make the keys which are missing; nothing if there are all that are needed. A client
/// without columns needs some key, since it has no other purpose.
pub(crate) fn missing(needed: KeyNeeds, keys: Option<&ClientKeys>) -> Option<String> {
    const SYMMETRIC: &str = "--generate_symmetric_storage_key";
    let has = |what: fn(&ClientKeys) -> bool| keys.is_some_and(what);
    let flags: Vec<&str> = [
        (
            needed.symmetric && !has(|keys| keys.current().is_some()),
            SYMMETRIC,
        ),
        (
            needed.pair && !has(|keys| keys.public.is_some()),
            "--generate_acrawriter_keys",
        ),
        (
            needed.search && !has(|keys| keys.search.is_some()),
            "--generate_hmac_key",
        ),
        (needed.is_empty() && keys.is_none(), SYMMETRIC),
    ]
    .into_iter()
    .filter_map(|(missing, flag)| missing.then_some(flag))
    .collect();
    (!flags.is_empty()).then(|| flags.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{missing, needs};
    use acra_engine::columns::{Columns, Database, KeyNeeds};
    use acra_engine::crypto::{KeyPairType, PrivateKey};
    use acra_engine::keys::{ClientId, ClientKeys};

    #[test]
    fn structs_need_a_pair_and_blocks_a_symmetric_key() {
        let document = "schemas:\n  - table: t\n    columns: [a, b, c]\n    encrypted:\n      - column: a\n        \
                        crypto_envelope: acrastruct\n        reencrypting_to_acrablocks: false\n      - column: b\n        \
                        client_id: owner\n      - column: c\n        client_id: finder\n        searchable: true\n";
        let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
            .unwrap()
            .columns;
        let own = ClientId::new("client").unwrap();
        let by_client = needs(&columns, Some(&own));
        assert_eq!(needs(&columns, None).len(), 2);
        let private = PrivateKey::generate(KeyPairType::default(), &mut rand::rng()).unwrap();
        let pair = ClientKeys {
            public: Some(private.public().unwrap()),
            private: vec![private],
            ..ClientKeys::default()
        };
        for (client, keys, expected) in [
            ("client", Some(&pair), None),
            ("client", None, Some("--generate_acrawriter_keys")),
            (
                "owner",
                Some(&pair),
                Some("--generate_symmetric_storage_key"),
            ),
            (
                "finder",
                Some(&pair),
                Some("--generate_symmetric_storage_key --generate_hmac_key"),
            ),
        ] {
            let missing = missing(by_client[client], keys);
            assert_eq!(missing.as_deref(), expected, "{client}");
        }
        let nothing = KeyNeeds::default();
        assert_eq!(missing(nothing, Some(&pair)), None);
        assert!(missing(nothing, None).is_some());
    }
}

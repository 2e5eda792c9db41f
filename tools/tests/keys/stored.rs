//! list, read and destroy on a key store that the tools made (cli.md 13.3 to 13.5).

use crate::support::Place;
use std::fs;

#[test]
fn the_table_and_its_json() {
    let place = Place::with_keys();
    let list = place.keys(&["list"]);
    let table = "\
Index | Key purpose     | Client | Key ID
------+-----------------+--------+-------------------
1     | poison_key      |        | poison_key
1     | poison_key      |        | poison_key.pub
1     | poison_sym_key  |        | poison_key_sym
1     | audit_log       |        | secure_log_key
1     | search_hmac     | shop-1 | shop-1_hmac
1     | private_storage | shop-1 | shop-1_storage
1     | public_storage  | shop-1 | shop-1_storage.pub
1     | storage_sym_key | shop-1 | shop-1_storage_sym
";
    assert_eq!((list.good(), &*list.log), (table, ""));
    // Names with fractions that the table shortens, or leaves out.
    let old = ".acrakeys/shop-1_storage_sym.old";
    for time in [
        "2026-03-01T08:15:42.5",
        "2026-04-01T08:15:40.129317",
        "2026-04-02T00:00:00",
    ] {
        place.write(
            &format!("{old}/{time}"),
            place.read(".acrakeys/shop-1_storage_sym"),
        );
    }
    let rotated = "
Rotated keys: 
Index | Key purpose     | Client | Creation Time                        | Key ID
------+-----------------+--------+--------------------------------------+-------------------
2     | storage_sym_key | shop-1 | 2026-03-01 08:15:42.5 +0000 UTC      | shop-1_storage_sym
3     | storage_sym_key | shop-1 | 2026-04-01 08:15:40.129317 +0000 UTC | shop-1_storage_sym
4     | storage_sym_key | shop-1 | 2026-04-02 00:00:00 +0000 UTC        | shop-1_storage_sym
";
    assert_eq!(
        place.keys(&["list", "--rotated-keys"]).good(),
        format!("{table}{rotated}")
    );
    fs::remove_dir_all(place.path(".acrakeys/.poison_key")).unwrap();
    for name in [
        "secure_log_key",
        "shop-1_hmac",
        "shop-1_storage",
        "shop-1_storage_sym",
    ] {
        fs::remove_file(place.path(&format!(".acrakeys/{name}"))).unwrap();
    }
    let json = place.keys(&["list", "--json", "--rotated-keys"]);
    let expected = "[\
{\"Index\":1,\"KeyID\":\"shop-1_storage.pub\",\"State\":\"current\",\"Purpose\":\"public_storage\",\"ClientID\":\"shop-1\"},\
{\"Index\":2,\"KeyID\":\"shop-1_storage_sym\",\"State\":\"rotated\",\"Purpose\":\"storage_sym_key\",\"ClientID\":\"shop-1\",\
\"CreationTime\":\"2026-03-01T08:15:42.5Z\"},\
{\"Index\":3,\"KeyID\":\"shop-1_storage_sym\",\"State\":\"rotated\",\"Purpose\":\"storage_sym_key\",\"ClientID\":\"shop-1\",\
\"CreationTime\":\"2026-04-01T08:15:40.129317Z\"},\
{\"Index\":4,\"KeyID\":\"shop-1_storage_sym\",\"State\":\"rotated\",\"Purpose\":\"storage_sym_key\",\"ClientID\":\"shop-1\",\
\"CreationTime\":\"2026-04-02T00:00:00Z\"}]\n";
    assert_eq!(json.good(), expected);
}

#[test]
fn a_store_without_keys() {
    let place = Place::new();
    place.write("keys/token.db", "no key");
    place.set_mode("keys", 0o700);
    let list = place.keys(&["list", "--keys_dir=keys", "--rotated-keys"]);
    let table = "Index | Key purpose | Client | Key ID\n------+-------------+--------+-------\n";
    let rotated = "Index | Key purpose | Client | Creation Time | Key ID\n\
                   ------+-------------+--------+---------------+-------\n";
    assert_eq!(list.good(), format!("{table}\nRotated keys: \n{rotated}"));
    assert_eq!(
        place.keys(&["list", "--keys_dir=keys", "--json"]).good(),
        "[]\n"
    );
    assert_eq!(list.log, "");
    place.write("keys/my_own_file", "no key");
    place.write("keys/client_server", "no key that is used");
    let list = place.keys(&["list", "--keys_dir=keys"]);
    assert!(
        list.log
            .contains("level=warning msg=\"Ignoring unknown file\" KeyID=my_own_file")
    );
    assert!(
        list.log
            .contains("level=warning msg=\"Ignoring legacy key\" KeyID=client_server")
    );
}

#[test]
fn current_keys_are_read() {
    let place = Place::with_keys();
    let symmetric = place.keys(&["read", "client/shop-1/symmetric"]);
    assert_eq!((symmetric.code, symmetric.bytes.len()), (0, 32));
    let public = place.keys(&["read", "--public", "client/shop-1/storage"]);
    assert_eq!(public.code, 0);
    assert_eq!(public.bytes, place.read(".acrakeys/shop-1_storage.pub"));
    for id in ["client/shop-1/storage", "poison-record"] {
        let private = place.keys(&["read", "--private", id]);
        assert_eq!((private.code, private.bytes.len()), (0, 45));
        assert!(private.bytes.starts_with(b"REC2"));
    }
    let gone = place.keys(&["read", "client/nobody/symmetric"]);
    gone.failed(&[
        "level=error msg=\"Cannot read client symmetric key\"",
        "level=fatal msg=\"Failed to read key\"",
        "key does not exist",
    ]);
    place.set_mode(".acrakeys/shop-1_storage", 0o640);
    let open = place.keys(&["read", "--private", "client/shop-1/storage"]);
    open.failed(&[
        "Cannot read client storage private key",
        "has incorrect permissions 0640",
    ]);
}

#[test]
fn the_key_that_the_list_shows_is_destroyed() {
    let place = Place::with_keys();
    let mut generations = vec![place.read(".acrakeys/shop-1_storage_sym")];
    for _ in 0..3 {
        place
            .keys(&[
                "generate",
                "--client_id=shop-1",
                "--client_storage_symmetric_key",
            ])
            .good();
        generations.push(place.read(".acrakeys/shop-1_storage_sym"));
    }
    // Indexes 2, 3 and 4 are the generations 0, 1 and 2; Acra removes another one than it is told to.
    let middle = place.keys(&["destroy", "--index=3", "client/shop-1/symmetric"]);
    assert_eq!((middle.good(), &*middle.log), ("", ""));
    let old = ".acrakeys/shop-1_storage_sym.old";
    let left: Vec<_> = place
        .files(old)
        .iter()
        .map(|name| place.read(&format!("{old}/{name}")))
        .collect();
    assert_eq!(left, [generations[0].clone(), generations[2].clone()]);
    let last = place.keys(&["destroy", "--index=3", "--json", "client/shop-1/symmetric"]);
    assert_eq!(
        last.good(),
        "{\"Index\":3,\"KeyID\":\"client/shop-1/symmetric\",\"State\":\"destroyed\"}\n"
    );
    place
        .keys(&["destroy", "--index=3", "client/shop-1/symmetric"])
        .failed(&[
            "level=error msg=\"Cannot destroy client symmetric rotated key by index\"",
            "level=fatal msg=\"Failed to destroy key\"",
            "invalid index value provided",
        ]);
    for _ in 0..2 {
        // Twice: one that is not there is no error.
        place.keys(&["destroy", "client/shop-1/symmetric"]).good();
    }
    assert_eq!(place.files(old).len(), 1);
    place.keys(&["destroy", "client/shop-1/storage"]).good();
    place.keys(&["destroy", "client/shop-1/searchable"]).good();
    place.keys(&["destroy", "poison-record"]).good();
    place.keys(&["destroy", "poison-record-symmetric"]).good();
    let left = place.files(".acrakeys");
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&"secure_log_key".to_owned()));
}

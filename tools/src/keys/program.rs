//! The commands of `acra-keys` and their flags (cli.md 13): all of Acra's names, and some of our own.

use crate::kind::pair_flag;
use crate::{certificate, store};
use acra_cli::{Command, Flag, Program, families};

/// `acra-keys` with its commands.
pub fn program() -> Program {
    let commands = [
        Command::new(
            "list",
            "shows which keys there are, never their contents",
            Some("acra-keys list [options...]"),
            [places(), store::flags(), store::tls_flags(), list()].concat(),
        ),
        Command::new(
            "export",
            "writes keys to an encrypted bundle, for backups and for other key stores",
            Some(
                "acra-keys export [options...] --key_bundle_file <file> --key_bundle_secret <file> <key-ID...>",
            ),
            [
                places(),
                store::flags(),
                store::tls_flags(),
                bundle(),
                export(),
            ]
            .concat(),
        ),
        Command::new(
            "import",
            "adds the keys of a bundle to the key store; keys that they replace are kept as rotated ones",
            Some(
                "acra-keys import [options...] --key_bundle_file <file> --key_bundle_secret <file>",
            ),
            [
                places(),
                store::flags(),
                store::tls_flags(),
                bundle(),
                vec![json("print what was imported as JSON")],
            ]
            .concat(),
        ),
        Command::new(
            "migrate",
            "copies the keys of a key store v1 to one of version 2",
            Some(
                "acra-keys migrate [options...] \\\n\t\t--src_keystore <version> --src_keys_dir <directory> \\\n\t\t\
                 --dst_keystore <version> --dst_keys_dir <directory>",
            ),
            [side("src_"), side("dst_"), migrate()].concat(),
        ),
        Command::new(
            "read",
            "prints the bytes of a current key",
            Some("acra-keys read [options...] <key-ID>"),
            [places(), store::flags(), store::tls_flags(), read()].concat(),
        ),
        Command::new(
            "destroy",
            "removes a key for ever: what only it can open is lost",
            Some("acra-keys destroy [options...] <key-ID>"),
            [places(), store::flags(), store::tls_flags(), destroy()].concat(),
        ),
        Command::new(
            "generate",
            "makes keys; those that exist are rotated and still open what they sealed",
            Some("acra-keys generate [options...]"),
            [places(), store::flags(), certificate::flags(), generate()].concat(),
        ),
        Command::new(
            "extract-client-id",
            "prints the client id of a certificate",
            None,
            [certificate::flags(), vec![print_json("print it as JSON")]].concat(),
        ),
        Command::new(
            "check",
            "tells which keys an encryptor configuration needs, and whether they are there and open",
            Some("acra-keys check [options...] --encryptor_config_file <file>"),
            [places(), store::flags(), check()].concat(),
        ),
    ];
    Program::new("acra-keys", families::global(), commands)
}

/// Where the key store is.
fn places() -> Vec<Flag> {
    vec![
        Flag::text("keys_dir", ".acrakeys", "directory of the key store"),
        Flag::text(
            "keys_dir_public",
            "",
            "directory of the public keys of a key store v1, if it is another one",
        ),
    ]
}

fn json(usage: &'static str) -> Flag {
    Flag::boolean("json", false, usage)
}

fn print_json(usage: &'static str) -> Flag {
    Flag::boolean("print_json", false, usage)
}

fn list() -> Vec<Flag> {
    vec![
        json("print the list as JSON"),
        Flag::boolean("rotated-keys", false, "list rotated keys too"),
    ]
}

fn bundle() -> Vec<Flag> {
    vec![
        Flag::text("key_bundle_file", "", "file of the encrypted keys"),
        Flag::text(
            "key_bundle_secret",
            "",
            "file of the key that opens them; keep the two apart",
        ),
    ]
}

fn export() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "all",
            false,
            "export every key; of a key store v1 this includes private and symmetric ones",
        ),
        Flag::boolean(
            "private_keys",
            false,
            "export private and symmetric keys too",
        ),
    ]
}

/// One side of a migration.
fn side(prefix: &str) -> Vec<Flag> {
    let places = vec![
        Flag::text("keys_dir", "", "directory of the key store"),
        Flag::text(
            "keys_dir_public",
            "",
            "directory of the public keys of a key store v1, if it is another one",
        ),
        Flag::text("keystore", "", "version of the key store: v1 or v2"),
    ];
    [places, store::flags()]
        .concat()
        .into_iter()
        .map(|flag| flag.prefixed(prefix))
        .collect()
}

fn migrate() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "dry_run",
            false,
            "open and check all keys, and write nothing",
        ),
        Flag::boolean(
            "force",
            false,
            "add the keys to a destination that is a key store v2 already",
        ),
    ]
}

fn read() -> Vec<Flag> {
    vec![
        Flag::boolean(
            "allow_terminal",
            false,
            "print a secret key even if standard output is a terminal",
        ),
        Flag::boolean("private", false, "the private part of a pair"),
        Flag::boolean("public", false, "the public part of a pair"),
    ]
}

fn destroy() -> Vec<Flag> {
    vec![
        Flag::integer(
            "index",
            1,
            "1: the current key; from 2 on: rotated keys, as list --rotated-keys numbers them",
        ),
        json("print what was destroyed as JSON"),
    ]
}

fn generate() -> Vec<Flag> {
    let flag = |name, usage| Flag::boolean(name, false, usage);
    vec![
        flag("audit_log_symmetric_key", "make a key for the audit log"),
        Flag::text("client_id", "", "client id that the keys belong to"),
        flag("client_storage_key", "make a storage key pair"),
        flag(
            "client_storage_symmetric_key",
            "make a symmetric storage key",
        ),
        json("print what was made as JSON"),
        pair_flag(),
        Flag::text(
            "keystore",
            "",
            "version of the key store: v1 or v2; needed to create one",
        ),
        flag(
            "poison_record_keys",
            "make a symmetric key and a key pair for poison records",
        ),
        print_json("known for compatibility, without effect: see json"),
        flag(
            "search_hmac_symmetric_key",
            "make a key for searchable encryption",
        ),
    ]
}

fn check() -> Vec<Flag> {
    vec![
        Flag::text(
            "client_id",
            "",
            "client whose keys protect the columns that name none",
        ),
        Flag::text(
            "encryptor_config_file",
            "",
            "encryptor configuration of acra-server",
        ),
        json("print the result as JSON"),
        Flag::boolean(
            "poison_record_keys",
            false,
            "the keys of poison records are needed too",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::program;
    use acra_cli::{FlagSet, Outcome};

    /// The names that are ours.
    const OURS: [&str; 3] = ["allow_terminal", "encryptor_config_file", "keypair_type"];

    #[test]
    fn all_162_names_of_acra_in_their_order() {
        let Outcome::Dump(dump) = program().parse(["--dump_config".into()], |_| unreachable!())
        else {
            panic!();
        };
        let names: Vec<&str> = dump
            .content
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split_once(':')?.0))
            .filter(|name| *name != "version" && !OURS.contains(name))
            .collect();
        assert_eq!(names.len(), 162);
        let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
        assert_eq!(
            names[..6],
            [
                "config_file",
                "dump_config",
                "generate_markdown_args_table",
                "json",
                "keys_dir",
                "keys_dir_public",
            ]
        );
        assert_eq!(place("vault_tls_transport_enable"), 58);
        let of_export = [
            "all",
            "key_bundle_file",
            "key_bundle_secret",
            "private_keys",
        ];
        assert_eq!(names[59..63], of_export);
        assert_eq!(
            names[63..66],
            ["dry_run", "dst_keys_dir", "dst_keys_dir_public"]
        );
        assert_eq!(names[106..108], ["force", "src_keys_dir"]);
        assert_eq!(
            names[149..],
            [
                "private",
                "public",
                "index",
                "audit_log_symmetric_key",
                "client_id",
                "client_storage_key",
                "client_storage_symmetric_key",
                "keystore",
                "poison_record_keys",
                "print_json",
                "search_hmac_symmetric_key",
                "tls_client_id_cert",
                "tls_identifier_extractor_type",
            ]
        );
    }

    #[test]
    fn extract_client_id_opens_no_key_store() {
        let program = program();
        let command = program
            .commands()
            .iter()
            .find(|command| command.name() == "extract-client-id");
        let flags: &FlagSet = command.unwrap().flags();
        assert!(flags.get("keys_dir").is_none());
    }
}

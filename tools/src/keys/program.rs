//! The commands of `acra-keys` and their flags (cli.md 13): all of Acra's names, and some of our own.

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

//! The flags of `acra-keymaker`: all of Acra's names (cli.md 14).

use acra_cli::families::{self, RedisUse};
use acra_cli::{Availability, Flag, FlagSet};

/// All flags of `acra-keymaker`.
pub fn flag_set() -> FlagSet {
    let kms = Availability::NotYet("a key management service");
    let families = [
        families::global(),
        families::redis(RedisUse::Keys, Availability::NotYet("Redis")),
        families::keystore_strategy(Availability::NotYet(
            "another source of the master key than the environment",
        )),
        families::kms(kms),
        families::vault(Availability::NotYet("HashiCorp Vault")),
        vec![
            Flag::text(
                "kms_key_policy",
                "create",
                "create: make the KMS key if needed",
            )
            .availability(kms),
        ],
        keys(),
        places(),
        additions(),
    ];
    FlagSet::new("acra-keymaker", families.into_iter().flatten())
}

/// What is made. Without any of them: all keys. An existing key is rotated.
fn keys() -> Vec<Flag> {
    let flag = |name, help| Flag::boolean(name, false, help);
    vec![
        flag("generate_acrawriter_keys", "make a storage key pair"),
        flag("generate_hmac_key", "make a key for searchable encryption"),
        flag("generate_log_key", "make a key for the audit log"),
        Flag::text(
            "generate_master_key",
            "",
            "write a new master key to this file and exit",
        ),
        flag(
            "generate_poisonrecord_keys",
            "make a symmetric key and a key pair for poison records",
        ),
        flag(
            "generate_symmetric_storage_key",
            "make a symmetric storage key; an existing one is rotated",
        ),
    ]
}

/// For whom and where.
fn places() -> Vec<Flag> {
    let certificates = "client ids from certificates";
    vec![
        Flag::text("client_id", "client", "client id that the keys belong to"),
        Flag::text("keys_output_dir", ".acrakeys", "directory of the key store"),
        Flag::text(
            "keys_public_output_dir",
            ".acrakeys",
            "directory for public keys, which does not follow keys_output_dir",
        ),
        Flag::text("keystore", "", "version of the key store: v1 or v2"),
        Flag::text("tls_cert", "", "older name of tls_client_id_cert").not_yet(certificates),
        Flag::text(
            "tls_client_id_cert",
            "",
            "certificate that gives the client id",
        )
        .not_yet(certificates),
        Flag::text(
            "tls_identifier_extractor_type",
            "distinguished_name",
            "what of the certificate gives it: distinguished_name or serial_number",
        )
        .not_yet(certificates),
    ]
}

/// What Acra does not have.
fn additions() -> Vec<Flag> {
    vec![Flag::text(
        "keypair_type",
        "p256",
        "type of the key pairs that are made: p256, or x25519, which neither Acra nor AcraWriter can use",
    )]
}

#[cfg(test)]
mod tests {
    use super::{additions, flag_set};
    use acra_cli::Flag;

    #[test]
    fn all_56_names_of_acra_are_known() {
        assert_eq!(flag_set().flags().len(), 56 + additions().len());
    }

    #[test]
    fn what_works_is_what_is_said_to() {
        let set = flag_set();
        let working = set.flags().iter().filter(|flag| flag.is_available());
        let expected = [
            "client_id",
            "config_file",
            "dump_config",
            "generate_acrawriter_keys",
            "generate_hmac_key",
            "generate_log_key",
            "generate_markdown_args_table",
            "generate_master_key",
            "generate_poisonrecord_keys",
            "generate_symmetric_storage_key",
            "keypair_type",
            "keys_output_dir",
            "keys_public_output_dir",
            "keystore",
        ];
        assert_eq!(working.map(Flag::name).collect::<Vec<_>>(), expected);
    }
}

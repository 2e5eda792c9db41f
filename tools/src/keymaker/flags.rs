//! The flags of `acra-keymaker`: all of Acra's names (cli.md 14).

use crate::kind::pair_flag;
use crate::{certificate, store};
use acra_cli::{Flag, FlagSet, families};

/// All flags of `acra-keymaker`.
pub fn flag_set() -> FlagSet {
    let families = [
        families::global(),
        store::flags(),
        vec![
            Flag::text(
                "kms_key_policy",
                "create",
                "create: make the KMS key if needed",
            )
            .availability(store::KMS),
        ],
        keys(),
        places(),
        certificate::flags(),
        vec![pair_flag()],
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
    vec![
        Flag::text("client_id", "client", "client id that the keys belong to"),
        Flag::text("keys_output_dir", ".acrakeys", "directory of the key store"),
        Flag::text(
            "keys_public_output_dir",
            ".acrakeys",
            "directory for public keys, which does not follow keys_output_dir",
        ),
        Flag::text("keystore", "", "version of the key store: v1 or v2"),
    ]
}

#[cfg(test)]
mod tests {
    use super::flag_set;
    use acra_cli::Flag;

    #[test]
    fn all_56_names_of_acra_and_one_of_ours() {
        assert_eq!(flag_set().flags().len(), 56 + 1);
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
            "tls_cert",
            "tls_client_id_cert",
            "tls_identifier_extractor_type",
        ];
        assert_eq!(working.map(Flag::name).collect::<Vec<_>>(), expected);
    }
}

//! The flags of `acra-poisonrecordmaker`: all of Acra's names, and those of Redis that it lost (cli.md 15).

use crate::store;
use acra_cli::{Flag, FlagSet, families};

/// All flags of `acra-poisonrecordmaker`.
pub fn flag_set() -> FlagSet {
    let families = [
        families::global(),
        store::flags(),
        store::tls_flags(),
        vec![
            Flag::integer(
                "data_length",
                -1,
                "bytes of the random payload, at least 1; -1 for a random number of 1 to 99",
            ),
            Flag::text("keys_dir", ".acrakeys", "directory of the key store"),
            Flag::text(
                "type",
                "acrastruct",
                "container of the record: acrastruct or acrablock",
            ),
        ],
    ];
    FlagSet::new("acra-poisonrecordmaker", families.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::flag_set;

    #[test]
    fn the_40_names_of_acra_and_18_of_redis() {
        assert_eq!(flag_set().flags().len(), 58);
    }
}

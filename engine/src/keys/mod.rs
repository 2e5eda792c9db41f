//! Key ids, key rings and on-disk key formats.

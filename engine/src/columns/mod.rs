//! The encryptor configuration.

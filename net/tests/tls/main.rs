//! TLS with both sides, with certificates made on the spot.

mod agreement;
mod answers;
mod files;
mod identity;
mod listener;
mod meet;
mod pki;
#[path = "../../../harness/src/port.rs"]
pub mod port;
mod revocation_crl;
mod revocation_ocsp;
mod revocation_pki;
mod revocation_settings;
mod upstream;

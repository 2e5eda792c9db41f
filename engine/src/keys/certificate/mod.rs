//! Certificates as sources of client ids (keystore.md 2.1, 2.2): PEM and DER readers, the parts an id depends on, the
//! subject's text.
//!
//! Whether a certificate is to be trusted is not judged here.

pub mod der;
mod identity;
mod parts;
mod pem;
mod subject;

pub use identity::{Extractor, IdentityError, client_id, extract, subject_text};
pub use parts::{Certificate, is_minimal, time};
pub use pem::{PemError, certificate_of};

//! What a key has signed: certificates, revocation lists and OCSP responses have the same form (RFC 5280, 4.1.1).

use crate::tls::provider::provider;
use acra_engine::keys::certificate::der::{NotDer, Reader, element, tag};
use sha2::{Digest as _, Sha256};

/// The signed part and its signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The signed element, with its header.
    whole: &'a [u8],
    /// Its content.
    pub(crate) content: &'a [u8],
    /// Content of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the three elements; more may follow.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, NotDer> {
        let (kind, content, whole) = reader.any()?;
        if kind != tag::SEQUENCE {
            return Err(NotDer);
        }
        Ok(Self {
            whole,
            content,
            algorithm: reader.expect(tag::SEQUENCE)?,
            signature: bits(reader.expect(tag::BIT_STRING)?)?,
        })
    }

    /// Whether this key made the signature. Algorithms are those of TLS: no SHA-1, no RSA below 2048 bits.
    pub(crate) fn is_by(&self, key: &Key<'_>) -> bool {
        let algorithms = provider().signature_verification_algorithms;
        algorithms
            .all
            .iter()
            .filter(|algorithm| {
                algorithm.signature_alg_id().as_ref() == self.algorithm
                    && algorithm.public_key_alg_id().as_ref() == key.algorithm
            })
            .any(|algorithm| {
                algorithm
                    .verify_signature(key.bits, self.whole, self.signature)
                    .is_ok()
            })
    }
}

/// A BIT STRING's content of whole bytes.
fn bits(content: &[u8]) -> Result<&[u8], NotDer> {
    match content.split_first() {
        Some((0, bits)) => Ok(bits),
        _ => Err(NotDer),
    }
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// Content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    /// The key itself.
    bits: &'a [u8],
}

impl<'a> Key<'a> {
    /// Reads the content of a SubjectPublicKeyInfo.
    pub(crate) fn parse(content: &'a [u8]) -> Result<Self, NotDer> {
        let mut reader = Reader::new(content);
        let key = Self {
            algorithm: reader.expect(tag::SEQUENCE)?,
            bits: bits(reader.expect(tag::BIT_STRING)?)?,
        };
        reader.end()?;
        Ok(key)
    }
}

/// Who signed a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Issuer<'a> {
    /// Content of its Name.
    pub(crate) name: &'a [u8],
    pub(crate) key: Key<'a>,
}

impl Issuer<'_> {
    /// SHA-256 of the Name's DER (RFC 6960, 4.1.1).
    pub(crate) fn name_hash(&self) -> [u8; 32] {
        Sha256::digest(element(tag::SEQUENCE, self.name)).into()
    }

    /// SHA-256 of the key without its header (RFC 6960, 4.1.1).
    pub(crate) fn key_hash(&self) -> [u8; 32] {
        Sha256::digest(self.key.bits).into()
    }
}

/// The same, of its own.
#[derive(Debug)]
pub(crate) struct OwnedIssuer {
    name: Vec<u8>,
    algorithm: Vec<u8>,
    bits: Vec<u8>,
}

impl Issuer<'_> {
    pub(crate) fn owned(&self) -> OwnedIssuer {
        OwnedIssuer {
            name: self.name.to_vec(),
            algorithm: self.key.algorithm.to_vec(),
            bits: self.key.bits.to_vec(),
        }
    }
}

impl OwnedIssuer {
    pub(crate) fn borrowed(&self) -> Issuer<'_> {
        Issuer {
            name: &self.name,
            key: Key {
                algorithm: &self.algorithm,
                bits: &self.bits,
            },
        }
    }
}

//! Which certificates of a peer are looked up, and who issued each of them.

use super::link::Link;
use super::signed::{Issuer, Key};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// Most certificates that a peer may send.
const MAX_SENT: usize = 16;

/// A certificate to look up.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub(crate) link: Link<'a>,
    /// Who signed it; none for a leaf that is trusted although its issuer is not known.
    pub(crate) issuer: Option<Issuer<'a>>,
    pub(crate) is_leaf: bool,
}

impl Step<'_> {
    /// It is signed by its own key.
    pub(crate) fn is_self_signed(&self) -> bool {
        self.issuer
            .is_some_and(|issuer| issuer.key == self.link.key)
    }
}

/// The certificates between a verified leaf and the trusted CAs, the leaf first.
///
/// An issuer is whose name it is and whose key made the signature. Where several sent certificates fit (cross-signed
/// CAs), all of them are looked up: which one the verification went by is not known, and a peer chooses what it sends.
pub(crate) fn steps<'a>(
    chain: &'a [CertificateDer<'_>],
    cas: &'a RootCertStore,
    now: i64,
) -> Result<Vec<Step<'a>>, &'static str> {
    if chain.len() > MAX_SENT {
        return Err("the peer sent too many certificates");
    }
    let (leaf, others) = chain.split_first().ok_or("no peer tls certificate")?;
    let leaf = Link::parse(leaf).map_err(|_| "the certificate cannot be read")?;
    // One that cannot be read, is no CA's or has expired was not part of what was verified.
    let others: Vec<Link<'a>> = others
        .iter()
        .filter_map(|der| Link::parse(der).ok())
        .filter(|link| link.is_ca && link.is_valid_at(now))
        .collect();
    let mut is_taken = vec![false; others.len()];
    let mut steps = Vec::new();
    let mut open = vec![leaf];
    while let Some(link) = open.pop() {
        let is_leaf = steps.is_empty();
        let mut issuer = anchor(&link, cas);
        if issuer.is_none() {
            for (other, is_taken) in others.iter().zip(&mut is_taken) {
                if other.subject != link.issuer || !link.signed.is_by(&other.key) {
                    continue;
                }
                issuer = Some(Issuer {
                    name: link.issuer,
                    key: other.key,
                });
                if !*is_taken {
                    *is_taken = true;
                    open.push(other.clone());
                }
            }
        }
        // A sent certificate without an issuer leads to no trusted CA.
        if is_leaf || issuer.is_some() {
            steps.push(Step {
                link,
                issuer,
                is_leaf,
            });
        }
    }
    Ok(steps)
}

fn anchor<'a>(link: &Link<'a>, cas: &'a RootCertStore) -> Option<Issuer<'a>> {
    cas.roots
        .iter()
        .filter(|anchor| anchor.subject.as_ref() == link.issuer)
        .filter_map(|anchor| Key::parse(anchor.subject_public_key_info.as_ref()).ok())
        .find(|key| link.signed.is_by(key))
        .map(|key| Issuer {
            name: link.issuer,
            key,
        })
}

//! Requests and responses of OCSP (RFC 6960, 4).

use super::crl::CLOCK_SKEW;
use super::link::{Link, extensions_of};
use super::signed::{Issuer, Signed};
use acra_engine::keys::certificate::der::{NotDer, Reader, element, tag};
use acra_engine::keys::certificate::time;

/// Content of the identifier of SHA-256 (RFC 5754).
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const NULL: &[u8] = &[5, 0];
/// id-pkix-ocsp-basic.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// Most certificates of delegates in a response.
const MAX_DELEGATES: usize = 8;
/// How old an answer may be that does not say when there will be a newer one, in seconds.
const MAX_AGE: i64 = 24 * 3600;

/// What a responder says about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    /// Since when, in seconds since 1970.
    Revoked(i64),
    Unknown,
}

/// A status, and until when it holds if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) status: Status,
    pub(crate) next_update: Option<i64>,
}

/// Which certificate is meant (RFC 6960, 4.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CertId {
    issuer_name_hash: [u8; 32],
    issuer_key_hash: [u8; 32],
    serial: Vec<u8>,
}

impl CertId {
    pub(crate) fn new(issuer: &Issuer<'_>, link: &Link<'_>) -> Self {
        Self {
            issuer_name_hash: issuer.name_hash(),
            issuer_key_hash: issuer.key_hash(),
            serial: link.serial.to_vec(),
        }
    }

    /// An unsigned request for this certificate, without nonce (tls.md 7.2).
    pub(crate) fn request(&self) -> Vec<u8> {
        let algorithm = [element(tag::OID, SHA_256), NULL.to_vec()].concat();
        let id = [
            element(tag::SEQUENCE, &algorithm),
            element(tag::OCTET_STRING, &self.issuer_name_hash),
            element(tag::OCTET_STRING, &self.issuer_key_hash),
            element(tag::INTEGER, &self.serial),
        ]
        .concat();
        // CertID in Request in requestList in TBSRequest in OCSPRequest.
        let mut request = id;
        for _ in 0..5 {
            request = element(tag::SEQUENCE, &request);
        }
        request
    }

    /// Whether these are the fields of a CertID for the same certificate.
    fn is(&self, mut id: Reader<'_>) -> Result<bool, NotDer> {
        let mut algorithm = id.inside(tag::SEQUENCE)?;
        let hash = algorithm.expect(tag::OID)?;
        algorithm.optional(NULL_TAG)?;
        algorithm.end()?;
        let names = id.expect(tag::OCTET_STRING)? == self.issuer_name_hash;
        let keys = id.expect(tag::OCTET_STRING)? == self.issuer_key_hash;
        let serials = id.expect(tag::INTEGER)? == self.serial;
        id.end()?;
        Ok(hash == SHA_256 && names && keys && serials)
    }

    /// Takes the status out of a response, after everything about it is verified.
    pub(crate) fn response(
        &self,
        der: &[u8],
        issuer: &Issuer<'_>,
        now: i64,
    ) -> Result<Verified, String> {
        let malformed = |_: NotDer| "the answer is no OCSP response".to_owned();
        let mut basic = Reader::new(basic(der)?);
        let mut response = basic.inside(tag::SEQUENCE).map_err(malformed)?;
        basic.end().map_err(malformed)?;
        let signed = Signed::read(&mut response).map_err(malformed)?;
        let delegates = response.optional(0xa0).map_err(malformed)?;
        response.end().map_err(malformed)?;
        if !signed.is_by(&issuer.key) {
            let is_delegated = is_by_delegate(&signed, delegates, issuer, now);
            if !is_delegated.map_err(malformed)? {
                return Err(
                    "the OCSP response is signed neither by the certificate's issuer nor by a delegate of it"
                        .to_owned(),
                );
            }
        }
        let single = self.find(signed.content).map_err(malformed)?;
        let Some(single) = single else {
            return Err("the OCSP response is for another certificate".to_owned());
        };
        if single.is_critical {
            return Err("the OCSP response has an unknown critical extension".to_owned());
        }
        if single.this_update > now + CLOCK_SKEW {
            return Err("the OCSP response's thisUpdate is ahead of current time".to_owned());
        }
        let is_over = match single.next_update {
            Some(next) => next <= now,
            None => single.this_update < now - MAX_AGE,
        };
        if is_over {
            return Err("the OCSP response is out of date (nextUpdate)".to_owned());
        }
        Ok(Verified {
            status: single.status,
            next_update: single.next_update,
        })
    }

    /// The response for this certificate in a ResponseData.
    fn find(&self, content: &[u8]) -> Result<Option<Single>, NotDer> {
        let mut data = Reader::new(content);
        data.optional(0xa0)?;
        // ResponderID: whose key it is, is found by trying.
        let (0xa1 | 0xa2, _, _) = data.any()? else {
            return Err(NotDer);
        };
        data.expect(tag::GENERALIZED_TIME)?;
        let mut singles = data.inside(tag::SEQUENCE)?;
        let is_critical = has_critical(data.optional(0xa1)?)?;
        data.end()?;
        let mut found = None;
        while !singles.is_empty() {
            let mut single = singles.inside(tag::SEQUENCE)?;
            if self.is(single.inside(tag::SEQUENCE)?)? && found.is_none() {
                let mut single = Single::read(single)?;
                single.is_critical |= is_critical;
                found = Some(single);
            }
        }
        Ok(found)
    }
}

const NULL_TAG: u8 = 0x05;

/// The rest of a SingleResponse after its CertID.
struct Single {
    status: Status,
    this_update: i64,
    next_update: Option<i64>,
    is_critical: bool,
}

impl Single {
    fn read(mut single: Reader<'_>) -> Result<Self, NotDer> {
        let status = match single.any()? {
            (0x80, [], _) => Status::Good,
            (0x82, [], _) => Status::Unknown,
            (0xa1, info, _) => Status::Revoked(time(&mut Reader::new(info))?),
            _ => return Err(NotDer),
        };
        let this_update = time(&mut single)?;
        let next_update = match single.optional(0xa0)? {
            Some(next) => Some(time(&mut Reader::new(next))?),
            None => None,
        };
        let is_critical = has_critical(single.optional(0xa1)?)?;
        single.end()?;
        Ok(Self {
            status,
            this_update,
            next_update,
            is_critical,
        })
    }
}

fn has_critical(extensions: Option<&[u8]>) -> Result<bool, NotDer> {
    let Some(extensions) = extensions else {
        return Ok(false);
    };
    let all = extensions_of(extensions)?;
    Ok(all.iter().any(|extension| extension.is_critical))
}

/// The BasicOCSPResponse in an OCSPResponse (RFC 6960, 4.2.1).
fn basic(der: &[u8]) -> Result<&[u8], String> {
    let read = || {
        let mut outer = Reader::new(der);
        let mut response = outer.inside(tag::SEQUENCE)?;
        outer.end()?;
        let status = response.expect(tag::ENUMERATED)?;
        let bytes = response.optional(0xa0)?;
        response.end()?;
        Ok((status, bytes))
    };
    let (status, bytes) = read().map_err(|_: NotDer| "the answer is no OCSP response")?;
    let fault = match status {
        [0] => None,
        [1] => Some("malformedRequest"),
        [2] => Some("internalError"),
        [3] => Some("tryLater"),
        [5] => Some("sigRequired"),
        [6] => Some("unauthorized"),
        _ => Some("an unknown status"),
    };
    if let Some(fault) = fault {
        return Err(format!("the OCSP server answers {fault}"));
    }
    let read = || {
        let mut wrapper = Reader::new(bytes.ok_or(NotDer)?);
        let mut bytes = wrapper.inside(tag::SEQUENCE)?;
        wrapper.end()?;
        let kind = bytes.expect(tag::OID)?;
        let basic = bytes.expect(tag::OCTET_STRING)?;
        bytes.end()?;
        if kind == BASIC {
            Ok(basic)
        } else {
            Err(NotDer)
        }
    };
    read().map_err(|_| "the OCSP response is of an unknown kind".to_owned())
}

/// Whether one of the included certificates made the signature that the issuer has given this purpose (RFC 6960,
/// 4.2.2.2).
fn is_by_delegate(
    signed: &Signed<'_>,
    delegates: Option<&[u8]>,
    issuer: &Issuer<'_>,
    now: i64,
) -> Result<bool, NotDer> {
    let Some(delegates) = delegates else {
        return Ok(false);
    };
    let mut wrapper = Reader::new(delegates);
    let mut list = wrapper.inside(tag::SEQUENCE)?;
    wrapper.end()?;
    for _ in 0..MAX_DELEGATES {
        if list.is_empty() {
            break;
        }
        let delegate = Link::read(&mut list)?;
        let is_delegate = delegate.may_sign_ocsp
            && delegate.issuer == issuer.name
            && delegate.is_valid_at(now)
            && delegate.signed.is_by(&issuer.key);
        if is_delegate && signed.is_by(&delegate.key) {
            return Ok(true);
        }
    }
    Ok(false)
}

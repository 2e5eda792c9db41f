//! Certificate revocation lists (RFC 5280, 5).

use super::link::{Link, extensions_of, full_name};
use super::signed::{Issuer, OwnedIssuer, Signed};
use acra_engine::keys::certificate::der::{NotDer, Reader, tag};
use acra_engine::keys::certificate::{is_minimal, time};
use rustls::pki_types::pem::{self, SectionKind};
use std::sync::OnceLock;

const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
const DELTA_INDICATOR: &[u8] = &[0x55, 0x1d, 0x1b];
/// Accepted and not used: authorityKeyIdentifier, issuerAltName, cRLNumber (tls.md 8.2).
const UNUSED: [&[u8]; 3] = [
    &[0x55, 0x1d, 0x23],
    &[0x55, 0x1d, 0x12],
    &[0x55, 0x1d, 0x14],
];

/// Seconds by which clocks may differ.
pub(crate) const CLOCK_SKEW: i64 = 300;

const UNKNOWN_CRITICAL: &str = "unable to process unknown critical extension inside CRL";

/// A list that has been read; nothing about it is verified yet.
#[derive(Debug)]
pub(crate) struct Crl {
    der: Vec<u8>,
    this_update: i64,
    next_update: Option<i64>,
    scope: Scope,
    /// Where in `der` the serial numbers are, ordered by these.
    entries: Vec<(u32, u32)>,
    /// The first issuer that it turned out to be of.
    verified: OnceLock<OwnedIssuer>,
}

/// issuingDistributionPoint (RFC 5280, 5.2.5).
#[derive(Debug, Default)]
struct Scope {
    /// Addresses of the list, if it says any.
    urls: Option<Vec<String>>,
    only_users: bool,
    only_cas: bool,
}

/// Why a list is of no use for a certificate; completes "the list".
pub(crate) type Fault = String;

impl Crl {
    /// Reads DER or PEM. Takes a while for a long list.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, Fault> {
        let der = if bytes.first() == Some(&tag::SEQUENCE) {
            bytes
        } else {
            let mut text = bytes.as_slice();
            loop {
                match pem::from_buf(&mut text) {
                    Ok(Some((SectionKind::Crl, der))) => break der,
                    Ok(Some(_)) => {}
                    _ => return Err("it is no CRL in DER or PEM".to_owned()),
                }
            }
        };
        let mut crl = Self {
            der: Vec::new(),
            this_update: 0,
            next_update: None,
            scope: Scope::default(),
            entries: Vec::new(),
            verified: OnceLock::new(),
        };
        crl.parse(&der)?;
        crl.der = der;
        let Self { der, entries, .. } = &mut crl;
        entries.sort_unstable_by_key(|place| at(der, *place));
        Ok(crl)
    }

    fn parse(&mut self, der: &[u8]) -> Result<(), Fault> {
        let malformed = |_: NotDer| "it is no CRL in strict DER".to_owned();
        let signed = outer(der).map_err(malformed)?;
        let mut list = Reader::new(signed.content);
        let extensions = self.fields(der, &signed, &mut list).map_err(malformed)?;
        for extension in extensions_of_list(extensions).map_err(malformed)? {
            match extension.id {
                id if UNUSED.contains(&id) => {}
                DELTA_INDICATOR => {
                    return Err("handling of CRL extension is not yet implemented".to_owned());
                }
                ISSUING_DISTRIBUTION_POINT => self.scope(extension.value)?,
                _ if extension.is_critical => return Err(UNKNOWN_CRITICAL.to_owned()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The fields before the extensions, of which it gives the content.
    fn fields<'a>(
        &mut self,
        der: &[u8],
        signed: &Signed<'a>,
        list: &mut Reader<'a>,
    ) -> Result<Option<&'a [u8]>, NotDer> {
        // Version 2 is written 1; version 1 is not written.
        if !matches!(list.optional(tag::INTEGER)?, None | Some([1])) {
            return Err(NotDer);
        }
        if list.expect(tag::SEQUENCE)? != signed.algorithm {
            return Err(NotDer);
        }
        list.expect(tag::SEQUENCE)?;
        self.this_update = time(list)?;
        if matches!(list.next_tag(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
            self.next_update = Some(time(list)?);
        }
        if let Some(entries) = list.optional(tag::SEQUENCE)? {
            let mut entries = Reader::new(entries);
            while !entries.is_empty() {
                let mut entry = entries.inside(tag::SEQUENCE)?;
                let serial = entry.expect(tag::INTEGER)?;
                if !is_minimal(serial) {
                    return Err(NotDer);
                }
                time(&mut entry)?;
                entry.optional(tag::SEQUENCE)?;
                entry.end()?;
                let start = serial.as_ptr().addr() - der.as_ptr().addr();
                let place = (u32::try_from(start), u32::try_from(serial.len()));
                let (Ok(start), Ok(length)) = place else {
                    return Err(NotDer);
                };
                self.entries.push((start, length));
            }
        }
        let extensions = list.optional(0xa0)?;
        list.end()?;
        Ok(extensions)
    }

    /// Takes a list of full scope, or for certificates of CAs or of others only (tls.md 12.8).
    fn scope(&mut self, value: &[u8]) -> Result<(), Fault> {
        let unusable = || format!("{UNKNOWN_CRITICAL} (issuingDistributionPoint)");
        let read = || -> Result<(Scope, bool), NotDer> {
            let mut outer = Reader::new(value);
            let mut point = outer.inside(tag::SEQUENCE)?;
            outer.end()?;
            let mut scope = Scope::default();
            if let Some(name) = point.optional(0xa0)? {
                scope.urls = Some(full_name(name)?);
            }
            let mut flag = |tag| Ok(point.optional(tag)?.is_some_and(|value| value != [0]));
            scope.only_users = flag(0x81)?;
            scope.only_cas = flag(0x82)?;
            // Only some reasons, lists of other issuers, and only attribute certificates.
            let is_partial = flag(0x83)? | flag(0x84)? | flag(0x85)?;
            point.end()?;
            Ok((scope, is_partial))
        };
        match read() {
            Ok((scope, false)) => {
                self.scope = scope;
                Ok(())
            }
            _ => Err(unusable()),
        }
    }

    /// Whether it was signed by this issuer. The signature is over the whole list: a while for a long one.
    pub(crate) fn verify(&self, issuer: &Issuer<'_>) -> Result<(), Fault> {
        let signed = outer(&self.der).map_err(|_| "it is no CRL".to_owned())?;
        let mut list = Reader::new(signed.content);
        let name = (|| {
            list.optional(tag::INTEGER)?;
            list.expect(tag::SEQUENCE)?;
            list.expect(tag::SEQUENCE)
        })();
        if name != Ok(issuer.name) {
            return Err("it is not of the certificate's issuer".to_owned());
        }
        match signed.is_by(&issuer.key) {
            true => {
                self.verified.get_or_init(|| issuer.owned());
                Ok(())
            }
            false => Err("its signature is not of the certificate's issuer".to_owned()),
        }
    }

    /// Whether it is known already that it was signed by this issuer.
    pub(crate) fn is_verified_by(&self, issuer: &Issuer<'_>) -> bool {
        self.verified
            .get()
            .is_some_and(|verified| verified.borrowed() == *issuer)
    }

    /// Whether it is up to date.
    pub(crate) fn is_current(&self, now: i64) -> Result<(), Fault> {
        if self.this_update > now + CLOCK_SKEW {
            return Err("fetched CRLs ThisUpdate is ahead of current time".to_owned());
        }
        // RFC 5280, 5.1.2.5: there must be one.
        if self.next_update.is_none_or(|next| next <= now) {
            return Err("fetched CRLs NextUpdate is behind current time".to_owned());
        }
        Ok(())
    }

    pub(crate) fn next_update(&self) -> Option<i64> {
        self.next_update
    }

    /// Whether it tells about such certificates.
    pub(crate) fn covers(&self, link: &Link<'_>, url: &str) -> Result<(), Fault> {
        let is_of = |urls: &Vec<String>| {
            urls.iter()
                .any(|own| own == url || link.lists.contains(own))
        };
        if self.scope.urls.as_ref().is_some_and(|urls| !is_of(urls))
            || self.scope.only_users && link.is_ca
            || self.scope.only_cas && !link.is_ca
        {
            return Err(format!(
                "{UNKNOWN_CRITICAL}: by issuingDistributionPoint it is for other certificates"
            ));
        }
        Ok(())
    }

    /// When the certificate with this serial number was revoked, in seconds since 1970.
    pub(crate) fn revoked_at(&self, serial: &[u8]) -> Option<i64> {
        let found = self
            .entries
            .binary_search_by_key(&serial, |place| at(&self.der, *place));
        let (start, length) = *self.entries.get(found.ok()?)?;
        let after = self.der.get(start as usize + length as usize..)?;
        time(&mut Reader::new(after)).ok()
    }
}

fn at(der: &[u8], (start, length): (u32, u32)) -> &[u8] {
    let start = start as usize;
    der.get(start..start + length as usize).unwrap_or_default()
}

fn outer(der: &[u8]) -> Result<Signed<'_>, NotDer> {
    let mut outer = Reader::new(der);
    let mut list = outer.inside(tag::SEQUENCE)?;
    outer.end()?;
    let signed = Signed::read(&mut list)?;
    list.end()?;
    Ok(signed)
}

fn extensions_of_list(content: Option<&[u8]>) -> Result<Vec<super::link::Extension<'_>>, NotDer> {
    content.map_or(Ok(Vec::new()), extensions_of)
}

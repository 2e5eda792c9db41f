//! A certificate as a link of a chain: who issued it, and where revocations of it are told (RFC 5280, 4.1, 4.2.1.13 and
//! 4.2.2.1).

use super::signed::{Key, Signed};
use acra_engine::keys::certificate::der::{NotDer, Reader, tag};
use acra_engine::keys::certificate::{is_minimal, time};

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
const INFORMATION_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// GeneralName's uniformResourceIdentifier.
pub(crate) const URI: u8 = 0x86;
/// Constructed context tag 0.
const CONTEXT_0: u8 = 0xa0;
/// Most addresses of one kind that are taken from a certificate.
const MAX_SOURCES: usize = 8;

/// A certificate, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Link<'a> {
    pub(crate) signed: Signed<'a>,
    /// INTEGER's content.
    pub(crate) serial: &'a [u8],
    /// Contents of the Names.
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) key: Key<'a>,
    validity: [i64; 2],
    pub(crate) is_ca: bool,
    /// Extended key usage names OCSPSigning.
    pub(crate) may_sign_ocsp: bool,
    /// Addresses of OCSP responders.
    pub(crate) responders: Vec<String>,
    /// Addresses of revocation lists.
    pub(crate) lists: Vec<String>,
}

impl<'a> Link<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut outer = Reader::new(der);
        let link = Self::read(&mut outer)?;
        outer.end()?;
        Ok(link)
    }

    /// Reads one certificate; more may follow.
    pub(crate) fn read(outer: &mut Reader<'a>) -> Result<Self, NotDer> {
        let mut certificate = outer.inside(tag::SEQUENCE)?;
        let signed = Signed::read(&mut certificate)?;
        certificate.end()?;
        let mut tbs = Reader::new(signed.content);
        tbs.optional(CONTEXT_0)?;
        let serial = tbs.expect(tag::INTEGER)?;
        if !is_minimal(serial) {
            return Err(NotDer);
        }
        tbs.expect(tag::SEQUENCE)?;
        let issuer = tbs.expect(tag::SEQUENCE)?;
        let mut times = tbs.inside(tag::SEQUENCE)?;
        let validity = [time(&mut times)?, time(&mut times)?];
        times.end()?;
        let subject = tbs.expect(tag::SEQUENCE)?;
        let key = Key::parse(tbs.expect(tag::SEQUENCE)?)?;
        tbs.optional(0x81)?;
        tbs.optional(0x82)?;
        let mut link = Self {
            signed,
            serial,
            issuer,
            subject,
            key,
            validity,
            is_ca: false,
            may_sign_ocsp: false,
            responders: Vec::new(),
            lists: Vec::new(),
        };
        if let Some(extensions) = tbs.optional(0xa3)? {
            for extension in extensions_of(extensions)? {
                link.extension(extension.id, Reader::new(extension.value))?;
            }
        }
        tbs.end()?;
        Ok(link)
    }

    fn extension(&mut self, id: &[u8], mut value: Reader<'a>) -> Result<(), NotDer> {
        match id {
            BASIC_CONSTRAINTS => {
                self.is_ca = value.inside(tag::SEQUENCE)?.boolean_or_false()?;
            }
            EXTENDED_KEY_USAGE => {
                let mut list = value.inside(tag::SEQUENCE)?;
                while !list.is_empty() {
                    self.may_sign_ocsp |= list.expect(tag::OID)? == OCSP_SIGNING;
                }
            }
            INFORMATION_ACCESS => {
                let mut list = value.inside(tag::SEQUENCE)?;
                while !list.is_empty() {
                    let mut description = list.inside(tag::SEQUENCE)?;
                    let method = description.expect(tag::OID)?;
                    let (kind, location, _) = description.any()?;
                    if method == OCSP && kind == URI {
                        add(&mut self.responders, vec![address(location)?])?;
                    }
                }
            }
            DISTRIBUTION_POINTS => {
                let mut list = value.inside(tag::SEQUENCE)?;
                while !list.is_empty() {
                    add(
                        &mut self.lists,
                        distribution_point(list.inside(tag::SEQUENCE)?)?,
                    )?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn is_valid_at(&self, now: i64) -> bool {
        let [from, until] = self.validity;
        (from..=until).contains(&now)
    }

    /// The serial number in hex, without leading zeros.
    pub(crate) fn serial_hex(&self) -> String {
        let serial = self.serial.strip_prefix(&[0]).unwrap_or(self.serial);
        const_hex::encode(serial)
    }
}

fn add(to: &mut Vec<String>, more: Vec<String>) -> Result<(), NotDer> {
    to.extend(more);
    (to.len() <= MAX_SOURCES).then_some(()).ok_or(NotDer)
}

/// The addresses of one distribution point. Its names lead to the same list: where one of them can be used, those of
/// other schemes (`ldap://`) are left out.
fn distribution_point(mut point: Reader<'_>) -> Result<Vec<String>, NotDer> {
    let Some(name) = point.optional(CONTEXT_0)? else {
        return Ok(Vec::new());
    };
    let urls = full_name(name)?;
    let is_http = |url: &String| {
        url.get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
    };
    Ok(match urls.iter().any(is_http) {
        true => urls.into_iter().filter(is_http).collect(),
        false => urls,
    })
}

/// The addresses in a DistributionPointName.
pub(crate) fn full_name(name: &[u8]) -> Result<Vec<String>, NotDer> {
    let mut name = Reader::new(name);
    let mut urls = Vec::new();
    if let Some(names) = name.optional(CONTEXT_0)? {
        let mut names = Reader::new(names);
        while !names.is_empty() {
            let (kind, content, _) = names.any()?;
            if kind == URI {
                urls.push(address(content)?);
            }
        }
    }
    Ok(urls)
}

fn address(content: &[u8]) -> Result<String, NotDer> {
    str::from_utf8(content)
        .map(str::to_owned)
        .map_err(|_| NotDer)
}

/// An extension (RFC 5280, 4.1.2.9 and 5.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) is_critical: bool,
    pub(crate) value: &'a [u8],
}

/// The extensions in the content of an explicit tag. None may be there twice.
pub(crate) fn extensions_of(content: &[u8]) -> Result<Vec<Extension<'_>>, NotDer> {
    let mut wrapper = Reader::new(content);
    let mut list = wrapper.inside(tag::SEQUENCE)?;
    wrapper.end()?;
    let mut all: Vec<Extension<'_>> = Vec::new();
    while !list.is_empty() {
        let mut extension = list.inside(tag::SEQUENCE)?;
        let id = extension.expect(tag::OID)?;
        let is_critical = extension.boolean_or_false()?;
        let value = extension.expect(tag::OCTET_STRING)?;
        extension.end()?;
        if all.iter().any(|other| other.id == id) {
            return Err(NotDer);
        }
        all.push(Extension {
            id,
            is_critical,
            value,
        });
    }
    Ok(all)
}

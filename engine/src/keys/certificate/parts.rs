//! The parts of a certificate (RFC 5280, 4.1) that a client id depends on.

use super::der::{NotDer, Reader, tag};

/// Content of the identifiers of extensions and purposes.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// Context tags of the optional parts of TBSCertificate.
const VERSION: u8 = 0xa0;
const ISSUER_UNIQUE_ID: u8 = 0x81;
const SUBJECT_UNIQUE_ID: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;

/// A certificate, taken apart as far as is needed here.
#[derive(Debug)]
pub struct Certificate<'a> {
    /// The serial number as INTEGER's content: may have a leading zero byte.
    pub serial: &'a [u8],
    /// From when and until when it is valid, in seconds since 1970.
    validity: [i64; 2],
    /// The DER of the subject's Name.
    pub subject: &'a [u8],
    /// The DER of SubjectPublicKeyInfo.
    pub key: &'a [u8],
    /// Basic constraints say that it is a CA.
    pub is_ca: bool,
    /// Key usage has digitalSignature.
    pub may_sign: bool,
    /// Extended key usages, if there is that extension.
    purposes: Option<Vec<&'a [u8]>>,
}

impl<'a> Certificate<'a> {
    /// Takes a certificate apart.
    ///
    /// # Errors
    ///
    /// It is not the DER of a certificate.
    pub fn parse(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.inside(tag::SEQUENCE)?;
        outer.end()?;
        let mut tbs = certificate.inside(tag::SEQUENCE)?;
        certificate.expect(tag::SEQUENCE)?;
        certificate.expect(tag::BIT_STRING)?;
        certificate.end()?;

        tbs.optional(VERSION)?;
        let serial = tbs.expect(tag::INTEGER)?;
        tbs.expect(tag::SEQUENCE)?;
        tbs.expect(tag::SEQUENCE)?;
        let mut times = tbs.inside(tag::SEQUENCE)?;
        let validity = [time(&mut times)?, time(&mut times)?];
        times.end()?;
        let (subject_tag, _, subject) = tbs.any()?;
        if subject_tag != tag::SEQUENCE || !is_minimal(serial) {
            return Err(NotDer);
        }
        let (_, _, key) = tbs.any()?;
        tbs.optional(ISSUER_UNIQUE_ID)?;
        tbs.optional(SUBJECT_UNIQUE_ID)?;
        let mut parsed = Self {
            serial,
            validity,
            subject,
            key,
            is_ca: false,
            may_sign: false,
            purposes: None,
        };
        if let Some(extensions) = tbs.optional(EXTENSIONS)? {
            parsed.extensions(Reader::new(extensions))?;
        }
        tbs.end()?;
        Ok(parsed)
    }

    fn extensions(&mut self, mut wrapper: Reader<'a>) -> Result<(), NotDer> {
        let mut list = wrapper.inside(tag::SEQUENCE)?;
        wrapper.end()?;
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let mut extension = list.inside(tag::SEQUENCE)?;
            let id = extension.expect(tag::OID)?;
            extension.boolean_or_false()?;
            let mut value = extension.inside(tag::OCTET_STRING)?;
            extension.end()?;
            // Of two, a reader could go by either.
            if seen.contains(&id) {
                return Err(NotDer);
            }
            seen.push(id);
            match id {
                BASIC_CONSTRAINTS => {
                    let mut constraints = value.inside(tag::SEQUENCE)?;
                    self.is_ca = constraints.boolean_or_false()?;
                    constraints.optional(tag::INTEGER)?;
                    constraints.end()?;
                    value.end()?;
                }
                KEY_USAGE => {
                    // The first byte counts unused bits; digitalSignature is bit 0, the highest.
                    let bits = value.expect(tag::BIT_STRING)?;
                    self.may_sign = bits.get(1).is_some_and(|byte| byte & 0x80 != 0);
                    value.end()?;
                }
                EXTENDED_KEY_USAGE => {
                    let mut list = value.inside(tag::SEQUENCE)?;
                    let mut purposes = Vec::new();
                    while !list.is_empty() {
                        purposes.push(list.expect(tag::OID)?);
                    }
                    self.purposes = Some(purposes);
                    value.end()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// It is valid at this time, in seconds since 1970.
    pub fn is_valid_at(&self, now: i64) -> bool {
        let [from, until] = self.validity;
        (from..=until).contains(&now)
    }

    /// Extended key usage names clientAuth.
    pub fn is_for_clients(&self) -> bool {
        let purposes = self.purposes.as_deref().unwrap_or_default();
        purposes.contains(&CLIENT_AUTH)
    }

    /// Extended key usage is absent or allows serverAuth.
    pub fn may_be_server(&self) -> bool {
        self.purposes.as_ref().is_none_or(|purposes| {
            purposes.contains(&SERVER_AUTH) || purposes.contains(&ANY_PURPOSE)
        })
    }
}

/// UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5) in seconds since 1970.
///
/// # Errors
///
/// It is neither, or no time.
pub fn time(times: &mut Reader<'_>) -> Result<i64, NotDer> {
    let (kind, text, _) = times.any()?;
    let digits = text.strip_suffix(b"Z").ok_or(NotDer)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotDer);
    }
    let (century, digits) = match kind {
        tag::UTC_TIME => (None, digits),
        tag::GENERALIZED_TIME => {
            let (head, tail) = digits.split_at_checked(2).ok_or(NotDer)?;
            (Some(head), tail)
        }
        _ => return Err(NotDer),
    };
    let number = |pair: &[u8]| {
        pair.iter()
            .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'))
    };
    let pairs: Vec<i64> = digits.chunks(2).map(number).collect();
    let &[year, month, day, hour, minute, second] = pairs.as_slice() else {
        return Err(NotDer);
    };
    let is_legal = digits.len() == 12
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_legal {
        return Err(NotDer);
    }
    let century = century.map_or(if year >= 50 { 19 } else { 20 }, number);
    let days = days_since_1970(century * 100 + year, month, day);
    Ok(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days between 1970-01-01 and a date. Years begin in March here, so that a leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// INTEGER in as few bytes as it takes (X.690, 8.3.2).
pub fn is_minimal(integer: &[u8]) -> bool {
    match integer {
        [] => false,
        [0, second, ..] => *second >= 0x80,
        [0xff, second, ..] => *second < 0x80,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::certificate::der::element;

    #[test]
    fn times_are_seconds_since_1970() {
        let cases: &[(u8, &str, Option<i64>)] = &[
            (tag::UTC_TIME, "700101000000Z", Some(0)),
            (tag::UTC_TIME, "240229123456Z", Some(1_709_210_096)),
            (tag::UTC_TIME, "500101000000Z", Some(-631_152_000)),
            (
                tag::GENERALIZED_TIME,
                "20500101000000Z",
                Some(2_524_608_000),
            ),
            (
                tag::GENERALIZED_TIME,
                "99991231235959Z",
                Some(253_402_300_799),
            ),
            (tag::UTC_TIME, "241301000000Z", None),
            (tag::UTC_TIME, "2401010000Z", None),
            (tag::UTC_TIME, "240101000000+0000", None),
            (tag::GENERALIZED_TIME, "240101000000Z", None),
            (tag::INTEGER, "240101000000Z", None),
        ];
        for (kind, text, expected) in cases {
            let der = element(*kind, text.as_bytes());
            assert_eq!(time(&mut Reader::new(&der)).ok(), *expected, "{text}");
        }
    }
}

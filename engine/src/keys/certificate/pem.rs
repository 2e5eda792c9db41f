//! The certificate of a PEM file, found as Acra finds it (keystore.md 2.1, Go's `encoding/pem`).

use super::Certificate;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The label of certificates.
const CERTIFICATE: &str = "CERTIFICATE";

/// Why a file has no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemError {
    /// There is no PEM block in it.
    NoBlock,
    /// The first block is no certificate, and no later one is labelled as one.
    NoCertificate,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoBlock => {
                "no PEM block: expected a section that starts with -----BEGIN CERTIFICATE-----"
            }
            Self::NoCertificate => "no PEM block of the file is a certificate",
        })
    }
}

impl std::error::Error for PemError {}

/// The DER of the first block, whatever its label; if that is no certificate, of the first later block that is labelled
/// as one. What is not PEM is passed over.
///
/// # Errors
///
/// There is no block, or none that is a certificate.
pub fn certificate_of(file: &[u8]) -> Result<Vec<u8>, PemError> {
    let text = String::from_utf8_lossy(file);
    let mut blocks = Blocks(&text);
    let (_, first) = blocks.next().ok_or(PemError::NoBlock)?;
    if Certificate::parse(&first).is_ok() {
        return Ok(first);
    }
    blocks
        .find(|(label, _)| *label == CERTIFICATE)
        .map(|(_, der)| der)
        .ok_or(PemError::NoCertificate)
}

/// The blocks of a text: label and content.
struct Blocks<'a>(&'a str);

impl<'a> Iterator for Blocks<'a> {
    type Item = (&'a str, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (line, after) = line(self.0)?;
            self.0 = after;
            let label = line
                .strip_prefix(BEGIN)
                .and_then(|line| line.trim_end().strip_suffix(DASHES));
            if let Some(label) = label
                && let Some((content, after)) = body(label, after)
            {
                self.0 = after;
                return Some((label, content));
            }
        }
    }
}

/// The content of a block up to its end line, and what comes after that. `None`: it has no end, or is no base64.
fn body<'a>(label: &str, text: &'a str) -> Option<(Vec<u8>, &'a str)> {
    let mut left = text;
    let mut base64 = String::new();
    loop {
        let (line, after) = line(left)?;
        left = after;
        let line = line.trim();
        if let Some(end) = line.strip_prefix(END) {
            let content = (end.strip_suffix(DASHES)? == label)
                .then(|| STANDARD.decode(&base64).ok())
                .flatten()?;
            return Some((content, left));
        }
        // Headers (RFC 1421) say how a key is encrypted; certificates have none.
        if !line.contains(':') {
            base64.extend(line.split_whitespace());
        }
    }
}

/// The first line and what follows it; `None` at the end.
fn line(text: &str) -> Option<(&str, &str)> {
    match text.split_once('\n') {
        Some(parts) => Some(parts),
        None if text.is_empty() => None,
        None => Some((text, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of the vectors of client ids.
    fn certificate() -> Vec<u8> {
        let file = include_bytes!("../../../tests/vectors/client_id.json");
        let file: serde_json::Value = serde_json::from_slice(file).unwrap();
        let der = file["vectors"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|vector| vector["in"]["certificate_der"].as_str());
        const_hex::decode(der.unwrap()).unwrap()
    }

    fn block(label: &str, content: &[u8]) -> String {
        let base64 = STANDARD.encode(content);
        let (head, tail) = base64.split_at(base64.len() / 2);
        format!("-----BEGIN {label}-----\n{head}\n {tail}\r\n-----END {label}-----\n")
    }

    #[test]
    fn the_first_certificate_of_a_file() {
        let der = certificate();
        let good = block(CERTIFICATE, &der);
        for file in [
            good.clone(),
            block("X", &der),
            format!("subject=x\n{good}{}", block(CERTIFICATE, b"other")),
            format!("{}{good}", block("PRIVATE KEY", b"key")),
            format!("-----BEGIN X-----\n!!!\n-----END X-----\n{good}"),
            good.trim_end().to_owned(),
        ] {
            assert_eq!(certificate_of(file.as_bytes()), Ok(der.clone()), "{file}");
        }
    }

    #[test]
    fn files_without() {
        let cut = block(CERTIFICATE, b"x").replace("END", "EN");
        for file in ["", "text", &cut] {
            assert_eq!(certificate_of(file.as_bytes()), Err(PemError::NoBlock));
        }
        let key = block("PRIVATE KEY", b"key");
        assert_eq!(certificate_of(key.as_bytes()), Err(PemError::NoCertificate));
        assert_eq!(certificate_of(&certificate()), Err(PemError::NoBlock));
    }

    proptest! {
        #[test]
        fn any_file_is_read(file in "(-{5}(BEGIN|END) [A-Z ]{0,4}-{5}\n?|[A-Za-z=:]{0,8}|\r?\n){0,12}") {
            let _ = certificate_of(file.as_bytes());
        }
    }
}

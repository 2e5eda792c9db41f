//! Finding and opening containers: nothing is invented, nothing grows, and what was sealed comes out.

use crate::fixture::{block, keys, opener, structure};
use acra_engine::cell::{self, Kind, Tally, bytea};
use acra_engine::crypto::{
    PrivateKey, PublicKey, Secret, acrablock, acrastruct, container, detect, search_hash,
    secure_cell, secure_message,
};
use acra_engine::wire::pg::Format;
use arbitrary::{Arbitrary, Unstructured};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    parts: Vec<Part<'a>>,
    damage: Vec<(u16, u8)>,
    end: Option<u16>,
}

/// A part of a cell.
#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Bytes(&'a [u8]),
    Block(&'a [u8]),
    Struct(&'a [u8]),
    RawBlock(&'a [u8]),
    RawStruct(&'a [u8]),
    /// What is inside of one is one itself.
    Twice(&'a [u8]),
    SearchHash([u8; 32]),
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut bytes = Vec::new();
    for part in &input.parts {
        bytes.extend(part.written());
    }
    for (at, byte) in &input.damage {
        let at = usize::from(*at) % bytes.len().max(1);
        if let Some(place) = bytes.get_mut(at) {
            *place = *byte;
        }
    }
    if let Some(end) = input.end {
        bytes.truncate(usize::from(end));
    }
    scanned(&bytes);
    formats(&bytes);
    cells(&bytes);
    if input.damage.is_empty() && input.end.is_none() {
        whole(&input.parts, &bytes);
    }
}

impl Part<'_> {
    fn written(&self) -> Vec<u8> {
        // A seal needs a byte.
        let plain = |bytes: &[u8]| [b"z", bytes].concat();
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Block(bytes) => block(&plain(bytes)),
            Self::Struct(bytes) => structure(&plain(bytes)),
            Self::RawBlock(bytes) => block(&plain(bytes)).split_off(container::HEADER),
            Self::RawStruct(bytes) => structure(&plain(bytes)).split_off(container::HEADER),
            Self::Twice(bytes) => block(&block(&plain(bytes))),
            Self::SearchHash(hash) => [&[0x7f][..], hash].concat(),
        }
    }

    /// What the client gets, if it is a part that opens and cannot be mistaken for another.
    fn opened(&self) -> Option<Vec<u8>> {
        let is_plain = |bytes: &[u8]| !bytes.contains(&b'%') && !bytes.contains(&b'"');
        match self {
            Self::Bytes(bytes) if is_plain(bytes) => Some(bytes.to_vec()),
            Self::Block(bytes) | Self::Struct(bytes) => Some([b"z", *bytes].concat()),
            _ => None,
        }
    }
}

fn scanned(bytes: &[u8]) {
    let mut tally = Tally::default();
    let mut out = b"kept".to_vec();
    let state = detect::scan(bytes, &mut opener(&mut tally), &mut out);
    let plain = out.strip_prefix(b"kept").expect("what was there stays");
    let opened = tally.opened_blocks + tally.opened_structs;
    match state {
        detect::Scan::Untouched => assert!(plain.is_empty() && opened == 0),
        detect::Scan::Opened => {
            assert!(plain.len() < bytes.len() && opened > 0);
            assert!(detect::may_hold_container(bytes) && detect::recognises(bytes));
        }
    }
    assert!(tally.failed() <= u64::from(detect::MAX_FAILURES));
    if let Some((hash, rest)) = search_hash::split(bytes) {
        // Hashes of prefixes may stand between.
        assert_eq!((bytes.len() - rest.len()) % hash.len(), 0);
    }
    let mut read = Vec::new();
    search_hash::read(bytes, None, &mut opener(&mut tally), &mut read);
    assert!(read.len() <= bytes.len());
}

/// Every reader of a format takes any bytes, and appends nothing when it fails.
fn formats(bytes: &[u8]) {
    let keys = keys();
    if let Ok((envelope, inner)) = container::parse(bytes) {
        assert!(envelope.matches(inner) && container::is_container(bytes));
        assert!(detect::recognises(bytes));
    }
    let mut out = Vec::new();
    for opened in [
        acrablock::open(&keys.symmetric, bytes, &mut out),
        acrablock::open_with_context(&keys.symmetric, b"context", bytes, &mut out),
        secure_cell::open(b"key", b"", bytes, &mut out),
    ] {
        assert!(opened.is_ok() || out.is_empty());
        out.clear();
    }
    if acrastruct::parse(bytes).is_ok() && acrastruct::open(&keys.private, bytes, &mut out).is_err()
    {
        assert!(out.is_empty());
    }
    if let Some(private) = keys.private.first()
        && let (PrivateKey::P256(private), Ok(PublicKey::P256(public))) =
            (private, private.public())
    {
        let _ = secure_message::open(private, &public, bytes, &mut out);
    }
    if let Ok(public) = PublicKey::from_container(bytes) {
        assert_eq!(
            PublicKey::from_container(&public.to_container()).as_ref(),
            Ok(&public)
        );
    }
    if let Ok(private) = PrivateKey::from_container(bytes) {
        assert!(private.public().is_ok());
    }
    drop(Secret::from(bytes.to_vec()));
}

/// Cells of any type and format: what could not be opened by its first bytes does not open.
fn cells(bytes: &[u8]) {
    let mut hex = Vec::new();
    bytea::encode_hex(bytes, &mut hex);
    assert_eq!(bytea::input(&hex).as_deref(), Ok(bytes));
    let _ = bytea::input(bytes);
    let mut scratch = cell::Scratch::default();
    for cell in [bytes, &hex] {
        for kind in [Kind::Bytes, Kind::Text, Kind::Never, Kind::Unknown] {
            for format in [Format::Text, Format::Binary] {
                let mut tally = Tally::default();
                let opens = cell::open(cell, kind, format, &mut opener(&mut tally), &mut scratch);
                assert!(!opens || cell::open::may_open(cell, kind, format));
                assert!(!opens || scratch.plain.len() < cell.len());
            }
        }
    }
}

/// What was put together opens to what was put in.
fn whole(parts: &[Part<'_>], bytes: &[u8]) {
    let Some(expected) = parts.iter().map(Part::opened).collect::<Option<Vec<_>>>() else {
        return;
    };
    if !parts.iter().any(|part| !matches!(part, Part::Bytes(_))) {
        return;
    }
    let mut out = Vec::new();
    let mut tally = Tally::default();
    let state = detect::scan(bytes, &mut opener(&mut tally), &mut out);
    assert_eq!(state, detect::Scan::Opened);
    assert_eq!(out, expected.concat());
}

//! Column value → what the client may see.
//!
//! Which cells can hold a container at all is decided by their type and first bytes (`--scan_columns=typed`,
//! docs/architecture.md, decision 2); the search inside a cell is that of containers.md 8.

use super::bytea;
use crate::crypto::{acrablock, acrastruct, detect, search_hash};
use crate::keys::ClientKeys;
use crate::wire::pg::Format;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Searches for the tags of containers in hex form, prepared once.
static HEX_SERIALIZED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("252525"));
static HEX_RAW: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("22222222"));

/// What a column's type says about containers in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bytea`: a container may stand anywhere in the value.
    Bytes,
    /// Text of some kind: it cannot hold a zero byte, and so a container only in its hex form.
    Text,
    /// A type whose values cannot hold a container.
    Never,
    /// The type is not known: both are tried.
    Unknown,
    /// Bytes as they are in either format, as MySQL's values have them.
    Raw,
}

impl Kind {
    /// The kind of a type by its OID (`pg_type.dat`).
    pub fn of_type(oid: u32) -> Self {
        match oid {
            17 => Self::Bytes,
            // bool, "char", int8, int2, int4, oid, tid, xid, cid, float4, float8, money, macaddr, inet, cidr,
            // date, time, timestamp, timestamptz, interval, timetz, bit, varbit, numeric, void, uuid
            16
            | 18
            | 20
            | 21
            | 23
            | 26..=29
            | 700
            | 701
            | 790
            | 829
            | 869
            | 650
            | 1082
            | 1083
            | 1114
            | 1184
            | 1186
            | 1266
            | 1560
            | 1562
            | 1700
            | 2278
            | 2950 => Self::Never,
            _ => Self::Text,
        }
    }
}

/// Memory for one cell, reused from cell to cell.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) raw: Vec<u8>,
    /// The opened value, in the bytes of its type.
    pub plain: Vec<u8>,
    /// A value in the form of its type.
    pub(super) written: Vec<u8>,
}

/// What became of containers for which there were keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// AcraBlocks that were opened.
    pub opened_blocks: u64,
    /// AcraBlocks that these keys do not open.
    pub failed_blocks: u64,
    /// AcraStructs that were opened.
    pub opened_structs: u64,
    /// AcraStructs that these keys do not open.
    pub failed_structs: u64,
}

impl Tally {
    /// Containers that stayed closed.
    pub fn failed(self) -> u64 {
        self.failed_blocks + self.failed_structs
    }

    /// Takes what was counted so far, if anything was.
    pub fn take(&mut self) -> Option<Self> {
        let counted = std::mem::take(self);
        (counted != Self::default()).then_some(counted)
    }
}

/// Opens containers with one client's keys and counts what came of it.
#[derive(Debug)]
pub struct Opener<'a> {
    /// The keys of the connection's client.
    pub keys: &'a ClientKeys,
    /// The keys of poison records, if they are looked for: every container is tried with them first (containers.md 11).
    pub poison: Option<&'a ClientKeys>,
    /// A poison record was met. It stays closed.
    pub is_poisoned: bool,
    /// Takes the place of a container that does not open, as in a masked column (containers.md 10).
    pub pattern: Option<&'a [u8]>,
    /// Some column is searchable: a hash in front of a container is verified and taken off, whatever the column.
    pub searches: bool,
    /// What was opened, and what was not.
    pub tally: &'a mut Tally,
}

impl detect::Opener for Opener<'_> {
    fn open(&mut self, envelope: detect::Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        let before = out.len();
        if self
            .poison
            .is_some_and(|keys| opens(keys, envelope, inner, out))
        {
            self.is_poisoned = true;
            out.truncate(before);
            return self.mask(out);
        }
        let opened = opens(self.keys, envelope, inner, out);
        let tally = &mut *self.tally;
        let (successes, failures) = match envelope {
            detect::Envelope::AcraBlock => (&mut tally.opened_blocks, &mut tally.failed_blocks),
            detect::Envelope::AcraStruct => (&mut tally.opened_structs, &mut tally.failed_structs),
        };
        *successes += u64::from(opened);
        *failures += u64::from(!opened);
        opened || self.mask(out)
    }
}

impl Opener<'_> {
    /// Shows the pattern, if there is one.
    fn mask(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.pattern.unwrap_or_default());
        self.pattern.is_some()
    }
}

fn opens(keys: &ClientKeys, envelope: detect::Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
    match envelope {
        detect::Envelope::AcraBlock => acrablock::open(&keys.symmetric, inner, out).is_ok(),
        detect::Envelope::AcraStruct => acrastruct::open(&keys.private, inner, out).is_ok(),
    }
}

/// Whether [`open`] could change this cell: cheap, no key needed.
pub fn may_open(cell: &[u8], kind: Kind, format: Format) -> bool {
    match (kind, format) {
        (Kind::Never, _) => false,
        (Kind::Text, _) => starts_as_hex_container(cell),
        (Kind::Bytes, Format::Binary) | (Kind::Raw, _) => detect::may_hold_container(cell),
        (Kind::Bytes, Format::Text) => text_may_hold(cell),
        (Kind::Unknown, Format::Binary) => {
            detect::may_hold_container(cell) || starts_as_hex_container(cell)
        }
        (Kind::Unknown, Format::Text) => text_may_hold(cell),
    }
}

/// Opens the containers in a cell; the result is left in `scratch.plain`. False: nothing was opened, the cell stays.
pub fn open(
    cell: &[u8],
    kind: Kind,
    format: Format,
    opener: &mut Opener<'_>,
    scratch: &mut Scratch,
) -> bool {
    if !may_open(cell, kind, format) {
        return false;
    }
    let Scratch { raw, plain, .. } = scratch;
    plain.clear();
    decode(cell, kind, format, raw).is_some_and(|bytes| scan(bytes, opener, plain))
}

/// The bytes that a cell stands for.
pub(super) fn decode<'v>(
    cell: &'v [u8],
    kind: Kind,
    format: Format,
    raw: &'v mut Vec<u8>,
) -> Option<&'v [u8]> {
    match format {
        _ if kind == Kind::Raw => Some(cell),
        Format::Binary if kind == Kind::Bytes || !starts_as_hex_container(cell) => Some(cell),
        // Other text is no form of bytes.
        Format::Text if kind == Kind::Text && !starts_as_hex_container(cell) => Some(cell),
        Format::Binary => bytea::decode_hex(cell, raw).then_some(&**raw),
        Format::Text if cell.starts_with(b"\\x") => bytea::decode_hex(cell, raw).then_some(&**raw),
        Format::Text => bytea::decode_escape(cell, raw).then_some(&**raw),
    }
}

/// Whether containers in these bytes were opened; the result is appended to `plain`.
pub(super) fn scan(bytes: &[u8], opener: &mut Opener<'_>, plain: &mut Vec<u8>) -> bool {
    let keys = opener.keys;
    let scan = match opener.searches {
        true => search_hash::read(bytes, keys.search.as_ref(), opener, plain),
        false => detect::scan(bytes, opener, plain),
    };
    scan == detect::Scan::Opened
}

/// The hex forms of `%%%`, of four quotes and of a search hash, at the start of a text.
fn starts_as_hex_container(cell: &[u8]) -> bool {
    cell.strip_prefix(b"\\x").is_some_and(|digits| {
        digits.starts_with(b"252525")
            || digits.starts_with(b"22222222")
            || digits.starts_with(b"7f")
    })
}

/// Whether the text form of a `bytea` may hold a container anywhere.
fn text_may_hold(cell: &[u8]) -> bool {
    match cell.strip_prefix(b"\\x") {
        Some(digits) => HEX_SERIALIZED.find(digits).is_some() || HEX_RAW.find(digits).is_some(),
        None => detect::may_hold_container(cell),
    }
}

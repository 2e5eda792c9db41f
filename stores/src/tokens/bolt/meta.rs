//! The two meta pages of a Bolt file, of which the newer one counts.
//!
//! ```text
//! 0 magic u32   4 version u32   8 page size u32   12 flags u32   16 root page u64   24 sequence u64
//! 32 page of free pages u64   40 number of pages u64   48 transaction u64   56 FNV-1a of what is before it u64
//! ```

use super::{PAGE_HEADER, Stop, u32_at, u64_at};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes that the checksum is of.
const SUMMED: usize = 56;
/// Page sizes there can be.
const PAGE_SIZES: std::ops::RangeInclusive<u64> = 1024..=65536;

/// What is needed to read the rest.
pub(super) struct Meta {
    /// Bytes of a page.
    pub(super) page_size: u64,
    /// The page of the first bucket.
    pub(super) root: u64,
}

/// The meta page that counts.
pub(super) fn read(file: &File, size: u64) -> Result<Meta, Stop> {
    let first = meta_at(file, 0);
    let second = match &first {
        Some((_, meta)) => meta_at(file, meta.page_size),
        None => (0..7).find_map(|power| meta_at(file, 1024 << power)),
    };
    let newest = match (first, second) {
        (Some(first), Some(second)) if second.0 > first.0 => Some(second),
        (None, second) => second,
        (first, _) => first,
    };
    newest
        .map(|(_, meta)| meta)
        .filter(|meta| size >= meta.page_size)
        .ok_or(Stop::Damaged("neither of its meta pages can be used"))
}

/// The meta page at this place and its transaction, if it is whole.
fn meta_at(file: &File, at: u64) -> Option<(u64, Meta)> {
    let mut page = [0; PAGE_HEADER + SUMMED + 8];
    file.read_exact_at(&mut page, at).ok()?;
    let meta = page.get(PAGE_HEADER..)?;
    let is_ours = (u32_at(meta, 0)?, u32_at(meta, 4)?) == (MAGIC, VERSION);
    let page_size = u64::from(u32_at(meta, 8)?);
    let is_size = page_size.is_power_of_two() && PAGE_SIZES.contains(&page_size);
    let is_whole = fnv_1a(meta.get(..SUMMED)?) == u64_at(meta, SUMMED)?;
    (is_ours && is_size && is_whole).then_some((
        u64_at(meta, 48)?,
        Meta {
            page_size,
            root: u64_at(meta, 16)?,
        },
    ))
}

/// FNV-1a with 64 bits: what the pages are guarded by against half a write, not against anybody.
pub(super) fn fnv_1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

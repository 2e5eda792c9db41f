//! Reading the Bolt files of Acra (tokens.md 6.2): bbolt's format, as much of it as holds tokens.
//!
//! Nothing is written, and nothing is believed: every length is checked against what is there, every page is read once.
//!
//! ```text
//! page     0 id u64   8 flags u16   10 count u16   12 further pages u32   16 elements
//! branch   0 position u32   4 key size u32   8 page u64
//! leaf     0 flags u32   4 position u32   8 key size u32   12 value size u32
//! bucket   0 root page u64   8 sequence u64   16 the page itself, if the root is 0
//! ```
//!
//! Positions count from the first byte of their element; all numbers are little-endian.

mod meta;

use super::error::TokenStoreError;
use acra_engine::tokens::EntryKey;
use meta::Meta;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes before the elements of a page.
const PAGE_HEADER: usize = 16;
/// Bytes of an element of a page.
const ELEMENT: usize = 16;
/// Bytes before the page of a bucket that has it with it.
const BUCKET_HEADER: usize = 16;
/// Branches below each other; a file of 2^64 bytes has fewer.
const DEPTH: u32 = 64;

/// Flag of a page of branches.
const BRANCH: u16 = 1;
/// Flag of a page of leaves.
const LEAF: u16 = 2;
/// Flag of a leaf that is a bucket.
const BUCKET: u32 = 1;

/// A record of a Bolt file.
#[derive(Debug)]
pub struct BoltEntry<'a> {
    /// Its name.
    pub key: EntryKey,
    /// Its message.
    pub record: &'a [u8],
}

/// Why reading stops.
enum Stop {
    Io(io::Error),
    Damaged(&'static str),
    /// Whoever takes the records has had enough.
    Taker(TokenStoreError),
}

type Found<'f> = dyn FnMut(u32, &[u8], &[u8], &mut Bolt) -> Result<(), Stop> + 'f;

/// Reads all tokens of a Bolt file; also the number of entries that are none.
///
/// # Errors
///
/// The file is in use by Acra, is no Bolt file, or is damaged; `take` fails.
pub fn read_bolt(
    path: &Path,
    take: &mut dyn FnMut(BoltEntry<'_>) -> Result<(), TokenStoreError>,
) -> Result<u64, TokenStoreError> {
    let file = File::open(path).map_err(TokenStoreError::io("open", path))?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(TokenStoreError::InUse(path.to_owned())),
        // A file system without locks.
        Err(Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL) => {}
        Err(error) => return Err(TokenStoreError::io("lock", path)(error.into())),
    }
    read(file, take).map_err(|stop| match stop {
        Stop::Io(error) => TokenStoreError::io("read", path)(error),
        Stop::Damaged(what) => TokenStoreError::DamagedBolt {
            path: path.to_owned(),
            what,
        },
        Stop::Taker(error) => error,
    })
}

fn read(
    file: File,
    take: &mut dyn FnMut(BoltEntry<'_>) -> Result<(), TokenStoreError>,
) -> Result<u64, Stop> {
    let size = file.metadata().map_err(Stop::Io)?.len();
    let Meta { page_size, root } = meta::read(&file, size)?;
    let pages = usize::try_from(size / page_size).map_err(|_| Stop::Damaged("its size"))?;
    let mut bolt = Bolt {
        file,
        page_size,
        seen: vec![false; pages],
    };
    let mut strangers = 0;
    bolt.pages(root, DEPTH, &mut |flags, name, bucket, bolt| {
        if flags & BUCKET == 0 || name != b"tokens" {
            strangers += 1;
            return Ok(());
        }
        bolt.bucket(bucket, &mut |flags, context, bucket, bolt| {
            let (true, Ok(context)) = (flags & BUCKET != 0, context.try_into()) else {
                strangers += 1;
                return Ok(());
            };
            bolt.bucket(bucket, &mut |flags, entry, record, _| {
                let (true, Ok(entry)) = (flags & BUCKET == 0, entry.try_into()) else {
                    strangers += 1;
                    return Ok(());
                };
                let key = EntryKey { context, entry };
                take(BoltEntry { key, record }).map_err(Stop::Taker)
            })
        })
    })?;
    Ok(strangers)
}

/// A file and the pages of it that have been read.
struct Bolt {
    file: File,
    page_size: u64,
    seen: Vec<bool>,
}

impl Bolt {
    /// Goes through a bucket, given by the value of its leaf.
    fn bucket(&mut self, value: &[u8], found: &mut Found<'_>) -> Result<(), Stop> {
        let root = u64_at(value, 0).ok_or(Stop::Damaged("a bucket"))?;
        match root {
            0 => {
                let page = value.get(BUCKET_HEADER..).unwrap_or_default();
                self.page(page, DEPTH, found)
            }
            root => self.pages(root, DEPTH, found),
        }
    }

    /// Goes through a page and those below it.
    fn pages(&mut self, id: u64, depth: u32, found: &mut Found<'_>) -> Result<(), Stop> {
        let page = self.load(id)?;
        self.page(&page, depth, found)
    }

    fn page(&mut self, page: &[u8], depth: u32, found: &mut Found<'_>) -> Result<(), Stop> {
        let header = || Some((u16_at(page, 8)?, u16_at(page, 10)?));
        let (flags, count) = header().ok_or(Stop::Damaged("the header of a page"))?;
        let depth = depth
            .checked_sub(1)
            .ok_or(Stop::Damaged("pages are below themselves"))?;
        for index in 0..usize::from(count) {
            let at = PAGE_HEADER + index * ELEMENT;
            match flags {
                BRANCH => {
                    let child = u64_at(page, at + 8).ok_or(Stop::Damaged("a branch"))?;
                    self.pages(child, depth, found)?;
                }
                LEAF => {
                    let (flags, key, value) = leaf(page, at).ok_or(Stop::Damaged("a leaf"))?;
                    found(flags, key, value, self)?;
                }
                _ => return Err(Stop::Damaged("the kind of a page")),
            }
        }
        Ok(())
    }

    /// Reads a page, which must not have been read before.
    fn load(&mut self, id: u64) -> Result<Vec<u8>, Stop> {
        let start = id
            .checked_mul(self.page_size)
            .ok_or(Stop::Damaged("the place of a page"))?;
        let mut header = [0; PAGE_HEADER];
        self.file
            .read_exact_at(&mut header, start)
            .map_err(cut_off)?;
        let fields = || Some((u64_at(&header, 0)?, u32_at(&header, 12)?));
        let (own_id, further) = fields().ok_or(Stop::Damaged("the header of a page"))?;
        if own_id != id {
            return Err(Stop::Damaged("a page has the number of another"));
        }
        let count = u64::from(further) + 1;
        let places = || {
            let first = usize::try_from(id).ok()?;
            Some(first..first.checked_add(usize::try_from(count).ok()?)?)
        };
        let seen = places().and_then(|places| self.seen.get_mut(places));
        let seen = seen.ok_or(Stop::Damaged("a page ends behind the file"))?;
        if seen.contains(&true) {
            return Err(Stop::Damaged("two places have the same page"));
        }
        seen.fill(true);
        // No more than the file has, as its pages were counted.
        let mut page = vec![0; usize::try_from(count * self.page_size).unwrap_or(0)];
        self.file.read_exact_at(&mut page, start).map_err(cut_off)?;
        Ok(page)
    }
}

/// Flags, key and value of the leaf at this place.
fn leaf(page: &[u8], at: usize) -> Option<(u32, &[u8], &[u8])> {
    let number = |offset| usize::try_from(u32_at(page, at + offset)?).ok();
    let (position, key, value) = (number(4)?, number(8)?, number(12)?);
    let rest = page.get(at.checked_add(position)?..)?;
    let (key, rest) = rest.split_at_checked(key)?;
    Some((u32_at(page, at)?, key, rest.get(..value)?))
}

fn cut_off(error: io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Stop::Damaged("it has been cut off"),
        _ => Stop::Io(error),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

//! Finding containers in a cell (containers.md 8).
//!
//! Pass A looks for serialized containers. Only if it recognises none at all, pass B looks for containers without
//! wrapper: AcraStructs first, then AcraBlocks in what that gave. Whatever cannot be opened stays as it is.
//!
//! What a hostile cell may cost is bounded: after [`MAX_FAILURES`] failed openings the rest of it passes unchanged. All
//! lengths are compared with the bytes that are there before anything is taken.

pub use super::container::Envelope;
use super::{acrablock, acrastruct, container, search_hash};
use memchr::memmem::Finder;
use std::sync::LazyLock;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Openings of one cell that may fail before the rest of it is left alone.
pub const MAX_FAILURES: u32 = 64;

/// Searches for tags, prepared once: most cells are short, and preparing costs as much as searching them.
static SERIALIZED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&container::TAG));
static RAW: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&acrablock::TAG));

/// Opens one container.
pub trait Opener {
    /// Opens `inner`, a container without wrapper, and appends its content to `out`. False: it could not be opened, and
    /// nothing was appended.
    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool;
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Nothing was opened; nothing was appended to the output.
    Untouched,
    /// The output has the cell with its containers replaced by what was in them.
    Opened,
}

/// Whether [`scan`] could find anything: looks for tags only.
pub fn may_hold_container(cell: &[u8]) -> bool {
    cell.len() > container::HEADER && (SERIALIZED.find(cell).is_some() || RAW.find(cell).is_some())
}

/// Whether a cell begins with a container's tag, or with a search hash and one behind it: looks for tags only.
pub fn begins_with_container(cell: &[u8]) -> bool {
    let is_tagged =
        |bytes: &[u8]| bytes.starts_with(&container::TAG) || bytes.starts_with(&acrablock::TAG);
    let behind_hash = || {
        let hashed = cell.strip_prefix(&[search_hash::FUNCTION]);
        hashed.and_then(|_| cell.get(search_hash::LENGTH..))
    };
    is_tagged(cell) || behind_hash().is_some_and(is_tagged)
}

/// Whether there is something in a cell that a scan would take for a container, whether it opens or not.
pub fn recognises(cell: &[u8]) -> bool {
    let any = |finder: &Finder<'_>, is_container: fn(&[u8]) -> bool| {
        let mut at = 0;
        while let Some(rest) = next(cell, &mut at, finder) {
            if is_container(rest) {
                return true;
            }
            at += 1;
        }
        false
    };
    any(&SERIALIZED, |rest| container::header(rest).is_some())
        || any(&RAW, |rest| {
            rest.len() > acrastruct::HEADER && acrastruct::length(rest).is_some()
                || acrablock::parse(rest).is_some()
        })
}

/// Opens all containers in a cell that can be opened and appends the result to `out`, unless there was none.
pub fn scan(cell: &[u8], opener: &mut dyn Opener, out: &mut Vec<u8>) -> Scan {
    if !may_hold_container(cell) {
        return Scan::Untouched;
    }
    let mut pass = Pass {
        opener,
        failures: 0,
    };
    match pass.serialized(cell, out) {
        Serialized::None => pass.raw(cell, out),
        Serialized::Recognised => Scan::Untouched,
        Serialized::Opened => Scan::Opened,
    }
}

/// What pass A found.
enum Serialized {
    None,
    Recognised,
    Opened,
}

struct Pass<'a> {
    opener: &'a mut dyn Opener,
    failures: u32,
}

impl Pass<'_> {
    fn is_exhausted(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let opened = self.opener.open(envelope, inner, out);
        if !opened {
            out.truncate(before);
            self.failures += 1;
        }
        opened
    }

    /// Pass A. A candidate that does not open is skipped by one byte only, so a container behind it, even within its
    /// declared length, is found.
    fn serialized(&mut self, cell: &[u8], out: &mut Vec<u8>) -> Serialized {
        let mut found = Serialized::None;
        let mut output = Output::new(cell, out);
        let mut at = 0;
        while let Some(rest) = next(cell, &mut at, &SERIALIZED) {
            let step = match container::header(rest) {
                None => 1,
                Some((envelope, total)) => {
                    if matches!(found, Serialized::None) {
                        found = Serialized::Recognised;
                    }
                    let inner =
                        container::inner(rest, total).filter(|inner| envelope.matches(inner));
                    match inner {
                        Some(inner)
                            if output.replace(at, container::HEADER + inner.len(), |out| {
                                self.open(envelope, inner, out)
                            }) =>
                        {
                            found = Serialized::Opened;
                            container::HEADER + inner.len()
                        }
                        _ => 1,
                    }
                }
            };
            at += step;
            if self.is_exhausted() {
                break;
            }
        }
        output.finish();
        found
    }

    /// Pass B.
    fn raw(&mut self, cell: &[u8], out: &mut Vec<u8>) -> Scan {
        let start = out.len();
        let structs = self.raw_of(Envelope::AcraStruct, cell, out);
        if self.is_exhausted() {
            return structs;
        }
        match structs {
            Scan::Untouched => self.raw_of(Envelope::AcraBlock, cell, out),
            // What came out of an AcraStruct may be an AcraBlock.
            Scan::Opened => {
                let between = Zeroizing::new(out.get(start..).unwrap_or_default().to_vec());
                out.truncate(start);
                if self.raw_of(Envelope::AcraBlock, &between, out) == Scan::Untouched {
                    out.extend_from_slice(&between);
                }
                Scan::Opened
            }
        }
    }

    /// One half of pass B. A candidate that does not open is skipped whole.
    fn raw_of(&mut self, envelope: Envelope, cell: &[u8], out: &mut Vec<u8>) -> Scan {
        let (tag, header): (&[u8], usize) = match envelope {
            Envelope::AcraStruct => (&acrastruct::TAG, acrastruct::HEADER),
            Envelope::AcraBlock => (&acrablock::TAG, acrablock::HEADER),
        };
        let finder = Finder::new(tag);
        let mut output = Output::new(cell, out);
        let mut at = 0;
        while let Some(rest) = next(cell, &mut at, &finder) {
            // No later candidate is longer.
            if rest.len() <= header {
                break;
            }
            let length = match envelope {
                Envelope::AcraStruct => acrastruct::length(rest),
                Envelope::AcraBlock => acrablock::parse(rest).map(|block| block.len()),
            };
            let Some(inner) = length.and_then(|length| rest.get(..length)) else {
                at += 1;
                continue;
            };
            output.replace(at, inner.len(), |out| self.open(envelope, inner, out));
            at += inner.len();
            if self.is_exhausted() {
                break;
            }
        }
        output.finish()
    }
}

/// Moves `at` to the next tag and gives the cell from there on.
fn next<'a>(cell: &'a [u8], at: &mut usize, finder: &Finder<'_>) -> Option<&'a [u8]> {
    let rest = cell.get(*at..)?;
    let (_, rest) = rest.split_at_checked(finder.find(rest)?)?;
    *at = cell.len() - rest.len();
    Some(rest)
}

/// The result of one pass. Bytes between containers are copied only when a container behind them is tried.
struct Output<'a> {
    cell: &'a [u8],
    out: &'a mut Vec<u8>,
    start: usize,
    /// How much of the cell is in `out`.
    copied: usize,
    state: Scan,
}

impl<'a> Output<'a> {
    fn new(cell: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self {
            cell,
            out,
            start,
            copied: 0,
            state: Scan::Untouched,
        }
    }

    /// Puts what `open` appends in the place of `length` bytes at `at`, if it succeeds.
    fn replace(
        &mut self,
        at: usize,
        length: usize,
        open: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        self.copy_to(at);
        let opened = open(self.out);
        if opened {
            self.copied = at + length;
            self.state = Scan::Opened;
        }
        opened
    }

    fn copy_to(&mut self, end: usize) {
        if let Some(between) = self.cell.get(self.copied..end) {
            self.out.extend_from_slice(between);
            self.copied = end;
        }
    }

    fn finish(mut self) -> Scan {
        match self.state {
            Scan::Opened => self.copy_to(self.cell.len()),
            Scan::Untouched => self.out.truncate(self.start),
        }
        self.state
    }
}

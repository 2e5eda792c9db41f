//! Compresses and decompresses pieces.

use super::{Algorithm, Fault};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress};
use std::fmt;
use std::io::Read as _;

/// Room that is made at a time for what is decompressed, at least; more is made only as it fills.
const ROOM: usize = 64 << 10;

/// A decoder of Zstandard that has had more in memory than this is not kept.
const KEPT: usize = 1 << 20;

/// Tools that are made when they are first needed, and used again. Pieces do not depend on each other, so one set serves any
/// number of connections.
#[derive(Default)]
pub struct Codec {
    deflate: Option<Compress>,
    inflate: Option<Decompress>,
    zstd: Option<FrameDecoder>,
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

/// What compression has achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gain {
    Shorter,
    None,
}

impl Gain {
    pub(super) fn is_shorter(self) -> bool {
        self == Self::Shorter
    }
}

impl Codec {
    /// Appends the compressed form of a piece; without gain, what was appended is without meaning.
    pub(super) fn compress(
        &mut self,
        algorithm: Algorithm,
        piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Gain {
        let start = out.len();
        let is_whole = match algorithm {
            Algorithm::Zlib => self.deflate(piece, out),
            Algorithm::Zstd => {
                compress(piece, &mut *out, CompressionLevel::Fastest);
                true
            }
        };
        match is_whole && out.len() - start < piece.len() {
            true => Gain::Shorter,
            false => Gain::None,
        }
    }

    /// False: it would become longer than it is.
    fn deflate(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        let deflate = self
            .deflate
            .get_or_insert_with(|| Compress::new(Compression::default(), true));
        deflate.reset();
        out.reserve_exact(piece.len());
        let status = deflate.compress_vec(piece, out, FlushCompress::Finish);
        matches!(status, Ok(Status::StreamEnd))
    }

    /// Appends what a piece was before compression, of which the length is said.
    pub(super) fn decompress(
        &mut self,
        algorithm: Algorithm,
        piece: &[u8],
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        match algorithm {
            Algorithm::Zlib => self.inflate(piece, out.len() + length, out),
            Algorithm::Zstd => self.decode(piece, out.len() + length, out),
        }
    }

    fn inflate(&mut self, mut piece: &[u8], end: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(true));
        inflate.reset(true);
        loop {
            make_room(out, end);
            let (taken, made) = (inflate.total_in(), out.len());
            let status = inflate.decompress_vec(piece, out, FlushDecompress::None);
            let status = status.map_err(|_| Fault::Damaged)?;
            let taken = usize::try_from(inflate.total_in() - taken).map_err(|_| Fault::Damaged)?;
            piece = piece.get(taken..).unwrap_or_default();
            if out.len() > end {
                return Err(Fault::Length);
            }
            match status {
                Status::StreamEnd if out.len() == end && piece.is_empty() => return Ok(()),
                Status::StreamEnd => return Err(Fault::Length),
                Status::Ok | Status::BufError if taken > 0 || out.len() > made => {}
                Status::Ok | Status::BufError => return Err(Fault::Damaged),
            }
        }
    }

    fn decode(&mut self, mut piece: &[u8], end: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let length = end - out.len();
        let is_large = length > KEPT || window_log(piece) > KEPT.ilog2();
        let decoder = self.zstd.get_or_insert_with(FrameDecoder::new);
        decoder.reset(&mut piece).map_err(|_| Fault::Damaged)?;
        // One more than there may be, and the rest of a block, which has 128 KiB at most.
        decoder
            .decode_blocks(&mut piece, BlockDecodingStrategy::UptoBytes(length + 1))
            .map_err(|_| Fault::Damaged)?;
        let is_whole = decoder.is_finished() && piece.is_empty();
        if !is_whole || decoder.can_collect() != length {
            return Err(Fault::Length);
        }
        let start = out.len();
        out.resize(end, 0);
        let space = out.get_mut(start..).unwrap_or_default();
        decoder.read_exact(space).map_err(|_| Fault::Damaged)?;
        let said = decoder.get_checksum_from_data();
        let is_damaged = said.is_some() && said != decoder.get_calculated_checksum();
        if is_large {
            self.zstd = None;
        }
        match is_damaged {
            true => Err(Fault::Damaged),
            false => Ok(()),
        }
    }
}

/// Logarithm of the window that a frame of Zstandard asks for, which is memory (RFC 8878, 3.1.1.1.2); zero if it asks for as much
/// as its content has.
fn window_log(frame: &[u8]) -> u32 {
    match frame {
        [_, _, _, _, descriptor, window, ..] if descriptor & 0x20 == 0 => {
            u32::from(window >> 3) + 10
        }
        _ => 0,
    }
}

/// Makes room for what is still to come up to `end` and one byte more, which tells that there is too much; not all at once.
fn make_room(out: &mut Vec<u8>, end: usize) {
    if out.capacity() == out.len() {
        let more = (end + 1).saturating_sub(out.len());
        out.reserve_exact(more.min(out.len().max(ROOM)));
    }
}

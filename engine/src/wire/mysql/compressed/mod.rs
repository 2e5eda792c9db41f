//! The compressed protocol: the stream of packets, in pieces that are compressed one by one (MySQL source documentation,
//! "Compression"; MariaDB documentation, "Compression").
//!
//! A compressed packet is the length of what follows the header (3 bytes), a number (1 byte), the length before compression
//! (3 bytes) and the piece: a zlib stream or a frame of Zstandard of its own. Where the second length is zero the piece is as it
//! is. A piece may hold several packets, and a packet lie in several pieces. The numbers are apart from those of packets: they
//! count through both directions of a connection, and each command begins anew.

mod codec;
mod inner;
mod numbers;
mod packets;

pub use codec::Codec;
pub use numbers::{Numbers, Role};

use std::fmt;

/// Length of the header.
pub const HEADER: usize = 7;

/// Longest piece, before and after compression.
pub const MAX_PIECE: usize = 0xff_ff_ff;

/// Shorter pieces are not worth compressing, to servers and clients alike.
const WORTHWHILE: usize = 50;

/// How pieces are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// A zlib stream.
    Zlib,
    /// A frame of Zstandard.
    Zstd,
}

/// What a peer sent that is no compressed packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The number is not the next one.
    OutOfOrder,
    /// Nothing follows the header.
    Empty,
    /// The piece cannot be decompressed.
    Damaged,
    /// It has not the length that is said.
    Length,
    /// The connection ends within a packet.
    Cut,
}

impl Fault {
    /// What was expected.
    pub fn expected(self) -> &'static str {
        match self {
            Self::OutOfOrder => "compressed packets in order",
            Self::Empty => "content of a compressed packet",
            Self::Damaged => "compressed data",
            Self::Length => "the length of a compressed packet's content",
            Self::Cut => "the rest of a compressed packet",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }
}

impl std::error::Error for Fault {}

/// The header of a compressed packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of what follows it.
    pub length: usize,
    /// The number.
    pub number: u8,
    /// Length before compression; zero if it is not compressed.
    pub plain: usize,
}

impl Header {
    /// Reads the header at the front, if all of it is there.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, number, d, e, f] = bytes.first_chunk::<HEADER>()?;
        let length = |a, b, c| usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        Some(Self {
            length: length(a, b, c),
            number,
            plain: length(d, e, f),
        })
    }

    /// Its bytes; lengths above [`MAX_PIECE`] have none.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let [a, b, c, ..] = self.length.to_le_bytes();
        let [d, e, f, ..] = self.plain.to_le_bytes();
        [a, b, c, self.number, d, e, f]
    }
}

/// Appends a compressed packet with this content, of at most [`MAX_PIECE`] bytes. It stays as it is where compression does not
/// make it shorter.
pub fn write(out: &mut Vec<u8>, codec: &mut Codec, algorithm: Algorithm, number: u8, piece: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    let is_shorter =
        piece.len() >= WORTHWHILE && codec.compress(algorithm, piece, out).is_shorter();
    if !is_shorter {
        out.truncate(start + HEADER);
        out.extend_from_slice(piece);
    }
    let header = Header {
        length: out.len() - start - HEADER,
        number,
        plain: if is_shorter { piece.len() } else { 0 },
    };
    if let Some(place) = out.get_mut(start..start + HEADER) {
        place.copy_from_slice(&header.to_bytes());
    }
}

/// Appends the content of a compressed packet, all of which is there.
///
/// # Errors
///
/// It is empty, or damaged, or not of the length that the header says; what has been appended is then without meaning.
pub fn read(
    out: &mut Vec<u8>,
    codec: &mut Codec,
    algorithm: Algorithm,
    header: Header,
    content: &[u8],
) -> Result<(), Fault> {
    if content.is_empty() {
        return Err(Fault::Empty);
    }
    match header.plain {
        0 => out.extend_from_slice(content),
        plain => codec.decompress(algorithm, content, plain, out)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Algorithm; 2] = [Algorithm::Zlib, Algorithm::Zstd];

    fn written(algorithm: Algorithm, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, &mut Codec::default(), algorithm, 7, piece);
        out
    }

    fn read_back(algorithm: Algorithm, packet: &[u8]) -> Result<Vec<u8>, Fault> {
        let header = Header::read(packet).unwrap();
        assert_eq!(header.length, packet.len() - HEADER);
        let (mut out, mut codec) = (Vec::new(), Codec::default());
        read(&mut out, &mut codec, algorithm, header, &packet[HEADER..])?;
        Ok(out)
    }

    #[test]
    fn short_pieces_and_noise_stay_as_they_are() {
        let noise: Vec<u8> = (0..400_u32)
            .flat_map(|n| {
                n.wrapping_mul(0x9e37_79b9)
                    .rotate_left(n % 31)
                    .to_le_bytes()
            })
            .collect();
        for algorithm in BOTH {
            for piece in [&b"SELECT 1"[..], &noise] {
                let packet = written(algorithm, piece);
                assert_eq!(Header::read(&packet).unwrap().plain, 0);
                assert_eq!(&packet[HEADER..], piece);
            }
        }
    }

    #[test]
    fn the_longest_piece_is_read_back() {
        let piece: Vec<u8> = (0..MAX_PIECE).map(|n| (n / 1000 % 251) as u8).collect();
        for algorithm in BOTH {
            let packet = written(algorithm, &piece);
            assert!(packet.len() < piece.len() / 2);
            assert!(read_back(algorithm, &packet).unwrap() == piece);
        }
    }

    /// A piece that becomes longer than it says ends there, and costs no more memory than was said.
    #[test]
    fn a_length_is_what_it_says_or_a_fault() {
        for algorithm in BOTH {
            let mut packet = written(algorithm, &vec![0; 1 << 20]);
            for wrong in [1_usize, 100, (1 << 20) - 1, (1 << 20) + 1, MAX_PIECE] {
                packet[4..7].copy_from_slice(&wrong.to_le_bytes()[..3]);
                let header = Header::read(&packet).unwrap();
                let (mut out, mut codec) = (Vec::new(), Codec::default());
                let outcome = read(&mut out, &mut codec, algorithm, header, &packet[HEADER..]);
                assert_eq!(outcome, Err(Fault::Length), "{algorithm:?} {wrong}");
                assert!(out.capacity() <= (2 * wrong).max(1 << 17), "{wrong}");
            }
        }
    }

    /// As zlib and the program `zstd` make them of 100 times "acra ".
    #[test]
    fn what_other_programs_have_written_is_read() {
        let plain = b"acra ".repeat(100);
        for (algorithm, hex) in [(Algorithm::Zlib, ZLIB), (Algorithm::Zstd, ZSTD)] {
            let content = const_hex::decode(hex).unwrap();
            let header = Header {
                length: content.len(),
                number: 0,
                plain: plain.len(),
            };
            let packet = [&header.to_bytes()[..], &content].concat();
            assert_eq!(read_back(algorithm, &packet).unwrap(), plain);
        }
    }

    proptest! {
        #[test]
        fn every_piece_is_read_back(pieces in proptest::collection::vec((any::<u8>(), 1usize..300), 1..40)) {
            let piece: Vec<u8> = pieces.iter().flat_map(|&(byte, times)| vec![byte; times]).collect();
            for algorithm in BOTH {
                prop_assert_eq!(read_back(algorithm, &written(algorithm, &piece)).unwrap(), &piece[..]);
            }
        }

        #[test]
        fn damage_is_a_fault_or_makes_the_length_that_was_said(
            at in 0usize..60, bits in 1u8.., cut in 0usize..60,
        ) {
            let piece = b"acra ".repeat(50);
            for algorithm in BOTH {
                let packet = written(algorithm, &piece);
                let mut content = packet[HEADER..].to_vec();
                let length = content.len();
                content[at % length] ^= bits;
                content.truncate(length - cut % length);
                let header = Header { length: content.len(), number: 0, plain: piece.len() };
                let mut out = Vec::new();
                if read(&mut out, &mut Codec::default(), algorithm, header, &content).is_ok() {
                    prop_assert_eq!(out.len(), piece.len());
                }
            }
        }
    }

    const ZLIB: &str = "789c4b4c2e4a54481c25461201000c32ab7d";
    const ZSTD: &str = "28b52ffd04586500002861637261200100ec508b1615ca0cb9";
}

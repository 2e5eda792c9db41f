//! Compressed packets of MySQL: whatever a peer sends is content of the length that it says or a fault, costs no more memory than
//! that, and leaves nothing behind for the packets of others.

use acra_engine::wire::mysql::compressed::{
    self, Algorithm, Codec, Fault, HEADER, Header, MAX_PIECE,
};
use arbitrary::{Arbitrary, Unstructured};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Zlib,
    Zstd,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    kind: Kind,
    /// Bytes that differ in a packet which was right: where, and by which bits.
    damage: Vec<(u16, u8)>,
    stream: &'a [u8],
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let algorithm = match input.kind {
        Kind::Zlib => Algorithm::Zlib,
        Kind::Zstd => Algorithm::Zstd,
    };
    let mut codec = Codec::default();
    stream(input.stream, algorithm, &mut codec);
    // What is compressed comes out, whatever the codec has met before.
    let mut packet = packet(input.stream, algorithm, &mut codec);
    if let Some(content) = read(&packet, algorithm, &mut codec) {
        assert!(content == Ok(input.stream.to_vec()), "{content:?}");
    }
    for (at, bits) in input.damage {
        let length = packet.len().max(1);
        if let Some(byte) = packet.get_mut(usize::from(at) % length) {
            *byte ^= bits;
        }
    }
    stream(&packet, algorithm, &mut codec);
}

/// A packet with this content, if it has any.
fn packet(content: &[u8], algorithm: Algorithm, codec: &mut Codec) -> Vec<u8> {
    let mut packet = Vec::new();
    if !content.is_empty() {
        compressed::write(&mut packet, codec, algorithm, 0, content);
        assert!(packet.len() <= HEADER + content.len());
    }
    packet
}

/// Reads packets up to the first that is none, as the connection would.
fn stream(mut bytes: &[u8], algorithm: Algorithm, codec: &mut Codec) {
    while let Some(Ok(_)) = read(bytes, algorithm, codec) {
        let length = Header::read(bytes).map_or(0, |header| header.length);
        bytes = &bytes[HEADER + length..];
    }
}

/// The content of the packet at the front, if all of it is there.
fn read(bytes: &[u8], algorithm: Algorithm, codec: &mut Codec) -> Option<Result<Vec<u8>, Fault>> {
    let header = Header::read(bytes)?;
    assert_eq!(header.to_bytes(), bytes[..HEADER]);
    assert!(header.length <= MAX_PIECE && header.plain <= MAX_PIECE);
    let content = bytes.get(HEADER..HEADER + header.length)?;
    let mut out = Vec::new();
    let outcome = compressed::read(&mut out, codec, algorithm, header, content);
    let said = if header.plain == 0 {
        header.length
    } else {
        header.plain
    };
    // Twice what is there, and room for a beginning.
    assert!(
        out.capacity() <= (2 * said).max(1 << 17),
        "{said}: {}",
        out.capacity()
    );
    Some(outcome.map(|()| {
        assert_eq!(out.len(), said);
        out
    }))
}

//! The containers of elliptic-curve keys (containers.md 3).
//!
//! ```text
//! 0   4  tag: "UEC2" public, "REC2" private (P-256)
//! 4   4  total size, BE32
//! 8   4  CRC-32C of the whole with these four bytes zero, LE32
//! 12  n  public: compressed point (33), or uncompressed (65)
//!        private: the scalar, big-endian, in 33 bytes of which the first is zero, or in 32
//! ```

use super::super::secret::Secret;
use super::FIELD;

/// Bytes of a container that is written.
pub const CONTAINER: usize = HEADER + DATA;
/// Bytes of the longest container that is read.
pub const MAX_CONTAINER: usize = HEADER + super::POINT;

const HEADER: usize = 12;
const CRC_AT: usize = 8;
/// Bytes of key data that are written. The private key has as many as the compressed public one.
const DATA: usize = super::COMPRESSED;
const PUBLIC: [u8; 4] = *b"UEC2";
const PRIVATE: [u8; 4] = *b"REC2";

/// CRC-32C (Castagnoli). A container is too short for a table to be worth it.
fn crc32c<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let bytes = parts.into_iter().flatten();
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    })
}

/// Checks everything but the key itself and gives the key data.
fn read(container: &[u8], tag: [u8; 4]) -> Option<&[u8]> {
    let (header, data) = container.split_first_chunk::<HEADER>()?;
    let (before, sum) = header.split_at_checked(CRC_AT)?;
    let (kind, size) = before.split_first_chunk::<4>()?;
    let size = u32::from_be_bytes(size.try_into().ok()?);
    let crc = crc32c([before, &[0; 4], data]);
    // The check sum tells damage, not secrets.
    (*kind == tag
        && u64::from(size) == container.len() as u64
        && container.len() <= MAX_CONTAINER
        && sum == crc.to_le_bytes())
    .then_some(data)
}

/// The point in the container of a public key: of one of the two lengths and with a matching first byte.
pub(super) fn public(container: &[u8]) -> Option<&[u8]> {
    let point = read(container, PUBLIC)?;
    let is_point = match point.len() {
        DATA => matches!(point.first(), Some(2 | 3)),
        super::POINT => point.first() == Some(&4),
        _ => false,
    };
    is_point.then_some(point)
}

/// The scalar in the container of a private key, which may be out of range.
pub(super) fn private(container: &[u8]) -> Option<&[u8; FIELD]> {
    match read(container, PRIVATE)? {
        [0, scalar @ ..] if scalar.len() == FIELD => scalar.try_into().ok(),
        scalar => scalar.try_into().ok(),
    }
}

fn write(tag: [u8; 4], data: &[u8; DATA], out: &mut [u8; CONTAINER]) {
    let mut size = [0; 4];
    size.copy_from_slice(&(CONTAINER as u32).to_be_bytes());
    let crc = crc32c([&tag[..], &size, &[0; 4], data]).to_le_bytes();
    let parts = tag.iter().chain(&size).chain(&crc).chain(data);
    out.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
}

pub(super) fn write_public(point: &[u8; DATA]) -> [u8; CONTAINER] {
    let mut container = [0; CONTAINER];
    write(PUBLIC, point, &mut container);
    container
}

pub(super) fn write_private(scalar: &[u8; FIELD]) -> Secret {
    let mut data = zeroize::Zeroizing::new([0; DATA]);
    let [_, place @ ..] = &mut *data;
    *place = *scalar;
    let mut container = zeroize::Zeroizing::new([0; CONTAINER]);
    write(PRIVATE, &data, &mut container);
    Secret::from(container.to_vec())
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_value() {
        assert_eq!(super::crc32c([&b"12345"[..], b"6789"]), 0xe306_9283);
    }
}

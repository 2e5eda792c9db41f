//! The frame around the keys of key pairs, which P-256 (containers.md 3) and X25519 have in common.
//!
//! ```text
//! 0   4  tag: kind of key pair, and whether the key is public or private
//! 4   4  total size, BE32
//! 8   4  CRC-32C of the whole with these four bytes zero, LE32
//! 12  n  key data
//! ```

use super::secret::Secret;
use zeroize::Zeroizing;

/// Bytes before the key data.
pub(super) const HEADER: usize = 12;
/// Bytes of key data in a container that is written.
pub(super) const DATA: usize = 33;
/// Bytes of a container that is written, whatever the kind of key: AcraStructs have room for just this.
pub const CONTAINER: usize = HEADER + DATA;

const CRC_AT: usize = 8;

/// CRC-32C (Castagnoli). A container is too short for a table to be worth it.
fn crc32c<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let bytes = parts.into_iter().flatten();
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    })
}

/// Checks everything but the key itself and gives the key data. No container longer than `longest` is read.
pub(super) fn read(container: &[u8], tag: [u8; 4], longest: usize) -> Option<&[u8]> {
    let (header, data) = container.split_first_chunk::<HEADER>()?;
    let (before, sum) = header.split_at_checked(CRC_AT)?;
    let (kind, size) = before.split_first_chunk::<4>()?;
    let size = u32::from_be_bytes(size.try_into().ok()?);
    if *kind != tag || u64::from(size) != container.len() as u64 || container.len() > longest {
        return None;
    }
    // The check sum tells damage, not secrets.
    let crc = crc32c([before, &[0; 4], data]);
    (sum == crc.to_le_bytes()).then_some(data)
}

/// The container of a public key: `first` is the first byte of key data.
pub(super) fn write_public(tag: [u8; 4], first: u8, key: &[u8; 32]) -> [u8; CONTAINER] {
    let mut container = [0; CONTAINER];
    write(tag, first, key, &mut container);
    container
}

/// The container of a private key.
pub(super) fn write_private(tag: [u8; 4], first: u8, key: &[u8; 32]) -> Secret {
    let mut container = Zeroizing::new([0; CONTAINER]);
    write(tag, first, key, &mut container);
    Secret::from(container.to_vec())
}

fn write(tag: [u8; 4], first: u8, key: &[u8; 32], out: &mut [u8; CONTAINER]) {
    let size = (CONTAINER as u32).to_be_bytes();
    let crc = crc32c([&tag[..], &size, &[0; 4], &[first], key]).to_le_bytes();
    let header = tag.iter().chain(&size).chain(&crc);
    let parts = header.chain(std::iter::once(&first)).chain(key);
    out.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_value() {
        assert_eq!(super::crc32c([&b"12345"[..], b"6789"]), 0xe306_9283);
    }
}

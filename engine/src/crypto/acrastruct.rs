//! AcraStruct: what can be said of one without its key (containers.md 5.1).
//!
//! ```text
//! 0    8   tag, eight 22
//! 8    45  throwaway public key
//! 53   84  sealed data key
//! 137  8   data length D, LE64
//! 145  D   sealed value
//! ```

/// What every AcraStruct begins with.
pub(super) const TAG: [u8; 8] = *b"\"\"\"\"\"\"\"\"";

/// Bytes before the sealed value.
pub(super) const HEADER: usize = 145;

/// Offset of the data length.
const LENGTH_AT: usize = 137;

/// Length of the AcraStruct that starts at the first byte of `bytes`. `None`: there is none, or not the whole of it.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    if bytes.len() < HEADER || !bytes.starts_with(&TAG) {
        return None;
    }
    let data: &[u8; 8] = bytes.get(LENGTH_AT..)?.first_chunk()?;
    let data = usize::try_from(u64::from_le_bytes(*data)).ok()?;
    HEADER
        .checked_add(data)
        .filter(|length| *length <= bytes.len())
}

/// Whether `bytes` as a whole have the structure of an AcraStruct.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    length(bytes) == Some(bytes.len())
}

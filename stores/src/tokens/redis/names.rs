//! The form of names and records in Redis.

use acra_engine::tokens::EntryKey;

/// What names begin with.
pub(super) const PREFIX: &str = "tokens/";

pub(super) fn hex(bytes: &[u8]) -> String {
    const_hex::encode(bytes)
}

pub(super) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    const_hex::decode(text)
        .ok()
        // The crate takes a prefix that Acra does not write.
        .filter(|_| !text.starts_with(b"0x"))
}

pub(super) fn name(key: &EntryKey) -> String {
    format!("{PREFIX}{}/{}", hex(&key.context), hex(&key.entry))
}

pub(super) fn entry_key(name: &[u8]) -> Option<EntryKey> {
    let name = name.strip_prefix(PREFIX.as_bytes())?;
    let (context, entry) = name.split_at_checked(64)?;
    Some(EntryKey {
        context: unhex(context)?.try_into().ok()?,
        entry: unhex(entry.strip_prefix(b"/")?)?.try_into().ok()?,
    })
}

/// Half of the digest in the name of a record.
pub(super) fn half(key: &EntryKey) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&key.entry[2..18]);
    half
}

#[cfg(test)]
mod tests {
    use super::{entry_key, name};
    use acra_engine::tokens::EntryKey;

    #[test]
    fn names_are_those_of_acra_and_are_read_back() {
        let key = EntryKey {
            context: [0xab; 32],
            entry: *b"t.0123456789012345678901234567890!",
        };
        let text = name(&key);
        assert_eq!(text.len(), 7 + 64 + 1 + 68);
        assert!(text.starts_with("tokens/abab"), "{text}");
        assert!(text.contains("/742e30"), "{text}");
        assert_eq!(entry_key(text.as_bytes()), Some(key));
        for other in [
            "",
            "tokens/",
            &text[..text.len() - 1],
            &text[1..],
            &text.replace('/', "-"),
            &format!("{text}00"),
        ] {
            assert_eq!(entry_key(other.as_bytes()), None, "{other}");
        }
    }
}

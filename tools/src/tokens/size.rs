//! Numbers of bytes for people.

use std::fmt;

/// As Acra writes them: bytes up to 512, then KB, MB and GB of 1024.
pub(super) fn human(bytes: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        // Shown with two decimals: what is beyond 2^52 does not matter.
        let size = bytes as f64;
        match bytes {
            0..=512 => write!(f, "{bytes} B"),
            513..=0x8_0000 => write!(f, "{:.2} KB", size / 1024.0),
            0x8_0001..=0x2000_0000 => write!(f, "{:.2} MB", size / 1_048_576.0),
            _ => write!(f, "{:.2} GB", size / 1_073_741_824.0),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn the_unit_changes_at_half_of_the_next() {
        for (bytes, expected) in [
            (0, "0 B"),
            (512, "512 B"),
            (513, "0.50 KB"),
            (524_288, "512.00 KB"),
            (524_289, "0.50 MB"),
            (536_870_912, "512.00 MB"),
            (536_870_913, "0.50 GB"),
            (3 << 30, "3.00 GB"),
        ] {
            assert_eq!(human(bytes).to_string(), expected);
        }
    }
}

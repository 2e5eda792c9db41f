//! Bolt files: one that Acra 0.96 wrote, and one of bbolt itself with what that does not have (data/fixture.go).

use acra_stores::tokens::{TokenStoreError, read_bolt};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tokens/data")
        .join(name)
}

/// The entries of a file as lines, and the number of strangers.
fn lines(path: &Path) -> Result<(Vec<String>, u64), TokenStoreError> {
    let mut lines = Vec::new();
    let strangers = read_bolt(path, &mut |entry| {
        let parts = [&entry.key.context[..], &entry.key.entry, entry.record];
        lines.push(parts.map(const_hex::encode).join(" "));
        Ok(())
    })?;
    lines.sort();
    Ok((lines, strangers))
}

#[test]
fn every_entry_is_read() {
    for (name, count) in [("acra-0.96", 14), ("bbolt-1.3.6", 63)] {
        let (read, strangers) = lines(&data(&format!("{name}.db"))).unwrap();
        let expected = fs::read_to_string(data(&format!("{name}.entries"))).unwrap();
        let mut expected: Vec<&str> = expected.lines().collect();
        expected.sort_unstable();
        assert_eq!((read.len(), strangers), (count, 0));
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn the_other_meta_page_serves_if_one_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let whole = fs::read(data("bbolt-1.3.6.db")).unwrap();
    for lost in [0, 1024] {
        let mut file = whole.clone();
        file[lost..lost + 1024].fill(0);
        fs::write(&path, file).unwrap();
        // The older one may be of the commit before the last.
        assert!(lines(&path).unwrap().0.len() >= 62);
    }
    let mut file = whole;
    file[..2048].fill(0);
    fs::write(&path, file).unwrap();
    let error = lines(&path).unwrap_err();
    assert!(error.to_string().contains("meta pages"), "{error}");
}

#[test]
fn a_file_that_acra_has_open_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    fs::copy(data("acra-0.96.db"), &path).unwrap();
    let file = fs::File::open(&path).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let error = lines(&path).unwrap_err();
    assert!(matches!(error, TokenStoreError::InUse(_)), "{error}");
}

proptest! {
    #[test]
    fn damaged_files_are_an_ordinary_error_or_other_entries(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        headers in prop::collection::vec((1..33_usize, 0..48_usize, any::<u8>()), 0..8),
        length: prop::sample::Index,
        cut: bool,
    ) {
        let mut file = fs::read(data("bbolt-1.3.6.db")).unwrap();
        for (place, byte) in changes {
            // Behind the meta pages, whose sums would tell.
            let place = 2048 + place.index(file.len() - 2048);
            file[place] = byte;
        }
        for (page, offset, byte) in headers {
            let place = page * 1024 + offset;
            if place >= 2048 && place < file.len() {
                file[place] = byte;
            }
        }
        if cut {
            let length = length.index(file.len());
            file.truncate(length);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        fs::write(&path, &file).unwrap();
        if let Ok((entries, _)) = lines(&path) {
            // Each page is read once, so no more comes out than is in it.
            let bytes: usize = entries.iter().map(|line| line.len() / 2).sum();
            prop_assert!(bytes <= file.len() * 4, "{} of {}", bytes, file.len());
        }
    }
}

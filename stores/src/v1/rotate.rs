//! Replacing key files; a key that exists is kept as an older generation (keystore.md 4.1).

use crate::KeyStoreError;
use crate::directory::list;
use crate::safe_file::{Unfinished, create_directory, sync_directory};
use acra_engine::keys::v1::{self, TimeStamp};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How old a temporary file must be before it is removed without a lock.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes what writers left behind that were cut off. Whoever holds the lock is the only writer.
pub(super) fn remove_abandoned(directory: &Path, locked: bool) -> Result<(), KeyStoreError> {
    for (name, path) in list(directory)? {
        // Acra's own leftovers look like key files; they stay.
        if !name.starts_with(".tmp-") || !v1::is_unfinished(&name) {
            continue;
        }
        let age = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        let is_old = age.is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed > ABANDONED));
        if locked || is_old {
            // One that cannot be removed disturbs nobody.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// Gives a new key file its name, under the lock. The file that had it becomes the newest older generation.
pub(super) fn put(new: Unfinished, path: &Path) -> io::Result<()> {
    let kept = keep_current(path)?;
    let renamed = new.rename(path);
    if let (Err(_), Some(kept)) = (&renamed, kept) {
        let _ = fs::remove_file(kept);
    }
    renamed?;
    sync_directory(directory_of(path))
}

/// The directory that a key file is in.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Gives the current file a second name among the older generations. `None`: there is no current file, or it has one.
fn keep_current(path: &Path) -> io::Result<Option<PathBuf>> {
    let current = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut old = path.as_os_str().to_owned();
    old.push(".old");
    let old = PathBuf::from(old);
    create_directory(&old)?;
    let newest = newest(&old)?;
    // A writer may have been cut off after this step.
    if let Some((_, newest)) = &newest
        && is_same(path, &current, newest)?
    {
        return Ok(None);
    }
    let now = present();
    let mut time = newest.map_or(now, |(time, _)| now.max(time.next()));
    let kept = loop {
        let kept = old.join(time.to_string());
        match keep_as(path, &current, &kept) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => time = time.next(),
            other => break other.map(|()| kept),
        }
    }?;
    sync_directory(&old)?;
    Ok(Some(kept))
}

fn keep_as(path: &Path, current: &fs::Metadata, kept: &Path) -> io::Result<()> {
    if current.is_file() {
        match fs::hard_link(path, kept) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
    // No hard links here, or a symbolic link: a copy.
    if fs::symlink_metadata(kept).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Unfinished::write(directory_of(path), &fs::read(path)?, mode)?.rename(kept)
}

/// The newest file of an `.old` directory that is named by a time stamp.
fn newest(old: &Path) -> io::Result<Option<(TimeStamp, PathBuf)>> {
    let mut newest = None;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let time = entry.file_name().to_str().and_then(TimeStamp::parse);
        newest = newest.max(time.map(|time| (time, entry.path())));
    }
    Ok(newest)
}

fn is_same(path: &Path, current: &fs::Metadata, kept: &Path) -> io::Result<bool> {
    let other = fs::symlink_metadata(kept)?;
    if (current.dev(), current.ino()) == (other.dev(), other.ino()) {
        return Ok(true);
    }
    Ok(other.is_file() && fs::read(path)? == fs::read(kept)?)
}

/// The present time, as the name of something that is kept.
pub(crate) fn present() -> TimeStamp {
    // A clock before 1970 is as good as 1970: older generations push the time stamp forward.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    TimeStamp::new(
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        now.subsec_nanos(),
    )
}

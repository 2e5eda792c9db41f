//! Replacing key files; a key that exists is kept as an older generation (keystore.md 4.1).

use crate::clock::time_stamp;
use crate::directory::parent;
use crate::disk;
use crate::safe_file::{Unfinished, create_directory};
use acra_engine::keys::v1::TimeStamp;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Gives a new key file its name, under the lock. The file that had it becomes the newest older generation.
pub(super) fn put(new: Unfinished, path: &Path) -> io::Result<()> {
    let renamed = match keep_current(path)? {
        None => new.rename(path),
        Some(kept) => {
            let renamed = disk::sync_directory(parent(&kept.path)).and_then(|()| new.rename(path));
            if renamed.is_err() && kept.is_new {
                let _ = disk::remove_file(&kept.path);
            }
            renamed
        }
    };
    renamed?;
    disk::sync_directory(parent(path))
}

/// The current file among the older generations.
struct Kept {
    path: PathBuf,
    /// False: it was there, since a writer was cut off after this step.
    is_new: bool,
}

/// Gives the current file a second name among the older generations, if there is a current file.
fn keep_current(path: &Path) -> io::Result<Option<Kept>> {
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
    if let Some((_, newest)) = &newest
        && is_same(path, &current, newest)?
    {
        let (path, is_new) = (newest.clone(), false);
        return Ok(Some(Kept { path, is_new }));
    }
    let now = time_stamp();
    let mut time = newest.map_or(now, |(time, _)| now.max(time.next()));
    loop {
        let kept = old.join(time.to_string());
        match keep_as(path, &current, &kept) {
            Ok(()) => {
                let (path, is_new) = (kept, true);
                return Ok(Some(Kept { path, is_new }));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => time = time.next(),
            Err(error) => return Err(error),
        }
    }
}

fn keep_as(path: &Path, current: &fs::Metadata, kept: &Path) -> io::Result<()> {
    if current.is_file() {
        match disk::hard_link(path, kept) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
    // No hard links here, or a symbolic link: a copy.
    if fs::symlink_metadata(kept).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Unfinished::write(parent(path), &fs::read(path)?, mode)?.rename(kept)
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

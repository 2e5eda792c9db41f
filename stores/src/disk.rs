//! Every system call by which key stores change a disk.
//!
//! All of them are here and nowhere else, so that tests can make each of them fail, or end the process before it
//! (`crash_tests`).

use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

#[cfg(test)]
use crate::crash_tests::step;

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    CreateDirectory,
    Link,
    Lock,
    Open,
    Remove,
    Rename,
    SetMode,
    Sync,
    SyncDirectory,
    Write,
}

/// What comes before each of them: nothing.
#[cfg(not(test))]
fn step(_: Operation) -> io::Result<()> {
    Ok(())
}

/// Creates a file of mode 0600 that must not exist.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    step(Operation::Create)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Opens a lock file, which is created with mode 0600 if it does not exist.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    step(Operation::Lock)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Opens the file of a database, which is created with mode 0600 if it does not exist.
pub(crate) fn open_database(path: &Path) -> io::Result<File> {
    step(Operation::Open)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Opens what exists, a file to be written anew or a pipe.
pub(crate) fn open_existing(path: &Path, truncate: bool) -> io::Result<File> {
    step(Operation::Open)?;
    OpenOptions::new().write(true).truncate(truncate).open(path)
}

/// Writes all of `content`.
pub(crate) fn write(file: &mut File, content: &[u8]) -> io::Result<()> {
    // A crash can leave a part.
    let (first, rest) = content.split_at(content.len() / 2);
    if cfg!(test) {
        step(Operation::Write)?;
        file.write_all(first)?;
        step(Operation::Write)?;
        return file.write_all(rest);
    }
    file.write_all(content)
}

/// Sets permission bits, on which the umask has no influence.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    step(Operation::SetMode)?;
    file.set_permissions(Permissions::from_mode(mode))
}

/// Makes the content of a file last.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    step(Operation::Sync)?;
    file.sync_all()
}

/// Makes the names in a directory last. File systems that cannot sync directories are left in peace.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    step(Operation::SyncDirectory)?;
    match File::open(path).and_then(|directory| directory.sync_all()) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Gives a file another name; whatever had that is replaced.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step(Operation::Rename)?;
    fs::rename(from, to)
}

/// Gives a file a second name, which nothing has.
pub(crate) fn hard_link(file: &Path, name: &Path) -> io::Result<()> {
    step(Operation::Link)?;
    fs::hard_link(file, name)
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    step(Operation::Remove)?;
    fs::remove_file(path)
}

/// Removes an empty directory.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    step(Operation::Remove)?;
    fs::remove_dir(path)
}

/// Makes a directory of mode 0700.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    step(Operation::CreateDirectory)?;
    fs::DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

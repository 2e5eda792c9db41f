//! Files that are there whole or not at all (keystore.md 1.1).

use acra_engine::keys::v1;
use rand::Rng as _;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A complete, synced file under a temporary name. Dropping it removes it again.
pub(crate) struct Unfinished {
    path: PathBuf,
    renamed: bool,
}

impl Unfinished {
    /// Writes `content` next to where it will be.
    pub(crate) fn write(directory: &Path, content: &[u8], mode: u32) -> io::Result<Self> {
        let (mut file, unfinished) = Self::create(directory)?;
        file.write_all(content)?;
        // After opening, so that the umask plays no part.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        Ok(unfinished)
    }

    fn create(directory: &Path) -> io::Result<(File, Self)> {
        loop {
            let path = directory.join(v1::temporary(rand::rng().next_u64()));
            match create_new(&path) {
                Ok(file) => {
                    let renamed = false;
                    return Ok((file, Self { path, renamed }));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name; whatever had it is replaced. The directory is not synced yet.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.renamed {
            // The next writer removes what stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Makes renames in a directory last. File systems that cannot sync directories are left in peace.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
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

/// Makes a directory of mode 0700, and those above it, unless it exists.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            create_directory(parent)?;
            parent
        }
        _ => Path::new("."),
    };
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            fs::set_permissions(path, Permissions::from_mode(0o700))?;
            sync_directory(parent)
        }
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

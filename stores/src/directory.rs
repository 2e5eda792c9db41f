//! What is in a directory.

use crate::KeyStoreError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Names and paths in a directory; one that does not exist is empty, names that are not text are left out.
pub(crate) fn list(directory: &Path) -> Result<Vec<(String, PathBuf)>, KeyStoreError> {
    let fail = KeyStoreError::io("list", directory);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let named = |entry: fs::DirEntry| Some((entry.file_name().into_string().ok()?, entry.path()));
    Ok(entries
        .map_err(fail)?
        .into_iter()
        .filter_map(named)
        .collect())
}

/// The directory that a file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

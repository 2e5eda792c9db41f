//! What can be wrong with a token store, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a token store could not be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenStoreError {
    /// The file is a Bolt database, as Acra keeps tokens in.
    Bolt(PathBuf),
    /// The file is something else.
    Foreign(PathBuf),
    /// The file is a token store of a form that is not known here.
    OtherVersion(PathBuf),
    /// Another process has the file open.
    InUse(PathBuf),
    /// The system refuses.
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: String,
    },
    /// A Bolt file is damaged.
    DamagedBolt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Redis cannot be reached, or refuses.
    Redis {
        /// Host and port.
        address: String,
        /// Why not.
        error: String,
    },
}

impl TokenStoreError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action,
            path,
            error,
        }
    }
}

impl fmt::Display for TokenStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bolt(path) => write!(
                f,
                "{0} is a Bolt file, as Acra keeps tokens in; it was not touched. Bring its tokens into a new file: \
                 acra-tokens import --bolt_file={0} --token_db=<new file>",
                path.display()
            ),
            Self::Foreign(path) => write!(
                f,
                "{} is no token store; it was not touched. Name a new file or one that acra-server made",
                path.display()
            ),
            Self::OtherVersion(path) => write!(
                f,
                "{} is a token store of another version; use the program that made it",
                path.display()
            ),
            Self::InUse(path) => write!(
                f,
                "{} is in use by another process, most likely acra-server; one at a time can open it",
                path.display()
            ),
            Self::Io {
                action,
                path,
                error,
            } => write!(f, "cannot {action} {}: {error}", path.display()),
            Self::File { path, error } => {
                write!(f, "token store {}: {error}", path.display())
            }
            Self::DamagedBolt { path, what } => {
                write!(f, "{} is a damaged Bolt file: {what}", path.display())
            }
            Self::Redis { address, error } => write!(f, "Redis at {address}: {error}"),
        }
    }
}

impl std::error::Error for TokenStoreError {}

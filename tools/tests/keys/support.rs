//! A directory to work in, and the tools.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub(crate) const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Master keys of a key store v2.
pub(crate) const MASTER_2: &str = "eyJlbmNyeXB0aW9uIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOD0iLCJzaWduYXR1cmUi\
                                   OiJJQ0VpSXlRbEppY29LU29yTEMwdUx6QXhNak0wTlRZM09EazZPenc5UGo4PSJ9";

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) log: String,
}

impl Output {
    /// Standard output as text.
    pub(crate) fn out(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// Checks that it was good, and gives standard output.
    #[track_caller]
    pub(crate) fn good(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        self.out()
    }

    /// Checks that it failed with 1, printed nothing, and said these things in this order.
    #[track_caller]
    pub(crate) fn failed(&self, said: &[&str]) {
        assert_eq!((self.code, &*self.bytes), (1, &b""[..]), "{self:?}");
        let mut left = &*self.log;
        for text in said {
            let at = left.find(text);
            let at = at.unwrap_or_else(|| panic!("no {text:?} in {}", self.log));
            left = &left[at + text.len()..];
        }
    }

    /// The messages of the log, with their levels.
    pub(crate) fn messages(&self) -> Vec<String> {
        let message = |line: &str| {
            let (_, line) = line.split_once("level=").unwrap();
            let (level, line) = line.split_once(" msg=\"").unwrap();
            format!("{level} {}", line.split_once('"').unwrap().0)
        };
        self.log.lines().map(message).collect()
    }
}

/// A directory to work in.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One with a key store v1 in `.acrakeys` that has all keys of client `shop-1`.
    pub(crate) fn with_keys() -> Self {
        let place = Self::new();
        place
            .keys(&["generate", "--keystore=v1", "--client_id=shop-1"])
            .good();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        let metadata = fs::metadata(self.path(name)).unwrap();
        metadata.permissions().mode() & 0o7777
    }

    /// The files below a directory, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.path(name), "", &mut found);
        found.sort();
        found
    }

    pub(crate) fn keys(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_acra-keys"), Some(MASTER), arguments)
    }

    pub(crate) fn poison(&self, arguments: &[&str]) -> Output {
        let tool = env!("CARGO_BIN_EXE_acra-poisonrecordmaker");
        self.run(tool, Some(MASTER), arguments)
    }

    pub(crate) fn keymaker(&self, arguments: &[&str]) -> Output {
        let tool = env!("CARGO_BIN_EXE_acra-keymaker");
        self.run(tool, Some(MASTER), arguments)
    }

    pub(crate) fn run(&self, tool: &str, master: Option<&str>, arguments: &[&str]) -> Output {
        let master = master.map(|key| ("ACRA_MASTER_KEY", key));
        self.run_in(tool, master.as_slice(), arguments)
    }

    /// Runs a tool with these environment variables and no others.
    pub(crate) fn run_in(
        &self,
        tool: &str,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Output {
        let mut command = Command::new(tool);
        command
            .current_dir(self.0.path())
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied());
        let output = command.output().unwrap();
        Output {
            code: output.status.code().unwrap(),
            bytes: output.stdout,
            log: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn collect(directory: &Path, within: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{within}{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => collect(&entry.path(), &format!("{name}/"), found),
            false => found.push(name),
        }
    }
}

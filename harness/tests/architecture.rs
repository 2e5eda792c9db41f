//! The arrows of docs/architecture.md: which package and which module of the engine may use which, and which crates
//! are not used at all. And that docs/errors.md has every error.

use acra_harness::{Context, Error, Result, paths};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Packages and those of ours that they may depend on, benchmarks and tests included.
const PACKAGES: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("cli", &[]),
    ("telemetry", &[]),
    ("stores", &["acra-engine", "acra-net"]),
    ("net", &["acra-engine"]),
    (
        "proxy-bin",
        &[
            "acra-engine",
            "acra-stores",
            "acra-net",
            "acra-telemetry",
            "acra-cli",
        ],
    ),
    (
        "tools",
        &["acra-engine", "acra-stores", "acra-telemetry", "acra-cli"],
    ),
    ("harness", &["acra-engine"]),
    ("benches", &["acra-engine", "acra-net", "acra-harness"]),
];

/// Modules of the engine and those that they may use.
const MODULES: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("crypto", &[]),
    ("types", &[]),
    ("columns", &["types"]),
    ("sql", &[]),
    ("keys", &["crypto"]),
    ("tokens", &["crypto", "keys", "columns"]),
    ("plan", &["sql", "columns"]),
    (
        "cell",
        &["columns", "crypto", "keys", "plan", "types", "wire"],
    ),
    (
        "session",
        &[
            "wire", "crypto", "keys", "columns", "sql", "tokens", "plan", "cell", "types",
        ],
    ),
];

/// Crates that may not be in the tree, and why. Not counted is what [`ONLY_FOR_TESTS`] brings along.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        "ring",
        "one provider of TLS and asymmetric cryptography: aws-lc-rs",
    ),
    (
        "openssl",
        "one provider of TLS and asymmetric cryptography: aws-lc-rs",
    ),
    ("native-tls", "TLS is rustls"),
    (
        "hex",
        "const-hex is 30 times as fast on the length of a container",
    ),
    ("faster-hex", "const-hex is faster and enough"),
    ("serde_yaml", "archived; YAML is read by granit-parser"),
    (
        "serde_yml",
        "archived with an open advisory; YAML is read by granit-parser",
    ),
    ("fred", "unmaintained; Redis is reached by redis"),
    ("sled", "unmaintained"),
];

/// Forbidden crates that are there below a crate of tests, where they do no harm.
const ONLY_FOR_TESTS: &[(&str, &str)] = &[("hex", "testcontainers")];

/// What the engine must do without: it has no sockets, no runtime, no clock, no threads, no environment, no log.
const NOT_IN_ENGINE: &[&str] = &[
    "tokio::",
    "std::net",
    "std::thread",
    "std::env",
    "std::fs",
    "std::time",
    "std::process",
    "println!",
    "eprintln!",
];

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).context(|| path.display().to_string())
}

fn manifest(package: &str) -> Result<toml::Table> {
    let path = paths::workspace().join(package).join("Cargo.toml");
    read(&path)?.parse().context(|| path.display().to_string())
}

/// The Rust files below a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn fail_on(faults: &[String]) -> Result<()> {
    match faults {
        [] => Ok(()),
        faults => Err(Error::new(format!(
            "against docs/architecture.md:\n{}",
            faults.join("\n")
        ))),
    }
}

#[test]
fn every_package_is_in_the_table() -> Result<()> {
    let workspace: toml::Table = read(&paths::workspace().join("Cargo.toml"))?.parse()?;
    let members = workspace["workspace"]["members"].as_array();
    let members: BTreeSet<&str> = members
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    assert_eq!(members, PACKAGES.iter().map(|(name, _)| *name).collect());
    Ok(())
}

#[test]
fn packages_depend_only_upwards() -> Result<()> {
    let mut faults = Vec::new();
    for (package, allowed) in PACKAGES {
        let manifest = manifest(package)?;
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = manifest.get(section).and_then(toml::Value::as_table);
            for name in names.into_iter().flat_map(toml::Table::keys) {
                if name.starts_with("acra-") && !allowed.contains(&name.as_str()) {
                    faults.push(format!("package {package} must not depend on {name}"));
                }
            }
        }
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            faults.push(format!(
                "package {package} does not take the workspace's lints"
            ));
        }
    }
    fail_on(&faults)
}

#[test]
fn modules_of_the_engine_use_only_what_is_below_them() -> Result<()> {
    let source = paths::workspace().join("engine/src");
    let mut faults = Vec::new();
    let mut modules = BTreeSet::new();
    for file in sources(&source)? {
        let place = file.strip_prefix(&source)?;
        let Some(module) = place.parent().and_then(|parent| parent.iter().next()) else {
            continue;
        };
        let module = module.to_string_lossy().into_owned();
        let allowed = MODULES.iter().find(|(name, _)| *name == module);
        let Some((_, allowed)) = allowed else {
            faults.push(format!("module {module} is not in the table"));
            continue;
        };
        for line in read(&file)?.lines() {
            // In whatever form it is written: `use crate::x`, `crate::x::y`, `pub use crate::x`.
            for used in line.split("crate::").skip(1) {
                let end = used.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let used = &used[..end.unwrap_or(used.len())];
                let is_module = MODULES.iter().any(|(name, _)| *name == used);
                if is_module && used != module && !allowed.contains(&used) {
                    faults.push(format!("{} must not use {used}: {line}", place.display()));
                }
            }
        }
        modules.insert(module);
    }
    assert_eq!(
        modules.len(),
        MODULES.len(),
        "a module of the table is gone"
    );
    fail_on(&faults)
}

#[test]
fn the_engine_is_pure() -> Result<()> {
    let source = paths::workspace().join("engine/src");
    let mut faults = Vec::new();
    for file in sources(&source)? {
        for line in read(&file)?.lines() {
            let code = line.split("//").next().unwrap_or_default();
            for word in NOT_IN_ENGINE.iter().filter(|word| code.contains(**word)) {
                faults.push(format!(
                    "{} uses {word}: {line}",
                    file.strip_prefix(&source)?.display()
                ));
            }
        }
    }
    fail_on(&faults)
}

/// What changes a disk. Of the stores only `disk.rs` does, where tests make each change fail.
const CHANGES_OF_A_DISK: &[&str] = &[
    "fs::write(",
    "fs::rename(",
    "fs::copy(",
    "fs::hard_link(",
    "fs::remove_",
    "fs::create_dir",
    "DirBuilder",
    "OpenOptions",
    "File::create",
    "set_permissions(",
    "set_len(",
    "sync_all(",
    "sync_data(",
    "write_all(",
];

#[test]
fn stores_change_the_disk_in_one_module() -> Result<()> {
    let source = paths::workspace().join("stores/src");
    let mut faults = Vec::new();
    let mut found_in_disk = 0;
    for file in sources(&source)? {
        let place = file.strip_prefix(&source)?.display().to_string();
        if place.ends_with("tests.rs") {
            continue;
        }
        let text = read(&file)?;
        // Modules of tests come last.
        let code = text.split("#[cfg(test)]\nmod tests {").next();
        for line in code.unwrap_or_default().lines() {
            let code = line.split("//").next().unwrap_or_default();
            for word in CHANGES_OF_A_DISK
                .iter()
                .filter(|word| code.contains(**word))
            {
                match &*place {
                    "disk.rs" => found_in_disk += 1,
                    _ => faults.push(format!("{place} uses {word}: {line}")),
                }
            }
        }
    }
    assert!(found_in_disk > 5, "disk.rs was not found");
    fail_on(&faults)
}

/// The names of the crates that any build may have.
fn tree(arguments: &[&str]) -> Result<BTreeSet<String>> {
    // Not Cargo.lock: it also has what only a feature that nobody turns on would bring in (`ring`, by rustls-webpki).
    let output = Command::new(env!("CARGO"))
        .args(
            "tree --workspace --all-features --edges normal,build,dev --prefix none --format {p} --locked"
                .split(' '),
        )
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .args(["--target", "aarch64-unknown-linux-gnu"])
        .args(arguments)
        .current_dir(paths::workspace())
        .output()
        .context(|| "cargo tree".to_owned())?;
    let text = String::from_utf8(output.stdout)?;
    let names: BTreeSet<String> = text
        .lines()
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .collect();
    match names.contains("sqlparser") {
        true => Ok(names),
        false => Err(Error::new(format!(
            "cargo tree: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

#[test]
fn no_forbidden_crate_is_in_the_tree() -> Result<()> {
    let all = tree(&[])?;
    let pruned: Vec<&str> = ONLY_FOR_TESTS
        .iter()
        .flat_map(|(_, below)| ["--prune", below])
        .collect();
    let ours = tree(&pruned)?;
    let faults: Vec<String> = FORBIDDEN
        .iter()
        .filter(|(name, _)| {
            let excused = ONLY_FOR_TESTS.iter().any(|(excused, _)| excused == name);
            if excused { &ours } else { &all }.contains(*name)
        })
        .map(|(name, why)| format!("crate {name} is in the tree: {why}"))
        .collect();
    fail_on(&faults)
}

/// The names of errors in a source: `word` and then a string.
fn names_after(source: &str, word: &str) -> Vec<String> {
    source
        .split(word)
        .skip(1)
        .filter_map(|rest| {
            let name = rest.trim_start().strip_prefix('"')?;
            let (name, _) = name.split_once('"')?;
            Some(name.to_owned())
        })
        .collect()
}

#[test]
fn every_error_of_a_statement_is_documented_and_exists() -> Result<()> {
    let engine = paths::workspace().join("engine/src");
    let mut names: BTreeSet<String> = BTreeSet::new();
    for file in sources(&engine.join("session"))? {
        let source = read(&file)?;
        names.extend(names_after(&source, "::Refuse("));
        names.extend(names_after(&source, "Event::refused("));
        names.extend(names_after(&source, "code: "));
    }
    let refusal = read(&engine.join("plan/refusal.rs"))?;
    let anchors = refusal
        .split_once("fn anchor")
        .and_then(|(_, rest)| rest.split_once("fn sqlstate"))
        .map(|(anchors, _)| anchors);
    names.extend(names_after(anchors.unwrap_or_default(), "=>"));
    let page = read(&paths::workspace().join("docs/errors.md"))?;
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|title| !title.contains(' '))
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 15, "the errors were not found: {names:?}");
    assert_eq!(names, documented);
    Ok(())
}

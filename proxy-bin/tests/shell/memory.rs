//! What is in memory, and does not get out of it.

use crate::support::{Place, Result};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::fs;
use std::process::Command;

/// The value of a line of `/proc/<pid>/status`, in KiB.
fn status(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.ok_or("no such line")?.trim_end_matches("kB").trim();
    Ok(value.parse()?)
}

#[test]
fn the_master_key_is_locked_and_a_reload_does_not_lock_more_and_more() -> Result {
    let mut server = Place::new()?.start(&["-v"])?;
    server.wait_for("Start listening connections")?;
    let locked = status(server.pid(), "VmLck:")?;
    assert!(locked > 0);
    for _ in 0..20 {
        server.signal(Signal::HUP)?;
        server.wait_for("Reloaded")?;
    }
    let after = status(server.pid(), "VmLck:")?;
    assert!(after <= locked + 64, "{locked} KiB, then {after} KiB");
    assert_eq!(server.stop(Signal::TERM)?.0, Some(0));
    Ok(())
}

#[test]
fn a_crash_leaves_no_core() -> Result {
    let cores = |place: &Place| -> Result<usize> {
        let files = fs::read_dir(place.path(""))?.collect::<std::io::Result<Vec<_>>>()?;
        let names = files.iter().map(fs::DirEntry::file_name);
        Ok(names
            .filter(|name| name.to_string_lossy().starts_with("core"))
            .count())
    };
    // Inherited by what is started from here.
    let allowed = getrlimit(Resource::Core).maximum;
    let limit = Rlimit {
        current: allowed,
        maximum: allowed,
    };
    setrlimit(Resource::Core, limit)?;
    let place = Place::new()?;
    let mut control = Command::new("sh");
    control.args(["-c", "kill -ABRT $$"]);
    control.current_dir(place.path("")).status()?;
    // This machine keeps cores elsewhere: there is nothing to compare with.
    if cores(&place)? == 0 {
        return Ok(());
    }
    let place = Place::new()?;
    let server = place.start(&[])?;
    assert_eq!(server.stop(Signal::ABORT)?.0, None);
    assert_eq!(cores(&place)?, 0);
    Ok(())
}

#[test]
fn the_cache_is_as_large_as_the_flags_say() -> Result {
    let place = Place::new()?;
    for (flags, said) in [
        (
            &["--keystore_cache_size=-1"] as &[&str],
            "Can't cache on start with disabled cache",
        ),
        (
            &["--keystore_cache_size=-2"],
            "--keystore_cache_size: -2 is not one of the possible values",
        ),
    ] {
        let done = place.run_with_keys(flags)?;
        assert_eq!(done.code, Some(1));
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    for (flags, on_start) in [
        (&["--keystore_cache_size=0"] as &[&str], true),
        (&["--keystore_cache_on_start_enable=false"], false),
        (
            &[
                "--keystore_cache_size=-1",
                "--keystore_cache_on_start_enable=false",
            ],
            false,
        ),
    ] {
        let mut server = Place::new()?.start(&[flags, &["-v"]].concat())?;
        server.wait_for("Start listening connections")?;
        let (code, log) = server.stop(Signal::TERM)?;
        assert_eq!(code, Some(0));
        let cached = log.contains("Cached keystore on start successfully");
        assert_eq!(cached, on_start, "{flags:?}");
    }
    Ok(())
}

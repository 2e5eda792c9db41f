//! Secrets are not shown on a screen unless that is asked for.

use crate::support::{MASTER, Place};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::{Command, Stdio};

/// Runs acra-keys with a terminal as standard output; gives its exit code, what the terminal got, and the log.
fn on_terminal(place: &Place, arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_acra-keys"))
        .current_dir(place.path(""))
        .args(arguments)
        .env("ACRA_MASTER_KEY", MASTER)
        .stdout(Stdio::from(theirs))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let mut shown = Vec::new();
    // The end of a terminal that nobody else has open is an error.
    let _ = File::from(ours).read_to_end(&mut shown);
    let log = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), shown, log)
}

#[test]
fn secret_keys_are_for_files_and_pipes() {
    let place = Place::with_keys();
    for arguments in [
        &["read", "client/shop-1/symmetric"][..],
        &["read", "--private", "client/shop-1/storage"],
        &["read", "--private", "poison-record"],
    ] {
        let (code, shown, log) = on_terminal(&place, arguments);
        assert_eq!((code, &*shown), (1, &b""[..]));
        assert!(
            log.contains("level=fatal msg=\"Failed to read key\""),
            "{log}"
        );
        assert!(
            log.contains("standard output is a terminal") && log.contains("--allow_terminal"),
            "{log}"
        );
        let allowed = [&arguments[..1], &["--allow_terminal"], &arguments[1..]].concat();
        let (code, shown, log) = on_terminal(&place, &allowed);
        assert_eq!(code, 0, "{log}");
        assert!(shown.len() >= 32, "{shown:?}");
    }
    let (code, shown, _) = on_terminal(&place, &["read", "--public", "poison-record"]);
    assert_eq!(code, 0);
    assert!(shown.starts_with(b"UEC2"), "{shown:?}");
}

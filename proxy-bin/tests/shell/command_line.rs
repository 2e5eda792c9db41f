//! Exit codes and texts of the command line and the configuration file.

use crate::port::free_port;
use crate::support::{Place, Result, address_in, exists};
use rustix::process::Signal;

#[test]
fn help_goes_to_standard_error() -> Result {
    let place = Place::new()?;
    for flag in ["--help", "-h"] {
        let done = place.run(&[flag])?;
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
        assert!(done.stderr.starts_with("Usage of acra-server:\n"));
        assert!(done.stderr.contains("\n  --db_host\n"), "{}", done.stderr);
    }
    Ok(())
}

#[test]
fn version_goes_to_standard_output() -> Result {
    let done = Place::new()?.run(&["--version"])?;
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let version = concat!("acra-server ", env!("CARGO_PKG_VERSION"));
    assert!(done.stdout.starts_with(version), "{}", done.stdout);
    Ok(())
}

#[test]
fn a_wrong_command_line_ends_with_2_and_the_usage() -> Result {
    let place = Place::new()?;
    for (arguments, message) in [
        (
            &["--nope"] as &[&str],
            "flag provided but not defined: -nope\n",
        ),
        (
            &["--db_port=x"],
            "invalid value \"x\" for flag -db_port: parse error\n",
        ),
        (
            &["-v=perhaps"],
            "invalid boolean value \"perhaps\" for -v: parse error\n",
        ),
        (&["--db_host"], "flag needs an argument: -db_host\n"),
    ] {
        let done = place.run(arguments)?;
        assert_eq!(done.code, Some(2), "{arguments:?}");
        let usage = done.stderr.strip_prefix(message);
        assert!(
            usage.is_some_and(|usage| usage.starts_with("Usage of acra-server:\n")),
            "{}",
            done.stderr
        );
    }
    Ok(())
}

#[test]
fn a_bad_value_ends_with_1_and_names_the_flag() -> Result {
    let place = Place::new()?;
    for (flag, name) in [
        ("--db_port=70000", "--db_port"),
        ("--runtime_threads=-1", "--runtime_threads"),
        ("--max_container=1", "--max_container"),
        ("--unsupported_statements=maybe", "--unsupported_statements"),
        ("--scan_columns=none", "--scan_columns"),
        (
            "--incoming_connection_string=127.0.0.1:1",
            "--incoming_connection_string",
        ),
        ("--log_to_file=/nonexistent/log", "--log_to_file"),
        (
            "--encryptor_config_file=/nonexistent/e.yaml",
            "/nonexistent/e.yaml",
        ),
        ("--keys_dir=/proc", "/proc"),
        ("--client_id=x", "clientID"),
    ] {
        let done = place.run_with_keys(&[flag])?;
        assert_eq!(done.code, Some(1), "{flag}: {}", done.stderr);
        assert!(done.stderr.contains(name), "{flag}: {}", done.stderr);
    }
    Ok(())
}

#[test]
fn all_bad_values_are_told_at_once() -> Result {
    let done = Place::new()?.run_with_keys(&["--db_port=0", "--scan_columns=none"])?;
    assert_eq!(done.code, Some(1));
    for name in ["--db_port", "--scan_columns"] {
        assert!(done.stderr.contains(name), "{}", done.stderr);
    }
    Ok(())
}

#[test]
fn a_missing_part_is_refused_by_name_unless_it_has_its_default() -> Result {
    let place = Place::new()?;
    let done = place.run_with_keys(&["--acracensor_config_file=x.yaml"])?;
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr
            .starts_with("--acracensor_config_file asks for AcraCensor"),
        "{}",
        done.stderr
    );
    let done = place.run_with_keys(&["--acracensor_config_file=", "--check_config"])?;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    Ok(())
}

#[test]
fn a_flag_wins_over_the_file() -> Result {
    let place = Place::new()?;
    let (by_file, by_flag) = (free_port()?.port(), free_port()?.port());
    let file = place.file(
        "server.yaml",
        &format!("version: 0.96.0\nincoming_connection_port: {by_file}\nscan_columns: none\n"),
    )?;
    let file = format!("--config_file={file}");
    let done = place.run_with_keys(&[&file])?;
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("--scan_columns: none"),
        "{}",
        done.stderr
    );

    let port = format!("--incoming_connection_port={by_flag}");
    let host = "--incoming_connection_host=127.0.0.1";
    let mut server = place.start(&[&file, "--scan_columns=all", host, &port, "-v"])?;
    let line = server.wait_for("Start listening connections")?;
    assert_eq!(address_in(&line)?, format!("127.0.0.1:{by_flag}"));
    assert_eq!(server.stop(Signal::INT)?.0, Some(0));
    Ok(())
}

#[test]
fn a_file_of_another_version_or_form_ends_with_1() -> Result {
    let place = Place::new()?;
    for (content, text) in [
        ("db_port: 1\n", "config hasn't version key"),
        (
            "version: 0.84.0\n",
            "config version \\\"0.84.0\\\" is not supported",
        ),
        ("version: 0.96.0\ndb_host: [a]\n", "Can't parse config"),
        (
            "version: 0.96.0\ndb_port: x\n",
            "Can't cast db_port to integer value",
        ),
    ] {
        let file = format!("--config_file={}", place.file("server.yaml", content)?);
        let done = place.run(&[&file])?;
        assert_eq!(done.code, Some(1), "{content}");
        assert!(done.stderr.contains(text), "{}", done.stderr);
    }
    Ok(())
}

#[test]
fn a_dump_is_written_and_read_back() -> Result {
    let place = Place::new()?;
    let done = place.run(&["--dump_config"])?;
    assert_eq!(done.code, Some(0));
    assert_eq!(done.stderr, "Config dumped to configs/acra-server.yaml\n");
    assert!(!exists(&place.path("configs/markdown_acra-server.md")));
    // It is where a file is looked for.
    let done = place.run_with_keys(&["--check_config"])?;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(!done.stderr.contains("level=warning"), "{}", done.stderr);
    Ok(())
}

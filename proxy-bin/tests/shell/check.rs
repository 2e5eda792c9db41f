//! `--check_config`.

use crate::support::{PROTECTS, Place, Result, exists};
use acra_engine::keys::{ClientId, KeyKind};
use acra_stores::Version;

#[test]
fn a_good_configuration() -> Result {
    let place = Place::new()?;
    let encryptor = place.file("e.yaml", PROTECTS)?;
    let encryptor = format!("--encryptor_config_file={encryptor}");
    let log = format!("--log_to_file={}", place.path("log").display());
    let done =
        place.run_with_keys(&["--check_config", &encryptor, &log, "--log_to_console=false"])?;
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    assert!(
        done.stderr
            .contains("Configuration is good: 1 protected columns, keys of 1 clients"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("listening") && !exists(&place.path("log")));
    Ok(())
}

#[test]
fn a_key_store_of_version_2_is_read_and_not_written() -> Result {
    let place = Place::with_key_store(Version::V2)?;
    std::fs::remove_file(place.path("keys/.lock"))?;
    // With a cache, and without one, which is all that Acra knows for this version.
    for cache in [
        &["--check_config"][..],
        &[
            "--check_config",
            "--keystore_cache_size=-1",
            "--keystore_cache_on_start_enable=false",
        ],
    ] {
        let done = place.run_with_keys(cache)?;
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stderr.contains("keys of 1 clients"));
    }
    assert!(!exists(&place.path("keys/.lock")));
    let other = Place::with_key_store(Version::V2)?;
    std::fs::rename(place.path("keys/client"), other.path("client"))?;
    std::fs::rename(other.path("keys/client"), place.path("keys/client"))?;
    let done = place.run_with_keys(&["--check_config"])?;
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("invalid key ring signature"),
        "{}",
        done.stderr
    );
    Ok(())
}

#[test]
fn columns_need_the_key_of_their_envelope() -> Result {
    let place = Place::new()?;
    let owner = ClientId::new("owner")?;
    place.generate(&KeyKind::StoragePair(owner.clone()))?;
    let check = |envelope: &str| {
        let columns =
            format!("{PROTECTS}        client_id: owner\n        crypto_envelope: {envelope}\n");
        let encryptor = place.file("e.yaml", &columns)?;
        place.run_with_keys(&[
            "--check_config",
            &format!("--encryptor_config_file={encryptor}"),
        ])
    };
    // A pair is enough for AcraStructs and for nothing else.
    let structs = check("acrastruct")?;
    assert_eq!(structs.code, Some(0), "{}", structs.stderr);
    let blocks = check("acrablock")?;
    assert_eq!(blocks.code, Some(1));
    let told = "No storage key for client \\\"owner\\\": its columns cannot be written";
    assert!(blocks.stderr.contains(told), "{}", blocks.stderr);
    assert!(blocks.stderr.contains("--generate_symmetric_storage_key"));
    place.generate(&KeyKind::StorageSymmetric(owner))?;
    assert_eq!(check("acrablock")?.code, Some(0));
    Ok(())
}

#[test]
fn every_problem_is_told() -> Result {
    let place = Place::new()?;
    let encryptor = place.file(
        "e.yaml",
        &format!("{PROTECTS}        client_id: other-client\n"),
    )?;
    let done = place.run_with_keys(&[
        "--check_config",
        &format!("--encryptor_config_file={encryptor}"),
        "--db_host=",
        "--runtime_threads=5000",
        "--incoming_connection_prometheus_metrics_string=9100",
        "--log_to_file=/nonexistent/log",
        "--logging_format=json",
    ])?;
    assert_eq!(done.code, Some(1));
    let errors: Vec<serde_json::Value> = done
        .stderr
        .lines()
        .map(serde_json::from_str)
        .collect::<std::result::Result<Vec<serde_json::Value>, _>>()?
        .into_iter()
        .filter(|line| line["level"] == "error")
        .collect();
    for (code, message) in [
        (505, "--log_to_file"),
        (507, "db_host is empty"),
        (507, "--runtime_threads"),
        (511, "No storage key for client \"other-client\""),
        (1000, "--incoming_connection_prometheus_metrics_string"),
        (507, "Configuration has 5 problems"),
    ] {
        let told = |line: &&serde_json::Value| {
            line["code"] == code
                && line["msg"]
                    .as_str()
                    .is_some_and(|found| found.starts_with(message))
        };
        assert!(
            errors.iter().any(|line| told(&line)),
            "{message}: {}",
            done.stderr
        );
    }
    assert_eq!(errors.len(), 6);
    Ok(())
}

#[test]
fn wrong_keys() -> Result {
    let (place, other) = (Place::new()?, Place::new()?);
    let keys = format!("--keys_dir={}", other.path("keys").display());
    let done = place.run_with_keys(&["--check_config", &keys])?;
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("Can't read keys of client") && done.stderr.contains("1 problem\""),
        "{}",
        done.stderr
    );
    let mut command = place.command(&["--check_config", "--db_host=x", "--client_id=test-client"]);
    let done = command.env_remove("ACRA_MASTER_KEY").output()?;
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("master key"));
    Ok(())
}

#[test]
fn a_wrong_encryptor_configuration() -> Result {
    let place = Place::new()?;
    let encryptor = place.file("e.yaml", "schemas:\n  - table: vault\n    columns: [id\n")?;
    let encryptor = format!("--encryptor_config_file={encryptor}");
    let done = place.run_with_keys(&["--check_config", &encryptor])?;
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("Can't load encryptor config") && done.stderr.contains("e.yaml"),
        "{}",
        done.stderr
    );
    Ok(())
}

#[test]
fn flags_about_revocation_are_judged_in_the_words_of_acra() -> Result {
    let place = Place::new()?;
    for (flag, told) in [
        (
            "--tls_ocsp_required=requireGood",
            "--tls_ocsp_client_url (or --tls_ocsp_url): when passing `--tls_ocsp_required=requireGood`, URL is mandatory",
        ),
        (
            "--tls_ocsp_database_required=x",
            "--tls_ocsp_database_required (or --tls_ocsp_required): invalid `ocsp_required` value",
        ),
        (
            "--tls_ocsp_client_from_cert=x",
            "invalid `ocsp_from_cert` value",
        ),
        ("--tls_crl_from_cert=x", "invalid `tls_crl_from_cert` value"),
        (
            "--tls_crl_cache_size=1000001",
            "invalid `tls_crl_cache_size` value",
        ),
        (
            "--tls_crl_database_cache_time=301",
            "invalid `tls_crl_cache_time` value",
        ),
        (
            "--tls_crl_url=https://localhost/a.crl",
            "cannot fetch CRL, unsupported URL scheme",
        ),
    ] {
        let done = place.run_with_keys(&["--check_config", flag])?;
        assert_eq!(done.code, Some(1), "{flag}");
        assert!(done.stderr.contains(told), "{flag}: {}", done.stderr);
    }
    Ok(())
}

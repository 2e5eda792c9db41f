//! That all of Acra's names are there, and that what does not work says so.

use std::io;
use std::path::Path;

use acra_cli::{Kind, Outcome, Value, parse};

use super::*;

/// The names of Acra that are not in a family, in byte order.
const OWN: [&str; 36] = [
    "acracensor_config_file",
    "acrastruct_injectedcell_enable",
    "acrastruct_wholecell_enable",
    "audit_log_enable",
    "client_id",
    "d",
    "db_host",
    "db_port",
    "ds",
    "http_api_enable",
    "http_api_tls_transport_enable",
    "incoming_connection_api_port",
    "incoming_connection_api_string",
    "incoming_connection_close_timeout",
    "incoming_connection_host",
    "incoming_connection_port",
    "incoming_connection_prometheus_metrics_string",
    "incoming_connection_string",
    "keys_dir",
    "keystore_cache_on_start_enable",
    "keystore_cache_size",
    "log_to_console",
    "log_to_file",
    "logging_format",
    "mysql_enable",
    "pgsql_escape_bytea",
    "pgsql_hex_bytea",
    "poison_detect_enable",
    "poison_run_script_file",
    "poison_shutdown_enable",
    "postgresql_enable",
    "sql_parse_on_error_exit_enable",
    "tls_client_id_from_cert",
    "tls_identifier_extractor_type",
    "token_db",
    "v",
];

fn run(line: &[&str], file: &str) -> Outcome {
    let read = |_: &Path| -> io::Result<Vec<u8>> { Ok(file.as_bytes().to_vec()) };
    parse(&flag_set(), line.iter().map(Into::into), read)
}

#[test]
fn all_144_names_of_acra_are_known() {
    let set = flag_set();
    let additions: Vec<String> = additions()
        .iter()
        .map(|flag| flag.name().to_owned())
        .collect();
    let is_addition = |flag: &&Flag| additions.iter().any(|name| name == flag.name());
    assert_eq!(
        set.flags().iter().filter(|flag| !is_addition(flag)).count(),
        144
    );
    assert_eq!(
        set.flags().iter().filter(is_addition).count(),
        additions.len()
    );
    for name in OWN {
        assert!(set.get(name).is_some(), "{name}");
    }
}

#[test]
fn what_works_is_what_is_said_to() {
    let set = flag_set();
    let working: Vec<&str> = set
        .flags()
        .iter()
        .filter(|flag| flag.is_available())
        .map(Flag::name)
        .collect();
    let expected = [
        "check_config",
        "client_id",
        "client_id_sql_varname",
        "config_file",
        "d",
        "db_host",
        "db_port",
        "dump_config",
        "encryptor_config_file",
        "explain",
        "generate_markdown_args_table",
        "idle_timeout",
        "incoming_connection_close_timeout",
        "incoming_connection_host",
        "incoming_connection_port",
        "incoming_connection_prometheus_metrics_string",
        "incoming_connection_string",
        "keys_dir",
        "keystore_cache_on_start_enable",
        "keystore_cache_size",
        "log_to_console",
        "log_to_file",
        "logging_format",
        "max_connections",
        "max_container",
        "mysql_auth_mixed_tls",
        "mysql_compression",
        "mysql_enable",
        "mysql_rsa_key",
        "poison_detect_enable",
        "poison_reply",
        "poison_run_script_file",
        "poison_shutdown_enable",
        "postgresql_enable",
        "redis_db_tokens",
        "redis_host_port",
        "redis_password",
        "redis_password_file",
        "redis_tls_client_ca",
        "redis_tls_client_cert",
        "redis_tls_client_key",
        "redis_tls_client_sni",
        "redis_tls_crl_client_cache_size",
        "redis_tls_crl_client_cache_time",
        "redis_tls_crl_client_check_only_leaf_certificate",
        "redis_tls_crl_client_from_cert",
        "redis_tls_crl_client_url",
        "redis_tls_enable",
        "redis_tls_ocsp_client_check_only_leaf_certificate",
        "redis_tls_ocsp_client_from_cert",
        "redis_tls_ocsp_client_required",
        "redis_tls_ocsp_client_url",
        "redis_user",
        "runtime_threads",
        "scan_columns",
        "schema_probe",
        "startup_timeout",
        "tls_auth",
        "tls_ca",
        "tls_cert",
        "tls_client_auth",
        "tls_client_ca",
        "tls_client_cert",
        "tls_client_id_from_cert",
        "tls_client_key",
        "tls_client_mode",
        "tls_crl_cache_size",
        "tls_crl_cache_time",
        "tls_crl_check_only_leaf_certificate",
        "tls_crl_client_cache_size",
        "tls_crl_client_cache_time",
        "tls_crl_client_check_only_leaf_certificate",
        "tls_crl_client_from_cert",
        "tls_crl_client_url",
        "tls_crl_database_cache_size",
        "tls_crl_database_cache_time",
        "tls_crl_database_check_only_leaf_certificate",
        "tls_crl_database_from_cert",
        "tls_crl_database_url",
        "tls_crl_from_cert",
        "tls_crl_url",
        "tls_database_auth",
        "tls_database_ca",
        "tls_database_cert",
        "tls_database_key",
        "tls_database_mode",
        "tls_database_sni",
        "tls_identifier_extractor_type",
        "tls_key",
        "tls_ocsp_check_only_leaf_certificate",
        "tls_ocsp_client_check_only_leaf_certificate",
        "tls_ocsp_client_from_cert",
        "tls_ocsp_client_required",
        "tls_ocsp_client_url",
        "tls_ocsp_database_check_only_leaf_certificate",
        "tls_ocsp_database_from_cert",
        "tls_ocsp_database_required",
        "tls_ocsp_database_url",
        "tls_ocsp_from_cert",
        "tls_ocsp_required",
        "tls_ocsp_url",
        "token_db",
        "unsupported_statements",
        "v",
        "write_timeout",
    ];
    assert_eq!(working, expected);
}

#[test]
fn kinds_and_defaults() {
    let set = flag_set();
    let count = |kind| {
        set.flags()
            .iter()
            .filter(|flag| flag.kind() == kind)
            .count()
    };
    assert_eq!(
        count(Kind::Text) + count(Kind::Integer) + count(Kind::Boolean),
        set.flags().len()
    );
    for (name, default) in [
        ("db_port", Value::Integer(5432)),
        (
            "incoming_connection_string",
            Value::Text("tcp://0.0.0.0:9393/".into()),
        ),
        ("keystore_cache_size", Value::Integer(1000)),
        ("log_to_console", Value::Boolean(true)),
        ("redis_db_keys", Value::Integer(-1)),
        ("redis_db_tokens", Value::Integer(-1)),
        ("tls_auth", Value::Integer(4)),
        ("tls_client_auth", Value::Integer(-1)),
        ("tls_client_id_from_cert", Value::Boolean(true)),
        ("tls_crl_database_cache_size", Value::Integer(16)),
        ("vault_secrets_path", Value::Text("secret/".into())),
        (
            "consul_kv_config_path",
            Value::Text("acra/encryptor_config".into()),
        ),
        (
            "keystore_encryption_type",
            Value::Text("env_master_key".into()),
        ),
        ("runtime_threads", Value::Integer(0)),
    ] {
        assert_eq!(
            set.get(name).map(Flag::default_value),
            Some(&default),
            "{name}"
        );
    }
}

#[test]
fn a_dumped_file_is_read_without_a_word() {
    let Outcome::Dump(dump) = run(&["--dump_config"], "") else {
        panic!()
    };
    let Outcome::Run(parsed) = run(&[], &dump.content) else {
        panic!()
    };
    assert!(parsed.warnings().is_empty());
    for flag in flag_set().flags() {
        let value = match flag.kind() {
            Kind::Text => Value::Text(parsed.text(flag.name()).to_owned().into()),
            Kind::Integer => Value::Integer(parsed.integer(flag.name())),
            Kind::Boolean => Value::Boolean(parsed.boolean(flag.name())),
        };
        assert_eq!(value, *flag.default_value(), "{}", flag.name());
    }
}

#[test]
fn whoever_asks_for_protection_does_not_silently_go_without() {
    for (line, part) in [
        (&["--acracensor_config_file=x"] as &[&str], "AcraCensor"),
        (
            &["--keystore_encryption_type=vault_master_key"],
            "another source of the master key",
        ),
        (&["--redis_db_keys=1"], "keys in Redis"),
        (&["--audit_log_enable"], "the audit log"),
        (&["--consul_connection_api_string=x"], "HashiCorp Consul"),
    ] {
        let Outcome::Error(failure) = run(line, "") else {
            panic!("{line:?}")
        };
        let name = line[0].split('=').next().unwrap();
        assert!(
            failure
                .message
                .starts_with(&format!("{name} asks for {part}")),
            "{}",
            failure.message
        );
        assert_eq!(failure.exit_code, 1);
    }
}

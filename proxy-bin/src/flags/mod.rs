//! The flags of `acra-server`: all of Acra's names (cli.md 11), and its own.
//!
//! What each of them does is the business of those who ask for its value. A flag whose part does not exist yet is here
//! too, with its name: whoever asks for it is told, instead of going without.

#[cfg(test)]
mod tests;

use acra_cli::families::{self, Peer, RedisUse};
use acra_cli::{Availability, Flag, FlagSet};

const NOT_YET_VAULT: Availability = Availability::NotYet("HashiCorp Vault");
const NOT_YET_CONSUL: Availability = Availability::NotYet("HashiCorp Consul");
const NOT_YET_KEY_SOURCE: Availability =
    Availability::NotYet("another source of the master key than the environment");

/// All flags of `acra-server`.
pub(crate) fn flag_set() -> FlagSet {
    let families = [
        families::global(),
        families::tls_base(Availability::Yes),
        families::tls_peer(Peer::Application, Availability::Yes),
        families::tls_peer(Peer::Database, Availability::Yes),
        families::redis_for_tokens(RedisUse::KeysAndTokens),
        families::keystore_strategy(NOT_YET_KEY_SOURCE),
        families::kms(Availability::NotYet("a key management service")),
        families::vault(NOT_YET_VAULT),
        encryptor_config(),
        tracing(),
        connections(),
        keys(),
        logging(),
        guards(),
        additions(),
    ];
    FlagSet::new("acra-server", families.into_iter().flatten())
}

/// Where the encryptor configuration comes from (cli.md 10.8).
fn encryptor_config() -> Vec<Flag> {
    let mut flags = vec![
        Flag::text(
            "encryptor_config_file",
            "",
            "path of the encryptor configuration",
        ),
        Flag::text(
            "encryptor_config_storage_type",
            "filesystem",
            "where that is: filesystem or consul",
        )
        .availability(NOT_YET_CONSUL),
        Flag::text(
            "consul_connection_api_string",
            "",
            "address of HashiCorp Consul, http(s)://host:port",
        )
        .availability(NOT_YET_CONSUL),
        Flag::text(
            "consul_kv_config_path",
            "acra/encryptor_config",
            "key of the encryptor configuration there",
        )
        .availability(NOT_YET_CONSUL),
        Flag::boolean("consul_tls_enable", false, "use TLS to HashiCorp Consul")
            .availability(NOT_YET_CONSUL),
    ];
    flags.extend(families::tls_peer(Peer::Consul, NOT_YET_CONSUL));
    flags
}

/// Traces (cli.md 10.9).
fn tracing() -> Vec<Flag> {
    let flags = [
        Flag::boolean("tracing_log_enable", false, "write traces to the log"),
        Flag::boolean("tracing_jaeger_enable", false, "send traces to Jaeger"),
        Flag::text(
            "jaeger_agent_endpoint",
            "",
            "address of Jaeger's agent as host:port",
        ),
        Flag::text("jaeger_collector_endpoint", "", "URL of Jaeger's collector"),
        Flag::text(
            "jaeger_basic_auth_username",
            "",
            "user name for the collector",
        ),
        Flag::text(
            "jaeger_basic_auth_password",
            "",
            "password for the collector",
        ),
    ];
    flags
        .into_iter()
        .map(|flag| flag.not_yet("tracing"))
        .collect()
}

/// Who connects to whom.
fn connections() -> Vec<Flag> {
    vec![
        Flag::text(
            "db_host",
            "",
            "host name or address of the database, required",
        ),
        Flag::integer("db_port", 5432, "port of the database"),
        Flag::boolean(
            "postgresql_enable",
            false,
            "speak PostgreSQL's protocol, as without any choice",
        ),
        Flag::boolean(
            "mysql_enable",
            false,
            "speak the protocol of MySQL and MariaDB",
        ),
        Flag::text(
            "incoming_connection_string",
            "tcp://0.0.0.0:9393/",
            "address to listen at for applications, tcp://host:port or unix:///path",
        ),
        Flag::text(
            "incoming_connection_host",
            "0.0.0.0",
            "host to listen at; replaces the address if not the default",
        ),
        Flag::integer(
            "incoming_connection_port",
            9393,
            "port to listen at; replaces the address if not the default",
        ),
        Flag::integer(
            "incoming_connection_close_timeout",
            10,
            "seconds that sessions in the middle of something get at the end of the process",
        ),
        Flag::text(
            "incoming_connection_api_string",
            "tcp://0.0.0.0:9090/",
            "address to listen at for the HTTP API",
        )
        .not_yet("the HTTP API"),
        Flag::integer("incoming_connection_api_port", 9090, "port of the HTTP API")
            .not_yet("the HTTP API"),
        Flag::boolean("http_api_enable", false, "serve the HTTP API").not_yet("the HTTP API"),
        Flag::boolean(
            "http_api_tls_transport_enable",
            false,
            "serve the HTTP API by TLS",
        )
        .not_yet("the HTTP API"),
        Flag::text(
            "incoming_connection_prometheus_metrics_string",
            "",
            "address to listen at for metrics, tcp://host:port, empty for none",
        ),
        Flag::text(
            "client_id",
            "",
            "client id of connections whose certificate does not give it",
        ),
        Flag::boolean(
            "tls_client_id_from_cert",
            true,
            "take the client id from the application's certificate",
        ),
        Flag::text(
            "tls_identifier_extractor_type",
            "distinguished_name",
            "what of a certificate makes the client id: distinguished_name or serial_number",
        ),
    ]
}

/// Keys and tokens.
fn keys() -> Vec<Flag> {
    vec![
        Flag::text("keys_dir", ".acrakeys", "directory of the key store"),
        Flag::integer(
            "keystore_cache_size",
            1000,
            "number of clients whose keys are kept, 0 for all, -1 for none",
        ),
        Flag::boolean(
            "keystore_cache_on_start_enable",
            true,
            "read all keys at the start",
        ),
        Flag::text("token_db", "", "file of the tokens"),
    ]
}

fn logging() -> Vec<Flag> {
    vec![
        Flag::boolean("v", false, "log what goes on"),
        Flag::boolean("d", false, "log everything"),
        Flag::boolean("ds", false, "serve profiles at 127.0.0.1:6060").not_yet("profiling"),
        Flag::boolean("log_to_console", true, "write the log to standard error"),
        Flag::text("log_to_file", "", "append the log to this file too"),
        Flag::text(
            "logging_format",
            "plaintext",
            "form of the log: plaintext, json or CEF",
        ),
        Flag::boolean("audit_log_enable", false, "protect the log's integrity")
            .not_yet("the audit log"),
    ]
}

/// What keeps watch, and what Acra once did otherwise.
fn guards() -> Vec<Flag> {
    let deprecated =
        |name| Flag::boolean(name, false, "without effect").availability(Availability::Ignored);
    vec![
        Flag::text(
            "acracensor_config_file",
            "",
            "configuration of the SQL firewall, empty for none",
        )
        .not_yet("AcraCensor"),
        Flag::boolean(
            "sql_parse_on_error_exit_enable",
            false,
            "end sessions at statements that cannot be parsed",
        )
        .not_yet("ending sessions at unreadable statements (see unsupported_statements)"),
        Flag::boolean(
            "poison_detect_enable",
            false,
            "look for poison records in results",
        ),
        Flag::boolean(
            "poison_shutdown_enable",
            false,
            "end the process with exit code 1 at a poison record",
        ),
        Flag::text(
            "poison_run_script_file",
            "",
            "program to start at a poison record, without arguments; ACRA_SESSION_ID, ACRA_CLIENT_ID and ACRA_STATEMENT \
             (without literals) are in its environment",
        ),
        deprecated("acrastruct_injectedcell_enable"),
        deprecated("acrastruct_wholecell_enable"),
        deprecated("pgsql_escape_bytea"),
        deprecated("pgsql_hex_bytea"),
    ]
}

/// What Acra does not have.
fn additions() -> Vec<Flag> {
    let mut flags = vec![
        Flag::boolean(
            "check_config",
            false,
            "check flags, encryptor configuration and keys, print what is wrong and exit: 0 if nothing is, else 1",
        ),
        Flag::text(
            "explain",
            "",
            "a statement: print what would be done to it with this encryptor configuration, or why it is refused, and exit: 0, \
             or 1 if it is refused; no database and no keys are needed",
        ),
        Flag::text(
            "unsupported_statements",
            "refuse",
            "what happens to statements that may touch a protected column in a way that is not understood: refuse, \
             observe (pass and report) or forward (pass, as Acra does)",
        ),
        Flag::text(
            "poison_reply",
            "error",
            "what a client gets in whose results a poison record is met: error (the row and all that follows are withheld) or \
             pass (the row as it is, as Acra does)",
        ),
        Flag::text(
            "client_id_sql_varname",
            "",
            "variable of SQL by which a session chooses its client, as in SET app.client_id = '…'; empty: none can. Whoever can \
             inject SQL can choose too",
        ),
        Flag::text(
            "schema_probe",
            "on",
            "on: ask the database for columns, children and views of the configured tables, on a client's connection; off: rely \
             on the configuration alone",
        ),
        Flag::text(
            "scan_columns",
            "typed",
            "cells of results that are looked into: typed (those that can hold a container) or all",
        ),
        Flag::integer(
            "max_container",
            64 << 20,
            "size in bytes above which a container passes unopened",
        ),
        Flag::integer(
            "runtime_threads",
            0,
            "number of threads, 0 for one per core",
        ),
        Flag::text(
            "tls_client_mode",
            "",
            "TLS with applications: disable, allow or require; empty: allow if there is a certificate, else disable",
        ),
        Flag::text(
            "tls_database_mode",
            "",
            "TLS with the database: disable, prefer, require, verify-ca or verify-full; empty: as Acra, for applications \
             that use TLS, verified in full, if the database offers it",
        ),
        Flag::text(
            "mysql_auth_mixed_tls",
            "terminate",
            "MySQL: what becomes of passwords between an encrypted connection and one that is not: terminate (they go on in \
             the form that the database expects) or refuse",
        ),
        Flag::text(
            "mysql_compression",
            "client",
            "MySQL: connections that may be compressed: client (those of clients that ask for it), database (those with a database \
             that offers it), both or off",
        ),
        Flag::text(
            "mysql_rsa_key",
            "",
            "MySQL: file of the RSA key to which clients encrypt passwords then, PEM; empty: a new one at each start",
        ),
        Flag::integer(
            "max_connections",
            1000,
            "number of clients at a time; others are told that there are too many",
        ),
        Flag::integer(
            "startup_timeout",
            60,
            "seconds from the connection to the end of authentication, 0 for no limit",
        ),
        Flag::integer(
            "idle_timeout",
            0,
            "seconds that a session outside of a transaction may be silent, 0 for no limit",
        ),
        Flag::integer(
            "write_timeout",
            60,
            "seconds that a client may let sent data wait, 0 for no limit",
        ),
    ];
    flags.extend(families::redis_login());
    flags
}

//! Groups of flags that several programs share (cli.md 10).
//!
//! Names, kinds, defaults and fallbacks are the same everywhere; whether a group works yet is for each program to say.

use crate::flag::{Availability, Flag};

/// What every program has (cli.md 10.1). These always work.
pub fn global() -> Vec<Flag> {
    vec![
        Flag::text(
            "config_file",
            "",
            "path of the configuration file to read instead of the default one",
        ),
        Flag::boolean(
            "dump_config",
            false,
            "write a configuration file with all defaults and exit",
        ),
        Flag::boolean(
            "generate_markdown_args_table",
            false,
            "with dump_config: write a Markdown table of all flags too",
        ),
    ]
}

/// TLS settings for all peers (cli.md 10.2).
pub fn tls_base(availability: Availability) -> Vec<Flag> {
    let flags = vec![
        Flag::text(
            "tls_ca",
            "",
            "file of CA certificates (PEM) that are trusted besides the system's",
        ),
        Flag::text(
            "tls_cert",
            "",
            "file of this program's certificate chain (PEM)",
        ),
        Flag::text(
            "tls_key",
            "",
            "file of the private key of that certificate (PEM)",
        ),
        Flag::integer(
            "tls_auth",
            4,
            "client authentication: 0 none, 1 asked for, 2 any certificate, 3 checked if given, 4 checked",
        ),
        Flag::text(
            "tls_ocsp_url",
            "",
            "OCSP responder that is asked besides those named in certificates",
        ),
        Flag::text("tls_ocsp_required", "denyUnknown", OCSP_REQUIRED),
        Flag::text("tls_ocsp_from_cert", "prefer", OCSP_FROM_CERT),
        Flag::boolean("tls_ocsp_check_only_leaf_certificate", false, OCSP_LEAF),
        Flag::text("tls_crl_url", "", CRL_URL),
        Flag::text("tls_crl_from_cert", "prefer", CRL_FROM_CERT),
        Flag::boolean("tls_crl_check_only_leaf_certificate", false, CRL_LEAF),
        Flag::integer("tls_crl_cache_size", 16, CRL_CACHE_SIZE),
        Flag::integer("tls_crl_cache_time", 0, CRL_CACHE_TIME),
    ];
    with(flags, availability)
}

const OCSP_REQUIRED: &str =
    "what an unknown certificate status means: denyUnknown, allowUnknown or requireGood";
const OCSP_FROM_CERT: &str =
    "how OCSP responders named in certificates are used: use, trust, prefer or ignore";
const OCSP_LEAF: &str = "ask OCSP about the peer's own certificate only, not about intermediates";
const CRL_URL: &str =
    "revocation list to use besides those named in certificates (http:// or file://)";
const CRL_FROM_CERT: &str =
    "how revocation lists named in certificates are used: use, trust, prefer or ignore";
const CRL_LEAF: &str =
    "look up the peer's own certificate only in revocation lists, not intermediates";
const CRL_CACHE_SIZE: &str =
    "number of revocation lists kept in memory, 0 for none, at most 1000000";
const CRL_CACHE_TIME: &str = "seconds a revocation list is kept in memory, 0 for none, at most 300";

/// Whom a set of TLS flags is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Applications that connect to this program.
    Application,
    /// The database.
    Database,
    /// Redis.
    Redis,
    /// HashiCorp Vault.
    Vault,
    /// HashiCorp Consul.
    Consul,
}

impl Peer {
    /// Service prefix, the word inside the names, and what the peer is called.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Application => ("", "client", "applications"),
            Self::Database => ("", "database", "the database"),
            Self::Redis => ("redis_", "client", "Redis"),
            Self::Vault => ("vault_", "client", "HashiCorp Vault"),
            Self::Consul => ("consul_", "client", "HashiCorp Consul"),
        }
    }
}

/// TLS settings for one peer, each falling back to its counterpart in [`tls_base`] (cli.md 10.3).
pub fn tls_peer(peer: Peer, availability: Availability) -> Vec<Flag> {
    let (service, word, whom) = peer.words();
    let tls = |member: &str| format!("{service}tls_{word}_{member}");
    let ocsp = |member: &str| format!("{service}tls_ocsp_{word}_{member}");
    let crl = |member: &str| format!("{service}tls_crl_{word}_{member}");
    let about = |usage: &str| format!("for {whom}: {usage}");
    let mut flags = vec![
        Flag::text(
            tls("ca"),
            "",
            about("file of trusted CA certificates (PEM)"),
        )
        .general("tls_ca"),
        Flag::text(
            tls("cert"),
            "",
            about("file of the certificate chain to show (PEM)"),
        )
        .general("tls_cert"),
        Flag::text(
            tls("key"),
            "",
            about("file of the private key of that certificate (PEM)"),
        )
        .general("tls_key"),
        Flag::integer(
            tls("auth"),
            -1,
            about("authentication mode 0 to 4, -1 to take tls_auth"),
        )
        .general("tls_auth"),
        Flag::text(
            ocsp("url"),
            "",
            about("OCSP responder to ask besides those named in certificates"),
        )
        .general("tls_ocsp_url"),
        Flag::text(ocsp("required"), "denyUnknown", about(OCSP_REQUIRED))
            .general("tls_ocsp_required"),
        Flag::text(ocsp("from_cert"), "prefer", about(OCSP_FROM_CERT))
            .general("tls_ocsp_from_cert"),
        Flag::boolean(ocsp("check_only_leaf_certificate"), false, about(OCSP_LEAF))
            .general("tls_ocsp_check_only_leaf_certificate"),
        Flag::text(crl("url"), "", about(CRL_URL)).general("tls_crl_url"),
        Flag::text(crl("from_cert"), "prefer", about(CRL_FROM_CERT)).general("tls_crl_from_cert"),
        Flag::boolean(crl("check_only_leaf_certificate"), false, about(CRL_LEAF))
            .general("tls_crl_check_only_leaf_certificate"),
        Flag::integer(crl("cache_size"), 16, about(CRL_CACHE_SIZE)).general("tls_crl_cache_size"),
        Flag::integer(crl("cache_time"), 0, about(CRL_CACHE_TIME)).general("tls_crl_cache_time"),
    ];
    // A name to expect makes sense only where this program is the one that connects.
    if peer != Peer::Application {
        flags.push(Flag::text(
            tls("sni"),
            "",
            about("server name to expect, empty for the host part of the address"),
        ));
    }
    with(flags, availability)
}

/// What a program keeps in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisUse {
    /// Keys only.
    Keys,
    /// Tokens only.
    Tokens,
    /// Keys and tokens.
    KeysAndTokens,
}

/// Redis as a store, with its TLS set (cli.md 10.4).
///
/// Where both databases have a flag, -1 says "not in Redis" and is the default; alone, the default is database 0.
pub fn redis(used_for: RedisUse, availability: Availability) -> Vec<Flag> {
    let database = if used_for == RedisUse::KeysAndTokens {
        -1
    } else {
        0
    };
    let mut flags = vec![
        Flag::text(
            "redis_host_port",
            "",
            "address of Redis as host:port, empty to use none",
        ),
        Flag::text("redis_password", "", "password for Redis"),
        Flag::boolean("redis_tls_enable", false, "use TLS to Redis"),
    ];
    if used_for != RedisUse::Tokens {
        flags.push(Flag::integer(
            "redis_db_keys",
            database,
            "number of the Redis database for keys, -1 for none",
        ));
    }
    if used_for != RedisUse::Keys {
        flags.push(Flag::integer(
            "redis_db_tokens",
            database,
            "number of the Redis database for tokens, -1 for none",
        ));
    }
    let mut flags = with(flags, availability);
    flags.extend(tls_peer(Peer::Redis, availability));
    flags
}

/// How to get into Redis beyond what Acra has flags for.
pub fn redis_login() -> Vec<Flag> {
    vec![
        Flag::text(
            "redis_password_file",
            "",
            "file of the password for Redis, which other users then cannot see in the list of processes",
        ),
        Flag::text("redis_user", "", "user of Redis, empty for the default one"),
    ]
}

/// [`redis`] for programs that keep tokens there. What is about keys does not exist yet.
pub fn redis_for_tokens(used_for: RedisUse) -> Vec<Flag> {
    let flags = redis(used_for, Availability::Yes).into_iter();
    flags
        .map(|flag| match flag.name() {
            "redis_db_keys" => flag.not_yet("keys in Redis"),
            // Acra is the client, and always verifies.
            "redis_tls_client_auth" => flag.availability(Availability::Ignored),
            _ => flag,
        })
        .collect()
}

/// [`tls_base`] for programs whose only peer is Redis, with tokens in it.
pub fn tls_base_for_tokens() -> Vec<Flag> {
    let flags = tls_base(Availability::Yes).into_iter();
    flags
        .map(|flag| match flag.name() {
            "tls_auth" => flag.availability(Availability::Ignored),
            _ => flag,
        })
        .collect()
}

/// How the key store's own key is come by (cli.md 10.5).
pub fn keystore_strategy(availability: Availability) -> Vec<Flag> {
    let usage = "where the key of the key store comes from: env_master_key, vault_master_key, kms_encrypted_master_key or \
                 kms_per_client";
    with(
        vec![Flag::text(
            "keystore_encryption_type",
            "env_master_key",
            usage,
        )],
        availability,
    )
}

/// Key management services (cli.md 10.6).
pub fn kms(availability: Availability) -> Vec<Flag> {
    let flags = vec![
        Flag::text("kms_type", "", "key management service: aws"),
        Flag::text(
            "kms_credentials_path",
            "",
            "JSON file with the credentials for it",
        ),
    ];
    with(flags, availability)
}

/// HashiCorp Vault, with its TLS set (cli.md 10.7).
pub fn vault(availability: Availability) -> Vec<Flag> {
    let flags = vec![
        Flag::text(
            "vault_connection_api_string",
            "",
            "address of HashiCorp Vault, http(s)://host:port",
        ),
        Flag::text(
            "vault_secrets_path",
            "secret/",
            "path of the secret that holds the master key",
        ),
        Flag::boolean(
            "vault_tls_transport_enable",
            false,
            "use TLS with the vault_tls settings",
        ),
        Flag::text("vault_tls_ca_path", "", "older name of vault_tls_client_ca"),
    ];
    let mut flags = with(flags, availability);
    flags.extend(tls_peer(Peer::Vault, availability));
    flags
}

fn with(flags: Vec<Flag>, availability: Availability) -> Vec<Flag> {
    flags
        .into_iter()
        .map(|flag| flag.availability(availability))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flag::FlagSet;

    #[test]
    fn sizes_are_those_of_the_reference() {
        let yes = Availability::Yes;
        for (flags, size) in [
            (global(), 3),
            (tls_base(yes), 13),
            (tls_peer(Peer::Application, yes), 13),
            (tls_peer(Peer::Database, yes), 14),
            (redis(RedisUse::Keys, yes), 18),
            (redis(RedisUse::KeysAndTokens, yes), 19),
            (keystore_strategy(yes), 1),
            (kms(yes), 2),
            (vault(yes), 18),
            (tls_peer(Peer::Consul, yes), 14),
        ] {
            assert_eq!(FlagSet::new("x", flags).flags().len(), size);
        }
    }

    #[test]
    fn every_fallback_is_a_base_flag_of_the_same_kind() {
        let base = FlagSet::new("x", tls_base(Availability::Yes));
        for flag in tls_peer(Peer::Vault, Availability::Yes) {
            let Some(general) = flag.general else {
                assert_eq!(flag.name(), "vault_tls_client_sni");
                continue;
            };
            assert_eq!(
                base.get(general).map(Flag::kind),
                Some(flag.kind()),
                "{general}"
            );
        }
    }

    #[test]
    fn names_follow_the_pattern() {
        let set = FlagSet::new("x", redis(RedisUse::Keys, Availability::NotYet("Redis")));
        for name in [
            "redis_tls_client_ca",
            "redis_tls_ocsp_client_required",
            "redis_tls_crl_client_cache_time",
        ] {
            assert!(
                set.get(name).is_some_and(|flag| !flag.is_available()),
                "{name}"
            );
        }
    }
}

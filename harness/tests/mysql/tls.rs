//! TLS on either side, on both, on neither: every kind of password arrives.

use crate::drivers::{TEST, User, python};
use crate::targets::config;
use acra_harness::mysql::Connection;
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql};
use acra_harness::{Error, Result};

const CACHING: User = ("caching", "secret caching");

/// Encrypts the connection with clients by a certificate of the databases' CA.
pub(crate) fn with_client_tls(config: AcraConfig, server: MySql) -> Result<AcraConfig> {
    let ca = server.ca()?;
    let file = |name: &str| ca.with_file_name(name).display().to_string();
    Ok(config
        .flag(&format!("--tls_client_cert={}", file("server.pem")))
        .flag(&format!("--tls_client_key={}", file("server.key")))
        .flag("--tls_client_auth=0")
        .flag("--tls_client_id_from_cert=false"))
}

pub(crate) fn with_database_tls(config: AcraConfig, server: MySql) -> Result<AcraConfig> {
    let ca = format!("--tls_database_ca={}", server.ca()?.display());
    Ok(config.flag("--tls_database_mode=verify-full").flag(&ca))
}

/// MySQL remembers who has proved to know a password; then it asks for a hash of it only.
fn forget_passwords(server: MySql) -> Result<()> {
    use acra_harness::mysql::Side;
    let side = Side {
        address: server.address(),
        flavour: server.flavour(),
        capabilities: crate::targets::PLAIN,
    };
    side.login()?.run("FLUSH PRIVILEGES")
}

/// Drivers and who logs in by them; without TLS the last two do not ask for the server's key unless they are told to.
fn users(flavour: Flavour, encrypted: bool) -> Vec<(&'static str, User)> {
    match flavour {
        Flavour::MariaDb => vec![
            ("pymysql", ("native", "secret native")),
            ("mysqlclient", ("ed25519", "secret ed25519")),
            ("connector-c", TEST),
        ],
        Flavour::MySql => vec![
            ("pymysql", ("sha256", "secret sha256")),
            ("pymysql", CACHING),
            ("mysqlclient", CACHING),
            ("connector-c", if encrypted { CACHING } else { TEST }),
            ("connector-python", if encrypted { CACHING } else { TEST }),
        ],
    }
}

/// Every user logs in by every kind of connection; twice, as the second time the server knows the password.
fn check(flavour: Flavour, client: bool, database: bool) -> Result<()> {
    let Some(server) = MySql::shared(flavour)? else {
        return Ok(());
    };
    let mut settings = config(server);
    if client {
        settings = with_client_tls(settings, server)?.flag("--tls_client_mode=require");
    }
    settings = match database {
        true => with_database_tls(settings, server)?,
        false => settings.flag("--tls_database_mode=disable"),
    };
    let acra = AcraServer::start(&settings)?;
    let ca = server.ca()?;
    for (driver, user) in users(flavour, client) {
        forget_passwords(server)?;
        for time in ["first", "second"] {
            let ca = client.then_some(&*ca);
            let read = python(driver, acra.address(), user, ca).map_err(|error| {
                Error::new(format!(
                    "{driver} as {}, {time}: {error}\nlog of acra-server:\n{}",
                    user.0,
                    acra.log()
                ))
            })?;
            if let Some(read) = read {
                assert!(
                    read.starts_with(&format!("'{}@127.0.0.1'", user.0)),
                    "{read}"
                );
            }
        }
    }
    if database && !client {
        // Only one of them has TLS, and the database insists on it.
        python(
            "pymysql",
            acra.address(),
            ("encrypted", "secret encrypted"),
            None,
        )?;
    }
    assert!(!acra.log().contains("secret"), "{}", acra.log());
    Ok(())
}

macro_rules! modes {
    ($($flavour:ident $name:ident),+) => {
        $(mod $name {
            use super::*;

            #[test]
            fn on_both_sides() -> Result<()> {
                check(Flavour::$flavour, true, true)
            }

            #[test]
            fn with_clients_alone() -> Result<()> {
                check(Flavour::$flavour, true, false)
            }

            #[test]
            fn with_the_database_alone() -> Result<()> {
                check(Flavour::$flavour, false, true)
            }
        })+
    };
}

modes!(MariaDb mariadb, MySql mysql);

/// By default the database is asked for TLS by those clients that use it, as in Acra.
#[test]
fn the_database_follows_the_client() -> Result<()> {
    let Some(server) = MySql::shared(Flavour::MariaDb)? else {
        return Ok(());
    };
    let settings = with_client_tls(config(server), server)?;
    let ca = format!("--tls_database_ca={}", server.ca()?.display());
    let acra = AcraServer::start(&settings.flag(&ca))?;
    let user = ("encrypted", "secret encrypted");
    python("pymysql", acra.address(), user, Some(&server.ca()?))?;
    let refused = python("pymysql", acra.address(), user, None);
    let refused = refused.map_or_else(|error| error.to_string(), |text| format!("{text:?}"));
    assert!(
        refused.contains("Access denied") || refused == "None",
        "{refused}"
    );
    Ok(())
}

/// What cannot be verified is not used, and the client is told.
#[test]
fn a_database_that_cannot_be_verified_is_not_used() -> Result<()> {
    let Some(server) = MySql::shared(Flavour::MariaDb)? else {
        return Ok(());
    };
    // Its certificate is for 127.0.0.1.
    let settings = with_database_tls(config(server), server)?;
    let acra = AcraServer::start(&settings.flag("--tls_database_sni=elsewhere.example"))?;
    let mut connection = Connection::open(acra.address())?;
    let answer = connection.login(acra_harness::mysql::Login {
        user: "test",
        auth: b"",
        schema: "",
        capabilities: crate::targets::PLAIN,
    })?;
    let text = answer.to_string();
    assert!(
        text.contains("acra-server cannot reach the database"),
        "{text}"
    );
    connection.end()
}

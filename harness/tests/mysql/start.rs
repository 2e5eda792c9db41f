//! What a start is refused for, and what clients hear that cannot be served.

use crate::targets::{PLAIN, config};
use acra_harness::mysql::{Connection, Login};
use acra_harness::port::free_port;
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql};
use acra_harness::{Error, Result};

/// The log of a start that does not succeed.
fn refused(settings: &AcraConfig) -> Result<String> {
    match AcraServer::start(settings) {
        Ok(_) => Err(Error::new("it starts")),
        Err(error) => Ok(error.to_string()),
    }
}

/// A client that believes to have chosen its keys would get others.
#[test]
fn a_variable_that_is_none_of_mysql_is_refused() -> Result<()> {
    for name in ["app.client", "@@client", "@", "@a b"] {
        let settings = AcraConfig::new(free_port()?).flag("--mysql_enable");
        let log = refused(&settings.flag(&format!("--client_id_sql_varname={name}")))?;
        assert!(
            log.contains("--client_id_sql_varname") && log.contains("@app.client_id"),
            "{log}"
        );
    }
    Ok(())
}

#[test]
fn flags_that_contradict_each_other() -> Result<()> {
    let settings = AcraConfig::new(free_port()?).flag("--mysql_enable");
    let log = refused(&settings.clone().flag("--postgresql_enable"))?;
    assert!(log.contains("only one db supported at one time"), "{log}");
    let log = refused(&settings.clone().flag("--mysql_auth_mixed_tls=x"))?;
    assert!(log.contains("terminate or refuse"), "{log}");
    let log = refused(&settings.flag("--mysql_rsa_key=/nowhere.pem"))?;
    assert!(
        log.contains("--mysql_rsa_key: cannot use /nowhere.pem"),
        "{log}"
    );
    Ok(())
}

/// The first packet is an error, as when the database itself refuses.
#[test]
fn a_database_that_is_not_there() -> Result<()> {
    let settings = AcraConfig::new(free_port()?).flag("--mysql_enable");
    let acra = AcraServer::start(&settings)?;
    let mut connection = Connection::open(acra.address())?;
    connection.end()?;
    let text = connection.transcript()[0].to_string();
    assert!(
        text.starts_with("0 \\xffQ\\x04acra-server cannot reach the database"),
        "{text}"
    );
    Ok(())
}

#[test]
fn too_many_clients() -> Result<()> {
    let Some(server) = MySql::shared(Flavour::MariaDb)? else {
        return Ok(());
    };
    let acra = AcraServer::start(&config(server).flag("--max_connections=1"))?;
    let _first = Connection::open(acra.address())?;
    let second = Connection::open(acra.address())?;
    let text = second.transcript()[0].to_string();
    assert!(
        text.starts_with("0 \\xff\\x10\\x04Too many connections"),
        "{text}"
    );
    Ok(())
}

/// An end of the process is told to those who wait, with the server's number for it.
#[test]
fn the_end_of_the_process() -> Result<()> {
    let Some(server) = MySql::shared(Flavour::MariaDb)? else {
        return Ok(());
    };
    let acra = AcraServer::start(&config(server))?;
    let mut connection = Connection::open(acra.address())?;
    connection.login(Login {
        user: "test",
        auth: b"",
        schema: "",
        capabilities: PLAIN,
    })?;
    let (status, _) = acra.stop()?;
    assert!(status.success());
    connection.end()?;
    let text = connection
        .transcript()
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(text.starts_with("0 \\xff\\x1d\\x04#08S01"), "{text}");
    Ok(())
}

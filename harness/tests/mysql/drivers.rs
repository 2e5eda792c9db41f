//! Drivers read the same directly and through `acra-server`: PyMySQL, mysqlclient (libmariadb), mysql-connector-python in
//! Python and in C (libmysqlclient), MariaDB Connector/J.

use crate::targets::plain;
use acra_harness::programs::{is_there, python_of_mysql, run};
use acra_harness::servers::{AcraServer, Flavour, MySql};
use acra_harness::{Error, Result, paths};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// MariaDB Connector/J, as Debian has it.
const CONNECTOR_J: &str = "/usr/share/java/mariadb-java-client.jar";

/// A user and its password.
pub(crate) type User = (&'static str, &'static str);

/// The user without a password.
pub(crate) const TEST: User = ("test", "");

fn program(name: &str) -> PathBuf {
    paths::workspace()
        .join("harness/tests/mysql/programs")
        .join(name)
}

/// What a Python driver has read; `None` if it is not there. With a CA the connection is encrypted.
pub(crate) fn python(
    driver: &str,
    address: SocketAddr,
    (user, password): User,
    ca: Option<&Path>,
) -> Result<Option<String>> {
    let python = python_of_mysql();
    if !is_there("mysql", &[&python])? {
        return Ok(None);
    }
    let port = address.port().to_string();
    let mut command = Command::new(python);
    command.arg(program("session.py"));
    command.args([driver, &port, user, password]);
    command.args(ca.map(Path::as_os_str));
    run(&mut command).map(Some)
}

pub(crate) fn java(address: SocketAddr, options: &str) -> Result<Option<String>> {
    if !is_there("mysql", &[Path::new(CONNECTOR_J)])? {
        return Ok(None);
    }
    let url = format!(
        "jdbc:mariadb://{address}/test?user=test&allowMultiQueries=true&useServerPrepStmts=true&useBulkStmts=true{options}"
    );
    let mut command = Command::new("java");
    command.args([OsStr::new("-cp"), OsStr::new(CONNECTOR_J)]);
    command.arg(program("Session.java")).arg(url);
    run(&mut command).map(Some)
}

/// Runs a driver directly and through `acra-server`.
fn same(flavour: Flavour, session: impl Fn(SocketAddr) -> Result<Option<String>>) -> Result<()> {
    let Some(server) = MySql::shared(flavour)? else {
        return Ok(());
    };
    let acra = AcraServer::start(&plain(server))?;
    let Some(directly) = session(server.address())? else {
        return Ok(());
    };
    assert!(directly.lines().count() > 10, "{directly}");
    let through = session(acra.address())
        .map_err(|error| Error::new(format!("{error}\nlog of acra-server:\n{}", acra.log())))?;
    assert_eq!(through, Some(directly));
    Ok(())
}

/// Makes a test of each driver, beside each server. Users are those that a driver can log in as without TLS and without the
/// server's having seen them before.
macro_rules! drivers {
    ($($flavour:ident $name:ident: $([$test:ident $driver:literal $user:literal $password:literal])+;)+) => {
        $(mod $name {
            use super::*;

            $(#[test]
            fn $test() -> Result<()> {
                same(Flavour::$flavour, |address| python($driver, address, ($user, $password), None))
            })+

            #[test]
            fn connector_j() -> Result<()> {
                same(Flavour::$flavour, |address| java(address, ""))
            }
        })+
    };
}

drivers! {
    MariaDb mariadb:
        [pymysql "pymysql" "native" "secret native"]
        [pymysql_ed25519 "pymysql" "ed25519" "secret ed25519"]
        [mysqlclient "mysqlclient" "native" "secret native"]
        [mysqlclient_ed25519 "mysqlclient" "ed25519" "secret ed25519"]
        [connector_python "connector-python" "native" "secret native"]
        [connector_c "connector-c" "test" ""];
    MySql mysql:
        [pymysql "pymysql" "caching" "secret caching"]
        [pymysql_sha256 "pymysql" "sha256" "secret sha256"]
        [mysqlclient "mysqlclient" "caching" "secret caching"]
        [connector_python "connector-python" "test" ""]
        [connector_c "connector-c" "test" ""];
}

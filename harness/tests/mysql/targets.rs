//! The server under test, started before a database.

use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Side, compare};
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql};
use acra_harness::{Error, Result};

/// What clients of long ago use.
pub(crate) const PLAIN: Capabilities = Capabilities::MULTI_STATEMENTS
    .with(Capabilities::LOCAL_FILES)
    .with(Capabilities::PLUGIN_AUTH)
    // CLIENT_MULTI_RESULTS, CLIENT_PS_MULTI_RESULTS
    .with(Capabilities(0x6_0000));

/// And those of today.
const MODERN: Capabilities = PLAIN
    .with(Capabilities::SESSION_TRACK)
    .with(Capabilities::DEPRECATE_EOF);

/// All of MariaDB's.
pub(crate) const MARIADB: Capabilities = MODERN
    .with(Capabilities::MARIADB_PROGRESS)
    .with(Capabilities::MARIADB_STMT_BULK_OPERATIONS)
    .with(Capabilities::MARIADB_EXTENDED_TYPE_INFO)
    .with(Capabilities::MARIADB_CACHE_METADATA);

/// All of MySQL's.
pub(crate) const MYSQL: Capabilities = MODERN
    .with(Capabilities::OPTIONAL_RESULTSET_METADATA)
    .with(Capabilities::QUERY_ATTRIBUTES);

/// The same where connections are compressed: what both servers can, and what MySQL alone can.
pub(crate) const MARIADB_ZLIB: Capabilities = MARIADB.with(Capabilities::COMPRESS);
pub(crate) const MYSQL_ZLIB: Capabilities = MYSQL.with(Capabilities::COMPRESS);
pub(crate) const MYSQL_ZSTD: Capabilities = MYSQL.with(Capabilities::ZSTD_COMPRESSION);

/// How to start `acra-server` before a database.
pub(crate) fn config(server: MySql) -> AcraConfig {
    server.config()
}

/// The same where both connections are in clear: no password has to change its form, and no key is made for that.
pub(crate) fn plain(server: MySql) -> AcraConfig {
    server.config_in_clear()
}

/// The same for clients with these capabilities: where they compress, the database's connection is compressed as well.
pub(crate) fn plain_for(server: MySql, capabilities: Capabilities) -> AcraConfig {
    match capabilities.and(Capabilities::COMPRESSION) == Capabilities::default() {
        true => plain(server),
        false => plain(server).flag("--mysql_compression=both"),
    }
}

/// Runs a script directly and through `acra-server`.
pub(crate) fn check(
    flavour: Flavour,
    capabilities: Capabilities,
    script: fn(&Side) -> Result<Vec<Connection>>,
) -> Result<()> {
    let Some(server) = MySql::shared(flavour)? else {
        return Ok(());
    };
    let acra = AcraServer::start(&plain_for(server, capabilities))?;
    let direct = Side {
        address: server.address(),
        flavour,
        capabilities,
    };
    compare(direct, acra.address(), script)
        .map_err(|error| Error::new(format!("{error}\nlog of acra-server:\n{}", acra.log())))
}

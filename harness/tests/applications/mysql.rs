//! On MariaDB and MySQL.

use crate::{MARK, program};
use acra_harness::Result;
use acra_harness::mysql::Scene;
use acra_harness::programs::{cached, is_there, python_of_mysql, run};
use acra_harness::servers::Flavour;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = "schemas:
  - table: members
    encrypted:
      - {column: email, searchable: true, data_type: str}
      - {column: nick, token_type: str, consistent_tokenization: true}
      - {column: card, data_type: str, masking: xxxx, plaintext_length: 4, plaintext_side: right}
      - {column: age, data_type: int32}
      - {column: visits, data_type: int64}
      - {column: active, data_type: int32}
      - {column: photo, data_type: bytes}
      - {column: code, token_type: int32, consistent_tokenization: true}
";

/// MariaDB Connector/J, as Debian has it.
const JAR: &str = "/usr/share/java/mariadb-java-client.jar";

/// The table where no application makes it.
pub(crate) const TABLE: &str = "CREATE TABLE members (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(80), nick VARCHAR(80), card VARCHAR(80), \
    age INT, visits BIGINT, born DATE, seen DATETIME, active BOOL, photo BLOB, code INT, paid DECIMAL(20, 2), plain VARCHAR(40))";

/// What the columns must be to hold what is made of their values; the application knows nothing of it.
const WIDENED: &str = "ALTER TABLE members MODIFY email VARBINARY(400), MODIFY card VARBINARY(400), MODIFY age VARBINARY(400), \
    MODIFY visits VARBINARY(400), MODIFY active VARBINARY(400)";

/// A table is made and worked with; nothing if the database is not there.
pub(crate) fn work(
    flavour: Flavour,
    create: impl FnOnce(&Scene) -> Result<()>,
    run: impl FnOnce(&Scene) -> Result<()>,
) -> Result<()> {
    let Some(scene) = Scene::start(flavour, CONFIG)? else {
        return Ok(());
    };
    let outcome = create(&scene)
        .and_then(|()| scene.run_directly(WIDENED))
        .and_then(|()| run(&scene))
        .and_then(|()| at_rest(&scene));
    scene.explained(outcome)?;
    strangers(scene.as_client("stranger")?)
}

/// Runs a program in Python with a driver; nothing if packages are not installed and need not be.
fn python(flavour: Flavour, name: &str, driver: &str) -> Result<()> {
    let (python, packages) = (python_of_mysql(), cached("applications"));
    if !is_there("mysql applications", &[&python, &packages])? {
        return Ok(());
    }
    let step = |scene: &Scene, step: &str| {
        let address = scene.acra.address();
        let mut command = Command::new(&python);
        command.arg(program(name)).args([step, MARK, driver]);
        command
            .env("PYTHONPATH", &packages)
            .env("DB_KIND", "mysql")
            .env("DB_HOST", address.ip().to_string())
            .env("DB_PORT", address.port().to_string())
            .env("DB_USER", "test")
            .env("DB_NAME", &scene.schema);
        run(&mut command).map(drop)
    };
    work(
        flavour,
        |scene| step(scene, "create"),
        |scene| step(scene, "run"),
    )
}

/// Runs the program in Java with MariaDB's driver and these properties of the connection.
fn java(flavour: Flavour, properties: &str) -> Result<()> {
    if !is_there("mysql", &[Path::new(JAR)])? {
        return Ok(());
    }
    let run = |scene: &Scene| {
        let (address, schema) = (scene.acra.address(), &scene.schema);
        let url = format!(
            "jdbc:mariadb://{address}/{schema}?user=test&allowMultiQueries=true&{properties}"
        );
        let mut command = Command::new("java");
        command.args(["-XX:TieredStopAtLevel=1", "-cp", JAR]);
        command.arg(program("MySqlMembers.java")).args([&url, MARK]);
        run(&mut command).map(drop)
    };
    work(flavour, |scene| scene.run_directly(TABLE), run)
}

/// What the database keeps.
fn at_rest(scene: &Scene) -> Result<()> {
    let count = |condition: &str| -> Result<u32> {
        let sql = format!("SELECT COUNT(*) FROM members WHERE {condition}");
        Ok(scene.stored(&sql)?.concat().concat().parse()?)
    };
    let rows = count("TRUE")?;
    assert!(rows > 20, "{rows}");
    let sealed = "SUBSTR(email, 1, 1) = x'7f' AND SUBSTR(email, 34, 3) = '%%%' AND SUBSTR(card, 1, 3) = '%%%' \
        AND SUBSTR(age, 1, 3) = '%%%' AND SUBSTR(visits, 1, 3) = '%%%' AND SUBSTR(active, 1, 3) = '%%%' \
        AND SUBSTR(photo, 1, 3) = '%%%' AND code % 1000 <> 0";
    let kept = count(sealed)?;
    // A token can be a multiple by chance.
    assert!(kept > rows * 3 / 4, "{kept} of {rows}");
    assert_eq!(count("SUBSTR(email, 34, 3) <> '%%%'")?, 0);
    assert_eq!(count("SUBSTR(photo, 1, 3) <> '%%%'")?, 0);
    scene.keeps_none_of(&[MARK.as_bytes()])
}

/// What a client with other keys sees: what is kept, with the mask where there is one, and never a value.
fn strangers(scene: Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    let read =
        session.strings("SELECT email, nick, card, photo, code FROM members WHERE id = 3")?;
    let kept = scene.stored("SELECT email, nick, card, photo, code FROM members WHERE id = 3")?;
    let (read, kept) = (read.concat(), kept.concat());
    assert_eq!(
        (&read[0], &read[1], &read[3], &read[4]),
        (&kept[0], &kept[1], &kept[3], &kept[4])
    );
    assert_eq!(read[2], "xxxx0003");
    let email = format!("{MARK}-3-ж\\\\''@example.org");
    let found = session.strings(&format!("SELECT id FROM members WHERE email = '{email}'"))?;
    assert!(found.is_empty(), "{found:?}");
    assert!(
        !session
            .strings("SELECT * FROM members")?
            .concat()
            .concat()
            .contains(MARK)
    );
    Ok(())
}

macro_rules! programs {
    ($function:ident: $($test:ident = $arguments:tt on $($name:ident $flavour:ident)+;)+) => {
        $(mod $test {
            $(#[test]
            fn $name() -> acra_harness::Result<()> {
                programs!(@call $function acra_harness::servers::Flavour::$flavour, $arguments)
            })+
        })+
    };
    (@call $function:ident $flavour:expr, ($($argument:literal),+)) => {
        super::$function($flavour, $($argument),+)
    };
}

programs! {
    python:
    pymysql = ("mysql_drivers.py", "pymysql") on mariadb MariaDb mysql MySql;
    mysqlclient = ("mysql_drivers.py", "mysqlclient") on mariadb MariaDb mysql MySql;
    connector_python = ("mysql_drivers.py", "connector-python") on mariadb MariaDb mysql MySql;
    connector_c = ("mysql_drivers.py", "connector-c") on mariadb MariaDb mysql MySql;
    sqlalchemy_with_pymysql = ("mapped.py", "mysql+pymysql") on mariadb MariaDb mysql MySql;
    sqlalchemy_with_mysqlclient = ("mapped.py", "mysql+mysqldb") on mariadb MariaDb mysql MySql;
    sqlalchemy_with_connector = ("mapped.py", "mysql+mysqlconnector") on mariadb MariaDb mysql MySql;
}

// MySQL 9 calls prepared statements of this driver malformed, also without anything between them.
programs! {
    java:
    jdbc_with_values_in_statements = ("useBulkStmts=false") on mariadb MariaDb mysql MySql;
    jdbc_with_batches_rewritten = ("rewriteBatchedStatements=true") on mariadb MariaDb mysql MySql;
    jdbc_with_statements_prepared = ("useServerPrepStmts=true&useBulkStmts=false") on mariadb MariaDb;
    jdbc_in_bulk = ("useServerPrepStmts=true&useBulkStmts=true") on mariadb MariaDb;
}

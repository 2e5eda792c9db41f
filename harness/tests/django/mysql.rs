//! The same applications on MariaDB and MySQL, by mysqlclient.

use crate::{MARK, SHOP, has_django, program};
use acra_harness::Result;
use acra_harness::mysql::Scene;
use acra_harness::programs::{is_there, python_of_mysql, run};
use acra_harness::servers::Flavour;

/// What has a type here that no column of MySQL can be said to have is not protected: dates, and numbers with fractions.
const KINDS: &str = "
  - table: shop_account
    encrypted:
      - {column: note, data_type: str}
      - {column: photo}
      - {column: email, searchable: true, data_type: str}
      - {column: phone, searchable: true, data_type: str}
      - {column: login, token_type: str, consistent_tokenization: true}
      - {column: number, token_type: int64, consistent_tokenization: true}
      - {column: badge, token_type: int32}
      - {column: card, data_type: str, masking: xxxx, plaintext_length: 4, plaintext_side: right}
      - {column: age, data_type: int32, response_on_fail: default_value, default_data_value: '-1'}
      - {column: visits, data_type: int64}
      - {column: active, data_type: int32}
      - {column: key, data_type: str}
      - {column: data, data_type: str}
";

/// Columns of accounts whose values are containers; what makes them wide enough is the operator's, not the application's.
const CONTAINERS: [&str; 9] = [
    "note", "email", "phone", "card", "age", "visits", "active", "key", "data",
];

/// A schema for these tables; `None` if something is missing and need not be there.
fn scene(flavour: Flavour, tables: &str) -> Result<Option<Scene>> {
    match has_django()? && is_there("mysql", &[&python_of_mysql()])? {
        true => Scene::start(flavour, &format!("schemas:{tables}")),
        false => Ok(None),
    }
}

fn python(scene: &Scene, name: &str, arguments: &[&str]) -> Result<()> {
    let (python, address) = (python_of_mysql(), scene.acra.address());
    let mut command = program(&python, name, "mysql", address, "test", &scene.schema);
    run(command.arg("client").args(arguments)).map(drop)
}

fn shop(flavour: Flavour) -> Result<()> {
    let Some(scene) = scene(flavour, SHOP)? else {
        return Ok(());
    };
    let work = || -> Result<()> {
        python(&scene, "shop.py", &[])?;
        let counts = "SELECT SUM(substr(ssn, 1, 3) = '%%%' AND substr(photo, 1, 3) = '%%%') > 30, \
            SUM(substr(ssn, 1, 3) <> '%%%' OR substr(photo, 1, 3) <> '%%%') FROM shop_customer";
        assert_eq!(scene.stored(counts)?, [["1", "0"]]);
        scene.keeps_none_of(&[MARK.as_bytes()])
    };
    let outcome = work();
    scene.explained(outcome)
}

fn kinds(flavour: Flavour) -> Result<()> {
    let Some(scene) = scene(flavour, KINDS)? else {
        return Ok(());
    };
    let work = || -> Result<()> {
        python(&scene, "kinds.py", &["create"])?;
        let wide = CONTAINERS.map(|column| format!("MODIFY `{column}` VARBINARY(1000)"));
        scene.run_directly(&format!("ALTER TABLE shop_account {}", wide.join(", ")))?;
        python(&scene, "kinds.py", &["run"])?;
        assert_eq!(scene.stored("SELECT count(*) FROM shop_account")?, [["34"]]);
        for column in CONTAINERS {
            let begin = match column {
                "email" | "phone" => 34,
                _ => 1,
            };
            let open = format!(
                "SELECT count(*) FROM shop_account WHERE `{column}` <> '' AND substr(`{column}`, {begin}, 3) <> '%%%'"
            );
            assert_eq!(scene.stored(&open)?, [["0"]], "{column}");
        }
        scene.keeps_none_of(&[MARK.as_bytes()])
    };
    let outcome = work();
    scene.explained(outcome)?;
    // Other keys show masks, defaults and tokens, and find nothing.
    let found = format!("SELECT count(*) FROM shop_account WHERE email = '{MARK}-31@example.org'");
    assert_eq!(scene.proxied()?.strings(&found)?, [["1"]]);
    let scene = scene.as_client("stranger")?;
    let mut session = scene.proxied()?;
    assert_eq!(session.strings(&found)?, [["0"]]);
    let shown = session.strings("SELECT card, age FROM shop_account WHERE name = 'Account 31'")?;
    assert_eq!(shown, [["xxxx0031", "-1"]]);
    let tokens = "SELECT login, number, badge FROM shop_account ORDER BY id";
    assert_eq!(session.strings(tokens)?, scene.stored(tokens)?);
    Ok(())
}

#[test]
fn a_shop_on_mariadb() -> Result<()> {
    shop(Flavour::MariaDb)
}

#[test]
fn a_shop_on_mysql() -> Result<()> {
    shop(Flavour::MySql)
}

#[test]
fn columns_of_all_kinds_of_mariadb() -> Result<()> {
    kinds(Flavour::MariaDb)
}

#[test]
fn columns_of_all_kinds_of_mysql() -> Result<()> {
    kinds(Flavour::MySql)
}

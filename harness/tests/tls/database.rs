use crate::{answer, psql};
use acra_harness::pki::Pki;
use acra_harness::scene::{Scene, value};
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// Whether the connection to the database is encrypted, or what a client is told.
fn outcome(postgres: &Postgres, flags: &[String]) -> Result<String> {
    let scene = Scene::on(postgres, |mut config| {
        config.flags.extend_from_slice(flags);
        config
    })?;
    value(&mut scene.proxied()?, IS_ENCRYPTED)
}

#[test]
fn each_mode_does_what_it_says() -> Result<()> {
    let (pki, stranger) = (Pki::new()?, Pki::new()?);
    let (with, without) = (pki.postgres(&[])?, Postgres::shared(15)?);
    let ca = |pki: &Pki| format!("--tls_database_ca={}", pki.ca().display());
    let named = |name: &str| format!("--tls_database_sni={name}");
    for (mode, flags, encrypted, plain) in [
        ("disable", vec![], "f", "f"),
        ("prefer", vec![], "t", "f"),
        ("require", vec![], "t", ""),
        ("verify-ca", vec![ca(&pki)], "t", ""),
        ("verify-ca", vec![ca(&stranger)], "", ""),
        ("verify-full", vec![ca(&pki), named("localhost")], "t", ""),
        (
            "verify-full",
            vec![ca(&pki), named("elsewhere.example")],
            "",
            "",
        ),
        ("verify-full", vec![ca(&pki)], "", ""),
    ] {
        let mut all = vec![format!("--tls_database_mode={mode}")];
        all.extend(flags);
        for (postgres, expected) in [(&with, encrypted), (without, plain)] {
            match (outcome(postgres, &all), expected) {
                (Ok(found), expected) if found == expected => {}
                (Err(error), "") if error.to_string().contains("08001") => {}
                (found, _) => {
                    return Err(Error::new(format!(
                        "{all:?} with {postgres:?}: {found:?}, expected {expected:?}"
                    )));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_certificate_is_shown_to_a_database_that_asks_for_one() -> Result<()> {
    let pki = Pki::new()?;
    let postgres = pki.postgres(&[])?;
    let flags = [
        "--tls_database_mode=verify-full".to_owned(),
        "--tls_database_sni=localhost".to_owned(),
        format!("--tls_database_ca={}", pki.ca().display()),
        format!("--tls_database_cert={}", pki.cert("client").display()),
        format!("--tls_database_key={}", pki.key("client").display()),
    ];
    let scene = Scene::on(&postgres, |mut config| {
        config.flags.extend_from_slice(&flags);
        config
    })?;
    let subject = value(
        &mut scene.proxied()?,
        "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    )?;
    assert!(subject.contains("CN=client"), "{subject}");
    scene.works()
}

#[test]
fn by_default_the_database_is_asked_by_those_who_use_tls() -> Result<()> {
    let pki = Pki::new()?;
    let postgres = pki.postgres(&[])?;
    let scene = Scene::on(&postgres, |mut config| {
        config.flags.extend(pki.listener_flags());
        config
            .flag("--tls_client_id_from_cert=false")
            .flag("--tls_client_auth=0")
            .flag("--tls_database_sni=localhost")
            .flag(&format!("--tls_database_ca={}", pki.ca().display()))
    })?;
    for (mode, encrypted) in [("disable", "f"), ("require", "t")] {
        let output = psql(&scene, &format!("sslmode={mode}"), IS_ENCRYPTED)?;
        assert_eq!(answer(&output)?, encrypted);
    }
    Ok(())
}

#[test]
fn channel_binding_is_told_to_be_impossible() -> Result<()> {
    let pki = Pki::new()?;
    let postgres = pki.postgres(&[])?;
    let scene = Scene::on(&postgres, |mut config| {
        config.flags.extend(pki.listener_flags());
        config
            .flag("--tls_client_id_from_cert=false")
            .flag("--tls_client_auth=0")
            .flag("--tls_database_mode=require")
    })?;
    let parameters = "sslmode=require user=scram_user password=secret";
    let refused = psql(&scene, parameters, "SELECT 1")?;
    assert!(
        refused.stderr.contains("channel_binding=disable"),
        "{}",
        refused.stderr
    );
    let output = psql(
        &scene,
        &format!("{parameters} channel_binding=disable"),
        "SELECT current_user",
    )?;
    assert_eq!(answer(&output)?, "scram_user");
    Ok(())
}

use crate::{answer, psql};
use acra_harness::Result;
use acra_harness::pki::Pki;
use acra_harness::scene::{Scene, hex};
use rcgen::DnType;
use sha2::{Digest as _, Sha512};

/// The client id of the certificate that `pki` gives to clients.
fn expected_id() -> String {
    const_hex::encode(Sha512::digest("CN=client,O=Tests"))
}

#[test]
fn the_certificate_tells_whose_keys_are_used() -> Result<()> {
    let pki = Pki::new()?;
    let scene = Scene::with(|mut config| {
        config.flags.extend(pki.listener_flags());
        config.more_client_ids.push(expected_id());
        config
    })?;
    let insert = "INSERT INTO vault (id, secret) VALUES (1, 'by certificate')";
    answer(&psql(&scene, &pki.mutual(), insert)?)?;
    let select = "SELECT encode(secret, 'escape') FROM vault";
    assert!(
        !psql(&scene, &pki.mutual(), select)?.success,
        "it is encrypted"
    );
    let read = psql(&scene, &pki.mutual(), "SELECT secret FROM vault")?;
    assert_eq!(answer(&read)?, "\\x6279206365727469666963617465");
    // Without TLS it is the id of --client_id, which has other keys.
    let other = psql(&scene, "sslmode=disable", "SELECT secret FROM vault")?;
    assert!(answer(&other)?.starts_with("\\x252525"), "{}", other.stdout);
    Ok(())
}

#[test]
fn without_a_certificate_there_is_no_id_and_the_client_is_told_so() -> Result<()> {
    let pki = Pki::new()?;
    let scene = Scene::with(|mut config| {
        config.flags.extend(pki.listener_flags());
        config.flag("--tls_client_auth=3")
    })?;
    let refused = psql(&scene, &pki.verifying(), "SELECT 1")?;
    assert!(
        refused.stderr.contains("no peer tls certificate"),
        "{}",
        refused.stderr
    );
    Ok(())
}

/// The subject of Acra's example certificate and the id that Acra gives it (tls.md 6).
#[test]
fn the_id_is_the_one_that_acra_gives() -> Result<()> {
    const ID: &str = "28fa1ef8aa3184d7ce0621341299d74b5b561a95aecdee3b46b847d63495f800\
        d276cdd1233f5950efb348113f2892ceef4b354abed383d8afc026901854ca28";
    let pki = Pki::new()?;
    pki.issue_client(
        "acra-client",
        &[
            (DnType::CountryName, "GB"),
            (DnType::StateOrProvinceName, "London"),
            (DnType::LocalityName, "London"),
            (DnType::OrganizationName, "Global Security"),
            (DnType::OrganizationalUnitName, "IT"),
            (DnType::CommonName, "Test leaf certificate (acra-client)"),
        ],
    )?;
    let scene = Scene::with(|mut config| {
        config.flags.extend(pki.listener_flags());
        config.more_client_ids.push(ID.to_owned());
        config.flag("-v")
    })?;
    let parameters = pki.mutual_as("acra-client");
    answer(&psql(
        &scene,
        &parameters,
        "INSERT INTO vault (id, secret) VALUES (1, 'by Acra''s id')",
    )?)?;
    let read = psql(&scene, &parameters, "SELECT secret FROM vault")?;
    assert_eq!(answer(&read)?, hex(b"by Acra's id"));
    assert!(scene.acra.log().contains(ID), "{}", scene.acra.log());
    Ok(())
}

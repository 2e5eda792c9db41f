use crate::{answer, psql};
use acra_harness::pki::{Pki, SERVER_SERIAL};
use acra_harness::scene::{Scene, value};
use acra_harness::servers::Redis;
use acra_harness::{Error, Result};
use rcgen::ExtendedKeyUsagePurpose::ClientAuth;

const REVOKED: u64 = 0x1234;

#[test]
fn a_revoked_client_is_told_so_and_others_are_served() -> Result<()> {
    let pki = Pki::new()?;
    pki.issue_numbered("revoked", REVOKED, ClientAuth, &[])?;
    pki.issue_numbered("good", REVOKED + 1, ClientAuth, &[])?;
    // A list that cannot be fetched: whether it is revoked cannot be found out.
    let dead = "http://127.0.0.1:1/list.crl";
    pki.issue_numbered("unclear", REVOKED + 2, ClientAuth, &[dead])?;
    let list = pki.revoking(REVOKED)?;
    let scene = Scene::with(|mut config| {
        config.flags.extend(pki.listener_flags());
        config
            .flag("--tls_client_id_from_cert=false")
            .flag(&format!("--tls_crl_client_url={list}"))
    })?;
    for way in ["", "sslnegotiation=direct"] {
        let as_client = |name: &str| format!("{} {way}", pki.mutual_as(name));
        let served = psql(&scene, &as_client("good"), "SELECT 'in'")?;
        assert_eq!(answer(&served)?, "in");
        for (name, reason) in [
            (
                "revoked",
                "the client's certificate is not accepted: certificate was revoked",
            ),
            (
                "unclear",
                "the list of revoked certificates cannot be fetched or used",
            ),
        ] {
            let refused = psql(&scene, &as_client(name), "SELECT 1")?;
            assert!(
                !refused.success
                    && refused.stderr.contains("FATAL")
                    && refused.stderr.contains(reason),
                "{}",
                refused.stderr
            );
        }
    }
    let log = scene.acra.log();
    for text in [
        "certificate was revoked (serial 1234, revoked_at 2021-02-03",
        "http://127.0.0.1:1/list.crl: cannot connect",
        "code=584",
    ] {
        if !log.contains(text) {
            return Err(Error::new(format!("{text} is not in the log:\n{log}")));
        }
    }
    scene.works()
}

#[test]
fn a_revoked_database_is_not_used() -> Result<()> {
    let pki = Pki::new()?;
    let postgres = pki.postgres(&[])?;
    for (revoked, is_used) in [(1, true), (SERVER_SERIAL, false)] {
        let list = pki.revoking(revoked)?;
        let scene = Scene::on(&postgres, |config| {
            config
                .flag("--tls_database_mode=verify-full")
                .flag("--tls_database_sni=localhost")
                .flag(&format!("--tls_database_ca={}", pki.ca().display()))
                .flag(&format!("--tls_crl_database_url={list}"))
        })?;
        let found = scene
            .proxied()
            .and_then(|mut client| value(&mut client, "SELECT 'in'"));
        match (found, is_used) {
            (Ok(found), true) if found == "in" => {}
            (Err(error), false) if error.to_string().contains("08001") => {
                assert!(scene.acra.log().contains("certificate was revoked"));
            }
            (found, _) => return Err(Error::new(format!("{revoked}: {found:?}"))),
        }
    }
    Ok(())
}

#[test]
fn a_revoked_redis_gives_no_tokens() -> Result<()> {
    let pki = Pki::new()?;
    let redis = Redis::start_tls(&pki.cert("server"), &pki.key("server"))?;
    for (revoked, is_used) in [(1, true), (SERVER_SERIAL, false)] {
        let list = pki.revoking(revoked)?;
        let scene = Scene::with(|config| {
            config
                .encryptor_yaml(
                    "
schemas:
  - table: people
    columns: [id, name]
    encrypted: [{column: name, token_type: str}]
",
                )
                .flag(&format!("--redis_host_port={}", redis.address()))
                .flag("--redis_db_tokens=1")
                .flag("--redis_tls_enable")
                .flag("--redis_tls_client_sni=localhost")
                .flag(&format!("--redis_tls_client_ca={}", pki.ca().display()))
                .flag(&format!("--redis_tls_crl_client_url={list}"))
        })?;
        scene.run_directly("CREATE TABLE people (id int, name text)")?;
        let mut client = scene.proxied()?;
        let stored = client.run("INSERT INTO people VALUES (1, 'a name')");
        let rows = scene.stored("SELECT count(*) FROM people WHERE name <> 'a name'")?;
        match (stored, &*rows, is_used) {
            (Ok(_), "1", true) => {}
            (Err(error), "0", false) if error.to_string().contains("58000") => {
                let log = scene.acra.log();
                assert!(log.contains("certificate was revoked (serial 5e"), "{log}");
            }
            (stored, ..) => return Err(Error::new(format!("{revoked}: {stored:?}, {rows}"))),
        }
        scene.works()?;
    }
    Ok(())
}

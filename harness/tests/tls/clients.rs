use crate::{answer, psql};
use acra_harness::pki::Pki;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, eventually};
use acra_harness::{Error, Result};

/// TLS with applications, ids by `--client_id`.
fn scene(pki: &Pki, flags: &[&str]) -> Result<Scene<'static>> {
    Scene::with(|mut config| {
        config.flags.extend(pki.listener_flags());
        config.flag("--tls_client_id_from_cert=false").more(flags)
    })
}

trait More {
    fn more(self, flags: &[&str]) -> Self;
}

impl More for acra_harness::servers::AcraConfig {
    fn more(mut self, flags: &[&str]) -> Self {
        self.flags
            .extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }
}

#[test]
fn psql_connects_by_every_way_there_is() -> Result<()> {
    let pki = Pki::new()?;
    let scene = scene(&pki, &["--tls_client_auth=3"])?;
    for (number, way) in [
        "",
        "sslnegotiation=direct",
        "max_protocol_version=3.2",
        "sslnegotiation=direct max_protocol_version=3.2",
        "gssencmode=prefer",
        "ssl_min_protocol_version=TLSv1.3",
        "ssl_max_protocol_version=TLSv1.2",
    ]
    .into_iter()
    .enumerate()
    {
        for parameters in [
            pki.mutual(),
            pki.verifying(),
            "sslmode=require sslcert=none".to_owned(),
        ] {
            let parameters = format!("{parameters} {way}");
            let insert = format!(
                "INSERT INTO vault (id, secret) VALUES ({number}, 'by TLS') RETURNING secret"
            );
            let output = psql(&scene, &parameters, &insert)?;
            assert_eq!(
                answer(&output)?.lines().next(),
                Some("\\x627920544c53"),
                "{parameters}"
            );
            scene.run_directly("TRUNCATE vault")?;
        }
    }
    scene.works()
}

#[test]
fn tls_may_be_required() -> Result<()> {
    let pki = Pki::new()?;
    let scene = scene(&pki, &["--tls_client_auth=0", "--tls_client_mode=require"])?;
    assert_eq!(
        answer(&psql(&scene, "sslmode=require", "SELECT 'in'")?)?,
        "in"
    );
    let refused = psql(&scene, "sslmode=disable", "SELECT 1")?;
    assert!(
        refused
            .stderr
            .contains("accepts only encrypted connections")
            && refused.stderr.contains("sslmode=require"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn certificates_are_asked_for_as_told() -> Result<()> {
    let pki = Pki::new()?;
    for (level, without, with) in [
        (0, true, true),
        (1, true, true),
        (2, false, true),
        (3, true, true),
        (4, false, true),
    ] {
        let scene = scene(&pki, &[&format!("--tls_client_auth={level}")])?;
        assert_eq!(
            psql(&scene, &pki.verifying(), "SELECT 1")?.success,
            without,
            "level {level} without"
        );
        assert_eq!(
            psql(&scene, &pki.mutual(), "SELECT 1")?.success,
            with,
            "level {level} with"
        );
    }
    Ok(())
}

#[test]
fn a_cancel_request_may_come_in_clear() -> Result<()> {
    let pki = Pki::new()?;
    let scene = scene(&pki, &["--tls_client_auth=0", "--tls_client_mode=require"])?;
    let mut direct = scene.direct()?;
    let (process, key) = direct.key_data()?;
    direct.send(&f::query("SELECT pg_sleep(600)"))?;
    scene.sleeps()?;
    let mut cancel = Connection::open(scene.acra.address())?;
    cancel.send(&f::cancel_request(process, &key))?;
    cancel.end()?;
    let answer = direct.ready()?;
    let code = answer.iter().find_map(|message| message.field(b'C'));
    assert_eq!(code.as_deref(), Some("57014"));
    Ok(())
}

#[test]
fn bytes_put_in_before_the_handshake_are_not_taken() -> Result<()> {
    let pki = Pki::new()?;
    let scene = scene(&pki, &["--tls_client_auth=0"])?;
    let mut connection = Connection::open(scene.acra.address())?;
    let startup = f::startup(
        f::VERSION_3_0,
        &[("user", "postgres"), ("database", &scene.database)],
    );
    connection.send(&[f::tls_request(), startup].concat())?;
    let code = loop {
        match connection.reply()? {
            acra_harness::raw::Reply::Message(message) => break message.field(b'C'),
            acra_harness::raw::Reply::Bytes(_) => {}
            acra_harness::raw::Reply::End => return Err(Error::new("no error")),
        }
    };
    assert_eq!(code.as_deref(), Some("08P01"));
    scene.works()
}

#[test]
fn a_handshake_that_fails_is_logged_and_concerns_nobody_else() -> Result<()> {
    let pki = Pki::new()?;
    let scene = scene(&pki, &["--tls_client_auth=4"])?;
    for bytes in [
        &b"\x16\x03\x01\x00\x05hello"[..],
        b"\x16",
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut connection = Connection::open(scene.acra.address())?;
        connection.send(bytes)?;
        drop(connection);
    }
    let refused = psql(&scene, &pki.verifying(), "SELECT 1")?;
    assert!(!refused.success);
    eventually("the log tells of it", || {
        let log = scene.acra.log();
        Ok(log.contains("Error in tls handshake with client"))
    })?;
    assert_eq!(
        answer(&psql(&scene, &pki.mutual(), "SELECT 'next'")?)?,
        "next"
    );
    scene.works()
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() -> Result<()> {
    let (pki, next) = (Pki::new()?, Pki::new()?);
    let scene = scene(&pki, &["--tls_client_auth=0", "-v"])?;
    let mut open = scene.proxied()?;
    assert!(psql(&scene, &pki.verifying(), "SELECT 1")?.success);
    std::fs::copy(next.cert("server"), pki.cert("server"))?;
    // Half of the new pair is no pair: everything stays.
    scene.acra.signal(rustix::process::Signal::HUP)?;
    eventually("the reload fails", || {
        Ok(scene.acra.log().contains("Reload failed"))
    })?;
    assert!(psql(&scene, &pki.verifying(), "SELECT 1")?.success);
    std::fs::copy(next.key("server"), pki.key("server"))?;
    scene.acra.signal(rustix::process::Signal::HUP)?;
    eventually("the new one is shown", || {
        Ok(psql(&scene, &next.verifying(), "SELECT 1")?.success)
    })?;
    assert!(!psql(&scene, &pki.verifying(), "SELECT 1")?.success);
    open.run("SELECT 1")
}

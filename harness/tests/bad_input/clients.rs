//! Clients that disappear, and clients in crowds.

use acra_harness::Result;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, eventually};
use std::fs;
use std::net::TcpStream;

/// Waits until the database serves none of the scene's clients.
fn all_are_gone(scene: &Scene<'_>) -> Result<()> {
    let sql = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("the database has ended their sessions", || {
        Ok(scene.stored(sql)? == "0")
    })
}

#[test]
fn clients_that_disappear_leave_nothing_behind() -> Result<()> {
    let scene = Scene::start()?;
    let login = || scene.proxied();
    let insert = "INSERT INTO vault (id, secret) VALUES (1, 'never complete')";
    // After each byte that is special: none, within the length, within the text.
    for length in [0, 1, 3, 5, 20, 40] {
        let mut connection = login()?;
        connection.send(&f::query(insert)[..length])?;
    }
    for length in [1, 4, 8, 20] {
        let hello = f::startup(
            f::VERSION_3_0,
            &[("user", "postgres"), ("database", &scene.database)],
        );
        Connection::open(scene.acra.address())?.send(&hello[..length])?;
    }
    // Right after a whole StartupMessage, so that the database is reached for nobody.
    let hello = f::startup(
        f::VERSION_3_0,
        &[("user", "postgres"), ("database", &scene.database)],
    );
    Connection::open(scene.acra.address())?.send(&hello)?;
    scene.works()?;
    // In a transaction, in a pipeline without an end, in a copy.
    let mut connection = login()?;
    connection.run("BEGIN; INSERT INTO vault (id, secret) VALUES (2, 'never committed')")?;
    drop(connection);
    let mut connection = login()?;
    connection.send_all(&[
        f::parse("", insert, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
    ])?;
    drop(connection);
    let mut connection = login()?;
    connection.send(&f::query("COPY plain FROM STDIN"))?;
    connection.until(b'G')?;
    connection.send(&f::copy_data(b"1\tnever co"))?;
    drop(connection);
    // In the middle of results, which are large and nobody reads.
    for sql in [
        "SELECT repeat('x', 1000), generate_series(1, 10000000)",
        "COPY (SELECT repeat('x', 1000), generate_series(1, 10000000)) TO STDOUT",
        "SELECT pg_sleep(0.5), secret FROM vault",
    ] {
        let mut connection = login()?;
        connection.send(&f::query(sql))?;
        if !sql.contains("pg_sleep") {
            connection.message()?;
        }
        drop(connection);
        let mut unread = login()?;
        unread.send(&f::query(sql))?;
        drop(unread);
    }
    all_are_gone(&scene)?;
    assert_eq!(
        scene.stored("SELECT (SELECT count(*) FROM vault) + (SELECT count(*) FROM plain)")?,
        "0"
    );
    scene.works()
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--runtime_threads=1"))?;
    let mut lazy = scene.proxied()?;
    lazy.send(&f::query(
        "SELECT repeat('x', 100000), generate_series(1, 100000)",
    ))?;
    lazy.message()?;
    for _ in 0..20 {
        scene.works()?;
    }
    Ok(())
}

#[test]
fn a_crowd_that_says_nothing_holds_up_nobody() -> Result<()> {
    let scene = Scene::start()?;
    let crowd: Vec<TcpStream> = std::iter::repeat_with(|| TcpStream::connect(scene.acra.address()))
        .take(400)
        .collect::<Result<_, _>>()?;
    scene.works()?;
    // None of them has cost the database a session.
    all_are_gone(&scene)?;
    drop(crowd);
    for turn in 0..400 {
        let mut connection = Connection::open(scene.acra.address())?;
        match turn % 4 {
            0 => connection.send(b"GET / HTTP/1.1\r\n\r\n")?,
            1 => connection.send(&[0xff; 16])?,
            2 => connection.send(&f::tls_request())?,
            _ => {}
        }
    }
    scene.works()?;
    all_are_gone(&scene)
}

#[test]
fn a_crowd_at_work_gets_its_own_answers() -> Result<()> {
    let scene = Scene::start()?;
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..24)
            .map(|worker| {
                let scene = &scene;
                scope.spawn(move || -> Result<()> {
                    for turn in 0..5 {
                        let mut connection = scene.proxied()?;
                        let id = worker * 100 + turn;
                        connection.run(&format!(
                            "INSERT INTO vault (id, secret) VALUES ({id}, 'secret of {id}')"
                        ))?;
                        let sql = format!("SELECT secret FROM vault WHERE id = {id}");
                        let read = acra_harness::scene::value(&mut connection, &sql)?;
                        assert_eq!(
                            read,
                            acra_harness::scene::hex(format!("secret of {id}").as_bytes())
                        );
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().expect("a worker panicked")?;
        }
        Ok(())
    })?;
    scene.works()
}

#[test]
fn promised_bytes_cost_no_memory() -> Result<()> {
    let mut scene = Scene::start()?;
    let process = scene.acra.daemon().id();
    let resident = || -> Result<usize> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap_or_default();
        Ok(line.split_whitespace().nth(1).unwrap_or_default().parse()?)
    };
    let before = resident()?;
    let mut promising = Vec::new();
    for _ in 0..50 {
        let mut connection = scene.proxied()?;
        connection.send(b"Q\x3f\xff\xff\xffSELECT 'and so on")?;
        promising.push(connection);
    }
    scene.works()?;
    let after = resident()?;
    assert!(
        after < before + 50_000,
        "{before} kB before, {after} kB after"
    );
    Ok(())
}

//! Traffic of every kind for a while, with reloads and new keys meanwhile: nothing fails, and nothing is kept.
//!
//! `ACRA_SOAK_SECONDS` is how long (`make soak` runs it for half an hour); a few seconds without it.

use acra_harness::metrics::metric;
use acra_harness::port::free_port;
use acra_harness::raw::{Connection, Message, frontend as f};
use acra_harness::scene::{Scene, eventually, hex, rows_of, value};
use acra_harness::{Context, Error, Result};
use rustix::process::Signal;
use std::env;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 4;

/// Rounds of one connection.
const ROUNDS: usize = 25;

/// Rows of one COPY.
const ROWS: usize = 20;

/// What memory may differ by between the beginning and the end of the time that is measured, in bytes.
const GROWTH: f64 = (1 << 20) as f64;

/// How often it may differ by more before it is kept.
const TIMES: usize = 4;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Longest time between two reloads.
const RELOAD: Duration = Duration::from_millis(500);

/// New keys in all: each is kept for ever, as it opens what it sealed.
const ROTATIONS: u32 = 10;

fn length() -> Result<Duration> {
    match env::var("ACRA_SOAK_SECONDS") {
        Err(_) => Ok(Duration::from_secs(15)),
        Ok(text) => Ok(Duration::from_secs(text.parse().context(|| {
            format!("ACRA_SOAK_SECONDS={text}, which should be a number of seconds")
        })?)),
    }
}

#[test]
fn nothing_fails_and_nothing_is_kept() -> Result<()> {
    let length = length()?;
    let metrics = free_port()?;
    let flag = format!("--incoming_connection_prometheus_metrics_string=tcp://{metrics}");
    let scene = Scene::with(|config| config.flag(&flag))?;
    let (ends, statements) = (AtomicBool::new(false), AtomicUsize::new(0));
    let memory = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (scene, ends, statements) = (&scene, &ends, &statements);
                scope.spawn(move || {
                    while !ends.load(Ordering::Relaxed) {
                        session(scene, number, statements)
                            .inspect_err(|_| ends.store(true, Ordering::Relaxed))?;
                    }
                    Ok(())
                })
            })
            .collect();
        let memory = steady_memory(|| {
            disturb(&scene, length, &ends, || {
                metric(metrics, "process_resident_memory_bytes")
            })
        });
        ends.store(true, Ordering::Relaxed);
        let outcomes: Vec<Result<()>> = clients
            .into_iter()
            .map(|client| {
                client
                    .join()
                    .map_err(|_| Error::new("a client panicked"))
                    .flatten()
            })
            .collect();
        outcomes.into_iter().collect::<Result<Vec<()>>>()?;
        memory
    })?;
    let log = scene.acra.log();
    assert!(!log.contains("Reload failed"), "{log}");
    eventually("all sessions have ended", || {
        Ok(metric(metrics, "acraserver_sessions_open")? == 0.0)
    })?;
    scene.works()?;
    let (begin, end) = memory;
    writeln!(
        io::stderr(),
        "{} statements, none failed; resident memory went from {:.1} to {:.1} MiB in {length:?}",
        statements.into_inner(),
        begin / GROWTH,
        end / GROWTH
    )?;
    assert!(end - begin <= GROWTH, "{} bytes are kept", end - begin);
    Ok(())
}

/// What is resident at the beginning and at the end of a time in which memory is steady, or else of the last time that is looked
/// at: on a busy machine the most that sessions need at once is needed late, but what is kept for good is kept every time.
fn steady_memory(mut look: impl FnMut() -> Result<Vec<f64>>) -> Result<(f64, f64)> {
    let mut memory = begin_and_end(&look()?)?;
    for _ in 1..TIMES {
        let (begin, end) = memory;
        if end - begin <= GROWTH {
            break;
        }
        memory = begin_and_end(&look()?)?;
    }
    Ok(memory)
}

/// What a third of the time needs to become steady does not count. The least of a while is what is kept.
fn begin_and_end(samples: &[f64]) -> Result<(f64, f64)> {
    let steady = samples.get(samples.len() / 3..).unwrap_or_default();
    let quarter = steady.len() / 4;
    let least = |part: Option<&[f64]>| part.unwrap_or_default().iter().copied().reduce(f64::min);
    let begin = least(steady.get(..quarter));
    let end = least(steady.get(steady.len() - quarter..));
    begin
        .zip(end)
        .ok_or_else(|| Error::new("too short to say anything"))
}

/// Reloads and makes new keys for as long as it is asked to; gives the memory at every look.
fn disturb(
    scene: &Scene<'_>,
    length: Duration,
    ends: &AtomicBool,
    memory: impl Fn() -> Result<f64>,
) -> Result<Vec<f64>> {
    let begin = Instant::now();
    let (mut reloaded, mut rotations) = (begin, 0);
    let mut samples = Vec::new();
    while begin.elapsed() < length && !ends.load(Ordering::Relaxed) {
        if begin.elapsed() > length / ROTATIONS * rotations {
            scene.acra.keys().add_client("test-client")?;
            rotations += 1;
        }
        if reloaded.elapsed() > RELOAD {
            scene.acra.signal(Signal::HUP)?;
            reloaded = Instant::now();
        }
        samples.push(memory()?);
        thread::sleep(LOOK);
    }
    Ok(samples)
}

/// One connection: logs in, does some rounds, and leaves; every other client without a word.
fn session(scene: &Scene<'_>, client: usize, statements: &AtomicUsize) -> Result<()> {
    let mut connection = scene.proxied()?;
    connection.pipeline(&[
        f::parse(
            "write",
            "INSERT INTO vault (id, secret) VALUES ($1, $2)",
            &[],
        ),
        f::parse("read", "SELECT secret FROM vault WHERE id = $1", &[]),
        f::sync(),
    ])?;
    for number in 0..ROUNDS {
        round(&mut connection, client * 1000)
            .context(|| format!("client {client}, round {number}"))?;
        connection.take_transcript();
        statements.fetch_add(10, Ordering::Relaxed);
    }
    if client.is_multiple_of(2) {
        connection.send(&f::terminate())?;
    }
    Ok(())
}

/// Ten statements, whose answers are compared.
fn round(connection: &mut Connection, first: usize) -> Result<()> {
    let secret = format!("the secret of {first}");
    connection.run(&format!(
        "INSERT INTO vault (id, secret) VALUES ({first}, '{secret}')"
    ))?;
    let select = format!("SELECT secret FROM vault WHERE id = {first}");
    same(&value(connection, &select)?, &hex(secret.as_bytes()))?;

    let id = (first + 1).to_string();
    connection.send_all(&[
        f::bind_text("", "write", &[Some(&id), Some(&secret)]),
        f::execute("", 0),
        f::bind_text("", "read", &[Some(&id)]),
        f::execute("", 0),
        f::sync(),
    ])?;
    let rows = rows_of(&connection.ready()?)?;
    same(&rows.concat().concat(), &hex(secret.as_bytes()))?;

    connection.send(&f::query("COPY vault (id, secret) FROM STDIN"))?;
    connection.until(b'G')?;
    let lines: String = (first + 2..first + 2 + ROWS)
        .map(|id| format!("{id}\t{secret}\n"))
        .collect();
    connection.send_all(&[f::copy_data(lines.as_bytes()), f::copy_done()])?;
    rows_of(&connection.ready()?)?;
    let last = first + 2 + ROWS;
    let answers = connection.query(&format!(
        "COPY (SELECT secret FROM vault WHERE id >= {first} AND id < {last}) TO STDOUT"
    ))?;
    let line = format!("\\\\x{}\n", const_hex::encode(&secret));
    let opened = answers
        .iter()
        .filter(|message| message.tag == b'd' && message.body == line.as_bytes());
    same(&opened.count().to_string(), &(ROWS + 2).to_string())?;

    let refused = connection.query("SELECT id FROM vault WHERE secret = 'x'")?;
    same(&code(&refused), "0A000")?;
    connection.run("BEGIN")?;
    let failed = connection.query("UPDATE vault SET secret = 'x', note = 1/0")?;
    same(&code(&failed), "22012")?;
    connection.run("ROLLBACK")?;
    connection.run(&format!(
        "DELETE FROM vault WHERE id >= {first} AND id < {last}"
    ))
}

fn code(answers: &[Message]) -> String {
    answers
        .iter()
        .find_map(|message| message.field(b'C'))
        .unwrap_or_default()
}

fn same(found: &str, expected: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::new(format!("{found}, expected {expected}"))),
    }
}

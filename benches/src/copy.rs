//! COPY of many rows with one encrypted column, in both directions: time, CPU time and peak memory, beside the same
//! without `acra-server`, and beside what making and opening the containers alone costs. What the database can take and give
//! is told by a direct COPY of what it stores: the sealed values.

use crate::client::Client;
use crate::report::Spread;
use crate::target::{DATABASE, Servers, Target};
use crate::usage::Usage;
use acra_engine::cell::{self, Form, Kind, Opener, Scratch, Tally};
use acra_engine::crypto::container::Envelope;
use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::keys::ClientKeys;
use acra_engine::wire::pg::Format;
use acra_harness::raw::frontend::{copy_data, copy_done, query};
use acra_harness::{Error, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Rows in one CopyData message.
const BATCH: usize = 500;

/// Copies so many rows into `people` and out of it, `rounds` times by every target in turn, and prints the least times (and the medians).
pub(crate) fn run(rows: usize, rounds: usize) -> Result<()> {
    let servers = Servers::start()?;
    let targets = servers.targets();
    let plain = statement(rows, |row| format!("{row}\tname {row}\t078-05-{row:07}\n"));
    let stored = stored()?;
    let stored = statement(rows, |row| format!("{row}\tname {row}\t\\{stored}\n"));
    let mut ways = Vec::new();
    for (name, target, request) in [
        ("direct", "direct", &plain),
        ("direct, sealed values", "direct", &stored),
        ("null relay", "null relay", &plain),
        ("null relay, sealed values", "null relay", &stored),
        ("acra-server", "acra-server", &plain),
    ] {
        let target = targets.iter().find(|known| known.name == target);
        ways.extend(target.map(|target| (name, target, request)));
    }
    let mut into = vec![Vec::new(); ways.len()];
    let mut out = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (at, (_, target, request)) in ways.iter().enumerate() {
            servers.postgres.run(DATABASE, "TRUNCATE people")?;
            into[at].push(timed(target, request)?);
            out[at].push(timed(target, &query("COPY people TO STDOUT"))?);
        }
    }
    for (name, measured) in [("COPY … FROM STDIN", into), ("COPY … TO STDOUT", out)] {
        println!("{name}, {rows} rows, one encrypted column of 14 bytes");
        for ((way, ..), turns) in ways.iter().zip(measured) {
            let (elapsed, cpu): (Vec<_>, Vec<_>) = turns.into_iter().unzip();
            let spread = |times: Vec<Duration>| Spread::of(times.iter().map(Duration::as_secs_f64));
            let (elapsed, cpu) = (spread(elapsed), spread(cpu));
            println!(
                "  {way:<26} {:>6.2} ({:>5.2}) s  {:>6.2} ({:>5.2}) s of CPU",
                elapsed.minimum, elapsed.median, cpu.minimum, cpu.median
            );
        }
    }
    let (sealing, opening) = containers(rows)?;
    println!("the containers alone");
    for (way, cpu) in [("sealing", sealing), ("opening", opening)] {
        println!("  {way:<26} {:>6} {:>8.2} s of CPU", "", cpu.as_secs_f64());
    }
    let ours = targets.iter().find_map(|target| match target.name {
        "acra-server" => target.process,
        _ => None,
    });
    if let Some(process) = ours {
        println!("peak memory of acra-server: {} KiB", peak(process)?);
    }
    Ok(())
}

/// All messages of a COPY of these lines.
fn statement(rows: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    let mut request = query("COPY people (id, name, ssn) FROM STDIN");
    let mut batch = String::new();
    for row in 0..rows {
        let _ = batch.write_str(&line(row));
        if row % BATCH == BATCH - 1 || row + 1 == rows {
            request.extend(copy_data(batch.as_bytes()));
            batch.clear();
        }
    }
    request.extend(copy_done());
    request
}

/// How long a request takes, and the CPU time of the process in between.
fn timed(target: &Target, request: &[u8]) -> Result<(Duration, Duration)> {
    let mut client = Client::connect(target)?;
    let (before, begin) = (Usage::of(target.process), Instant::now());
    client.round(request)?;
    let elapsed = begin.elapsed();
    let cpu = Usage::of(target.process).since(before).cpu;
    client.end();
    Ok((elapsed, cpu))
}

const FORM: Form = Form {
    envelope: Envelope::AcraBlock,
    reencrypt: true,
    mask: None,
    search: None,
};

fn failed(what: &str) -> Error {
    Error::new(format!("{what} failed"))
}

fn keys() -> Result<ClientKeys> {
    let key = BlockKey::new(Secret::from(vec![7; 32])).map_err(|_| failed("making a key"))?;
    Ok(ClientKeys {
        symmetric: vec![key],
        ..ClientKeys::default()
    })
}

/// A sealed value as the database reads it.
fn stored() -> Result<String> {
    let mut rng = StdRng::seed_from_u64(2);
    let sealed = cell::seal(b"078-05-0000000", FORM, &keys()?, &mut rng)
        .map_err(|_| failed("sealing"))?
        .ok_or_else(|| failed("sealing"))?;
    let mut hex = Vec::new();
    cell::bytea::encode_hex(sealed.as_bytes(), &mut hex);
    String::from_utf8(hex).map_err(|_| failed("writing hexadecimal digits"))
}

/// CPU time of sealing so many values, and of opening them.
fn containers(rows: usize) -> Result<(Duration, Duration)> {
    let mut rng = StdRng::seed_from_u64(1);
    let keys = keys()?;
    let mut last = None;
    // Others who use the machine make a loop longer that never waits.
    let own = || Usage::of(Some(std::process::id()));
    let begin = own();
    for row in 0..rows {
        let value = format!("078-05-{row:07}");
        last =
            cell::seal(value.as_bytes(), FORM, &keys, &mut rng).map_err(|_| failed("sealing"))?;
    }
    let sealing = own().since(begin).cpu;
    let sealed = last.ok_or_else(|| failed("sealing"))?;
    let (mut tally, mut scratch) = (Tally::default(), Scratch::default());
    let mut opener = Opener {
        keys: &keys,
        poison: None,
        is_poisoned: false,
        pattern: None,
        searches: false,
        tally: &mut tally,
    };
    let begin = own();
    for _ in 0..rows {
        let opened = cell::open(
            sealed.as_bytes(),
            Kind::Bytes,
            Format::Binary,
            &mut opener,
            &mut scratch,
        );
        if !opened {
            return Err(failed("opening"));
        }
    }
    Ok((sealing, own().since(begin).cpu))
}

/// Peak resident memory in KiB.
fn peak(process: u32) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    status
        .lines()
        .find_map(|line| {
            let peak = line.strip_prefix("VmHWM:")?.trim();
            peak.strip_suffix(" kB")?.parse().ok()
        })
        .ok_or_else(|| Error::new("/proc has no VmHWM of acra-server"))
}

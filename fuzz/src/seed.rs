//! Seeds for the targets, made of what the engine's tests have: recorded sessions, the corpus of statements, vectors.
//!
//! They are made anew instead of being kept: what is kept in `corpus/` is only what was found by fuzzing.

use crate::{keystore, stream};
use acra_engine::wire::mysql::compressed::{self, Algorithm, Codec};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Longest part of a recording in a seed; what comes later is more of the same.
const RECORDED: usize = 4000;

/// Writes the seeds below this folder, a folder for each target.
///
/// # Errors
///
/// A file of the engine's tests cannot be read, or a seed cannot be written.
pub fn write_all(folder: &Path) -> io::Result<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests");
    let mut seeds = Seeds {
        folder: folder.to_owned(),
        count: 0,
    };
    statements(&tests.join("corpus"), &[0], &mut seeds)?;
    statements(
        &tests.join("corpus/mysql"),
        &[5, 6, 7, 8, 9, 10],
        &mut seeds,
    )?;
    recordings(&tests, &mut seeds)?;
    for seed in keystore::seeds(|file| vectors(&tests, file))? {
        seeds.add("keystore", &[&seed])?;
    }
    configurations(&tests, &mut seeds)?;
    for content in [&b"SELECT 1"[..], &[7; 100], &b"acra ".repeat(900)] {
        for (kind, algorithm) in [(0, Algorithm::Zlib), (0x80, Algorithm::Zstd)] {
            let mut packet = Vec::new();
            compressed::write(&mut packet, &mut Codec::default(), algorithm, 0, content);
            // The kind, and no damage.
            seeds.add("compressed", &[&[0, 0, 0, kind, 0], &packet])?;
        }
    }
    for cell in inputs(&vectors(&tests, "detection")?, "cell") {
        // Of one part, which is bytes.
        seeds.add("containers", &[&[1, 0, 0, 0, 0], &cell])?;
    }
    rows(&mut seeds)?;
    let mut rng = StdRng::seed_from_u64(1);
    for length in (32..2048).step_by(32) {
        let mut bytes = vec![0; length];
        rng.fill_bytes(&mut bytes);
        seeds.add("session", &[&bytes])?;
        seeds.add("mysql_session", &[&bytes])?;
        seeds.add("containers", &[&bytes])?;
        seeds.add("tokens", &[&bytes])?;
    }
    Ok(())
}

/// How many ways to read a text there are.
const READINGS: u64 = 11;

struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    fn add(&mut self, target: &str, parts: &[&[u8]]) -> io::Result<()> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        self.count += 1;
        fs::write(folder.join(format!("{:05}", self.count)), parts.concat())
    }
}

/// The statements of a folder of the corpus, in these readings.
fn statements(folder: &Path, readings: &[u32], seeds: &mut Seeds) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = fs::read_to_string(path)?;
        let mut statement = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with("=> ") {
                for (target, reading) in ["sql", "plan"]
                    .into_iter()
                    .flat_map(|target| readings.iter().map(move |reading| (target, reading)))
                {
                    // The first of several forms for a number between zero and one.
                    let first = (u64::from(*reading) << 32).div_ceil(READINGS) as u32;
                    seeds.add(target, &[&first.to_le_bytes(), statement.trim().as_bytes()])?;
                }
                statement.clear();
            } else {
                statement.push_str(line);
                statement.push('\n');
            }
        }
    }
    Ok(())
}

fn recordings(tests: &Path, seeds: &mut Seeds) -> io::Result<()> {
    for entry in fs::read_dir(tests.join("recordings"))? {
        let folder = entry?.path();
        let order = fs::read_to_string(folder.join("order.txt"))?;
        let streams = [
            fs::read(folder.join("client.bin"))?,
            fs::read(folder.join("server.bin"))?,
        ];
        let name = folder.file_name().unwrap_or_default().as_encoded_bytes();
        let is_mysql = name.starts_with(b"mysql-") || name.starts_with(b"mariadb-");
        for stream in streams.iter().filter(|_| !is_mysql) {
            seeds.add("frames", &[&[0], &stream[..stream.len().min(RECORDED)]])?;
        }
        let (mut at, mut turns, mut length) = ([0, 0], Vec::new(), 0);
        for line in order.lines() {
            let (sign, count) = line.split_once(' ').unwrap_or_default();
            let count: usize = count.parse().map_err(io::Error::other)?;
            let side = usize::from(sign != ">");
            turns.push((side == 0, &streams[side][at[side]..at[side] + count]));
            at[side] += count;
            length += count;
            if length > RECORDED {
                break;
            }
        }
        let target = if is_mysql { "mysql_stream" } else { "stream" };
        for flags in [0, 1, 3, 8] {
            seeds.add(target, &[&stream::seed(flags, &turns)])?;
        }
    }
    Ok(())
}

fn configurations(tests: &Path, seeds: &mut Seeds) -> io::Result<()> {
    let document = fs::read(tests.join("corpus/encryptor.yaml"))?;
    let more = include_bytes!("encryptor.yaml");
    for document in [&document[..], more] {
        seeds.add("columns", &[&[0, 0], document])?;
    }
    for text in [
        &b"\0--db_port=5433\n-tls\nfalse\n--db_host\nlocalhost\nrest"[..],
        b"\0--config_file=x\0version: 0.96.0\ndb_port: 0x10\ntls: false\ndb_host: \"h\"\n",
        b"\x01--db_host=h\nread\n--tls=0\nname\0db_port: 1\n",
        b"\0--dump_config\n--generate_markdown_args_table",
        b"\0--help",
    ] {
        seeds.add("flags", &[text])?;
    }
    Ok(())
}

/// Rows for COPY: the dialect, version, no cuts, and the rows.
fn rows(seeds: &mut Seeds) -> io::Result<()> {
    let text = b"1|name|secret\n2|a \\| b|\\\\x0061\n3||\\N\n\\.\n";
    seeds.add("copy", &[&[0; 4], &[0, 0, 0, 0, 0, 0], text])?;
    let csv = b"id|name|ssn\n1|\"a\"\"b\"|\"se\ncret\"\n2|\"\"|\\x6162\n3||\n";
    let second = [0x56, 0x55, 0x55, 0x55];
    seeds.add("copy", &[&second, &[0, 0, 1, 0, 0, 0, 0, 0, 0], csv])?;
    let third = [0xab, 0xaa, 0xaa, 0xaa];
    let binary = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x06secret\xff\xff";
    seeds.add("copy", &[&third, &[0, 0, 0], binary])
}

/// The vectors of a file.
fn vectors(tests: &Path, file: &str) -> io::Result<Vec<Value>> {
    let text = fs::read(tests.join(format!("vectors/{file}.json")))?;
    let mut file: Value = serde_json::from_slice(&text)?;
    match file["vectors"].take() {
        Value::Array(vectors) => Ok(vectors),
        _ => Err(io::Error::other("a file without vectors")),
    }
}

/// The inputs of this name that are bytes in hex.
pub(crate) fn inputs(vectors: &[Value], name: &str) -> Vec<Vec<u8>> {
    let hex = vectors
        .iter()
        .filter_map(|vector| vector["in"][name].as_str());
    hex.filter_map(|hex| const_hex::decode(hex).ok()).collect()
}

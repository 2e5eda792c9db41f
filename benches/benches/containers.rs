//! Sealing, opening and finding containers; beside the first two what they cannot do without.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use acra_benches::floor;
use acra_engine::cell::{self, Kind, Opener, Scratch, Tally};
use acra_engine::crypto::{
    BlockKey, KeyPairType, PrivateKey, Secret, acrablock, acrastruct, container, detect,
};
use acra_engine::keys::ClientKeys;
use acra_engine::wire::pg::Format;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const SIZES: [usize; 4] = [16, 64, 1024, 65536];

fn keys() -> ClientKeys {
    let key = BlockKey::new(Secret::from(vec![9; 32])).expect("32 bytes are a key");
    ClientKeys {
        symmetric: vec![key],
        ..ClientKeys::default()
    }
}

fn sealed(keys: &ClientKeys, size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let key = keys.current().expect("there is one");
    container::seal_block(key, &mut rand::rng(), &vec![b'x'; size], &mut out).expect("seals");
    out
}

fn blocks(criterion: &mut Criterion) {
    let keys = keys();
    let key = keys.current().expect("there is one");
    let mut group = criterion.benchmark_group("acrablock");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let plain = vec![b'x'; size];
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("seal", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                acrablock::seal(key, &mut rand::rng(), black_box(&plain), &mut out)
            });
        });
        let mut block = Vec::new();
        acrablock::seal(key, &mut rand::rng(), &plain, &mut block).expect("seals");
        group.bench_function(BenchmarkId::new("open", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                acrablock::open(&keys.symmetric, black_box(&block), &mut out)
            });
        });
        let mut floor = floor::Block::new(size);
        group.bench_function(BenchmarkId::new("floor of seal", size), |bencher| {
            bencher.iter(|| black_box(floor.seal(&mut rand::rng())).len());
        });
        let mut floor = floor::Block::new(size);
        group.bench_function(BenchmarkId::new("floor of open", size), |bencher| {
            bencher.iter(|| black_box(floor.open()).len());
        });
    }
    group.finish();
}

fn structs(criterion: &mut Criterion) {
    for kind in [KeyPairType::P256, KeyPairType::X25519] {
        let key = PrivateKey::generate(kind, &mut rand::rng()).expect("random numbers are random");
        let recipient = key.public().expect("every private key has one");
        let keys = [key];
        let mut group = criterion.benchmark_group(format!("acrastruct {kind}"));
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            let plain = vec![b'x'; size];
            let mut out = Vec::new();
            group.bench_function(BenchmarkId::new("seal", size), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    acrastruct::seal(&recipient, &mut rand::rng(), black_box(&plain), &mut out)
                });
            });
            let mut sealed = Vec::new();
            acrastruct::seal(&recipient, &mut rand::rng(), &plain, &mut sealed).expect("seals");
            group.bench_function(BenchmarkId::new("open", size), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    acrastruct::open(&keys, black_box(&sealed), &mut out)
                });
            });
            group.bench_function(
                BenchmarkId::new("floor of open", size),
                |bencher| match kind {
                    KeyPairType::P256 => {
                        let mut floor = floor::p256(size);
                        bencher.iter(|| black_box(floor.open()).len());
                    }
                    KeyPairType::X25519 => {
                        let mut floor = floor::x25519(size);
                        bencher.iter(|| black_box(floor.open()).len());
                    }
                },
            );
        }
        group.finish();
    }
}

fn detection(criterion: &mut Criterion) {
    let keys = keys();
    let mut group = criterion.benchmark_group("detection");
    for size in [64, 1024, 65536] {
        let plain: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("no container", size), |bencher| {
            bencher.iter(|| detect::may_hold_container(black_box(&plain)));
        });
    }
    let stored = sealed(&keys, 64);
    let hex = format!("\\x{}", const_hex::encode(&stored)).into_bytes();
    let (mut scratch, mut tally) = (Scratch::default(), Tally::default());
    for (name, cell, format) in [
        ("64 bytes, binary", &stored, Format::Binary),
        ("64 bytes, hex", &hex, Format::Text),
    ] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("cell", name), |bencher| {
            bencher.iter(|| {
                let mut opener = Opener {
                    keys: &keys,
                    poison: None,
                    is_poisoned: false,
                    pattern: None,
                    searches: false,
                    tally: &mut tally,
                };
                cell::open(
                    black_box(cell),
                    Kind::Bytes,
                    format,
                    &mut opener,
                    &mut scratch,
                )
            });
        });
    }
    group.finish();
}

criterion_group!(benches, blocks, structs, detection);
criterion_main!(benches);

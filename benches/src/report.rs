//! Numbers → a table.

use crate::client::Turn;
use crate::scenario::Scenario;
use crate::target::Target;
use acra_benches::floor::of_blocks;
use std::time::Duration;

/// Size in bytes of the protected values, about.
const SIZE: usize = 16;

/// One line of the table.
struct Line {
    cpu_minimum: f64,
    cpu_median: f64,
    switches: f64,
    tps: f64,
    p50: Duration,
    p99: Duration,
}

/// Prints what was measured; ratios are to the target of the name `base`.
pub(crate) fn print(scenario: &Scenario, targets: &[Target], measured: &[Vec<Turn>], base: &str) {
    println!("{}", scenario.name);
    println!(
        "  {:<12} {:>10} {:>10} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "", "CPU µs min", "median", "ratio", "switches", "ratio", "tps", "p50 µs", "p99 µs"
    );
    let lines: Vec<Line> = measured.iter().map(|turns| line(turns)).collect();
    let base = targets.iter().position(|target| target.name == base);
    let base = base.and_then(|at| lines.get(at));
    for (target, line) in targets.iter().zip(&lines) {
        let ratio = |value: f64, base: Option<f64>| match base {
            Some(base) if target.process.is_some() && base > 0.0 => format!("{:.2}", value / base),
            _ => "-".to_owned(),
        };
        println!(
            "  {:<12} {:>10.1} {:>10.1} {:>7} {:>9.2} {:>7} {:>9.0} {:>9.0} {:>9.0}",
            target.name,
            line.cpu_minimum,
            line.cpu_median,
            ratio(line.cpu_minimum, base.map(|base| base.cpu_minimum)),
            line.switches,
            ratio(line.switches, base.map(|base| base.switches)),
            line.tps,
            line.p50.as_secs_f64() * 1e6,
            line.p99.as_secs_f64() * 1e6,
        );
    }
    if let (Some(base), Some(ours)) = (base, lines.last()) {
        floor(scenario, base.cpu_minimum, ours.cpu_minimum);
    }
    println!();
}

/// What the containers of a query cost at least, and what `acra-server`, the last target, costs beyond a relay and that.
fn floor(scenario: &Scenario, base: f64, ours: f64) {
    let containers = scenario.opens + scenario.seals;
    if containers == 0 {
        return;
    }
    let (seal, open) = of_blocks(SIZE);
    let floor = (seal * scenario.seals + open * scenario.opens).as_secs_f64() * 1e6;
    println!(
        "  floor of {containers} containers: {floor:.1} µs; acra-server = base + floor + {:.1} µs = {:.2} x (base + floor)",
        ours - base - floor,
        ours / (base + floor)
    );
}

fn line(turns: &[Turn]) -> Line {
    let sorted = |of: &dyn Fn(&Turn) -> f64| {
        let mut values: Vec<f64> = turns.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let queries = |turn: &Turn| turn.latencies.len().max(1) as f64;
    let cpu = sorted(&Turn::cpu);
    let seconds = sorted(&|turn| turn.elapsed.as_secs_f64() / queries(turn));
    let mut latencies: Vec<Duration> = turns
        .iter()
        .flat_map(|turn| turn.latencies.clone())
        .collect();
    latencies.sort_unstable();
    let quantile = |part: f64| {
        let at = (latencies.len() as f64 * part) as usize;
        latencies.get(at).copied().unwrap_or_default()
    };
    Line {
        cpu_minimum: cpu.first().copied().unwrap_or_default(),
        cpu_median: middle(&cpu),
        switches: middle(&sorted(&|turn| turn.usage.switches as f64 / queries(turn))),
        tps: 1.0 / middle(&seconds),
        p50: quantile(0.5),
        p99: quantile(0.99),
    }
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

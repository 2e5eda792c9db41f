//! Numbers → a table.

use crate::client::Turn;
use crate::scenario::Scenario;
use crate::target::Target;
use acra_benches::floor::of_blocks;
use std::time::Duration;

/// Size in bytes of the protected values, about.
const SIZE: usize = 16;

/// What several rounds have measured of one thing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    /// The least, which what else the machine does disturbs least.
    pub(crate) minimum: f64,
    /// The middle one.
    pub(crate) median: f64,
}

impl Spread {
    /// Of these values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self {
            minimum: values.first().copied().unwrap_or_default(),
            median: values.get(values.len() / 2).copied().unwrap_or_default(),
        }
    }

    /// The ratios of both to those of `base`, in words.
    pub(crate) fn ratio(self, base: Self) -> String {
        match base.minimum > 0.0 && base.median > 0.0 {
            true => format!(
                "{:.2} ({:.2})",
                self.minimum / base.minimum,
                self.median / base.median
            ),
            false => "-".to_owned(),
        }
    }
}

/// One line of the table.
struct Line {
    cpu: Spread,
    switches: f64,
    tps: f64,
    p50: Duration,
    p99: Duration,
}

/// Prints what was measured; ratios are to the target of the name `base`.
pub(crate) fn print(scenario: &Scenario, targets: &[Target], measured: &[Vec<Turn>], base: &str) {
    println!("{}", scenario.name);
    println!(
        "  {:<12} {:>10} {:>10} {:>13} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "", "CPU µs min", "median", "ratio", "switches", "ratio", "tps", "p50 µs", "p99 µs"
    );
    let lines: Vec<Line> = measured.iter().map(|turns| line(turns)).collect();
    let base = targets.iter().position(|target| target.name == base);
    let base = base.and_then(|at| lines.get(at));
    for (target, line) in targets.iter().zip(&lines) {
        let base = base.filter(|_| target.process.is_some());
        let cpu_ratio = base.map(|base| line.cpu.ratio(base.cpu));
        let switches_ratio = base
            .filter(|base| base.switches > 0.0)
            .map(|base| format!("{:.2}", line.switches / base.switches));
        let none = || "-".to_owned();
        println!(
            "  {:<12} {:>10.1} {:>10.1} {:>13} {:>9.2} {:>7} {:>9.0} {:>9.0} {:>9.0}",
            target.name,
            line.cpu.minimum,
            line.cpu.median,
            cpu_ratio.unwrap_or_else(none),
            line.switches,
            switches_ratio.unwrap_or_else(none),
            line.tps,
            line.p50.as_secs_f64() * 1e6,
            line.p99.as_secs_f64() * 1e6,
        );
    }
    if let (Some(base), Some(ours)) = (base, lines.last()) {
        floor(scenario, base.cpu, ours.cpu);
    }
    println!();
}

/// What the containers of a query cost at least, and what `acra-server`, the last target, costs beyond a relay and that.
fn floor(scenario: &Scenario, base: Spread, ours: Spread) {
    let containers = scenario.opens + scenario.seals;
    if containers == 0 {
        return;
    }
    let (seal, open) = of_blocks(SIZE);
    let floor = (seal * scenario.seals + open * scenario.opens).as_secs_f64() * 1e6;
    println!(
        "  floor of {containers} containers: {floor:.1} µs; acra-server = base + floor + {:.1} ({:.1}) µs = {:.2} ({:.2}) x (base + floor)",
        ours.minimum - base.minimum - floor,
        ours.median - base.median - floor,
        ours.minimum / (base.minimum + floor),
        ours.median / (base.median + floor)
    );
}

fn line(turns: &[Turn]) -> Line {
    let median = |of: &dyn Fn(&Turn) -> f64| Spread::of(turns.iter().map(of)).median;
    let queries = |turn: &Turn| turn.latencies.len().max(1) as f64;
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
        cpu: Spread::of(turns.iter().map(Turn::cpu)),
        switches: median(&|turn| turn.usage.switches as f64 / queries(turn)),
        tps: 1.0 / median(&|turn| turn.elapsed.as_secs_f64() / queries(turn)),
        p50: quantile(0.5),
        p99: quantile(0.99),
    }
}

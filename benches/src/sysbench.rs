//! What a query costs on MariaDB: sysbench reads rows with no, one and three protected columns, by texts and by prepared
//! statements, and on compressed connections.

use crate::Effort;
use crate::report::Spread;
use crate::usage::Usage;
use acra_harness::mysql::{Connection, Login};
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql, Proxy};
use acra_harness::{Context, Error, Result, paths};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;

const SCHEMA: &str = "test";
const ROWS: usize = 1000;

const COLUMNS: &str = "schemas:
  - table: sb1
    columns: [id, k, a, b, c]
    encrypted: [{column: a}]
  - table: sb3
    columns: [id, k, a, b, c]
    encrypted: [{column: a}, {column: b}, {column: c}]
";

/// One kind of load.
#[derive(Debug, Clone, Copy)]
struct Load {
    table: &'static str,
    columns: &'static str,
    /// Ten rows by key, a range of a hundred and a sum in a transaction; otherwise rows by key.
    transactions: bool,
    /// By prepared statements; otherwise by texts.
    prepared: bool,
    /// On compressed connections, which all but `acra-server` pass as they are.
    compressed: bool,
}

/// Where queries are sent, and the process whose use counts.
#[derive(Debug)]
struct Target {
    name: &'static str,
    address: SocketAddr,
    process: Option<u32>,
}

/// Prints CPU time per query of everything that stands between.
pub(crate) fn run(effort: Effort) -> Result<()> {
    let database = MySql::shared(Flavour::MariaDb)?
        .ok_or_else(|| Error::new("run this by scripts/bench.sh mysql"))?;
    let upstream = database.address();
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let (relay, haproxy) = (
        Proxy::null_relay(upstream)?,
        Proxy::haproxy(upstream, threads)?,
    );
    let config = AcraConfig::new(upstream).encryptor_yaml(COLUMNS);
    let mut ours = AcraServer::start(&config.flag("--mysql_enable=true"))?;
    let process = ours.daemon().id();
    fill(upstream, ours.address())?;
    let target = |name, address, process| Target {
        name,
        address,
        process,
    };
    let targets = [
        target("direct", upstream, None),
        target("null relay", relay.address(), Some(relay.id())),
        target("HAProxy", haproxy.address(), Some(haproxy.id())),
        target("acra-server", ours.address(), Some(process)),
    ];
    println!(
        "MariaDB, sysbench: CPU µs per query, minimum (median) of {} rounds, and their ratios to the null relay's",
        effort.rounds
    );
    for load in loads() {
        println!("{}", load.name());
        let mut measured = vec![Vec::new(); targets.len()];
        for _ in 0..effort.rounds {
            for (target, turns) in targets.iter().zip(&mut measured) {
                turns.push(turn(target, load, effort)?);
            }
        }
        print(&targets, &measured);
    }
    Ok(())
}

fn loads() -> impl Iterator<Item = Load> {
    let tables = [("sb0", "a"), ("sb1", "a"), ("sb3", "a, b, c")];
    let ways = [
        (false, false, false),
        (false, true, false),
        (true, false, false),
        (true, true, false),
        (false, true, true),
        (true, true, true),
    ];
    ways.into_iter()
        .flat_map(move |(transactions, prepared, compressed)| {
            tables.into_iter().map(move |(table, columns)| Load {
                table,
                columns,
                transactions,
                prepared,
                compressed,
            })
        })
}

impl Load {
    fn name(self) -> String {
        let what = if self.transactions {
            "read only"
        } else {
            "point select"
        };
        let how = if self.prepared { "prepared" } else { "text" };
        let compressed = if self.compressed { ", compressed" } else { "" };
        let protected = self.table.trim_start_matches("sb");
        format!("{what}, {how}{compressed}, protected columns: {protected}")
    }
}

/// What one target did in one turn.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// µs of CPU per query.
    cpu: f64,
    queries_per_second: f64,
}

fn turn(target: &Target, load: Load, effort: Effort) -> Result<Turn> {
    let seconds = effort.turn.as_secs_f64().ceil();
    let before = Usage::of(target.process);
    let mut command = Command::new("sysbench");
    command
        .arg(paths::workspace().join("benches/sysbench/select.lua"))
        .args([
            "--mysql-host=127.0.0.1",
            "--mysql-user=test",
            "--report-interval=0",
        ])
        .arg(format!("--mysql-port={}", target.address.port()))
        .arg(format!("--mysql-db={SCHEMA}"))
        .arg(format!("--threads={}", effort.connections))
        .arg(format!("--time={seconds}"))
        .arg(format!("--table={}", load.table))
        .arg(format!("--columns={}", load.columns))
        .arg(format!("--rows={ROWS}"))
        .arg(format!(
            "--db-ps-mode={}",
            if load.prepared { "auto" } else { "disable" }
        ));
    if load.compressed {
        command.arg("--mysql-compression=on");
    }
    if load.transactions {
        command.arg("--transactions=on");
    }
    let output = command
        .arg("run")
        .output()
        .context(|| "sysbench; run scripts/setup.sh bench".to_owned())?;
    let usage = Usage::of(target.process).since(before);
    let text = String::from_utf8_lossy(&output.stdout);
    // As in "    queries:    81234  (40615.22 per sec.)".
    let queries = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("queries:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .filter(|queries| output.status.success() && *queries > 0.0)
        .ok_or_else(|| Error::new(format!("{}: sysbench failed: {text}", target.name)))?;
    Ok(Turn {
        cpu: usage.cpu.as_secs_f64() * 1e6 / queries,
        queries_per_second: queries / seconds,
    })
}

fn print(targets: &[Target], measured: &[Vec<Turn>]) {
    let mut base = Spread::default();
    for (target, turns) in targets.iter().zip(measured) {
        let cpu = Spread::of(turns.iter().map(|turn| turn.cpu));
        let queries = Spread::of(turns.iter().map(|turn| turn.queries_per_second));
        if target.name == "null relay" {
            base = cpu;
        }
        let ratio = match target.process {
            Some(_) => cpu.ratio(base),
            None => "-".to_owned(),
        };
        println!(
            "  {:<12} {:>7.1} ({:>5.1}) {ratio:>13} {:>8.0} queries/s",
            target.name, cpu.minimum, cpu.median, queries.median
        );
    }
}

/// The tables, of which two are filled through `acra-server`.
fn fill(database: SocketAddr, ours: SocketAddr) -> Result<()> {
    for (table, address) in [("sb0", database), ("sb1", ours), ("sb3", ours)] {
        let mut direct = connect(database)?;
        direct.run(&format!("DROP TABLE IF EXISTS {table}"))?;
        direct.run(&format!(
            "CREATE TABLE {table} (id int PRIMARY KEY, k int NOT NULL, a varbinary(400), b varbinary(400), c varbinary(400))"
        ))?;
        let mut insert = format!("INSERT INTO {table} (id, k, a, b, c) VALUES ");
        for id in 1..=ROWS {
            let comma = if id > 1 { ", " } else { "" };
            // Of the length of sysbench's own column.
            let value = |name: char| format!("{name}-{id:0118}");
            let (a, b, c) = (value('a'), value('b'), value('c'));
            write!(insert, "{comma}({id}, {id}, '{a}', '{b}', '{c}')")?;
        }
        connect(address)?.run(&insert)?;
        direct.run(&format!("ANALYZE TABLE {table}"))?;
    }
    Ok(())
}

fn connect(address: SocketAddr) -> Result<Connection> {
    let mut connection = Connection::open(address)?;
    connection.login(Login {
        user: "test",
        auth: b"",
        schema: SCHEMA,
        capabilities: Default::default(),
    })?;
    Ok(connection)
}

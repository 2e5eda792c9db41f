//! `record --listen ADDRESS --upstream ADDRESS --out FOLDER`: records the next client's session with a server, in the
//! form of `engine/tests/recordings`, and ends with it.
//!
//! The recording of tokio-postgres was made by this, with PostgreSQL 15 and the example of this package beside it:
//!
//! ```sh
//! record --listen 127.0.0.1:7432 --upstream 127.0.0.1:5432 --out engine/tests/recordings/tokio-postgres &
//! cargo run -p acra-harness --example tokio-postgres-session -- 127.0.0.1:7432
//! ```

use acra_harness::record::Recording;
use acra_harness::{Context, Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

fn run() -> Result<()> {
    let (mut listen, mut upstream, mut out) = (None, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let slot = match &*name {
            "--listen" => &mut listen,
            "--upstream" => &mut upstream,
            "--out" => &mut out,
            _ => return Err(Error::new(format!("unknown argument {name}"))),
        };
        *slot = arguments.next();
    }
    let (Some(listen), Some(upstream), Some(out)) = (listen, upstream, out) else {
        let usage = "usage: record --listen ADDRESS --upstream ADDRESS --out FOLDER";
        return Err(Error::new(usage));
    };
    let upstream: SocketAddr = upstream
        .parse()
        .context(|| format!("--upstream {upstream}"))?;
    let listener = TcpListener::bind(&listen).context(|| format!("--listen {listen}"))?;
    Recording::of_next_client(&listener, upstream)?.save(Path::new(&out))
}

#[expect(clippy::print_stderr, reason = "a developer's tool")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record: {error}");
            ExitCode::FAILURE
        }
    }
}

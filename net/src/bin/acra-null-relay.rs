//! `acra-null-relay`: the pump with an empty session, the baseline of the macro benchmarks.
//!
//! `acra-null-relay --listen ADDRESS --upstream ADDRESS [--threads N]`

use acra_engine::session::{Answer, Ask, Event, KeyFault, NullSession};
use acra_net::{Budget, Handler, Listener, Services, pump};
use std::future::pending;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpStream;

struct Relay {
    upstream: SocketAddr,
    budget: Budget,
}

impl Services for Relay {
    async fn dial(&self) -> Result<TcpStream, String> {
        let socket = TcpStream::connect(self.upstream)
            .await
            .map_err(|error| error.to_string())?;
        socket
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        Ok(socket)
    }

    fn answer(&self, Ask::Keys(client_id): Ask) -> impl Future<Output = Answer> + Send + 'static {
        std::future::ready(Answer::Keys(client_id, Err(KeyFault::Missing)))
    }

    fn event(&self, _: Event) {}
}

impl Handler for Relay {
    async fn serve(&self, client: TcpStream, _: SocketAddr) {
        pump(client, NullSession::default(), self, &self.budget).await;
    }
}

fn run() -> Result<(), String> {
    let (mut listen, mut upstream, mut threads) = (None, None, 2);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let address = || {
            value
                .parse::<SocketAddr>()
                .map_err(|error| format!("{name}: {error}"))
        };
        match &*name {
            "--listen" => listen = Some(address()?),
            "--upstream" => upstream = Some(address()?),
            "--threads" => threads = value.parse().map_err(|error| format!("{name}: {error}"))?,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    let listen = listen.ok_or("--listen is missing")?;
    let upstream = upstream.ok_or("--upstream is missing")?;
    let relay = Relay {
        upstream,
        budget: Budget::new(0),
    };
    Listener::bind(listen)
        .and_then(|listener| listener.serve(threads, Arc::new(relay), pending()))
        .map_err(|error| error.to_string())
}

#[expect(
    clippy::print_stderr,
    reason = "the only output of a benchmark's helper"
)]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("acra-null-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

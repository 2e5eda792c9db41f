//! `acra-null-relay`: the pump with an empty session, the baseline of the macro benchmarks.
//!
//! `acra-null-relay --listen ADDRESS --upstream ADDRESS [--threads N]`

use acra_engine::session::{Answer, Ask, Event, KeyFault, NullSession, TokenAnswers};
use acra_engine::tokens::TokenFault;
use acra_net::{
    Budget, Handler, Lifecycle, Listener, Peer, SecuredClient, Service, Services, Terms,
    TimeLimits, Transport, pump,
};
use std::future::pending;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

struct Relay {
    upstream: SocketAddr,
    terms: Terms,
}

impl Services<NullSession> for Relay {
    async fn dial(&self, _: bool) -> Result<Transport, String> {
        TcpStream::connect(self.upstream)
            .await
            .and_then(|stream| Transport::tcp(stream, None))
            .map_err(|error| error.to_string())
    }

    async fn secure(&self, _: Transport, _: Vec<u8>) -> Result<SecuredClient, String> {
        Err("the null relay has no TLS".to_owned())
    }

    async fn secure_server(&self, _: Transport) -> Result<Transport, String> {
        Err("the null relay has no TLS".to_owned())
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Answer> + Send + 'static {
        // Its sessions ask for nothing.
        std::future::ready(match ask {
            Ask::Keys(client_id) => Answer::Keys(client_id, Err(KeyFault::Missing)),
            Ask::Tokens(side, requests) => {
                let outcomes = vec![Err(TokenFault::StoreUnavailable); requests.len()];
                Answer::Tokens(side, TokenAnswers { requests, outcomes })
            }
        })
    }

    fn event(&self, _: Event) {}

    fn refresh(&self, _: &mut NullSession, _: &mut u64) {}
}

impl Handler for Relay {
    async fn serve(&self, client: Transport, _: Peer, _: bool) {
        pump(client, NullSession::default(), self, &self.terms).await;
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
    let lifecycle = Lifecycle::default();
    let relay = Relay {
        upstream,
        terms: Terms {
            budget: Budget::new(0),
            limits: TimeLimits::default(),
            lifecycle: lifecycle.clone(),
        },
    };
    let service = Service {
        threads,
        max_connections: 10_000,
        drain: Duration::ZERO,
        patience: None,
        lifecycle,
    };
    Listener::tcp(listen)
        .and_then(|listener| service.run(listener, &Arc::new(relay), async || pending().await))
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

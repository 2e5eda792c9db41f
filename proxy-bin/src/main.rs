//! `acra-server`: the transparent encryption proxy.
//!
//! `flags` knows the names, `settings` turns their values into something that can be used or a message that says why
//! not, `snapshot` is what a reload replaces, `service` gives sessions what they need from the process, `report` writes
//! their events to the log. Start-up follows cli.md 11.1.

mod address;
mod check;
mod explain;
mod exporter;
mod flags;
mod key_needs;
mod poison;
mod report;
mod revocation;
mod service;
mod settings;
mod signals;
mod snapshot;
mod tls;
mod tokens;
mod upstream;

use acra_cli::Outcome;
use acra_net::Listener;
use acra_telemetry::metrics::Metrics;
use acra_telemetry::{Logger, codes};
use exporter::Exporter;
use service::Service;
use settings::{Listen, Problems, Settings, StartError};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    match acra_cli::parse(&flags::flag_set(), arguments, |path| std::fs::read(path)) {
        Outcome::Run(parsed) if parsed.boolean("check_config") => check::run(&parsed),
        Outcome::Run(parsed) if !parsed.text("explain").is_empty() => explain::run(&parsed),
        Outcome::Run(parsed) => start(&parsed),
        Outcome::Help(text) => say(std::io::stderr(), &text, 0),
        Outcome::Version(text) => say(std::io::stdout(), &text, 0),
        Outcome::Dump(dump) => match dump.write() {
            Ok(()) => {
                let text = format!("Config dumped to {}", dump.path.display());
                say(std::io::stderr(), &text, 0)
            }
            Err(error) => say(std::io::stderr(), &error.to_string(), 1),
        },
        Outcome::Error(failure) => {
            let mut text = failure.to_string();
            if let Some(usage) = &failure.usage {
                text.push('\n');
                text.push_str(usage);
            }
            say(std::io::stderr(), &text, failure.exit_code)
        }
    }
}

/// Prints a text that is for the person at the terminal and not for the log.
fn say(mut to: impl std::io::Write, text: &str, exit_code: u8) -> ExitCode {
    // Nobody is there to be told that nobody is there.
    let _ = writeln!(to, "{}", text.trim_end());
    ExitCode::from(exit_code)
}

fn start(parsed: &acra_cli::Parsed) -> ExitCode {
    let logger = match settings::logger(parsed) {
        Ok(logger) => logger,
        Err(error) => return say(std::io::stderr(), &error.message, 1),
    };
    logger.start_up(std::process::id());
    log_panics(&logger);
    match run(parsed, &logger) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            log_problems(&problems, &logger);
            ExitCode::FAILURE
        }
    }
}

fn log_problems(problems: &Problems, logger: &Logger) {
    for error in &problems.0 {
        let mut fields = vec![codes::code(error.code)];
        if let Some(cause) = &error.cause {
            fields.push(("error", cause.into()));
        }
        logger.error(&error.message, &fields);
    }
}

/// Before any key is read.
fn forbid_core_dumps(logger: &Logger) {
    if let Err(error) = acra_stores::forbid_core_dumps() {
        logger.warning(
            "Core dumps cannot be forbidden: one could hold keys",
            &[
                codes::code(codes::KEYS),
                ("error", (&error.to_string()).into()),
            ],
        );
    }
}

/// What the command line and the configuration file have that stops nothing.
fn log_warnings(parsed: &acra_cli::Parsed, logger: &Logger) {
    for warning in parsed.warnings() {
        let fields: Vec<_> = warning
            .fields
            .iter()
            .map(|(name, value)| (*name, value.into()))
            .collect();
        logger.warning(&warning.message, &fields);
    }
    if !parsed.rest().is_empty() {
        let rest = parsed.rest().join(" ");
        logger.warning(
            "Unexpected arguments are ignored",
            &[("arguments", (&rest).into())],
        );
    }
}

fn run(parsed: &acra_cli::Parsed, logger: &Logger) -> Result<(), Problems> {
    forbid_core_dumps(logger);
    log_warnings(parsed, logger);
    logger.info("Validating service configuration...", &[]);
    let settings = Settings::new(parsed)?;
    settings.poison.announce(logger);
    let (listen, threads) = (settings.listen.clone(), settings.threads);
    let (max_connections, drain) = (settings.max_connections, settings.drain);
    let patience = settings.time_limits.write;
    let scraped = exporter::address(parsed)?.is_some();
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), scraped));
    let handler = Arc::new(Service::new(
        settings,
        logger.clone(),
        Arc::clone(&metrics),
    )?);
    let mut stop = signals::Stop::catch().map_err(cannot_catch)?;
    signals::reload_on_hangup(Arc::clone(&handler), logger.clone()).map_err(cannot_catch)?;
    let mut exporter = Exporter::start(parsed, metrics, logger)?;
    let listener = listener(&listen)?;
    logger.info(
        &format!(
            "Start listening to connections. Current PID: {}",
            std::process::id()
        ),
        &[("connection_string", (&listener.connection_string()).into())],
    );
    logger.end_start_up(parsed.boolean("d"), parsed.boolean("v"));
    logger.info(
        "Start listening connections",
        &[
            ("connection_string", (&listener.connection_string()).into()),
            ("from_descriptor", false.into()),
        ],
    );
    let service = acra_net::Service {
        threads,
        max_connections,
        drain,
        patience,
        lifecycle: handler.lifecycle().clone(),
    };
    let stopped = async || {
        let probing = async {
            handler.probe().await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = stop.next() => {}
            () = probing => {}
        }
        if let Some(exporter) = exporter.take() {
            exporter.stop(logger);
        }
        logger.info("Received incoming SIGTERM or SIGINT signal", &[]);
    };
    service
        .run(listener, &handler, stopped)
        .map_err(cannot_accept)?;
    logger.info(
        &format!(
            "Server graceful shutdown completed, bye PID: {}",
            std::process::id()
        ),
        &[],
    );
    Ok(())
}

fn listener(listen: &Listen) -> Result<Listener, StartError> {
    let (listening, address) = match listen {
        Listen::Tcp(address) => (Listener::tcp(*address), address.to_string()),
        Listen::Unix(path) => (Listener::unix(path), path.display().to_string()),
    };
    listening.map_err(|error| {
        let message = format!("Can't start listening to connections at {address}");
        StartError::new(codes::LISTEN, message).caused_by(error)
    })
}

fn cannot_catch(error: std::io::Error) -> StartError {
    StartError::new(codes::SIGNALS, "Can' initialize signal handler for SIGTERM").caused_by(error)
}

fn cannot_accept(error: std::io::Error) -> StartError {
    StartError::new(codes::ACCEPT, "Can't accept connections").caused_by(error)
}

/// A panic ends one session; its text could hold what must not be in a log, its place cannot.
fn log_panics(logger: &Logger) {
    let logger = logger.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        logger.error(
            "Panic in connection processing, close connection",
            &[codes::code(codes::CONNECTION), ("place", (&place).into())],
        );
    }));
}

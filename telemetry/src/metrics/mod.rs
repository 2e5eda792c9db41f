//! Counts of what goes on, for Prometheus.
//!
//! Names, labels and buckets are those of observability.md 6; `acraserver_sessions_open`,
//! `acraserver_statements_…_total` and `acraserver_containers_unopened_total` are our own. Whatever is counted costs a
//! few atomic additions. A labelled series appears after its first use.

mod primitives;
mod process;
mod text;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use primitives::{Counter, Gauge, Histogram, LONG, Labelled, SHORT};
use text::Page;

/// The content type of [`Metrics::page`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Symmetric.
    AcraBlock,
    /// For a key pair.
    AcraStruct,
}

/// A type of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Numbers of 32 bits.
    Int32,
    /// Numbers of 64 bits.
    Int64,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// E-mail addresses.
    Email,
}

/// What became of an encryption or decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It succeeded.
    Success,
    /// It failed.
    Fail,
}

/// Values of the label `type`, as [`Envelope`] has them.
const ENVELOPES: [&str; 2] = ["acrablock", "acrastruct"];
/// Values of the label `token_type`, as [`TokenType`] has them.
const TOKEN_TYPES: [&str; 5] = ["Int32", "Int64", "String", "Bytes", "Email"];

/// Counters by status and one of so many kinds.
#[derive(Debug, Default)]
struct ByStatus<const KINDS: usize>([Kinds<KINDS>; 2]);

#[derive(Debug)]
struct Kinds<const KINDS: usize>([Counter; KINDS]);

impl<const KINDS: usize> Default for Kinds<KINDS> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl<const KINDS: usize> ByStatus<KINDS> {
    fn add(&self, status: Status, kind: usize, count: u64) {
        let [success, fail] = &self.0;
        let Kinds(counters) = match status {
            Status::Success => success,
            Status::Fail => fail,
        };
        if let Some(counter) = counters.get(kind) {
            counter.add(count);
        }
    }

    fn write(
        &self,
        page: &mut Page,
        (name, help): (&'static str, &str),
        (label, kinds): (&'static str, [&str; KINDS]),
    ) {
        let mut metric = page.metric(name, "counter", help);
        for (status, Kinds(counters)) in ["success", "fail"].into_iter().zip(&self.0) {
            for (kind, counter) in kinds.into_iter().zip(counters) {
                let count = counter.get();
                if count > 0 {
                    metric.sample(&[("status", status), (label, kind)], count);
                }
            }
        }
    }
}

/// All numbers of a server. Shared by everything that counts.
pub struct Metrics {
    version: &'static str,
    /// Kept where a clock is needed to measure: see [`Metrics::measures`].
    measures: bool,
    connections: Counter,
    open: Gauge,
    connection_times: Histogram,
    request_times: Histogram,
    response_times: Histogram,
    encryptions: ByStatus<2>,
    decryptions: ByStatus<2>,
    tokenizations: ByStatus<5>,
    detokenizations: ByStatus<5>,
    refused: Labelled,
    observed: Labelled,
    unopened: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("version", &self.version)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl Metrics {
    /// Everything at zero, for the server of this version. `measures` says whether somebody will read them, so that
    /// messages are worth timing.
    pub fn new(version: &'static str, measures: bool) -> Self {
        Self {
            version,
            measures,
            connections: Counter::new(),
            open: Gauge::default(),
            connection_times: Histogram::new(LONG),
            request_times: Histogram::new(SHORT),
            response_times: Histogram::new(SHORT),
            encryptions: ByStatus::default(),
            decryptions: ByStatus::default(),
            tokenizations: ByStatus::default(),
            detokenizations: ByStatus::default(),
            refused: Labelled::new(),
            observed: Labelled::new(),
            unopened: Counter::new(),
        }
    }

    /// Whether to ask the clock for the sake of [`Metrics::request`] and [`Metrics::response`].
    pub fn measures(&self) -> bool {
        self.measures
    }

    /// Counts a client's connection, until what is returned is dropped.
    #[must_use]
    pub fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections.add(1);
        self.open.add(1);
        OpenConnection {
            metrics: Arc::clone(self),
            since: Instant::now(),
        }
    }

    /// A read from a client was handled.
    pub fn request(&self, took: Duration) {
        self.request_times.observe(took);
    }

    /// A read from the database was handled.
    pub fn response(&self, took: Duration) {
        self.response_times.observe(took);
    }

    /// Values were sealed, or could not be.
    pub fn encryptions(&self, status: Status, envelope: Envelope, count: u64) {
        self.encryptions.add(status, envelope as usize, count);
    }

    /// Containers were opened, or could not be.
    pub fn decryptions(&self, status: Status, envelope: Envelope, count: u64) {
        self.decryptions.add(status, envelope as usize, count);
    }

    /// Tokens were given out, or could not be.
    pub fn tokenizations(&self, status: Status, token_type: TokenType, count: u64) {
        self.tokenizations.add(status, token_type as usize, count);
    }

    /// Tokens were resolved, or could not be.
    pub fn detokenizations(&self, status: Status, token_type: TokenType, count: u64) {
        self.detokenizations.add(status, token_type as usize, count);
    }

    /// Containers in results were passed on closed: they could not be opened, or there were no keys.
    pub fn unopened(&self, count: u64) {
        self.unopened.add(count);
    }

    /// A statement was refused, for a reason of docs/errors.md.
    pub fn statement_refused(&self, reason: &'static str) {
        self.refused.add(reason, 1);
    }

    /// A statement was let through that would have been refused otherwise.
    pub fn statement_observed(&self, reason: &'static str) {
        self.observed.add(reason, 1);
    }

    /// Everything, in the text format of Prometheus.
    pub fn page(&self) -> String {
        const TO_DATABASE: &[(&str, &str)] = &[("connection_type", "db")];
        const POSTGRESQL: &[(&str, &str)] = &[("db", "postgresql")];
        let mut page = Page::default();
        let (connections, open) = (self.connections.get(), self.open.get());
        let mut metric = page.metric(
            "acraserver_connections_total",
            "counter",
            "number of connections to database",
        );
        if connections > 0 {
            metric.sample(TO_DATABASE, connections);
        }
        for (name, help, labels, histogram) in [
            (
                "acraserver_connections_processing_seconds",
                "Time of connection processing",
                TO_DATABASE,
                &self.connection_times,
            ),
            (
                "acraserver_request_processing_seconds",
                "Time of response processing",
                POSTGRESQL,
                &self.request_times,
            ),
            (
                "acraserver_response_processing_seconds",
                "Time of response processing",
                POSTGRESQL,
                &self.response_times,
            ),
        ] {
            let mut metric = page.metric(name, "histogram", help);
            if histogram.read().1 > 0 {
                metric.histogram(labels, histogram);
            }
        }
        for (name, help, counters) in [
            (
                "acra_encryptions_total",
                "number of encryptions AcraStruct/AcraBlock",
                &self.encryptions,
            ),
            (
                "acra_decryptions_total",
                "number of decryptions AcraStruct/AcraBlock",
                &self.decryptions,
            ),
        ] {
            counters.write(&mut page, (name, help), ("type", ENVELOPES));
        }
        for (name, help, counters) in [
            (
                "acra_tokenizations_total",
                "number of tokenizations for token_type",
                &self.tokenizations,
            ),
            (
                "acra_detokenizations_total",
                "number of detokenizations for token_type",
                &self.detokenizations,
            ),
        ] {
            counters.write(&mut page, (name, help), ("token_type", TOKEN_TYPES));
        }
        self.write_own(&mut page, open);
        self.write_version(&mut page);
        process::write(&mut page);
        page.finish()
    }

    fn write_own(&self, page: &mut Page, open: i64) {
        page.metric(
            "acraserver_sessions_open",
            "gauge",
            "number of clients that are connected",
        )
        .sample(&[], open);
        for (name, help, counters) in [
            (
                "acraserver_statements_refused_total",
                "number of statements refused, by reason",
                &self.refused,
            ),
            (
                "acraserver_statements_observed_total",
                "number of statements passed that would be refused, by reason",
                &self.observed,
            ),
        ] {
            let mut metric = page.metric(name, "counter", help);
            for (reason, count) in counters.read() {
                metric.sample(&[("reason", reason)], count);
            }
        }
        page.metric(
            "acraserver_containers_unopened_total",
            "counter",
            "number of containers in results that were passed on closed",
        )
        .sample(&[], self.unopened.get());
    }

    fn write_version(&self, page: &mut Page) {
        let mut parts = self.version.split(['.', '-', '+']);
        for (name, help) in [
            ("acraserver_version_major", "Major number of version"),
            ("acraserver_version_minor", "Minor number of version"),
            ("acraserver_version_patch", "Patch number of version"),
        ] {
            let number = parts.next().unwrap_or("0");
            page.metric(name, "gauge", help).sample(&[], number);
        }
        page.metric("acraserver_build_info", "counter", "")
            .sample(&[("edition", "ce"), ("version", self.version)], 1);
    }
}

/// A connection that is counted as open until it is dropped, however that comes about.
#[derive(Debug)]
pub struct OpenConnection {
    metrics: Arc<Metrics>,
    since: Instant,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.open.add(-1);
        self.metrics.connection_times.observe(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests;

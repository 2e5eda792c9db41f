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

/// What became of an encryption or decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It succeeded.
    Success,
    /// It failed.
    Fail,
}

/// Counters by status and envelope.
#[derive(Debug, Default)]
struct ByEnvelope([[Counter; 2]; 2]);

impl ByEnvelope {
    fn add(&self, status: Status, envelope: Envelope, count: u64) {
        let [success, fail] = &self.0;
        let by_status = match status {
            Status::Success => success,
            Status::Fail => fail,
        };
        let [block, structure] = by_status;
        match envelope {
            Envelope::AcraBlock => block,
            Envelope::AcraStruct => structure,
        }
        .add(count);
    }

    fn write(&self, page: &mut Page, name: &'static str, help: &str) {
        let mut metric = page.metric(name, "counter", help);
        for (status, by_status) in ["success", "fail"].into_iter().zip(&self.0) {
            for (envelope, counter) in ["acrablock", "acrastruct"].into_iter().zip(by_status) {
                let count = counter.get();
                if count > 0 {
                    metric.sample(&[("status", status), ("type", envelope)], count);
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
    encryptions: ByEnvelope,
    decryptions: ByEnvelope,
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
            encryptions: ByEnvelope::default(),
            decryptions: ByEnvelope::default(),
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
        self.encryptions.add(status, envelope, count);
    }

    /// Containers were opened, or could not be.
    pub fn decryptions(&self, status: Status, envelope: Envelope, count: u64) {
        self.decryptions.add(status, envelope, count);
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
        self.encryptions.write(
            &mut page,
            "acra_encryptions_total",
            "number of encryptions AcraStruct/AcraBlock",
        );
        self.decryptions.write(
            &mut page,
            "acra_decryptions_total",
            "number of decryptions AcraStruct/AcraBlock",
        );
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

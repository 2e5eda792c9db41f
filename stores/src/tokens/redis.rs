//! Tokens in Redis, in the form in which Acra keeps them (tokens.md 6.1), so that both can share them.
//!
//! ```text
//! key    tokens/<hex of the owner's digest>/<hex of the record's name>
//! value  hex of a Metadata message
//! ```
//!
//! One connection per server serves all sessions; each batch is one pipeline, and in a cluster one per node. A connection
//! that has broken is made anew, once per batch: every call may be repeated. No call is about two keys, so a cluster needs
//! no other form; the record of a token is written before that of its value, and a crash in between leaves a token that
//! nothing refers to. The time of access is written with SET XX, as Acra does, which may undo what `acra-tokens` does to
//! the record in the same moment.

mod names;
mod node;
mod nodes;
mod slots;

use super::error::TokenStoreError;
use super::redis_place::RedisPlace;
use super::redis_tls::RedisTls;
use super::visit::{Action, Change, VisitSummary, Visited, judged};
use acra_engine::tokens::{EntryKey, Reply, StoreCall};
use names::{PREFIX, entry_key, half, hex, name, unhex};
use node::{Fault, Node};
use nodes::{KeyCommand, Nodes};
use redis::{Cmd, ErrorKind, Value};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Keys that are asked for at once on a visit.
const VISITED_AT_ONCE: usize = 1000;

/// The servers, each with a connection that is made when it is needed.
pub(super) struct Redis {
    nodes: Nodes,
    tls: Option<Arc<RedisTls>>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("address", &self.nodes.first().address)
            .finish_non_exhaustive()
    }
}

impl Redis {
    pub(super) fn new(place: &RedisPlace) -> Self {
        Self {
            nodes: Nodes::new(Node::new(place)),
            tls: place.tls.clone(),
        }
    }

    /// Tries what connections depend on.
    pub(super) async fn probe(&self) {
        if let Some(tls) = &self.tls {
            tls.probe().await;
        }
    }

    pub(super) fn take_warnings(&self) -> Vec<String> {
        let tls = self.tls.as_ref();
        tls.map(|tls| tls.take_warnings()).unwrap_or_default()
    }

    pub(super) async fn run(&self, calls: &[StoreCall]) -> Result<Vec<Reply>, TokenStoreError> {
        let command = |call: &StoreCall| match call {
            StoreCall::Get(key) => on(key, "GET", |_| {}),
            StoreCall::Save(key, record) => on(key, "SETNX", |command| {
                command.arg(hex(record));
            }),
            StoreCall::Touch { key, record, .. } => on(key, "SET", |command| {
                command.arg(hex(record)).arg("XX");
            }),
        };
        let commands: Vec<_> = calls.iter().map(command).collect();
        let answers = self.nodes.run(&commands).await?;
        let replies = calls.iter().zip(answers);
        replies
            .map(|(call, (node, value))| Ok(reply(call, value, &node)?))
            .collect()
    }

    pub(super) async fn visit(
        &self,
        judge: &mut dyn FnMut(&Visited<'_>) -> Action,
    ) -> Result<VisitSummary, TokenStoreError> {
        // It may be long ago that it was asked for.
        self.nodes.forget().await;
        let layout = self.nodes.layout().await?;
        if !layout.is_whole() {
            return Err(self.not_all("parts of the cluster have no node"));
        }
        let mut visit = Visit {
            summary: VisitSummary::default(),
            seen: HashSet::new(),
            judge,
        };
        for node in &layout.masters {
            self.visit_node(node, &mut visit).await?;
        }
        self.nodes.forget().await;
        if !layout.is_like(&*self.nodes.layout().await?) {
            return Err(self.not_all("slots have moved meanwhile; try again"));
        }
        Ok(visit.summary)
    }

    fn not_all(&self, why: &'static str) -> TokenStoreError {
        let error = (
            ErrorKind::Client,
            "not all records can be seen",
            why.to_owned(),
        );
        self.nodes.first().fault(error).into()
    }

    async fn visit_node(&self, node: &Node, visit: &mut Visit<'_>) -> Result<(), TokenStoreError> {
        let mut cursor = b"0".to_vec();
        loop {
            let mut scan = redis::pipe();
            scan.cmd("SCAN")
                .arg(&cursor)
                .arg("MATCH")
                .arg(format!("{PREFIX}*"))
                .arg("COUNT")
                .arg(VISITED_AT_ONCE);
            let (next, names) = scanned(node, node.send(&scan).await?)?;
            let mut keys = Vec::new();
            for name in names {
                match entry_key(&name) {
                    None => visit.summary.unreadable += 1,
                    Some(key) if visit.seen.insert(half(&key)) => keys.push(key),
                    Some(_) => {}
                }
            }
            self.visit_some(&keys, visit).await?;
            if next == b"0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    async fn visit_some(
        &self,
        keys: &[EntryKey],
        visit: &mut Visit<'_>,
    ) -> Result<(), TokenStoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let gets = keys
            .iter()
            .map(|key| StoreCall::Get(*key))
            .collect::<Vec<_>>();
        let records = self.run(&gets).await?;
        let mut changes = Vec::new();
        for (key, record) in keys.iter().zip(records) {
            // Removed meanwhile.
            let Reply::Record(Some(record)) = record else {
                continue;
            };
            match judged(*key, &record, &mut visit.summary, visit.judge) {
                Change::None => {}
                // Not one that has been removed meanwhile.
                Change::Write(record) => changes.push(on(key, "SET", |command| {
                    command.arg(hex(&record)).arg("XX");
                })),
                Change::Remove => changes.push(on(key, "DEL", |_| {})),
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        for (node, value) in self.nodes.run(&changes).await? {
            if let Value::ServerError(error) = value {
                return Err(node.fault(error).into());
            }
        }
        Ok(())
    }
}

/// A visit on its way.
struct Visit<'v> {
    summary: VisitSummary,
    /// A scan may show a key twice, and so may two nodes. Half of a SHA-256, which is of the owner too, tells records
    /// apart.
    seen: HashSet<[u8; 16]>,
    judge: &'v mut dyn FnMut(&Visited<'_>) -> Action,
}

fn reply(call: &StoreCall, value: Value, node: &Node) -> Result<Reply, Fault> {
    match (call, value) {
        (StoreCall::Touch { .. }, _) => Ok(Reply::Touched),
        (StoreCall::Save(..), Value::Int(written)) => Ok(Reply::Saved(written == 1)),
        (StoreCall::Get(_), Value::Nil) => Ok(Reply::Record(None)),
        // One that is no hex is none of Acra's; it does not open.
        (StoreCall::Get(_), Value::BulkString(text)) => {
            Ok(Reply::Record(Some(unhex(&text).unwrap_or_default())))
        }
        (_, Value::ServerError(error)) => Err(node.fault(error)),
        _ => Err(node.fault_of_answer()),
    }
}

/// The cursor to go on with, and keys.
fn scanned(node: &Node, values: Vec<Value>) -> Result<(Vec<u8>, Vec<Vec<u8>>), Fault> {
    let value = values.into_iter().next().unwrap_or(Value::Nil);
    value
        .extract_error()
        .and_then(|value| Ok(redis::from_redis_value(value)?))
        .map_err(|error| node.fault(error))
}

/// A command on the record of this name.
fn on(key: &EntryKey, word: &str, arguments: impl FnOnce(&mut Cmd)) -> KeyCommand {
    let key = name(key);
    let mut command = redis::cmd(word);
    command.arg(&key);
    arguments(&mut command);
    KeyCommand { key, command }
}

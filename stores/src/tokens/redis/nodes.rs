//! All nodes of a Redis, be it one server or a cluster, and the ways of commands to them.
//!
//! One server is a layout in which it has all slots, so both go the same way. A layout is asked for before the first
//! command, and again when a node has sent a key elsewhere or is lost; a lost node's commands are sent once more if
//! somebody else has its slots by then.
//!
//! The crate's own connection to a cluster is not used, since it sends a pipeline to one node. Here a batch is one
//! pipeline per node, all at the same time.

use super::super::error::TokenStoreError;
use super::node::{Fault, Kind, Node};
use super::slots::{Address, LAST, Redirection, SlotRange, redirection, slot};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use redis::{Cmd, ErrorKind, ServerErrorKind, Value};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;

/// How often a command is sent on: by a layout that is out of date, and by a slot that moves meanwhile.
const MOST_ROUNDS: u32 = 5;

/// A command on one key.
pub(super) struct KeyCommand {
    pub(super) key: String,
    pub(super) command: Cmd,
}

/// What a node has answered.
pub(super) type Answer = (Arc<Node>, Value);

/// The nodes, as far as they are known.
pub(super) struct Nodes {
    /// The one of the flags.
    first: Arc<Node>,
    known: Mutex<Known>,
}

struct Known {
    /// None before it was asked for, and when it is out of date.
    layout: Option<Arc<Layout>>,
    /// The first node, the masters of the last layout, and those that keys were sent to.
    nodes: Vec<Arc<Node>>,
    /// When nobody could tell of the layout, and why.
    failure: Option<(Instant, Fault)>,
}

/// Which node has which slots.
pub(super) struct Layout {
    ranges: Vec<SlotRange>,
    pub(super) masters: Vec<Arc<Node>>,
}

/// A command on its way.
struct Errand {
    /// Which command.
    index: usize,
    node: Arc<Node>,
    /// The slot is about to move to the node, which has to be told that this is known.
    asking: bool,
}

impl Nodes {
    pub(super) fn new(first: Node) -> Self {
        let first = Arc::new(first);
        Self {
            known: Mutex::new(Known {
                layout: None,
                nodes: vec![Arc::clone(&first)],
                failure: None,
            }),
            first,
        }
    }

    /// The one of the flags.
    pub(super) fn first(&self) -> &Node {
        &self.first
    }

    /// Carries out commands; the answers are in their order, each with the node that gave it.
    pub(super) async fn run(
        &self,
        commands: &[KeyCommand],
    ) -> Result<Vec<Answer>, TokenStoreError> {
        let mut answers: Vec<Option<Answer>> = commands.iter().map(|_| None).collect();
        let mut errands = self.errands(commands, 0..commands.len()).await?;
        let mut has_lost = false;
        for _ in 0..MOST_ROUNDS {
            let mut next = Vec::new();
            let mut lost = Vec::new();
            for (errands, values) in send(commands, errands).await {
                match values {
                    Ok(values) => {
                        for (errand, value) in errands.into_iter().zip(values) {
                            match redirection(&value, &errand.node.address) {
                                Some(to) => next.push(self.sent_on(errand.index, &to).await),
                                None => {
                                    if is_down(&value) {
                                        self.distrust(&errand.node.address).await;
                                    }
                                    if let Some(answer) = answers.get_mut(errand.index) {
                                        *answer = Some((errand.node, value));
                                    }
                                }
                            }
                        }
                    }
                    Err(fault) => {
                        if fault.is_loss() {
                            self.distrust(&fault.address).await;
                        }
                        // What was not answered in time has taken the client's patience.
                        if !fault.is_loss() || fault.is_timeout() || has_lost {
                            return Err(fault.into());
                        }
                        lost.push((errands, fault));
                    }
                }
            }
            for (errands, fault) in lost {
                has_lost = true;
                let indices = errands.iter().map(|errand| errand.index);
                let errands = self.errands(commands, indices).await?;
                // Nobody else has its slots.
                if errands
                    .iter()
                    .any(|errand| errand.node.address == fault.address)
                {
                    return Err(fault.into());
                }
                next.extend(errands);
            }
            if next.is_empty() {
                let complete: Option<Vec<Answer>> = answers.into_iter().collect();
                return complete.ok_or_else(|| self.first.fault_of_answer().into());
            }
            errands = next;
        }
        let error = (ErrorKind::Client, "keys are sent from node to node");
        Err(self.first.fault(error).into())
    }

    /// Sends a command where a node has said.
    async fn sent_on(&self, index: usize, to: &Redirection) -> Errand {
        if !to.asking {
            self.forget().await;
        }
        Errand {
            index,
            node: self.node(&to.address).await,
            asking: to.asking,
        }
    }

    /// Who has which slots; it is asked for if that is not known.
    pub(super) async fn layout(&self) -> Result<Arc<Layout>, TokenStoreError> {
        let since = Instant::now();
        let mut known = self.known.lock().await;
        if let Some(layout) = &known.layout {
            return Ok(Arc::clone(layout));
        }
        // Whoever has waited for somebody else's attempt does not make another one.
        if let Some((when, fault)) = &known.failure
            && *when >= since
        {
            return Err(fault.clone().into());
        }
        let ranges = match self.ask(&known.nodes).await {
            Ok(ranges) => ranges,
            Err(fault) => {
                known.add(&self.first);
                known.failure = Some((Instant::now(), fault.clone()));
                return Err(fault.into());
            }
        };
        let mut masters: Vec<Arc<Node>> = Vec::new();
        for SlotRange { master, .. } in &ranges {
            if !masters.iter().any(|node| node.address == *master) {
                masters.push(self.get(&known.nodes, master));
            }
        }
        known.nodes.clone_from(&masters);
        known.add(&self.first);
        let layout = Arc::new(Layout { ranges, masters });
        known.layout = Some(Arc::clone(&layout));
        Ok(layout)
    }

    /// Asks nodes who has which slots.
    async fn ask(&self, nodes: &[Arc<Node>]) -> Result<Vec<SlotRange>, Fault> {
        let mut answers: FuturesUnordered<_> = nodes
            .iter()
            .map(async |node| (node, node.kind().await))
            .collect();
        let mut failed = None;
        while let Some((node, answer)) = answers.next().await {
            let is_first = Arc::ptr_eq(node, &self.first);
            let fault = match answer {
                // Whoever is first; if it is behind the others, it sends keys on.
                Ok(Kind::Cluster(ranges)) => return Ok(ranges),
                Ok(Kind::Alone) if is_first => {
                    return Ok(vec![SlotRange {
                        first: 0,
                        last: LAST,
                        master: node.address.clone(),
                    }]);
                }
                // Something else has a former node's address by now.
                Ok(Kind::Alone) => node.fault_of_answer(),
                Err(fault) => fault,
            };
            // That of the node which the operator knows, if possible.
            if is_first || failed.is_none() {
                failed = Some(fault);
            }
        }
        Err(failed.unwrap_or_else(|| self.first.fault_of_answer()))
    }

    /// Has the layout asked for again.
    pub(super) async fn forget(&self) {
        self.known.lock().await.layout = None;
    }

    /// Has the layout asked for again, of others than a node that is lost or has lost the others.
    async fn distrust(&self, address: &Address) {
        let mut known = self.known.lock().await;
        known.layout = None;
        known.nodes.retain(|node| node.address != *address);
        if known.nodes.is_empty() {
            known.add(&self.first);
        }
    }

    /// Sends commands to whoever has their slots.
    async fn errands(
        &self,
        commands: &[KeyCommand],
        indices: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Errand>, TokenStoreError> {
        let layout = self.layout().await?;
        let errand = |index| {
            let command: Option<&KeyCommand> = commands.get(index);
            let node = command.and_then(|command| layout.node(&command.key));
            let node = node.ok_or_else(|| {
                let error = (
                    ErrorKind::Client,
                    "no node of the cluster has the slot of a key",
                );
                TokenStoreError::from(self.first.fault(error))
            });
            node.map(|node| Errand {
                index,
                node: Arc::clone(node),
                asking: false,
            })
        };
        indices.into_iter().map(errand).collect()
    }

    /// The node at an address that a key was sent to.
    async fn node(&self, address: &Address) -> Arc<Node> {
        let mut known = self.known.lock().await;
        let node = self.get(&known.nodes, address);
        known.add(&node);
        node
    }

    fn get(&self, nodes: &[Arc<Node>], address: &Address) -> Arc<Node> {
        match nodes.iter().find(|node| node.address == *address) {
            Some(node) => Arc::clone(node),
            None => Arc::new(self.first.beside(address.clone())),
        }
    }
}

impl Known {
    fn add(&mut self, node: &Arc<Node>) {
        if !self.nodes.iter().any(|other| Arc::ptr_eq(other, node)) {
            self.nodes.push(Arc::clone(node));
        }
    }
}

/// Whether a node says that its cluster does not work, which may be so for itself alone.
fn is_down(value: &Value) -> bool {
    let kind = match value {
        Value::ServerError(error) => error.kind(),
        _ => None,
    };
    kind == Some(ServerErrorKind::ClusterDown)
}

impl Layout {
    fn node(&self, key: &str) -> Option<&Arc<Node>> {
        let range = match &*self.ranges {
            // One server: the slot does not matter.
            [only] if (only.first, only.last) == (0, LAST) => only,
            ranges => {
                let slot = slot(key);
                let at = ranges.partition_point(|range| range.last < slot);
                ranges.get(at).filter(|range| range.first <= slot)?
            }
        };
        let mut masters = self.masters.iter();
        masters.find(|node| node.address == range.master)
    }

    /// Whether every slot has a node.
    pub(super) fn is_whole(&self) -> bool {
        let mut next = 0_u32;
        let follow = |range: &SlotRange| {
            let follows = u32::from(range.first) == next;
            next = u32::from(range.last) + 1;
            follows
        };
        self.ranges.iter().all(follow) && next == u32::from(LAST) + 1
    }

    /// Whether all slots are where they are in another layout.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.ranges == other.ranges
    }
}

/// Sends each node its errands, all at the same time.
async fn send(
    commands: &[KeyCommand],
    mut errands: Vec<Errand>,
) -> Vec<(Vec<Errand>, Result<Vec<Value>, Fault>)> {
    // Commands of one node stay in their order.
    errands.sort_by(|one, other| {
        let key = |errand: &Errand| errand.index;
        (&one.node.address, key(one)).cmp(&(&other.node.address, key(other)))
    });
    let mut parcels: Vec<Vec<Errand>> = Vec::new();
    for errand in errands {
        match parcels.last_mut() {
            Some(parcel)
                if parcel
                    .first()
                    .is_some_and(|first| first.node.address == errand.node.address) =>
            {
                parcel.push(errand);
            }
            _ => parcels.push(vec![errand]),
        }
    }
    join_all(parcels.into_iter().map(async |parcel| {
        let answer = send_one(commands, &parcel).await;
        (parcel, answer)
    }))
    .await
}

/// Sends the errands of one node.
async fn send_one(commands: &[KeyCommand], errands: &[Errand]) -> Result<Vec<Value>, Fault> {
    let Some(Errand { node, .. }) = errands.first() else {
        return Ok(Vec::new());
    };
    let mut pipeline = redis::pipe();
    for errand in errands {
        if errand.asking {
            pipeline.cmd("ASKING");
        }
        if let Some(KeyCommand { command, .. }) = commands.get(errand.index) {
            pipeline.add_command(command.clone());
        }
    }
    let mut answers = node.send(&pipeline).await?.into_iter();
    let mut values = Vec::with_capacity(errands.len());
    for errand in errands {
        if errand.asking {
            // If it was refused, so is the command.
            answers.next();
        }
        values.push(answers.next().ok_or_else(|| node.fault_of_answer())?);
    }
    Ok(values)
}

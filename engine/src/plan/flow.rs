//! What a value may be, and what becomes of it.
//!
//! A flow is a set of sources: protected columns, literals and parameters of the text, and anything that is neither.
//! Flows are numbers of nodes of one graph, so that what is passed on by many queries is stored, and followed, once.

use super::literals::Written;
use crate::columns::Setting;
use foldhash::{HashMap, HashMapExt as _};
use std::sync::Arc;

/// A value: the number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow(usize);

/// `NULL`
pub(super) const NOTHING: Flow = Flow(0);

/// What is neither a protected column nor a literal.
pub(super) const PLAIN: Flow = Flow(1);

/// A literal or parameter at one place of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) token: usize,
    pub(super) kind: LeafKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeafKind {
    Literal(Written),
    Param(u16),
    /// Any element of an array.
    Element(u16),
}

/// What happens to a leaf.
#[derive(Debug)]
pub(super) struct Fate<'a> {
    pub(super) leaf: Leaf,
    /// The columns that it is stored in.
    pub(super) stored: Vec<&'a Arc<Setting>>,
    /// It is compared, computed with, returned, or stored as it is.
    pub(super) seen: bool,
}

#[derive(Debug, Default)]
struct Node<'a> {
    /// Protected columns that it may be, with those of `parts`.
    settings: Vec<&'a Arc<Setting>>,
    /// It may be anything else, too.
    plain: bool,
    leaves: Vec<Leaf>,
    parts: Vec<Flow>,
    seen: bool,
    stored: Vec<&'a Arc<Setting>>,
}

/// All flows of a statement.
#[derive(Debug)]
pub(super) struct Flows<'a> {
    nodes: Vec<Node<'a>>,
    fates: HashMap<usize, Fate<'a>>,
}

impl<'a> Flows<'a> {
    pub(super) fn new() -> Self {
        let plain = Node {
            plain: true,
            ..Node::default()
        };
        Self {
            nodes: vec![Node::default(), plain],
            fates: HashMap::new(),
        }
    }

    fn add(&mut self, node: Node<'a>) -> Flow {
        self.nodes.push(node);
        Flow(self.nodes.len() - 1)
    }

    pub(super) fn column(&mut self, setting: &'a Arc<Setting>) -> Flow {
        self.add(Node {
            settings: vec![setting],
            ..Node::default()
        })
    }

    pub(super) fn leaf(&mut self, leaf: Leaf) -> Flow {
        self.add(Node {
            leaves: vec![leaf],
            ..Node::default()
        })
    }

    /// Any of these.
    pub(super) fn any(&mut self, flows: impl IntoIterator<Item = Flow>) -> Flow {
        let mut node = Node::default();
        for flow in flows {
            if flow == NOTHING || node.parts.last() == Some(&flow) {
                continue;
            }
            if let Some(part) = self.nodes.get(flow.0) {
                merge(&mut node.settings, &part.settings);
                node.plain |= part.plain;
                node.parts.push(flow);
            }
        }
        match *node.parts {
            [] => NOTHING,
            [one] => one,
            _ => self.add(node),
        }
    }

    /// A flow that gets another part later.
    pub(super) fn open(&mut self, flow: Flow) -> Flow {
        let mut node = Node::default();
        if let Some(part) = self.nodes.get(flow.0) {
            node.settings.clone_from(&part.settings);
            node.plain = part.plain;
        }
        node.parts.push(flow);
        self.add(node)
    }

    /// Adds a part to a flow made by [`Self::open`]. What happened to the flow happens to the part as well. Fails if the part may
    /// be a column that the flow was not known to be.
    pub(super) fn extend(&mut self, flow: Flow, part: Flow) -> bool {
        let Some(added) = self.nodes.get(part.0) else {
            return false;
        };
        let (settings, plain) = (added.settings.clone(), added.plain);
        let Some(node) = self.nodes.get_mut(flow.0) else {
            return false;
        };
        let known = settings.iter().all(|setting| {
            node.settings
                .iter()
                .any(|known| Arc::ptr_eq(known, setting))
        });
        node.plain |= plain;
        node.parts.push(part);
        let (seen, stored) = (node.seen, node.stored.clone());
        if seen {
            self.see(part);
        }
        for setting in stored {
            self.store(part, setting);
        }
        known
    }

    pub(super) fn settings(&self, flow: Flow) -> &[&'a Arc<Setting>] {
        self.nodes.get(flow.0).map_or(&[], |node| &node.settings)
    }

    pub(super) fn is_plain(&self, flow: Flow) -> bool {
        self.nodes.get(flow.0).is_none_or(|node| node.plain)
    }

    /// The literals of a flow are needed as they are.
    pub(super) fn see(&mut self, flow: Flow) {
        let mut todo = vec![flow];
        while let Some(flow) = todo.pop() {
            let Some(node) = self.nodes.get_mut(flow.0) else {
                continue;
            };
            if std::mem::replace(&mut node.seen, true) {
                continue;
            }
            todo.extend_from_slice(&node.parts);
            for leaf in &node.leaves {
                fate(&mut self.fates, *leaf).seen = true;
            }
        }
    }

    /// The literals of a flow are stored in a protected column.
    pub(super) fn store(&mut self, flow: Flow, setting: &'a Arc<Setting>) {
        let mut todo = vec![flow];
        while let Some(flow) = todo.pop() {
            let Some(node) = self.nodes.get_mut(flow.0) else {
                continue;
            };
            if !merge(&mut node.stored, &[setting]) {
                continue;
            }
            todo.extend_from_slice(&node.parts);
            for leaf in &node.leaves {
                merge(&mut fate(&mut self.fates, *leaf).stored, &[setting]);
            }
        }
    }

    /// What becomes of the literals, in the order of the text.
    pub(super) fn into_fates(self) -> Vec<Fate<'a>> {
        let mut fates: Vec<Fate<'a>> = self.fates.into_values().collect();
        fates.sort_unstable_by_key(|fate| fate.leaf.token);
        fates
    }
}

fn fate<'f, 'a>(fates: &'f mut HashMap<usize, Fate<'a>>, leaf: Leaf) -> &'f mut Fate<'a> {
    fates.entry(leaf.token).or_insert(Fate {
        leaf,
        stored: Vec::new(),
        seen: false,
    })
}

/// Adds settings that are not there yet; says whether there were any.
fn merge<'a>(settings: &mut Vec<&'a Arc<Setting>>, more: &[&'a Arc<Setting>]) -> bool {
    let before = settings.len();
    for setting in more {
        if !settings.iter().any(|known| Arc::ptr_eq(known, setting)) {
            settings.push(setting);
        }
    }
    settings.len() > before
}

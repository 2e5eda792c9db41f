//! What a value may be, and what becomes of it.
//!
//! A flow is a set of sources: protected columns, literals and parameters of the text, and anything that is neither.
//! Flows are numbers of nodes of one graph, so that what is passed on by many queries is stored, and followed, once.

use super::Role;
use super::literals::Written;
use crate::columns::Setting;
use crate::sql::facts::tree::Cast;
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

/// What a value is to a protected column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) setting: &'a Arc<Setting>,
    pub(super) role: Role,
}

impl PartialEq for Use<'_> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.setting, other.setting) && self.role == other.role
    }
}

/// What happens to a leaf.
#[derive(Debug)]
pub(super) struct Fate<'a> {
    pub(super) leaf: Leaf,
    /// What it is to protected columns.
    pub(super) uses: Vec<Use<'a>>,
    /// It is compared with something else, computed with, returned, or stored as it is.
    pub(super) seen: bool,
    /// The casts that it passes through, by their numbers.
    pub(super) casts: Vec<usize>,
}

/// A cast of a value, and what the value is to protected columns.
#[derive(Debug)]
pub(super) struct CastUse<'a> {
    pub(super) cast: Cast,
    pub(super) uses: Vec<Use<'a>>,
    /// Its value is needed as it is, too.
    pub(super) seen: bool,
    /// It stands right where a column's value is written, around a literal or parameter: without it that gets the column's type.
    pub(super) bare: bool,
}

#[derive(Debug, Default)]
struct Node<'a> {
    /// Protected columns that it may be, with those of `parts`.
    settings: Vec<&'a Arc<Setting>>,
    /// It may be anything else, too.
    plain: bool,
    leaves: Vec<Leaf>,
    /// It has leaves, or parts that have some.
    has_leaves: bool,
    parts: Vec<Flow>,
    seen: bool,
    uses: Vec<Use<'a>>,
    /// The number of the cast that it is the value of.
    cast: Option<usize>,
}

/// All flows of a statement.
#[derive(Debug)]
pub(super) struct Flows<'a> {
    nodes: Vec<Node<'a>>,
    fates: HashMap<usize, Fate<'a>>,
    casts: Vec<CastUse<'a>>,
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
            casts: Vec::new(),
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
            has_leaves: true,
            ..Node::default()
        })
    }

    /// A value with a cast; `bare` as in [`CastUse`].
    pub(super) fn cast(&mut self, flow: Flow, cast: &Cast, bare: bool) -> Flow {
        self.casts.push(CastUse {
            cast: cast.clone(),
            uses: Vec::new(),
            seen: false,
            bare,
        });
        let node = self.nodes.get(flow.0);
        let node = Node {
            settings: node.map(|node| node.settings.clone()).unwrap_or_default(),
            plain: self.is_plain(flow),
            has_leaves: self.has_leaves(flow),
            parts: vec![flow],
            cast: Some(self.casts.len() - 1),
            ..Node::default()
        };
        self.add(node)
    }

    /// Any of these.
    pub(super) fn any(&mut self, flows: impl IntoIterator<Item = Flow>) -> Flow {
        let mut node = Node::default();
        for flow in flows {
            if flow == NOTHING || node.parts.last() == Some(&flow) {
                continue;
            }
            if let Some(part) = self.nodes.get(flow.0) {
                merge(&mut node.settings, &part.settings, |a, b| Arc::ptr_eq(a, b));
                node.plain |= part.plain;
                node.has_leaves |= part.has_leaves;
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
            node.has_leaves = part.has_leaves;
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
        let has_leaves = added.has_leaves;
        let Some(node) = self.nodes.get_mut(flow.0) else {
            return false;
        };
        let known = settings.iter().all(|setting| {
            node.settings
                .iter()
                .any(|known| Arc::ptr_eq(known, setting))
        });
        node.plain |= plain;
        node.has_leaves |= has_leaves;
        node.parts.push(part);
        let (seen, uses) = (node.seen, node.uses.clone());
        if seen {
            self.see(part);
        }
        for given in uses {
            self.give(part, given);
        }
        known
    }

    pub(super) fn settings(&self, flow: Flow) -> &[&'a Arc<Setting>] {
        self.nodes.get(flow.0).map_or(&[], |node| &node.settings)
    }

    pub(super) fn is_plain(&self, flow: Flow) -> bool {
        self.nodes.get(flow.0).is_none_or(|node| node.plain)
    }

    /// Whether a flow may be a literal or parameter of the text.
    pub(super) fn has_leaves(&self, flow: Flow) -> bool {
        self.nodes.get(flow.0).is_some_and(|node| node.has_leaves)
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
            if let Some(cast) = node.cast.and_then(|cast| self.casts.get_mut(cast)) {
                cast.seen = true;
            }
            for leaf in &node.leaves {
                fate(&mut self.fates, *leaf).seen = true;
            }
        }
    }

    /// The literals of a flow are stored in a protected column, or it is compared with them.
    pub(super) fn give(&mut self, flow: Flow, given: Use<'a>) {
        let mut todo = vec![flow];
        while let Some(flow) = todo.pop() {
            let Some(node) = self.nodes.get_mut(flow.0) else {
                continue;
            };
            if !merge(&mut node.uses, &[given], Use::eq) {
                continue;
            }
            todo.extend_from_slice(&node.parts);
            if let Some(cast) = node.cast.and_then(|cast| self.casts.get_mut(cast)) {
                merge(&mut cast.uses, &[given], Use::eq);
            }
            for leaf in &node.leaves {
                merge(&mut fate(&mut self.fates, *leaf).uses, &[given], Use::eq);
            }
        }
    }

    /// What becomes of the literals, in the order of the text, and the casts.
    pub(super) fn into_fates(mut self) -> (Vec<Fate<'a>>, Vec<CastUse<'a>>) {
        self.cast_leaves();
        let mut fates: Vec<Fate<'a>> = self.fates.into_values().collect();
        fates.sort_unstable_by_key(|fate| fate.leaf.token);
        (fates, self.casts)
    }

    /// Notes the casts that stored and compared literals pass through.
    fn cast_leaves(&mut self) {
        for node in &self.nodes {
            let Some(cast) = node.cast else { continue };
            if self.casts.get(cast).is_none_or(|cast| cast.uses.is_empty()) {
                continue;
            }
            let mut todo = node.parts.clone();
            let mut walked = vec![false; self.nodes.len()];
            while let Some(Flow(part)) = todo.pop() {
                let is_new = walked
                    .get_mut(part)
                    .is_some_and(|seen| !std::mem::replace(seen, true));
                let Some(part) = self.nodes.get(part).filter(|_| is_new) else {
                    continue;
                };
                todo.extend_from_slice(&part.parts);
                for leaf in &part.leaves {
                    fate(&mut self.fates, *leaf).casts.push(cast);
                }
            }
        }
    }
}

fn fate<'f, 'a>(fates: &'f mut HashMap<usize, Fate<'a>>, leaf: Leaf) -> &'f mut Fate<'a> {
    fates.entry(leaf.token).or_insert(Fate {
        leaf,
        uses: Vec::new(),
        seen: false,
        casts: Vec::new(),
    })
}

/// Adds what is not there yet; says whether there was any.
fn merge<T: Copy>(known: &mut Vec<T>, more: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    let before = known.len();
    for one in more {
        if !known.iter().any(|other| same(other, one)) {
            known.push(*one);
        }
    }
    known.len() > before
}

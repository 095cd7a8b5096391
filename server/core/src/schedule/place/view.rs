//! The nodes as the plan at work sees them: what is held in the state, and what the plan has placed so far.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, Group, Misfit, Node, Resources, fits};

use crate::state::{NodeUse, State, counts_for};

/// All nodes, by their place in order of ids.
pub(in super::super) struct View<'a> {
    state: &'a State,
    nodes: Vec<NodeView<'a>>,
}

struct NodeView<'a> {
    node: &'a Arc<Node>,
    held: Option<&'a Arc<NodeUse>>,
    placed: Resources,
    ports: BTreeSet<u16>,
    dynamic_ports: usize,
}

impl<'a> View<'a> {
    /// The nodes of `state`, with nothing placed yet.
    pub fn of(state: &'a State) -> Self {
        let view = |node: &'a Arc<Node>| NodeView {
            node,
            held: state.uses.get(&node.id),
            placed: Resources::default(),
            ports: BTreeSet::new(),
            dynamic_ports: 0,
        };
        Self { state, nodes: state.nodes().map(view).collect() }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at that place.
    pub fn node(&self, at: usize) -> &'a Arc<Node> {
        self.nodes[at].node
    }

    /// Whether an instance of `group` has room there, in place of `succeeded` if that is there; if not, all that is short.
    pub fn room(&self, at: usize, group: &Group, succeeded: Option<&Allocation>) -> Result<(), Vec<Misfit>> {
        let view = &self.nodes[at];
        let succeeded = succeeded.filter(|known| known.node == view.node.id);
        let mut misfits = fits(self.added(group, succeeded), view.free()).err().unwrap_or_default();
        let inherited = |port: u16| succeeded.is_some_and(|known| known.ports.iter().any(|known| known.value == port));
        for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
            if view.is_taken(port.value) && !inherited(port.value) {
                misfits.push(Misfit::PortTaken { port: port.value });
            }
        }
        let dynamic: usize = group.networks.iter().map(|network| network.dynamic_ports.len()).sum();
        if dynamic > 0 && view.free_dynamic_ports() < dynamic {
            misfits.push(Misfit::NoDynamicPort);
        }
        if misfits.is_empty() { Ok(()) } else { Err(misfits) }
    }

    /// What would be used there with one more instance.
    pub fn used_with(&self, at: usize, group: &Group, succeeded: Option<&Allocation>) -> Resources {
        let view = &self.nodes[at];
        let succeeded = succeeded.filter(|known| known.node == view.node.id);
        view.used() + self.added(group, succeeded)
    }

    /// Places an instance there.
    pub fn put(&mut self, at: usize, group: &Group, succeeded: Option<&Allocation>) {
        let succeeded = succeeded.filter(|known| known.node == self.nodes[at].node.id);
        let added = self.added(group, succeeded);
        let view = &mut self.nodes[at];
        view.placed += added;
        for network in &group.networks {
            view.ports.extend(network.reserved_ports.iter().map(|port| port.value));
            view.dynamic_ports += network.dynamic_ports.len();
        }
    }

    /// What one more instance adds: its ask, or where it succeeds another only what it asks beyond what that counts for.
    fn added(&self, group: &Group, succeeded: Option<&Allocation>) -> Resources {
        let ask = group.ask();
        let Some(known) = succeeded else { return ask };
        let counts = if known.after.is_empty() {
            known.resources
        } else {
            counts_for(known, self.state.allocations_of_node(known.node).map(|other| &**other))
        };
        ask.max(counts) - counts
    }
}

impl NodeView<'_> {
    fn used(&self) -> Resources {
        self.held.map(|held| held.held).unwrap_or_default() + self.placed
    }

    fn free(&self) -> Resources {
        self.node.capacity() - self.used()
    }

    fn is_taken(&self, port: u16) -> bool {
        self.node.reserved_ports.contains(&port)
            || self.ports.contains(&port)
            || self.held.is_some_and(|held| held.ports.contains(&port))
    }

    fn free_dynamic_ports(&self) -> usize {
        let (first, last) = self.node.dynamic_ports;
        let all = usize::from(last.saturating_sub(first)) + 1;
        let held = self.held.map_or(0, |held| held.ports.range(first..=last).count());
        let placed = self.ports.range(first..=last).count() + self.dynamic_ports;
        let reserved = self.node.reserved_ports.iter().filter(|port| (first..=last).contains(port)).count();
        all.saturating_sub(held + placed + reserved)
    }
}

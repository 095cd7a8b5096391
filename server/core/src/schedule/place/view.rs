//! The nodes as the plan at work sees them: what is held in the state, and what the plan has placed so far.

use std::sync::Arc;

use model::{Allocation, Group, Misfit, Node, Resources, fits};

use crate::schedule::grant::{Grant, Placed, Taken, grant, room_for_ports};
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
    extras: Placed,
}

impl<'a> View<'a> {
    /// The nodes of `state`, with nothing placed yet.
    pub fn of(state: &'a State) -> Self {
        let view = |node: &'a Arc<Node>| NodeView {
            node,
            held: state.uses.get(&node.id),
            placed: Resources::default(),
            extras: Placed::default(),
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
        let mut misfits = fits(self.added(view.node, group, succeeded), view.free()).err().unwrap_or_default();
        let inherited = succeeded.map(|known| self.state.inherited(known));
        let taken = view.taken(inherited.as_ref());
        misfits.extend(grant(view.node, &taken, group).err().unwrap_or_default());
        misfits.extend(room_for_ports(view.node, &taken, group));
        if misfits.is_empty() { Ok(()) } else { Err(misfits) }
    }

    /// What would be used there with one more instance.
    pub fn used_with(&self, at: usize, group: &Group, succeeded: Option<&Allocation>) -> Resources {
        let view = &self.nodes[at];
        let succeeded = succeeded.filter(|known| known.node == view.node.id);
        view.used() + self.added(view.node, group, succeeded)
    }

    /// The cores and devices that an instance would get there; none where it would not fit.
    pub fn grant(&self, at: usize, group: &Group, succeeded: Option<&Allocation>) -> Grant {
        let view = &self.nodes[at];
        let inherited = succeeded.filter(|known| known.node == view.node.id).map(|known| self.state.inherited(known));
        grant(view.node, &view.taken(inherited.as_ref()), group).unwrap_or_default()
    }

    /// Places an instance there, which gets `grant`.
    pub fn put(&mut self, at: usize, group: &Group, succeeded: Option<&Allocation>, grant: &Grant) {
        let node = self.nodes[at].node;
        let succeeded = succeeded.filter(|known| known.node == node.id);
        let added = self.added(node, group, succeeded);
        let inherited = succeeded.map(|known| self.state.inherited(known));
        let view = &mut self.nodes[at];
        view.placed += added;
        view.extras.add(node, group, grant, inherited.as_ref());
    }

    /// What one more instance adds: its ask, or where it succeeds another only what it asks beyond what that counts for.
    fn added(&self, node: &Node, group: &Group, succeeded: Option<&Allocation>) -> Resources {
        let ask = group.ask_on(node);
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

    fn taken<'b>(&'b self, inherited: Option<&'b NodeUse>) -> Taken<'b> {
        Taken { held: self.held.map(|held| &**held), placed: &self.extras, inherited }
    }
}

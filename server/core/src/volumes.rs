//! Where a volume is made: asked by whoever registers one, and committed by a command afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ALL_NODE_POOLS, DynamicVolume, Eligibility, Misfit, Node, NodeStatus, volume_plugin_attribute};

use crate::schedule::unmet;
use crate::state::State;

/// The node for a volume that is not placed yet: of those that could take it, the one with the fewest volumes, by name.
/// `node` is the only one that will do, where one is said. Otherwise how many nodes gave each reason.
pub fn choose_node(
    state: &State,
    volume: &DynamicVolume,
    only: Option<model::NodeId>,
) -> Result<Arc<Node>, BTreeMap<String, u32>> {
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let mut open = Vec::new();
    for node in state.nodes().filter(|node| only.is_none_or(|only| only == node.id)) {
        let misfits = misfits(state, volume, node);
        if misfits.is_empty() {
            open.push(node);
        }
        for misfit in misfits {
            *reasons.entry(misfit.dimension().into_owned()).or_default() += 1;
        }
    }
    let volumes = |node: &Node| state.volumes().filter(|known| known.node == node.id).count();
    open.into_iter().min_by_key(|node| (volumes(node), node.name.clone(), node.id)).cloned().ok_or(reasons)
}

/// What stands against a volume on `node`.
fn misfits(state: &State, volume: &DynamicVolume, node: &Node) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if node.status != NodeStatus::Ready {
        misfits.push(Misfit::NotReady { status: node.status.as_str().into() });
    }
    if node.drain.is_some() || node.eligibility == Eligibility::Ineligible {
        misfits.push(Misfit::Ineligible { draining: node.drain.is_some() });
    }
    if ![ALL_NODE_POOLS, "", &node.pool].contains(&volume.node_pool.as_str()) {
        misfits.push(Misfit::Pool { has: node.pool.clone() });
    }
    misfits.extend(unmet(&volume.constraints, node));
    if !volume.plugin.is_empty() && !node.attributes.contains_key(&volume_plugin_attribute(&volume.plugin)) {
        misfits.push(Misfit::VolumePlugin { name: volume.plugin.clone() });
    }
    let is_taken = state.volumes().any(|known| known.node == node.id && known.name == volume.name);
    if is_taken || node.host_volumes.contains_key(&volume.name) {
        misfits.push(Misfit::VolumeNameTaken { name: volume.name.clone() });
    }
    misfits
}

#[cfg(test)]
mod tests {
    use model::testing::node;
    use model::{Constraint, HostVolume, NodeId, Timestamp, VolumeId};

    use super::*;

    fn volume(name: &str) -> DynamicVolume {
        DynamicVolume {
            id: VolumeId::derive(&[name.as_bytes()]),
            namespace: "default".into(),
            name: name.into(),
            plugin: model::FOLDER_PLUGIN.into(),
            node_pool: String::new(),
            node: NodeId::default(),
            constraints: Vec::new(),
            capacity_min_bytes: 0,
            capacity_max_bytes: 0,
            capacity_bytes: 0,
            capabilities: Vec::new(),
            parameters: BTreeMap::new(),
            host_path: String::new(),
            deleting: false,
            create_index: 0,
            modify_index: 0,
            created_at: Timestamp::default(),
            modified_at: Timestamp::default(),
        }
    }

    fn cluster(nodes: impl IntoIterator<Item = Node>) -> State {
        let mut state = State::default();
        for mut node in nodes {
            node.attributes.insert(volume_plugin_attribute(model::FOLDER_PLUGIN), "1".into());
            state.put_node(node);
        }
        state
    }

    #[track_caller]
    fn check(state: &State, volume: &DynamicVolume, wanted: Result<&str, &[(&str, u32)]>) {
        let found = choose_node(state, volume, None).map(|node| node.name.clone());
        let reasons =
            |reasons: &[(&str, u32)]| reasons.iter().map(|(text, count)| (text.to_string(), *count)).collect();
        assert_eq!(found, wanted.map(String::from).map_err(reasons));
    }

    #[test]
    fn the_node_with_the_fewest_volumes_is_taken_and_then_the_first_by_name() {
        let mut state = cluster([node("n1"), node("n2")]);
        check(&state, &volume("data"), Ok("n1"));
        let first = DynamicVolume { node: node("n1").id, ..volume("logs") };
        state.volumes.insert(first.id, Arc::new(first));
        check(&state, &volume("data"), Ok("n2"));
    }

    #[test]
    fn every_condition_closes_a_node_and_is_named() {
        let mut taken = node("taken");
        taken.host_volumes.insert("data".into(), HostVolume::default());
        let mut down = node("down");
        down.status = NodeStatus::Down;
        let mut closed = node("closed");
        closed.eligibility = Eligibility::Ineligible;
        let mut elsewhere = node("elsewhere");
        elsewhere.pool = "gpu".into();
        let state = cluster([taken, down, closed, elsewhere]);
        let asked = DynamicVolume {
            node_pool: "default".into(),
            constraints: vec![Constraint {
                attribute: "${meta.rack}".into(),
                value: "r1".into(),
                ..Default::default()
            }],
            ..volume("data")
        };
        check(
            &state,
            &asked,
            Err(&[
                ("${meta.rack} = r1", 4),
                ("node down", 1),
                ("node ineligible", 1),
                ("node pool", 1),
                ("volume data is there", 1),
            ]),
        );
        let other = DynamicVolume { plugin: "zfs".into(), ..volume("data") };
        assert!(choose_node(&state, &other, None).is_err_and(|reasons| reasons["missing volume plugin zfs"] == 4));
    }

    #[test]
    fn a_node_that_is_asked_for_is_the_only_one() {
        let state = cluster([node("n1"), node("n2")]);
        let only = choose_node(&state, &volume("data"), Some(node("n2").id)).map(|node| node.name.clone());
        assert_eq!(only, Ok("n2".into()));
    }
}

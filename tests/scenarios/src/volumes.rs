//! Volumes that people make and delete in a scenario.

use std::sync::Arc;

use model::{DynamicVolume, HostVolume, Node, Timestamp, VolumeCapability, VolumeId, VolumeOffer};
use server_core::command::Command;

use super::cluster::Cluster;
use super::equipment::access;
use super::words::{Name, Words, job_key};

impl Cluster {
    /// Somebody registers a volume, and the agent of its node says that it is there.
    pub(super) fn make_volume(&mut self, mut words: Words) {
        let (name, node) = self.volume_and_node(&mut words);
        let modes = words.value("modes").unwrap_or_else(|| "writer".into());
        let attachment = if words.flag("block") { model::AttachmentMode::BlockDevice } else { Default::default() };
        let capability = |mode: &str| VolumeCapability { access: access(mode), attachment };
        let volume = DynamicVolume {
            id: id_of(&name, &node),
            namespace: words.value("namespace").unwrap_or_else(|| model::DEFAULT_NAMESPACE.into()),
            name: name.clone(),
            plugin: model::FOLDER_PLUGIN.into(),
            node_pool: node.pool.clone(),
            node: node.id,
            constraints: Vec::new(),
            capacity_min_bytes: 0,
            capacity_max_bytes: 0,
            capacity_bytes: 0,
            capabilities: modes.split(',').map(capability).collect(),
            parameters: Default::default(),
            host_path: format!("/volumes/{name}"),
            deleting: false,
            create_index: 0,
            modify_index: 0,
            created_at: Timestamp::default(),
            modified_at: Timestamp::default(),
        };
        let offer = VolumeOffer { id: volume.id, ..VolumeOffer::default() };
        let path = volume.host_path.clone();
        self.command(Command::PutVolume { volume: Arc::new(volume) });
        if !words.flag("pending") {
            let mut described = Node::clone(&self.node_named(&node.name));
            described.host_volumes.insert(name, HostVolume { path, read_only: false, dynamic: Some(offer) });
            self.command(Command::RegisterNode { node: Arc::new(described), session: None });
        }
        words.end();
    }

    /// Somebody closes a volume, or it is gone.
    pub(super) fn end_volume(&mut self, verb: &str, mut words: Words) {
        let (name, node) = self.volume_and_node(&mut words);
        let id = id_of(&name, &node);
        self.command(match verb {
            "close" => Command::CloseVolume { id },
            _ => Command::ForgetVolume { id },
        });
    }

    /// An instance need not come back to its volumes.
    pub(super) fn unclaim(&mut self, instance: &str) {
        let name = Name::of(instance);
        let is_its = |claim: &&Arc<model::VolumeClaim>| {
            claim.key.job == job_key(&name.job) && claim.key.group == name.group && claim.key.index == name.index
        };
        let ids: Vec<_> = self.state.volume_claims().filter(is_its).map(|claim| claim.id).collect();
        assert!(!ids.is_empty(), "{instance} has claimed nothing");
        for id in ids {
            self.command(Command::DropVolumeClaim { id });
        }
    }

    fn volume_and_node(&self, words: &mut Words) -> (String, Arc<Node>) {
        let name = words.name();
        assert!(words.flag("on"), "a volume is on a node");
        (name, self.node_named(&words.name()))
    }
}

fn id_of(name: &str, node: &Node) -> VolumeId {
    VolumeId::derive(&[name.as_bytes(), node.id.as_bytes()])
}

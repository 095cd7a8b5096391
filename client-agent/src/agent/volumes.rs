//! Volumes that people make or register while the agent runs: folders that outlive allocations, and the agent itself.
//!
//! What was made is written down before it is told, and described with the node from then on. The servers decide who may
//! use it.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};

use model::{FOLDER_PLUGIN, HostVolume, VolumeId, VolumeOffer};
use proto::convert::{node_to_wire, volume_from_bytes};
use proto::wire::{self, agent_up};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::{info, warn};

use super::{Agent, Input};

/// A volume as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptVolume {
    id: VolumeId,
    name: String,
    path: PathBuf,
}

/// An answer that takes a while: a document, or a status with the reason.
type Done = Result<Value, (u32, String)>;

/// The volumes that `documents` tell of and that are still there, by name.
pub(super) async fn kept(documents: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, HostVolume> {
    let mut volumes = BTreeMap::new();
    for (name, document) in documents.iter().filter(|(name, _)| name.starts_with("volumes/")) {
        match serde_json::from_slice::<KeptVolume>(document) {
            Ok(volume) if is_folder(&volume.path).await => {
                volumes.insert(volume.name.clone(), volume.described());
            }
            Ok(volume) => warn!(volume = volume.name, path = %volume.path.display(), "the folder of a volume is gone"),
            Err(error) => warn!(name, %error, "agent state can't be read and is left out"),
        }
    }
    volumes
}

impl KeptVolume {
    fn described(&self) -> HostVolume {
        let offer = VolumeOffer { id: self.id, ..VolumeOffer::default() };
        HostVolume { path: self.path.display().to_string(), read_only: false, dynamic: Some(offer) }
    }
}

fn document_name(id: VolumeId) -> String {
    format!("volumes/{id}.json")
}

async fn is_folder(path: &Path) -> bool {
    tokio::fs::metadata(path).await.is_ok_and(|found| found.is_dir())
}

impl Agent {
    /// Makes a volume, or takes up a folder as one.
    pub(super) fn make_volume(&self, order: wire::MakeVolumeOrder) -> impl Future<Output = Done> + use<> {
        let found = self.checked(&order);
        let (store, inputs) = (self.seams.store.clone(), self.inputs.clone());
        async move {
            let volume = found?;
            let failed = |error: std::io::Error| (500, format!("{}: {error}", volume.path.display()));
            match order.plugin.is_empty() {
                true if !is_folder(&volume.path).await => {
                    return Err((400, format!("{} is no folder of the node", volume.path.display())));
                }
                true => {}
                false => tokio::fs::create_dir_all(&volume.path).await.map_err(failed)?,
            }
            let document = serde_json::to_vec(&volume).expect("records have text keys only");
            store.save(&document_name(volume.id), &document).await.map_err(failed)?;
            let answer = json!({ "path": volume.path.display().to_string() });
            let _ = inputs.send(Input::VolumeMade(volume));
            Ok(answer)
        }
    }

    /// The volume that an order is for, if it can be made here.
    fn checked(&self, order: &wire::MakeVolumeOrder) -> Result<KeptVolume, (u32, String)> {
        let id = volume_from_bytes("order.volume", &order.volume).map_err(|error| (400, error.to_string()))?;
        if let Some(known) = self.node.host_volumes.get(&order.name)
            && known.dynamic.as_ref().is_none_or(|offer| offer.id != id)
        {
            return Err((400, format!("the node has a volume {:?} already", order.name)));
        }
        let path = match order.plugin.as_str() {
            "" if Path::new(&order.path).is_absolute() => PathBuf::from(&order.path),
            "" => return Err((400, format!("the path {:?} is not absolute", order.path))),
            FOLDER_PLUGIN => {
                let folder = self.config.volumes_folder.as_ref();
                folder.ok_or((400, "the node makes no volumes".to_string()))?.join(id.to_string())
            }
            other => return Err((400, format!("the node has no volume plugin {other:?}"))),
        };
        Ok(KeptVolume { id, name: order.name.clone(), path })
    }

    /// Deletes a volume with all that is in it, if a plugin made it, and forgets it.
    pub(super) fn delete_volume(&self, order: wire::DeleteVolumeOrder) -> impl Future<Output = Done> + use<> {
        let id = volume_from_bytes("order.volume", &order.volume).map_err(|error| (400, error.to_string()));
        let folder = self.config.volumes_folder.clone().filter(|_| order.plugin == FOLDER_PLUGIN);
        let (store, inputs) = (self.seams.store.clone(), self.inputs.clone());
        async move {
            let id = id?;
            let path = folder.map(|folder| folder.join(id.to_string()));
            if let Some(path) = &path {
                match tokio::fs::remove_dir_all(path).await {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err((500, format!("{}: {error}", path.display())));
                    }
                    _ => {}
                }
            }
            store.remove(&document_name(id)).await.map_err(|error| (500, error.to_string()))?;
            let volume = KeptVolume { id, name: order.name, path: path.unwrap_or_default() };
            let _ = inputs.send(Input::VolumeDeleted(volume));
            Ok(json!({}))
        }
    }

    pub(super) fn volume_made(&mut self, volume: KeptVolume) {
        info!(volume = volume.name, path = %volume.path.display(), "a volume is there");
        self.node.host_volumes.insert(volume.name.clone(), volume.described());
        self.describe_anew();
    }

    pub(super) fn volume_deleted(&mut self, volume: &KeptVolume) {
        let is_it = |known: &HostVolume| known.dynamic.as_ref().is_some_and(|offer| offer.id == volume.id);
        if self.node.host_volumes.get(&volume.name).is_some_and(is_it) {
            info!(volume = volume.name, "a volume is gone");
            self.node.host_volumes.remove(&volume.name);
            self.describe_anew();
        }
    }

    fn describe_anew(&self) {
        self.tell_hello();
        self.send(agent_up::Body::Register(node_to_wire(&self.node)));
    }
}

//! What is free of each device of a node.

use model::{DeviceId, Node, WHOLE_DEVICE};

use super::super::fleet::Devices;

/// The ids of a node's devices, as it lists them.
pub(super) fn ids(node: &Node) -> impl Iterator<Item = DeviceId> {
    node.devices.iter().flat_map(|group| group.instances.iter().map(|instance| group.id_of(&instance.id)))
}

/// What is free of each device of a node, in thousandths, device after device as the node lists them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shares(Vec<u32>);

impl Shares {
    /// What `free` says of each device of `node`.
    pub fn of(node: &Node, free: impl Fn(&DeviceId) -> u32) -> Self {
        Self(ids(node).map(|id| free(&id)).collect())
    }

    /// What is free of the device at that place.
    pub fn at(&self, at: usize) -> u32 {
        self.0[at]
    }

    /// Takes that much of the device at that place.
    pub(super) fn take(&mut self, at: usize, share: u32) {
        self.0[at] -= share;
    }

    /// Gives that much back.
    pub(super) fn give_back(&mut self, at: usize, share: u32) {
        self.0[at] += share;
    }

    /// All together.
    pub(in super::super) fn sum(&self) -> Devices {
        let mut devices = Devices::default();
        for share in &self.0 {
            let free = u64::from(*share);
            devices.instances += 1;
            devices.free += free;
            devices.begun += if *share < WHOLE_DEVICE { free } else { 0 };
        }
        devices
    }
}

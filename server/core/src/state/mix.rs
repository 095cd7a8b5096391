//! What usually runs: how often each size of an instance occurs, and a picture of that which is taken now and then.
//!
//! The scheduler packs by the picture and not by the counts, because what it computes from a picture is worth keeping for
//! many decisions. When it is taken follows from the log alone, so every server has the same.

use std::cmp::Reverse;
use std::sync::Arc;

use model::{Allocation, Resources};
use serde::{Deserialize, Serialize};

use crate::cow::CowMap;

/// Sizes that are kept in a picture.
const SIZES_MAX: usize = 64;
/// Sizes in the sample of a picture.
const SAMPLE: u64 = 64;
/// How often a size must occur to be kept.
const INSTANCES_MIN: u64 = 8;
/// So many instances come or go at least between two pictures.
const CHANGES_MIN: u64 = 20;
/// And one for so many that there are.
const INSTANCES_PER_CHANGE: u64 = 8;

/// What usually runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mix {
    sizes: CowMap<Size, u64>,
    now: Picture,
    instances: u64,
    taken: Taken,
}

/// CPU in MHz, and memory and disk in MiB.
type Size = (u64, u64, u64);

/// The part of it that can't be counted anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub picture: Arc<Picture>,
    /// Instances that came or went since.
    changes: u64,
}

/// What ran when it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Picture {
    /// All together.
    pub used: Resources,
    /// Of devices, in thousandths.
    pub device_share: u64,
    /// CPU and memory of those that use devices.
    pub beside_devices: [u64; 2],
    /// The sizes that make up most of it, whatever their disk.
    pub sizes: Vec<Usual>,
    /// CPU, memory and disk of a few instances that stand for all, evenly over their order.
    #[serde(default)]
    pub sample: Vec<[u64; 3]>,
}

/// A size that occurs often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usual {
    pub cpu_mhz: u64,
    pub memory_mb: u64,
    pub instances: u64,
}

impl Mix {
    /// Counts what `allocations` hold; with the picture that was taken before.
    pub fn of<'a>(allocations: impl Iterator<Item = &'a Allocation>, taken: Taken) -> Self {
        let mut mix = Self::default();
        for allocation in allocations.filter(|allocation| allocation.holds()) {
            mix.add(allocation);
        }
        Self { taken, ..mix }
    }

    /// The part of it that can't be counted anew.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// Takes in an allocation that begins to hold something.
    pub fn come(&mut self, allocation: &Allocation) {
        self.add(allocation);
        self.changed();
    }

    /// Takes out an allocation that holds nothing any more.
    pub fn go(&mut self, allocation: &Allocation) {
        let share = share_of(allocation);
        self.now.used -= allocation.resources;
        self.now.device_share -= share;
        if share > 0 {
            self.now.beside_devices[0] -= allocation.resources.cpu_mhz;
            self.now.beside_devices[1] -= allocation.resources.memory_mb;
        }
        self.instances -= 1;
        let size = size_of(allocation);
        if let Some(known) = self.sizes.get_mut(&size) {
            *known -= 1;
            if *known == 0 {
                self.sizes.remove(&size);
            }
        }
        self.changed();
    }

    fn add(&mut self, allocation: &Allocation) {
        let share = share_of(allocation);
        self.now.used += allocation.resources;
        self.now.device_share += share;
        if share > 0 {
            self.now.beside_devices[0] += allocation.resources.cpu_mhz;
            self.now.beside_devices[1] += allocation.resources.memory_mb;
        }
        self.instances += 1;
        let size = size_of(allocation);
        match self.sizes.get_mut(&size) {
            Some(known) => *known += 1,
            None => drop(self.sizes.insert(size, 1)),
        }
    }

    fn changed(&mut self) {
        self.taken.changes += 1;
        if self.taken.changes >= CHANGES_MIN + self.instances / INSTANCES_PER_CHANGE {
            self.taken = Taken { picture: Arc::new(self.picture()), changes: 0 };
        }
    }

    fn picture(&self) -> Picture {
        let mut sizes: Vec<Usual> = Vec::new();
        for ((cpu_mhz, memory_mb, _), instances) in self.sizes.iter() {
            match sizes.last_mut().filter(|last| (last.cpu_mhz, last.memory_mb) == (*cpu_mhz, *memory_mb)) {
                Some(last) => last.instances += instances,
                None => sizes.push(Usual { cpu_mhz: *cpu_mhz, memory_mb: *memory_mb, instances: *instances }),
            }
        }
        sizes.retain(|usual| usual.instances >= INSTANCES_MIN);
        let part = |of: u64, all: u64| (u128::from(of) << 20) / u128::from(all.max(1));
        sizes.sort_by_key(|usual| {
            let load = part(usual.cpu_mhz, self.now.used.cpu_mhz) + part(usual.memory_mb, self.now.used.memory_mb);
            (Reverse(load * u128::from(usual.instances)), usual.cpu_mhz, usual.memory_mb)
        });
        sizes.truncate(SIZES_MAX);
        Picture { sizes, sample: self.sample(), ..self.now.clone() }
    }

    /// Of as many equal parts of all instances, in the order of their sizes, the middle one of each.
    fn sample(&self) -> Vec<[u64; 3]> {
        let parts = SAMPLE.min(self.instances);
        let mut sample = Vec::new();
        let mut passed = 0;
        for ((cpu_mhz, memory_mb, disk_mb), instances) in self.sizes.iter() {
            passed += instances;
            let middle = |part: u64| (2 * part + 1) * self.instances / (2 * parts);
            while (sample.len() as u64) < parts && middle(sample.len() as u64) < passed {
                sample.push([*cpu_mhz, *memory_mb, *disk_mb]);
            }
        }
        sample
    }
}

fn size_of(allocation: &Allocation) -> Size {
    let Resources { cpu_mhz, memory_mb, disk_mb, .. } = allocation.resources;
    (cpu_mhz, memory_mb, disk_mb)
}

fn share_of(allocation: &Allocation) -> u64 {
    allocation.devices.iter().map(|grant| u64::from(grant.share)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(sizes: &[(Size, u64)]) -> Mix {
        let mut mix = Mix::default();
        for (size, instances) in sizes {
            mix.sizes.insert(*size, *instances);
            mix.instances += instances;
        }
        mix
    }

    #[test]
    fn the_sample_has_of_each_size_its_share() {
        let sample = mix(&[((1, 1, 1), 300), ((2, 1, 1), 100)]).picture().sample;
        assert_eq!(sample.iter().filter(|size| **size == [1, 1, 1]).count(), 48);
        assert_eq!(sample.len(), 64);
    }

    #[test]
    fn of_a_few_all_are_in_the_sample() {
        assert_eq!(mix(&[((1, 2, 3), 1), ((4, 5, 6), 2)]).picture().sample, [[1, 2, 3], [4, 5, 6], [4, 5, 6]]);
        assert_eq!(mix(&[]).picture().sample, [[0; 3]; 0]);
    }

    #[test]
    fn usual_sizes_are_counted_whatever_their_disk() {
        let sizes = mix(&[((1, 1, 1), 5), ((1, 1, 2), 5), ((1, 2, 1), 7)]).picture().sizes;
        assert_eq!(sizes, [Usual { cpu_mhz: 1, memory_mb: 1, instances: 10 }]);
    }
}

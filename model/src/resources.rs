//! The one arithmetic of resources, used by the scheduler, the plan check and the invariants alike.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use crate::Misfit;

/// Amounts of what a node has and a group asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    /// CPU share in MHz.
    pub cpu_mhz: u64,
    /// Reserved memory in MiB.
    pub memory_mb: u64,
    /// The most memory that may be used, in MiB; equal to `memory_mb` where nothing above it is allowed.
    pub memory_max_mb: u64,
    /// Disk in MiB.
    pub disk_mb: u64,
}

impl Resources {
    /// Element-wise maximum: what two things hold that never run at the same time.
    pub fn max(self, other: Resources) -> Resources {
        Resources {
            cpu_mhz: self.cpu_mhz.max(other.cpu_mhz),
            memory_mb: self.memory_mb.max(other.memory_mb),
            memory_max_mb: self.memory_max_mb.max(other.memory_max_mb),
            disk_mb: self.disk_mb.max(other.disk_mb),
        }
    }
}

impl Resources {
    /// Whether none of it is more than there is of `all`.
    pub fn is_within(self, all: Resources) -> bool {
        self.cpu_mhz <= all.cpu_mhz
            && self.memory_mb <= all.memory_mb
            && self.memory_max_mb <= all.memory_max_mb
            && self.disk_mb <= all.disk_mb
    }
}

impl Add for Resources {
    type Output = Resources;

    fn add(self, other: Resources) -> Resources {
        Resources {
            cpu_mhz: self.cpu_mhz + other.cpu_mhz,
            memory_mb: self.memory_mb + other.memory_mb,
            memory_max_mb: self.memory_max_mb + other.memory_max_mb,
            disk_mb: self.disk_mb + other.disk_mb,
        }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Resources) {
        *self = *self + other;
    }
}

/// Saturates at zero: a node whose capacity shrank under its allocations has nothing free, not a negative amount.
impl Sub for Resources {
    type Output = Resources;

    fn sub(self, other: Resources) -> Resources {
        Resources {
            cpu_mhz: self.cpu_mhz.saturating_sub(other.cpu_mhz),
            memory_mb: self.memory_mb.saturating_sub(other.memory_mb),
            memory_max_mb: self.memory_max_mb.saturating_sub(other.memory_max_mb),
            disk_mb: self.disk_mb.saturating_sub(other.disk_mb),
        }
    }
}

impl SubAssign for Resources {
    fn sub_assign(&mut self, other: Resources) {
        *self = *self - other;
    }
}

/// Whether `ask` fits into `free`; if not, every dimension that is short and by how much.
pub fn fits(ask: Resources, free: Resources) -> Result<(), Vec<Misfit>> {
    let mut short = Vec::new();
    if ask.cpu_mhz > free.cpu_mhz {
        short.push(Misfit::Cpu { ask_mhz: ask.cpu_mhz, free_mhz: free.cpu_mhz });
    }
    let is_memory_short = ask.memory_mb > free.memory_mb;
    if is_memory_short {
        short.push(Misfit::Memory { ask_mb: ask.memory_mb, free_mb: free.memory_mb });
    }
    // Who asks for no more than he reserves is told of the reservation only.
    if ask.memory_max_mb > free.memory_max_mb && !(is_memory_short && ask.memory_max_mb == ask.memory_mb) {
        short.push(Misfit::MemoryMax { ask_mb: ask.memory_max_mb, free_mb: free.memory_max_mb });
    }
    if ask.disk_mb > free.disk_mb {
        short.push(Misfit::Disk { ask_mb: ask.disk_mb, free_mb: free.disk_mb });
    }
    if short.is_empty() { Ok(()) } else { Err(short) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Resources = Resources { cpu_mhz: 1000, memory_mb: 512, memory_max_mb: 768, disk_mb: 100 };

    #[test]
    fn a_limit_that_is_the_reservation_is_a_reason_of_its_own_only_where_the_reservation_fits() {
        let ask = Resources { memory_mb: 800, memory_max_mb: 800, ..Resources::default() };
        assert_eq!(fits(ask, NODE), Err(vec![Misfit::Memory { ask_mb: 800, free_mb: 512 }]));
        let free = Resources { memory_mb: 1000, ..NODE };
        assert_eq!(fits(ask, free), Err(vec![Misfit::MemoryMax { ask_mb: 800, free_mb: 768 }]));
    }

    #[test]
    fn exactly_all_of_a_node_fits() {
        assert_eq!(fits(NODE, NODE), Ok(()));
    }

    #[test]
    fn one_more_of_anything_does_not_and_every_dimension_is_named() {
        let ask = Resources { cpu_mhz: 1001, memory_mb: 513, memory_max_mb: 769, disk_mb: 101 };
        assert_eq!(
            fits(ask, NODE),
            Err(vec![
                Misfit::Cpu { ask_mhz: 1001, free_mhz: 1000 },
                Misfit::Memory { ask_mb: 513, free_mb: 512 },
                Misfit::MemoryMax { ask_mb: 769, free_mb: 768 },
                Misfit::Disk { ask_mb: 101, free_mb: 100 },
            ])
        );
    }
}

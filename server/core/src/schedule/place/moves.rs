//! Where instances of a plan go, and what they leave for it.

use model::{AllocationId, Resources};

use super::super::fleet::Place;

/// Instances that the plan places, and the node that each leaves for it.
#[derive(Clone, Copy)]
pub(super) struct Move<'a> {
    /// Their group.
    pub group: &'a str,
    /// How many.
    pub count: u32,
    /// What each of them asks.
    pub ask: Resources,
    /// Where they go.
    pub to: Place,
    /// The instance that one of them replaces, and where it counted until now; one that the plan ends counts nowhere for who
    /// comes next.
    pub from: Option<(AllocationId, Place)>,
}

/// What instances that the plan places ask of one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burden {
    /// Together.
    pub ask: Resources,
    /// How many they are.
    pub count: u32,
}

impl std::ops::AddAssign for Burden {
    fn add_assign(&mut self, other: Self) {
        self.ask += other.ask;
        self.count += other.count;
    }
}

impl Move<'_> {
    /// What they ask together.
    pub(super) fn burden(&self) -> Burden {
        let times = |amount: u64| amount * u64::from(self.count);
        let Resources { cpu_mhz, memory_mb, memory_max_mb, disk_mb } = self.ask;
        let ask = Resources {
            cpu_mhz: times(cpu_mhz),
            memory_mb: times(memory_mb),
            memory_max_mb: times(memory_max_mb),
            disk_mb: times(disk_mb),
        };
        Burden { ask, count: self.count }
    }
}

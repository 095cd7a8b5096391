//! The specification of the scheduler, one scenario a test. The language is explained in `scenarios/src/lib.rs`.

#[path = "behaviours/batch.rs"]
mod batch;
#[path = "behaviours/canaries.rs"]
mod canaries;
#[path = "behaviours/capacity.rs"]
mod capacity;
#[path = "behaviours/combinations.rs"]
mod combinations;
#[path = "behaviours/conditions.rs"]
mod conditions;
#[path = "behaviours/cores.rs"]
mod cores;
#[path = "behaviours/deployments.rs"]
mod deployments;
#[path = "behaviours/devices.rs"]
mod devices;
#[path = "behaviours/disconnects.rs"]
mod disconnects;
#[path = "behaviours/disks.rs"]
mod disks;
#[path = "behaviours/drains.rs"]
mod drains;
#[path = "behaviours/dynamic_volumes.rs"]
mod dynamic_volumes;
#[path = "behaviours/exactness.rs"]
mod exactness;
#[path = "behaviours/explanations.rs"]
mod explanations;
#[path = "behaviours/failures.rs"]
mod failures;
#[path = "behaviours/feasibility.rs"]
mod feasibility;
#[path = "behaviours/hints.rs"]
mod hints;
#[path = "behaviours/late_plans.rs"]
mod late_plans;
#[path = "behaviours/means.rs"]
mod means;
#[path = "behaviours/most_allocations.rs"]
mod most_allocations;
#[path = "behaviours/moves.rs"]
mod moves;
#[path = "behaviours/names.rs"]
mod names;
#[path = "behaviours/networks.rs"]
mod networks;
#[path = "behaviours/numa.rs"]
mod numa;
#[path = "behaviours/on_nodes.rs"]
mod on_nodes;
#[path = "behaviours/order.rs"]
mod order;
#[path = "behaviours/own_volumes.rs"]
mod own_volumes;
#[path = "behaviours/preemption.rs"]
mod preemption;
#[path = "behaviours/preemption_of_devices.rs"]
mod preemption_of_devices;
#[path = "behaviours/properties.rs"]
mod properties;
#[path = "behaviours/rebalance.rs"]
mod rebalance;
#[path = "behaviours/rollouts.rs"]
mod rollouts;
#[path = "behaviours/room.rs"]
mod room;
#[path = "behaviours/scaling.rs"]
mod scaling;
#[path = "behaviours/scores.rs"]
mod scores;
#[path = "behaviours/spreads.rs"]
mod spreads;
#[path = "behaviours/sticky_volumes.rs"]
mod sticky_volumes;
#[path = "behaviours/stories.rs"]
mod stories;
#[path = "behaviours/sysbatch.rs"]
mod sysbatch;
#[path = "behaviours/system.rs"]
mod system;
#[path = "behaviours/system_rollouts.rs"]
mod system_rollouts;
#[path = "behaviours/updates.rs"]
mod updates;
#[path = "behaviours/versions.rs"]
mod versions;
#[path = "behaviours/volumes.rs"]
mod volumes;
#[path = "behaviours/waiting.rs"]
mod waiting;
#[path = "behaviours/watch.rs"]
mod watch;

//! The specification of the scheduler, one scenario a test. The language is explained in `tests/scenarios.rs`.

#[path = "scenarios/canaries.rs"]
mod canaries;
#[path = "scenarios/deployments.rs"]
mod deployments;
#[path = "scenarios/explanations.rs"]
mod explanations;
#[path = "scenarios/failures.rs"]
mod failures;
#[path = "scenarios/feasibility.rs"]
mod feasibility;
#[path = "scenarios/moves.rs"]
mod moves;
#[path = "scenarios/properties.rs"]
mod properties;
#[path = "scenarios/rollouts.rs"]
mod rollouts;
#[path = "scenarios/room.rs"]
mod room;
#[path = "scenarios/scaling.rs"]
mod scaling;
#[path = "scenarios/scores.rs"]
mod scores;
#[path = "scenarios/system.rs"]
mod system;
#[path = "scenarios/updates.rs"]
mod updates;

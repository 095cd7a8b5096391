//! The decisions of a node's agent: which allocations begin and end, what a task does next, when it is healthy.
//!
//! Pure: values in, values out. Time and jitter are parameters; nothing here waits, logs or talks to a container
//! runtime. The shell in `client-agent` feeds events in and runs the effects that come out.
//!
//! ```text
//!   assign      wanted set x known allocations  -> what begins, changes, ends, is lacking
//!   allocation  event x spec                    -> effects on its tasks       (uses lifecycle, health, checks)
//!   task        event x policy                  -> next phase and effects     (uses restart)
//!   environment job, ports, node                -> variables of a task, interpolation
//! ```

mod allocation;
mod assign;
mod checks;
mod environment;
mod health;
mod lifecycle;
mod restart;
mod spec;
mod task;

pub use allocation::{Allocation, AllocationEvent};
pub use assign::{Changes, Known, assign, held_by};
pub use checks::{CHECK_OUTPUT_BYTES_MAX, CheckTracker, PASSING_INTERVAL_MIN, Probed, Thresholds};
pub use environment::{Scope, environment, interpolate};
pub use health::{Health, HealthRules, Vitals};
pub use lifecycle::Role;
pub use restart::{Ending, Tracker, Verdict, after_end};
pub use spec::{CheckSpec, Member, NETWORK_TASK, Spec};
pub use task::{AfterStop, EVENTS_MAX, Effect, Event, Found, Moment, Phase, Policy, STOP_RETRY_DELAY, Task, step};

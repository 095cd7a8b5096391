//! The part that a task plays in its group, and so when its turn comes.
//!
//! ```text
//!   network -> prestart (done, or running if sidecars) -> main -> poststart          (starting)
//!   leader -> main, hooks -> sidecars -> poststop runs -> network                    (ending)
//! ```

use model::{LifecycleHook, Task};

/// The part of a task in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Holds the network namespace that the others share.
    Network,
    /// Before the main tasks; a sidecar goes on beside them.
    Prestart {
        /// Whether it goes on beside the main tasks.
        sidecar: bool,
    },
    /// What the group is for.
    Main,
    /// When the main tasks run.
    Poststart {
        /// Whether it goes on beside the main tasks.
        sidecar: bool,
    },
    /// When the main tasks have ended.
    Poststop,
}

impl Role {
    /// The part that the jobspec gives to `task`.
    pub fn of(task: &Task) -> Role {
        match &task.lifecycle {
            None => Role::Main,
            Some(lifecycle) => match lifecycle.hook {
                LifecycleHook::Prestart => Role::Prestart { sidecar: lifecycle.sidecar },
                LifecycleHook::Poststart => Role::Poststart { sidecar: lifecycle.sidecar },
                LifecycleHook::Poststop => Role::Poststop,
            },
        }
    }

    /// Whether it lives as long as the main tasks do.
    pub fn is_sidecar(self) -> bool {
        matches!(self, Role::Prestart { sidecar: true } | Role::Poststart { sidecar: true })
    }

    /// Whether code 0 means that it has done its work, in a job whose main tasks complete or not.
    pub fn completes(self, job_completes: bool) -> bool {
        match self {
            Role::Network => false,
            Role::Main => job_completes,
            Role::Prestart { sidecar } | Role::Poststart { sidecar } => !sidecar,
            Role::Poststop => true,
        }
    }
}

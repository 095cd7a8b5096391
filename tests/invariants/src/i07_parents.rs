//! I7: what stands in the state belongs to something that stands there too: an allocation to a job, and while it holds
//! something to a version of it and a node; a deployment to a job; what the catalog says to an allocation.

use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "parents";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    let mut orphan = |what: String| violations.push(Violation::new(NAME, what));
    for allocation in state.allocations_as_placed() {
        let (id, key) = (allocation.id.short(), &allocation.job);
        let Some(record) = state.job(key) else {
            orphan(format!("allocation {id} is of {key}, which is gone"));
            continue;
        };
        if allocation.holds() && record.version(allocation.job_version).is_none() {
            orphan(format!("allocation {id} runs version {} of {key}, which is gone", allocation.job_version));
        }
        if allocation.holds() && state.node(allocation.node).is_none() {
            orphan(format!("allocation {id} is on {}, which is gone", allocation.node_name));
        }
    }
    for deployment in state.deployments() {
        if state.job(&deployment.job).is_none() {
            orphan(format!("deployment {} is of {}, which is gone", deployment.id.short(), deployment.job));
        }
    }
    for ((_, service), row) in state.services() {
        for instance in row.instances.values() {
            if state.allocation(instance.allocation).is_none() {
                orphan(format!(
                    "an instance of {service} is allocation {}, which is gone",
                    instance.allocation.short()
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::JobKey;

    use super::*;
    use crate::fixture::{bend, cluster, found, ids};

    #[test]
    fn what_belongs_to_nothing_is_found() {
        let state = cluster();
        assert_eq!(found(&state, check), []);
        let mut orphaned = state.clone();
        server_core::testing::forget_job(&mut orphaned, &JobKey::new("default", "web"));
        assert_eq!(found(&orphaned, check).len(), 3, "two allocations and a deployment");
        let astray = bend(&state, ids(&state)[0], |known| known.node = crate::fixture::node_id("n9"));
        assert_eq!(found(&astray, check).len(), 1);
        let unknown = bend(&state, ids(&state)[0], |known| {
            std::sync::Arc::make_mut(&mut known.cohort).job_version = 7;
        });
        assert_eq!(found(&unknown, check).len(), 1);
    }
}

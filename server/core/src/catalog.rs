//! The catalog: which instances of which services there are, derived from allocations, checks and nodes.
//!
//! Nothing is registered and nothing can be stale: an instance is here while its allocation is wanted and not over.
//! Names and tags are interpolated as tasks see them.

use model::{
    Allocation, CheckStatus, ClientStatus, Desired, Instance, InstanceState, Job, Node, NodeStatus, Service, Task,
};

use crate::state::State;

/// The instances that an allocation provides, in order of the services in its group. Of services that are told apart only
/// by how their names are written, the last is there: `${JOB}` and `web` in the job `web` are one.
pub(crate) fn instances(state: &State, allocation: &Allocation) -> Vec<Instance> {
    if allocation.client_status.is_terminal() {
        return Vec::new();
    }
    let Some(version) = state.job_version(&allocation.job, allocation.job_version) else { return Vec::new() };
    let Some(group) = version.job.group(&allocation.group) else { return Vec::new() };
    let Some(node) = state.node(allocation.node) else { return Vec::new() };
    let of = |(task, service): (Option<&Task>, &Service)| instance(&version.job, allocation, node, task, service);
    let mut provided: Vec<Instance> = Vec::new();
    for instance in group.all_services().map(of) {
        provided.retain(|known| known.id != instance.id);
        provided.push(instance);
    }
    provided
}

fn instance(job: &Job, allocation: &Allocation, node: &Node, task: Option<&Task>, service: &Service) -> Instance {
    let say = |text: &str| interpolate(text, job, allocation, node, task);
    let name = say(&service.name);
    let port = allocation.ports.iter().find(|port| port.label == service.port_label);
    let owner = task.map_or(format!("group-{}", allocation.group), |task| task.name.clone());
    let tags = if allocation.canary && !service.canary_tags.is_empty() { &service.canary_tags } else { &service.tags };
    let address = match (service.address.as_str(), port) {
        ("", Some(port)) => port.host_ip.clone(),
        ("", None) => node.address.clone(),
        (given, _) => say(given),
    };
    Instance {
        id: format!("_nomad-task-{}-{owner}-{name}-{}", allocation.id, service.port_label),
        tags: tags.iter().map(|tag| say(tag)).collect(),
        job: allocation.job.clone(),
        group: allocation.group.clone(),
        allocation: allocation.id,
        node: node.id,
        node_name: node.name.clone(),
        datacenter: node.datacenter.clone(),
        address,
        // A service without a labelled port may name a number.
        port: port.map_or_else(|| service.port_label.parse().unwrap_or(0), |port| port.value),
        state: instance_state(allocation, node, service),
        service: name,
    }
}

fn instance_state(allocation: &Allocation, node: &Node, service: &Service) -> InstanceState {
    if allocation.desired != Desired::Run || node.status != NodeStatus::Ready {
        return InstanceState::Draining;
    }
    match allocation.client_status {
        ClientStatus::Running => {}
        ClientStatus::Pending => return InstanceState::Starting,
        ClientStatus::Unknown => return InstanceState::Draining,
        ClientStatus::Complete | ClientStatus::Failed | ClientStatus::Lost => return InstanceState::Failing,
    }
    let status = |at| allocation.checks.get(&service.check_key(at)).map_or(CheckStatus::Pending, |check| check.status);
    let statuses: Vec<_> = (0..service.checks.len()).filter(|at| service.checks[*at].is_probed()).map(status).collect();
    if statuses.contains(&CheckStatus::Failing) {
        InstanceState::Failing
    } else if statuses.contains(&CheckStatus::Pending) {
        InstanceState::Starting
    } else {
        InstanceState::Passing
    }
}

/// Replaces what stands in `${…}` by what it names; what is not known stays as it is written.
fn interpolate(text: &str, job: &Job, allocation: &Allocation, node: &Node, task: Option<&Task>) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        said.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            said.push_str("${");
            rest = after;
            continue;
        };
        match value_of(name, job, allocation, node, task) {
            Some(value) => said.push_str(&value),
            None => {
                said.push_str("${");
                said.push_str(name);
                said.push('}');
            }
        }
        rest = after;
    }
    said.push_str(rest);
    said
}

fn value_of(name: &str, job: &Job, allocation: &Allocation, node: &Node, task: Option<&Task>) -> Option<String> {
    let task = task.map_or(allocation.group.as_str(), |task| task.name.as_str());
    let value = match name {
        "JOB" | "NOMAD_JOB_NAME" => job.name.clone(),
        "NOMAD_JOB_ID" => job.id.clone(),
        "TASKGROUP" | "GROUP" | "NOMAD_GROUP_NAME" => allocation.group.clone(),
        "TASK" | "NOMAD_TASK_NAME" => task.to_string(),
        "BASE" => format!("{}-{}-{task}", job.name, allocation.group),
        "NOMAD_ALLOC_ID" => allocation.id.to_string(),
        "NOMAD_SHORT_ALLOC_ID" => allocation.id.short(),
        "NOMAD_ALLOC_NAME" => allocation.name(),
        "NOMAD_ALLOC_INDEX" => allocation.index.to_string(),
        "NOMAD_NAMESPACE" => job.namespace.clone(),
        "NOMAD_REGION" => job.region.clone(),
        "NOMAD_DC" | "node.datacenter" => node.datacenter.clone(),
        "node.unique.id" => node.id.to_string(),
        "node.unique.name" => node.name.clone(),
        "node.class" => node.class.clone(),
        "node.pool" => node.pool.clone(),
        _ => {
            if let Some(attribute) = name.strip_prefix("attr.") {
                return node.attributes.get(attribute).cloned();
            }
            if let Some(key) = name.strip_prefix("meta.") {
                return node.meta.get(key).cloned();
            }
            let key = name.strip_prefix("NOMAD_META_")?;
            return job.meta.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.clone());
        }
    };
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::testing::{job, node};
    use model::{AllocationId, Check, CheckState, Cohort, Timestamp};

    use super::*;
    use crate::apply::apply;
    use crate::command::{Command, Entry};

    fn providing(services: Vec<Service>) -> (State, AllocationId) {
        let (mut state, node) = (State::default(), node("n1"));
        let mut job = job("web");
        job.groups[0].services = services;
        let id = AllocationId::derive(&[b"one"]);
        let cohort = Cohort { job: job.key(), group: "web".into(), ..Cohort::default() };
        let mut placed = Allocation::placed(id, Arc::new(cohort), node.id, node.name.as_str().into());
        placed.client_status = ClientStatus::Running;
        for (index, command) in (1..).zip([
            Command::RegisterNode { node: Arc::new(node), session: None },
            Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None },
        ]) {
            apply(
                &mut state,
                index,
                1,
                &Entry { at: Timestamp::default(), request: None, caller: String::new(), command },
            );
        }
        let (key, place) = (placed.job.clone(), state.add_allocation(placed, true));
        state.add_to_job(&key, vec![(id, place)]);
        (state, id)
    }

    #[test]
    fn services_whose_names_come_to_the_same_are_one_instance_whichever_of_them_changes() {
        let checked = |name: &str| Service {
            name: name.into(),
            port_label: "80".into(),
            checks: vec![Check { name: name.into(), ..Check::default() }],
            ..Service::default()
        };
        let (mut state, id) = providing(vec![checked("${JOB}"), checked("web")]);
        let says = |state: &State| -> Vec<InstanceState> {
            let row = state.service("default", "web").expect("it is provided");
            row.instances.values().map(|instance| instance.state).collect()
        };
        assert_eq!(says(&state), [InstanceState::Starting]);
        for (name, wanted) in [("${JOB}", InstanceState::Starting), ("web", InstanceState::Passing)] {
            let mut known = Allocation::clone(state.allocation(id).expect("it was placed"));
            let passes = CheckState { status: CheckStatus::Passing, at: Timestamp::default(), output: String::new() };
            known.checks.insert(format!("{name}/{name}"), passes);
            state.put_allocation(known);
            assert_eq!(says(&state), [wanted], "{name} passes");
            assert!(state.is_consistent());
        }
    }
}

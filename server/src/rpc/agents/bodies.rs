//! What an agent is told of what it shall run: assignments, and the documents of jobs.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, Assignment, DocumentId, Index, JobKey, NodeId};
use proto::convert::{
    allocation_from_bytes, allocation_to_bytes, assignment_to_wire, document_from_wire, document_to_wire,
};
use proto::wire::{self, Bodies, WantedItem};
use server_core::state::State;

/// The documents that come unasked with what is wanted have so many bytes at most: a message holds a limited number.
const NEWS_BYTES_MAX: usize = 256 << 10;
/// So many assignments come unasked at most.
const NEWS_ASSIGNMENTS_MAX: usize = 500;

/// What an agent asks for, of what is its business.
pub(super) fn fetched(state: &State, node: NodeId, fetch: &wire::Fetch) -> Bodies {
    let assignments = fetch
        .allocations
        .iter()
        .filter_map(|id| allocation_from_bytes("fetch.allocations", id).ok())
        .filter_map(|id| state.allocation(id))
        .filter(|allocation| allocation.node == node)
        .map(|allocation| assignment_to_wire(&assignment(state, allocation)))
        .collect();
    let job = |version: &wire::JobVersion| job_body(state, &document_from_wire(version));
    Bodies { assignments, jobs: fetch.jobs.iter().filter_map(job).collect() }
}

/// What an agent lacks of what is `wanted` of it, where `before` is what it was told last: of that it has asked for what it
/// lacked.
pub(super) fn news(state: &State, before: &[WantedItem], wanted: &[&Arc<Allocation>]) -> Bodies {
    let before: BTreeSet<(&[u8], Index)> = before.iter().map(|item| (&item.allocation[..], item.generation)).collect();
    let is_known = |allocation: &&Arc<Allocation>| {
        let WantedItem { allocation, generation } = item(state, allocation);
        before.contains(&(&allocation[..], generation))
    };
    let (known, new): (Vec<&Arc<Allocation>>, Vec<_>) = wanted.iter().copied().partition(is_known);
    let known: BTreeSet<_> = known.into_iter().map(|allocation| document(state, allocation)).collect();
    let lacking: BTreeSet<_> = new.iter().map(|allocation| document(state, allocation)).collect();
    let mut room = NEWS_BYTES_MAX;
    let fits = |body: &wire::JobBody| {
        let left = room.checked_sub(body.document.len());
        room = left.unwrap_or(room);
        left.is_some()
    };
    let jobs = lacking.difference(&known).filter_map(|document| job_body(state, document)).filter(fits).collect();
    let new = new.into_iter().take(NEWS_ASSIGNMENTS_MAX);
    Bodies { assignments: new.map(|allocation| assignment_to_wire(&assignment(state, allocation))).collect(), jobs }
}

/// What an agent is told of an allocation that it shall have.
pub(super) fn item(state: &State, allocation: &Allocation) -> WantedItem {
    WantedItem { allocation: allocation_to_bytes(allocation.id), generation: in_epoch(state, allocation.generation) }
}

/// A job's document; none where there is no such version any more.
fn job_body(state: &State, document: &DocumentId) -> Option<wire::JobBody> {
    let known = state.job_version(&document.job, document.version)?;
    if create_index(state, &document.job) != document.create_index {
        return None;
    }
    let text = serde_json::to_vec(&*known.job).ok()?;
    Some(wire::JobBody { version: Some(document_to_wire(document)), document: text.into() })
}

/// The document by which an allocation runs.
fn document(state: &State, allocation: &Allocation) -> DocumentId {
    DocumentId {
        job: allocation.job.clone(),
        create_index: create_index(state, &allocation.job),
        version: allocation.job_version,
    }
}

/// Index of the job's first registration; 0 where there is no such job.
fn create_index(state: &State, job: &JobKey) -> Index {
    state.job(job).map_or(0, |record| in_epoch(state, record.create_index))
}

/// Indexes stay far below this many bits.
const EPOCH_SHIFT: u32 = 48;

/// A number by which an agent tells the newer of two, as it is told: what was made after a backup and is gone with the
/// restore must not be taken for what the restored cluster makes under the same number.
fn in_epoch(state: &State, number: Index) -> Index {
    number.wrapping_add(state.epoch() << EPOCH_SHIFT)
}

fn assignment(state: &State, allocation: &Allocation) -> Assignment {
    Assignment {
        allocation: allocation.id,
        document: document(state, allocation),
        group: allocation.group.clone(),
        index: allocation.index,
        ports: allocation.ports.clone(),
        cores: allocation.cores.clone(),
        devices: allocation.devices.clone(),
        after: allocation.ties().after.clone(),
        deployment: allocation.deployment,
        desired: allocation.desired.clone(),
        generation: in_epoch(state, allocation.generation),
    }
}

#[cfg(test)]
mod tests {
    use model::Job;
    use model::testing::{job, node};
    use server_core::command::Command;

    use super::*;
    use crate::http::testing::Twin;

    /// A node with room for all.
    const NODE: &str = "large";

    fn twin() -> Arc<Twin> {
        let twin = Twin::new();
        let node = node(NODE).cpu(1 << 24).memory(1 << 24);
        twin.apply(Command::RegisterNode { node: Arc::new(node), session: None });
        twin
    }

    fn wanted(state: &State, twin: &Twin) -> Vec<Arc<Allocation>> {
        state.allocations_of_node(twin.node(NODE)).cloned().collect()
    }

    /// What comes with what is wanted now, if before it was what `before` has.
    fn news_since(before: &State, twin: &Twin) -> Bodies {
        let state = twin.state();
        let before: Vec<_> = wanted(before, twin).iter().map(|allocation| item(before, allocation)).collect();
        news(&state, &before, &wanted(&state, twin).iter().collect::<Vec<_>>())
    }

    fn numbers(bodies: &Bodies) -> (usize, usize) {
        (bodies.assignments.len(), bodies.jobs.len())
    }

    #[test]
    fn what_is_named_for_the_first_time_comes_with_its_document_unless_the_agent_has_it() {
        let twin = twin();
        let before = twin.state();
        twin.register(job("web").count(3));
        twin.place("web", NODE, 2);
        let news = news_since(&before, &twin);
        assert_eq!(numbers(&news), (2, 1));
        let fetch = wire::Fetch {
            allocations: news.assignments.iter().map(|assignment| assignment.allocation.clone()).collect(),
            jobs: news.jobs.iter().filter_map(|job| job.version.clone()).collect(),
        };
        assert_eq!(news, fetched(&twin.state(), twin.node(NODE), &fetch), "as if it had been asked for");
        let before = twin.state();
        twin.place("web", NODE, 1);
        assert_eq!(numbers(&news_since(&before, &twin)), (1, 0));
        assert_eq!(numbers(&news_since(&twin.state(), &twin)), (0, 0));
    }

    #[test]
    fn documents_that_are_too_large_for_a_message_are_left_to_be_asked_for() {
        let with_padding = |bytes: usize| {
            let mut job = job("web");
            job.meta.insert("padding".into(), "x".repeat(bytes));
            job
        };
        let numbers_with = |job: Job| {
            let twin = twin();
            let empty = twin.state();
            twin.register(job);
            twin.place("web", NODE, 1);
            let state = twin.state();
            let known = state.job(&JobKey::new("default", "web")).unwrap().current().job.clone();
            (serde_json::to_vec(&*known).unwrap().len(), numbers(&news_since(&empty, &twin)))
        };
        let (other, _) = numbers_with(with_padding(0));
        let padding = NEWS_BYTES_MAX - other;
        assert_eq!(numbers_with(with_padding(padding)), (NEWS_BYTES_MAX, (1, 1)));
        assert_eq!(numbers_with(with_padding(padding + 1)), (NEWS_BYTES_MAX + 1, (1, 0)));
    }

    #[test]
    fn assignments_beyond_the_limit_are_left_to_be_asked_for() {
        let twin = twin();
        let empty = twin.state();
        let count = NEWS_ASSIGNMENTS_MAX as u32 + 1;
        twin.register(job("web").count(count));
        twin.place("web", NODE, count);
        assert_eq!(numbers(&news_since(&empty, &twin)), (NEWS_ASSIGNMENTS_MAX, 1));
    }
}

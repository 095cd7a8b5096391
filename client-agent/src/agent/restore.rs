//! Taking up what an earlier run of the agent wrote down. Nothing in it is trusted to be running: that is observed.

use std::collections::BTreeMap;
use std::sync::Arc;

use client_agent_core::AllocationEvent;
use model::{AllocationId, DocumentId, Job};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::{info, warn};

use super::Agent;
use super::local::{Local, Record, record_name};

const EPOCH_DOCUMENT: &str = "epoch";

/// A job's document as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptJob {
    document: DocumentId,
    job: Job,
}

impl Agent {
    /// Takes up `documents`. What can't be read is left out: its containers are adopted by their labels.
    pub(super) fn restore(&mut self, documents: &BTreeMap<String, Vec<u8>>) {
        if let Some(epoch) = documents.get(EPOCH_DOCUMENT) {
            self.epoch = String::from_utf8_lossy(epoch).trim().parse().unwrap_or(0);
        }
        for document in of(documents, "jobs/") {
            if let Some(KeptJob { document, job }) = read(document) {
                self.jobs.insert(document, Arc::new(job));
            }
        }
        for document in of(documents, "allocations/") {
            let Some(Record { assignment, state, ended_at }) = read(document) else { continue };
            let id = assignment.allocation;
            let Some(job) = self.jobs.get(&assignment.document) else {
                warn!(allocation = %id, "its job is not kept; its containers are adopted by their labels");
                continue;
            };
            let mut local = Local::new(assignment, job.clone(), state.restored(), self.config.deregister_grace);
            local.ended_at = ended_at;
            self.report.put(local.state.observation(id), Instant::now());
            self.locals.insert(id, local);
        }
        let ids: Vec<AllocationId> = self.locals.keys().copied().collect();
        if !ids.is_empty() {
            info!(allocations = ids.len(), "state restored");
        }
        self.release_successors();
        for id in ids {
            // Settings that need no observation, such as timers, go on from here.
            self.step(id, AllocationEvent::Tick);
        }
    }

    /// Has an allocation's record written down at the end of this turn.
    pub(super) fn persist(&mut self, id: AllocationId) {
        self.changed.insert(id);
    }

    /// Writes the records down that have changed.
    pub(super) fn write_changed(&mut self) {
        for id in std::mem::take(&mut self.changed) {
            if let Some(local) = self.locals.get(&id) {
                self.write(record_name(id), &local.record());
            }
        }
    }

    /// Writes a job's document down.
    pub(super) fn persist_job(&self, document: &DocumentId, job: &Job) {
        self.write(job_name(document), &KeptJob { document: document.clone(), job: job.clone() });
    }

    /// Writes the restore epoch down.
    pub(super) fn persist_epoch(&self) {
        let _ = self.writes.send((EPOCH_DOCUMENT.into(), Some(format!("{}\n", self.epoch).into_bytes())));
    }

    /// Forgets an allocation's record, and the documents of jobs that nothing refers to any more.
    pub(super) fn unpersist(&mut self, id: AllocationId) {
        let _ = self.writes.send((record_name(id), None));
        let used = |document: &DocumentId| {
            let mut local = self.locals.values().map(|local| &local.assignment).chain(self.bodies.values());
            local.any(|assignment| assignment.document == *document)
        };
        let unused: Vec<_> = self.jobs.keys().filter(|document| !used(document)).cloned().collect();
        for document in unused {
            let _ = self.writes.send((job_name(&document), None));
            self.jobs.remove(&document);
        }
    }

    fn write(&self, name: String, document: &impl Serialize) {
        let document = serde_json::to_vec(document).expect("records have text keys only");
        // The writer ends only with the agent.
        let _ = self.writes.send((name, Some(document)));
    }
}

fn of<'a>(
    documents: &'a BTreeMap<String, Vec<u8>>,
    folder: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Vec<u8>)> {
    documents.iter().filter(move |(name, _)| name.starts_with(folder))
}

fn read<T: for<'de> Deserialize<'de>>((name, document): (&String, &Vec<u8>)) -> Option<T> {
    match serde_json::from_slice(document) {
        Ok(value) => Some(value),
        Err(error) => {
            warn!(name, %error, "agent state can't be read and is left out");
            None
        }
    }
}

/// The name of a job's document. Ids may hold any character, so the name is derived from them.
fn job_name(document: &DocumentId) -> String {
    let DocumentId { job, create_index, version } = document;
    let parts: [&[u8]; 4] =
        [job.namespace.as_bytes(), job.id.as_bytes(), &create_index.to_le_bytes(), &version.to_le_bytes()];
    format!("jobs/{}.json", AllocationId::derive(&parts))
}

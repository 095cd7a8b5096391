//! How two states differ: what was added, removed or changed between them, table by table.

use std::collections::BTreeMap;

use server_core::state::State;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Jobs, by namespace and id.
    Jobs,
    /// Nodes, by id.
    Nodes,
    /// Allocations, by id.
    Allocations,
    /// Evaluations, by id.
    Evaluations,
    /// Deployments, by id.
    Deployments,
    /// Volumes, by id.
    Volumes,
    /// Servers, by id.
    Servers,
}

impl Table {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Table::Jobs => "jobs",
            Table::Nodes => "nodes",
            Table::Allocations => "allocations",
            Table::Evaluations => "evaluations",
            Table::Deployments => "deployments",
            Table::Volumes => "volumes",
            Table::Servers => "servers",
        }
    }
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is only in the second state.
    Added(String),
    /// It is only in the first.
    Removed(String),
    /// It is in both, and not the same; with what it was and is.
    Changed(String, String, String),
}

/// What differs in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The table.
    pub table: Table,
    /// Objects of the first state.
    pub before: usize,
    /// Objects of the second state.
    pub after: usize,
    /// What differs, by id.
    pub differences: Vec<Difference>,
}

/// Compares two states.
pub fn compare(before: &State, after: &State) -> Vec<Compared> {
    let tables = [
        Table::Jobs,
        Table::Nodes,
        Table::Allocations,
        Table::Evaluations,
        Table::Deployments,
        Table::Volumes,
        Table::Servers,
    ];
    tables.into_iter().map(|table| compare_rows(table, &rows(before, table), &rows(after, table))).collect()
}

/// Objects of a table: their id, a hash of all of them, and what people would call their state.
type RowsOf = BTreeMap<String, (blake3::Hash, String)>;

fn rows(state: &State, table: Table) -> RowsOf {
    fn row(id: impl ToString, object: &impl serde::Serialize, words: String) -> (String, (blake3::Hash, String)) {
        let bytes = rmp_serde::to_vec_named(object).expect("every object can be written to memory");
        (id.to_string(), (blake3::hash(&bytes), words))
    }
    match table {
        Table::Jobs => {
            let words = |job: &server_core::state::JobRecord| {
                format!("version {}{}", job.current().version, if job.stop { ", stopped" } else { "" })
            };
            state.jobs().map(|job| row(&job.key, &**job, words(job))).collect()
        }
        Table::Nodes => {
            let words = |node: &model::Node| format!("{} {:?}", node.name, node.status).to_lowercase();
            state.nodes().map(|node| row(node.id, &**node, words(node))).collect()
        }
        Table::Allocations => {
            let words = |known: &model::Allocation| {
                let desired = if known.desired == model::Desired::Run { "run" } else { "stop" };
                format!("{}.{} {desired}, {:?}", known.job, known.group, known.client_status).to_lowercase()
            };
            state.allocations().map(|known| row(known.id, &**known, words(known))).collect()
        }
        Table::Evaluations => {
            let words = |known: &model::Evaluation| format!("{} {:?}", known.job, known.status).to_lowercase();
            state.evaluations().map(|known| row(known.id, &**known, words(known))).collect()
        }
        Table::Deployments => {
            let words = |known: &model::Deployment| format!("{} {:?}", known.job, known.status).to_lowercase();
            state.deployments().map(|known| row(known.id, &**known, words(known))).collect()
        }
        Table::Volumes => state.volumes().map(|volume| row(volume.id, &**volume, volume.name.to_string())).collect(),
        Table::Servers => {
            { state.servers().map(|server| row(server.id, &**server, format!("{} {}", server.name, server.address))) }
                .collect()
        }
    }
}

fn compare_rows(table: Table, before: &RowsOf, after: &RowsOf) -> Compared {
    let mut differences = Vec::new();
    for (id, (hash, words)) in before {
        match after.get(id) {
            None => differences.push(Difference::Removed(format!("{id} {words}"))),
            Some((same, _)) if same == hash => {}
            Some((_, now)) => differences.push(Difference::Changed(id.clone(), words.clone(), now.clone())),
        }
    }
    let added = after.iter().filter(|(id, _)| !before.contains_key(*id));
    differences.extend(added.map(|(id, (_, words))| Difference::Added(format!("{id} {words}"))));
    Compared { table, before: before.len(), after: after.len(), differences }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Timestamp;
    use model::testing::{job, node};
    use server_core::apply::apply;
    use server_core::command::{Command, Entry};

    use super::*;

    fn with(state: &State, commands: Vec<Command>) -> State {
        let mut state = state.clone();
        for command in commands {
            let entry = Entry { at: Timestamp::from_seconds(1), request: None, caller: String::new(), command };
            let index = state.index() + 1;
            apply(&mut state, index, 1, &entry);
        }
        state
    }

    #[test]
    fn what_was_added_changed_and_removed_is_told_by_table() {
        let register = |name: &str, count: u32| Command::RegisterJob {
            job: Arc::new(job(name).count(count)),
            check_index: None,
            submission: None,
        };
        let purge = |name: &str| Command::DeregisterJob { job: job(name).key(), purge: true };
        let first = with(&State::default(), vec![register("a", 1), register("b", 1)]);
        let nodes = Command::RegisterNode { node: Arc::new(node("n1")), session: None };
        let second = with(&first, vec![register("a", 2), purge("b"), register("c", 1), nodes]);
        let all = compare(&first, &second);
        let of = |table| all.iter().find(|one| one.table == table).unwrap();
        let jobs = of(Table::Jobs);
        assert_eq!((jobs.before, jobs.after), (2, 2));
        let is = |difference: &Difference| match difference {
            Difference::Added(what) => format!("+{what}"),
            Difference::Removed(what) => format!("-{what}"),
            Difference::Changed(id, before, after) => format!("~{id} {before} -> {after}"),
        };
        let told: Vec<String> = jobs.differences.iter().map(is).collect();
        let key = |name: &str| job(name).key().to_string();
        assert_eq!(
            told,
            [
                format!("~{} version 0 -> version 1", key("a")),
                format!("-{} version 0", key("b")),
                format!("+{} version 0", key("c")),
            ]
        );
        assert_eq!(of(Table::Nodes).differences.len(), 1);
        assert!(compare(&second, &second).iter().all(|table| table.differences.is_empty()));
    }
}

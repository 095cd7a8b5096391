//! Looks at the cluster as its users do while servers suffer and agents do not: a job that runs before must be untouched
//! by all of it. Each look asks any server for what is newest:
//!
//! - indexes never go back from one answer to the next, whoever gives it (I4);
//! - the job has the same allocations, wanted and running, and no other (I17: servers that are away change nothing);
//! - no node is down, since every agent beats (I28);
//! - the catalog and DNS list exactly the job's instances, and miss one for 5 s at most (I32, I33); DNS, which never asks
//!   the leader, does not deny the name.
//!
//! An answer that does not come says nothing. It does not look at containers: agents here run only what is faked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use invariants::{Answered, Indexes};
use serde_json::Value;
use tokio::time::Instant;

use super::cluster::{AGENTS, Cluster};
use crate::e2e::dns::{self, Answer};
use crate::e2e::{http, wait};
use crate::sim::seed::SeededRandom;

/// The job that is looked after, and its service.
const JOB: &str = "steady";
/// Its instances.
const INSTANCES: usize = 3;
/// How long it may take to run at first.
const RUNS_WITHIN: Duration = Duration::from_secs(30);
/// How long the catalog may miss an instance that is well.
const MISSING_MAX: Duration = Duration::from_secs(5);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Who looks.
#[derive(Debug)]
pub struct Auditor {
    servers: Vec<(SocketAddr, SocketAddr)>,
    allocations: BTreeSet<String>,
    ports: BTreeSet<String>,
    over: AtomicBool,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Answers that were judged.
    pub answers: usize,
    /// What was wrong.
    pub wrong: Vec<String>,
}

impl Auditor {
    /// Runs the job and remembers its allocations.
    #[track_caller]
    pub fn begin(cluster: &Cluster) -> Self {
        let servers = cluster.servers().iter().map(|server| (cluster.http(server), cluster.dns(server)));
        let servers: Vec<_> = servers.collect();
        let ((allocations, ports), _) = wait::until("a job that runs", RUNS_WITHIN, || {
            let (server, _) = servers[0];
            ask(server, "PUT", "/v1/jobs", &document())?;
            let (_, shown) = ask(server, "GET", &path_of_allocations(), "")?;
            let running = running(&shown);
            let (_, listed) = ask(server, "GET", &format!("/v1/service/{JOB}"), "")?;
            let done = running.len() == INSTANCES && listed_in(&listed) == running;
            let ports = listed.as_array().into_iter().flatten().map(|one| one["Port"].to_string()).collect();
            wait::check(done, || format!("{shown} and {listed}")).map(|()| (running, ports))
        });
        Self { servers, allocations, ports, over: AtomicBool::new(false) }
    }

    /// Tells it to end.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Looks until it is told to end.
    pub fn run(&self, seed: u64) -> Findings {
        let random = SeededRandom::new(seed);
        let (allocations, ports) = (self.allocations.clone(), self.ports.clone());
        let mut judge = Judge { allocations, ports, ..Judge::default() };
        while !self.over.load(Ordering::Relaxed) {
            let (server, dns) = self.servers[random.below(self.servers.len() as u64) as usize];
            let asked = Instant::now();
            judge.resolved(asked, dns, &dns::ask(dns, &format!("{JOB}.service.sched"), "SRV", &[]));
            for question in Question::ALL {
                let asked = Instant::now();
                // Who has not answered this will not answer the next.
                let Ok((index, answer)) = ask(server, "GET", &question.path(), "") else { break };
                judge.answered(question, asked, index, &answer);
            }
            std::thread::sleep(PAUSE);
        }
        judge.findings
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Allocations,
    Nodes,
    Service,
}

impl Question {
    const ALL: [Self; 3] = [Self::Allocations, Self::Nodes, Self::Service];

    fn path(self) -> String {
        match self {
            Question::Allocations => path_of_allocations(),
            Question::Nodes => "/v1/nodes".into(),
            Question::Service => format!("/v1/service/{JOB}"),
        }
    }
}

/// Holds answers against what must be.
#[derive(Debug, Default)]
struct Judge {
    allocations: BTreeSet<String>,
    ports: BTreeSet<String>,
    /// What was shown in answer to each question.
    indexes: Indexes,
    /// Since when the catalog misses each.
    missing_since: BTreeMap<String, Instant>,
    findings: Findings,
}

impl Judge {
    fn answered(&mut self, question: Question, asked: Instant, index: u64, answer: &Value) {
        self.findings.answers += 1;
        let shown = Answered { connection: question as u64, newer_than: 0, timed_out: false, index };
        self.findings.wrong.extend(self.indexes.answered(shown).iter().map(|known| format!("{question:?}: {known}")));
        match question {
            Question::Allocations => {
                let running = running(answer);
                let number = answer.as_array().map_or(0, Vec::len);
                if running != self.allocations || number != INSTANCES {
                    let what = format!("I17: at {index} {running:?} of {number} run, not {:?}", self.allocations);
                    self.findings.wrong.push(what);
                }
            }
            Question::Nodes => {
                let nodes = answer.as_array().into_iter().flatten();
                let up = nodes.filter(|node| node["Status"] != "down").count();
                if up != AGENTS.len() {
                    self.findings.wrong.push(format!("I28: at {index} {up} of {} nodes are up", AGENTS.len()));
                }
            }
            Question::Service => self.listed(asked, index, &listed_in(answer)),
        }
    }

    fn listed(&mut self, asked: Instant, index: u64, listed: &BTreeSet<String>) {
        let known = self.allocations.clone();
        self.compare(asked, &format!("at {index} the catalog"), &known, listed);
    }

    /// What a server's DNS said. It may fail, and then says nothing.
    fn resolved(&mut self, asked: Instant, server: SocketAddr, answer: &Answer) {
        let found = match answer.status.as_str() {
            "NOERROR" => answer.records.iter().filter_map(|record| record.split_whitespace().nth(2)),
            "NXDOMAIN" => return self.findings.wrong.push(format!("I33: {server} denies that there is such a name")),
            _ => return,
        };
        self.findings.answers += 1;
        let (known, found) = (self.ports.clone(), found.map(str::to_owned).collect());
        self.compare(asked, &server.to_string(), &known, &found);
    }

    fn compare(&mut self, asked: Instant, who: &str, known: &BTreeSet<String>, listed: &BTreeSet<String>) {
        for stranger in listed.difference(known) {
            self.findings.wrong.push(format!("I32: {who} lists {stranger}"));
        }
        self.missing_since.retain(|known, _| !listed.contains(known));
        for missing in known.difference(listed) {
            let since = *self.missing_since.entry(missing.clone()).or_insert(asked);
            if asked - since > MISSING_MAX {
                self.findings.wrong.push(format!("I33: {who} misses {missing} for {:?}", asked - since));
            }
        }
    }
}

fn path_of_allocations() -> String {
    format!("/v1/job/{JOB}/allocations")
}

/// An answer's index and body, if it is 200.
fn ask(server: SocketAddr, method: &str, path: &str, body: &str) -> Result<(u64, Value), String> {
    let reply = http::ask(server, method, path, body.as_bytes(), ANSWER_WITHIN);
    let reply = reply.map_err(|error| format!("{path}: {error:?}"))?;
    match reply.status {
        200 => Ok((reply.number("x-nomad-index").unwrap_or_default(), reply.json())),
        status => Err(format!("{path}: {status} {}", reply.text())),
    }
}

/// The allocations of which the cluster wants to run and that run.
fn running(allocations: &Value) -> BTreeSet<String> {
    let runs = |one: &&Value| one["DesiredStatus"] == "run" && one["ClientStatus"] == "running";
    ids(allocations.as_array().into_iter().flatten().filter(runs), "ID")
}

fn listed_in(service: &Value) -> BTreeSet<String> {
    ids(service.as_array().into_iter().flatten(), "AllocID")
}

fn ids<'a>(objects: impl Iterator<Item = &'a Value>, field: &str) -> BTreeSet<String> {
    objects.filter_map(|one| one[field].as_str()).map(str::to_owned).collect()
}

fn document() -> String {
    let task = serde_json::json!({
        "Name": "t", "Driver": "fake", "Config": {}, "Resources": { "CPU": 100, "MemoryMB": 100 },
    });
    let service = serde_json::json!({ "Name": JOB, "Provider": "nomad", "PortLabel": "http" });
    let group = serde_json::json!({
        "Name": "g", "Count": INSTANCES, "Tasks": [task], "Services": [service],
        "Networks": [{ "DynamicPorts": [{ "Label": "http" }] }],
    });
    let job = serde_json::json!({
        "ID": JOB, "Name": JOB, "Type": "service", "Datacenters": ["dc1"], "TaskGroups": [group],
    });
    serde_json::json!({ "Job": job }).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge() -> Judge {
        Judge { allocations: BTreeSet::from(["a", "b", "c"].map(str::to_owned)), ..Judge::default() }
    }

    fn allocation(id: &str, status: &str) -> Value {
        json!({ "ID": id, "DesiredStatus": "run", "ClientStatus": status })
    }

    #[track_caller]
    fn check(answers: &[(Question, u64, Value)], wanted: &[&str]) {
        let mut judge = judge();
        for (question, index, answer) in answers {
            judge.answered(*question, Instant::now(), *index, answer);
        }
        assert_eq!(judge.findings.wrong, wanted);
        assert_eq!(judge.findings.answers, answers.len());
    }

    #[test]
    fn what_is_untouched_is_fine() {
        let allocations = json!([allocation("a", "running"), allocation("b", "running"), allocation("c", "running")]);
        let nodes = json!([{ "Status": "ready" }, { "Status": "ready" }, { "Status": "initializing" }]);
        let service = json!([{ "AllocID": "a" }, { "AllocID": "b" }, { "AllocID": "c" }]);
        let all =
            [(Question::Allocations, 5, allocations), (Question::Nodes, 3, nodes), (Question::Service, 4, service)];
        check(&all, &[]);
    }

    #[test]
    fn an_index_that_goes_back_is_found() {
        let all = json!([{ "AllocID": "a" }, { "AllocID": "b" }, { "AllocID": "c" }]);
        let twice = [(Question::Service, 5, all.clone()), (Question::Service, 4, all)];
        check(&twice, &["Service: I4 indexes: connection 2 was shown 4 after 5"]);
    }

    #[test]
    fn an_allocation_that_is_replaced_or_lost_is_found() {
        let replaced = json!([allocation("a", "running"), allocation("b", "running"), allocation("d", "running")]);
        check(&[(Question::Allocations, 5, replaced)], &[r#"I17: at 5 {"a", "b", "d"} of 3 run, not {"a", "b", "c"}"#]);
        let lost = json!([allocation("a", "running"), allocation("b", "running"), allocation("c", "lost")]);
        check(&[(Question::Allocations, 5, lost)], &[r#"I17: at 5 {"a", "b"} of 3 run, not {"a", "b", "c"}"#]);
    }

    #[test]
    fn a_node_that_is_down_is_found() {
        let nodes = json!([{ "Status": "ready" }, { "Status": "down" }, { "Status": "ready" }]);
        check(&[(Question::Nodes, 5, nodes)], &["I28: at 5 2 of 3 nodes are up"]);
    }

    #[test]
    fn a_stranger_in_the_catalog_is_found_at_once_and_a_gap_after_a_while() {
        let mut judge = judge();
        let begin = Instant::now();
        let two = BTreeSet::from(["a", "b"].map(str::to_owned));
        judge.listed(begin, 1, &two);
        judge.listed(begin + MISSING_MAX, 2, &two);
        assert_eq!(judge.findings.wrong, [""; 0]);
        judge.listed(begin + MISSING_MAX + Duration::from_millis(1), 3, &two);
        assert_eq!(judge.findings.wrong, ["I33: at 3 the catalog misses c for 5.001s"]);
        judge.listed(begin, 4, &BTreeSet::from(["a", "b", "c", "d"].map(str::to_owned)));
        assert_eq!(judge.findings.wrong[1..], ["I32: at 4 the catalog lists d"]);
        assert!(judge.missing_since.is_empty());
    }

    #[test]
    fn a_name_that_dns_denies_is_found_and_one_that_it_cannot_tell_of_is_not() {
        let server: SocketAddr = "127.0.0.1:53".parse().unwrap();
        let answer = |status: &str, ports: &[&str]| Answer {
            status: status.into(),
            records: ports.iter().map(|port| format!("1 1 {port} a.")).collect(),
            additional: Vec::new(),
            text: String::new(),
        };
        let mut judge = Judge { ports: BTreeSet::from(["20000".to_owned()]), ..Judge::default() };
        judge.resolved(Instant::now(), server, &answer("SERVFAIL", &[]));
        judge.resolved(Instant::now(), server, &answer("", &[]));
        judge.resolved(Instant::now(), server, &answer("NOERROR", &["20000"]));
        assert_eq!((judge.findings.answers, judge.findings.wrong.len()), (1, 0));
        judge.resolved(Instant::now(), server, &answer("NXDOMAIN", &[]));
        judge.resolved(Instant::now(), server, &answer("NOERROR", &["20000", "20001"]));
        let wanted = ["I33: 127.0.0.1:53 denies that there is such a name", "I32: 127.0.0.1:53 lists 20001"];
        assert_eq!(judge.findings.wrong, wanted);
    }
}
